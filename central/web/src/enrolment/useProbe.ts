import { onBeforeUnmount, ref, shallowRef } from 'vue'

import * as centre from '@/api/enrolment'
import type { NewProbe, Probe } from '@/api/enrolment'
import { useExplain } from '@/work/explain'

import { poll } from './polling'

const EVERY_MS = 700

/** One device that a box looks at: asked once, followed until there is an answer. */
export function useProbe(boxId: string) {
  const explain = useExplain()
  const probe = shallowRef<Probe | null>(null)
  const problem = ref('')
  const busy = ref(false)
  let turn = 0
  let gone = false

  /** Follow a probe that was asked for before. Returns whether it has seen the device's pictures. */
  async function follow(probeId: string): Promise<boolean> {
    const mine = (turn += 1)
    busy.value = true
    problem.value = ''
    probe.value = null
    try {
      await poll(
        () => centre.probe(boxId, probeId),
        (seen) => {
          probe.value = seen
        },
        (seen) => seen.state !== 'running',
        () => gone || mine !== turn,
        EVERY_MS,
      )
    } catch (error) {
      if (mine === turn) problem.value = explain(error)
    }
    if (mine === turn) busy.value = false
    return mine === turn && !gone && probe.value !== null && (probe.value as Probe).state === 'done'
  }

  /** Have the box ask a device. Returns the probe's id, or null where the box would not. */
  async function start(question: NewProbe): Promise<string | null> {
    turn += 1
    busy.value = true
    problem.value = ''
    probe.value = null
    try {
      return (await centre.startProbe(boxId, question)).id
    } catch (error) {
      problem.value = explain(error)
      return null
    } finally {
      busy.value = false
    }
  }

  onBeforeUnmount(() => {
    gone = true
  })

  return { probe, problem, busy, start, follow }
}
