import { onScopeDispose, ref, watch, type Ref } from 'vue'

import * as centre from '@/api/centre'
import type { ExportJob, NewExport } from '@/api/types'

import { isOver } from './exports'

/** While something goes on, and while nothing does. */
export const BUSY_MS = 2_000
export const CALM_MS = 30_000

/**
 * The exports of one box, newest first, asked for again and again.
 *
 * What is known stays when that fails; `failure` is why. `start` and `remove` reject with what the
 * box says.
 */
export function useExports(boxId: Ref<string>) {
  const jobs = ref<ExportJob[]>([])
  const failure = ref<unknown>(null)
  let timer: ReturnType<typeof setTimeout> | undefined
  let asked = 0

  async function load(): Promise<void> {
    clearTimeout(timer)
    const mine = (asked += 1)
    try {
      const { exports } = await centre.exports(boxId.value)
      if (mine !== asked) return
      jobs.value = exports
      failure.value = null
    } catch (error) {
      if (mine !== asked) return
      failure.value = error
    }
    timer = setTimeout(() => void load(), jobs.value.every(isOver) ? CALM_MS : BUSY_MS)
  }

  async function start(wanted: NewExport): Promise<void> {
    await centre.startExport(boxId.value, wanted)
    await load()
  }

  async function remove(job: ExportJob): Promise<void> {
    await centre.removeExport(boxId.value, job.id)
    await load()
  }

  watch(boxId, () => {
    jobs.value = []
    void load()
  }, { immediate: true })
  onScopeDispose(() => {
    asked += 1
    clearTimeout(timer)
  })

  return { jobs, failure, start, remove }
}
