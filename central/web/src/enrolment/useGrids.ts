import { onMounted, ref, shallowRef } from 'vue'

import { grids as askGrids } from '@/api/enrolment'
import type { Grid } from '@/api/types'
import { useExplain } from '@/work/explain'

/** The village's grids, for a camera to be one's. */
export function useGrids() {
  const explain = useExplain()
  const grids = shallowRef<Grid[]>([])
  const problem = ref('')

  async function load(): Promise<void> {
    try {
      grids.value = await askGrids()
      problem.value = ''
    } catch (error) {
      problem.value = explain(error)
    }
  }

  const gridName = (code: string) => grids.value.find((each) => each.code === code)?.name || code
  onMounted(load)
  return { grids, problem, gridName }
}
