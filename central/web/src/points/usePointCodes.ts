import { computed, shallowRef } from 'vue'
import { useI18n } from 'vue-i18n'

import { pointCodes } from '@/api/points'
import type { PointCodes } from '@/api/pointTypes'

const EMPTY: PointCodes = { states: [], place_types: [], legal_bases: [], device_types: [], checklist: [], lacks: [], filing_states: [], facts: [] }

const codes = shallowRef<PointCodes>(EMPTY)
let loading: Promise<void> | null = null

/** The centre's words for the codes of points, fetched once; an unknown code is shown as it is. */
export function usePointCodes() {
  const { locale } = useI18n()
  loading ??= pointCodes()
    .then((answer) => {
      codes.value = answer
    })
    .catch(() => {
      loading = null
    })
  const wordOf = (code: { zh: string; en: string }) => (locale.value === 'en' ? code.en : code.zh)
  const label = (group: keyof PointCodes, code: string | null): string => {
    const found = codes.value[group].find((each) => each.code === code)
    return found === undefined ? (code ?? '') : wordOf(found)
  }
  return { codes: computed(() => codes.value), label, wordOf }
}
