import { onBeforeUnmount, ref, shallowRef, watch, type Ref } from 'vue'

import * as centre from '@/api/centre'
import type { Camera, Coverage } from '@/api/types'
import { useExplain } from '@/work/explain'

import { daysOf } from './coverage'

/** A month of every camera's coverage, camera by camera: a village's uplink is narrow. */
export function useCoverage(cameras: Ref<Camera[]>, month: Ref<string>) {
  const explain = useExplain()
  const coverage = shallowRef<ReadonlyMap<string, Coverage>>(new Map())
  const problems = shallowRef<ReadonlyMap<string, string>>(new Map())
  const loading = ref(false)
  let asked = 0

  async function load(): Promise<void> {
    const mine = (asked += 1)
    const days = daysOf(month.value)
    const [first, last] = [days[0], days.at(-1)]
    if (first === undefined || last === undefined) return
    loading.value = true
    problems.value = new Map()
    for (const camera of cameras.value) {
      try {
        const found = await centre.coverage(camera.box_id, camera.camera_id, first, last)
        if (mine !== asked) return
        coverage.value = new Map(coverage.value).set(camera.uid, found)
      } catch (error) {
        if (mine !== asked) return
        problems.value = new Map(problems.value).set(camera.uid, explain(error))
      }
    }
    loading.value = false
  }

  watch(
    [month, () => cameras.value.map((camera) => camera.uid).join()],
    ([nowMonth], [oldMonth]) => {
      if (nowMonth !== oldMonth) coverage.value = new Map()
      void load()
    },
    { immediate: true },
  )
  onBeforeUnmount(() => {
    asked += 1
  })

  return { coverage, problems, loading, load }
}
