import { onMounted, ref, shallowRef } from 'vue'
import { useI18n } from 'vue-i18n'

import { grids as askGrids } from '@/api/enrolment'
import { pointCodes } from '@/api/points'
import type { Code, PointCodes } from '@/api/points'
import type { Grid } from '@/api/types'
import { useExplain } from '@/work/explain'

const NONE: PointCodes = { states: [], place_types: [], legal_bases: [], checklist: [] }

/** What the forms about cameras choose from: the village's grids, kinds of places, what the law says. */
export function useCodes() {
  const { locale } = useI18n()
  const explain = useExplain()
  const codes = shallowRef<PointCodes>(NONE)
  const grids = shallowRef<Grid[]>([])
  const problem = ref('')

  async function load(): Promise<void> {
    try {
      ;[codes.value, grids.value] = await Promise.all([pointCodes(), askGrids()])
      problem.value = ''
    } catch (error) {
      problem.value = explain(error)
    }
  }

  const wordsOf = (code: Code) => (locale.value === 'en' ? code.en : code.zh)
  const said = (list: readonly Code[], code: string) => {
    const found = list.find((each) => each.code === code)
    return found === undefined ? code : wordsOf(found)
  }
  const gridName = (code: string) => grids.value.find((each) => each.code === code)?.name || code
  onMounted(load)
  return { codes, grids, problem, load, wordsOf, said, gridName }
}
