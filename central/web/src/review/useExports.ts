import { onScopeDispose, ref, watch, type Ref } from 'vue'

import * as centre from '@/api/centre'
import type { ExportJob, NewExport } from '@/api/types'
import { useWhenSeen } from '@/time/useWhenSeen'

import { isOver } from './exports'

/** While something goes on, and while nothing does. */
export const BUSY_MS = 2_000
export const CALM_MS = 30_000

/**
 * The exports of one box, newest first, asked for again and again while the page is seen.
 *
 * `known` says whether they were ever had. What is known stays when that fails; `failure` is why. `start` and `remove` reject with what the
 * box says.
 */
export function useExports(boxId: Ref<string>) {
  const jobs = ref<ExportJob[]>([])
  const known = ref(false)
  const failure = ref<unknown>(null)
  let timer: ReturnType<typeof setTimeout> | undefined
  let asked = 0
  let closed = false

  async function load(): Promise<void> {
    clearTimeout(timer)
    if (closed) return
    const mine = (asked += 1)
    try {
      const { exports } = await centre.exports(boxId.value)
      if (mine !== asked) return
      jobs.value = exports
      known.value = true
      failure.value = null
    } catch (error) {
      if (mine !== asked) return
      failure.value = error
    }
    timer = setTimeout(loadWhenSeen, jobs.value.every(isOver) ? CALM_MS : BUSY_MS)
  }

  const loadWhenSeen = useWhenSeen(() => void load())

  async function start(wanted: NewExport): Promise<void> {
    await lookAfter(centre.startExport(boxId.value, wanted))
  }

  async function remove(job: ExportJob): Promise<void> {
    await lookAfter(centre.removeExport(boxId.value, job.id))
  }

  /** What was asked for may be done even where no answer came. */
  async function lookAfter(work: Promise<unknown>): Promise<void> {
    try {
      await work
    } finally {
      await load()
    }
  }

  watch(boxId, () => {
    jobs.value = []
    known.value = false
    void load()
  }, { immediate: true })
  onScopeDispose(() => {
    closed = true
    asked += 1
    clearTimeout(timer)
  })

  return { jobs, known, failure, start, remove }
}
