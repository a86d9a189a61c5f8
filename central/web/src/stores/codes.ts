import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { useI18n } from 'vue-i18n'

import * as centre from '@/api/centre'
import type { Code, Codes } from '@/api/types'

const EMPTY: Codes = {
  kinds: [],
  levels: [],
  modes: [],
  alert_states: [],
  false_reasons: [],
  categories: [],
  incident_states: [],
  gap_reasons: [],
  activity_kinds: [],
  activity_states: [],
}

/** The centre's words for its codes; an unknown code is shown as it is. */
export const useCodes = defineStore('codes', () => {
  const codes = ref<Codes>(EMPTY)
  let loading: Promise<void> | null = null

  /** Fetch once, until it succeeds: a call after a failure tries again, one after a success does nothing. */
  function load(): Promise<void> {
    loading ??= centre
      .codes()
      .then((answer) => {
        codes.value = { ...EMPTY, ...answer }
      })
      .catch(() => {
        loading = null
      })
    return loading
  }

  return { codes, load }
})

/** Return a function that says a code in the page's language. */
export function useLabels() {
  const store = useCodes()
  const { locale } = useI18n()
  const maps = computed(() => {
    const result: Partial<Record<keyof Codes, Map<string, string>>> = {}
    for (const [group, list] of Object.entries(store.codes) as [keyof Codes, Code[]][]) {
      result[group] = new Map(list.map((code) => [code.code, locale.value === 'en' ? code.en : code.zh]))
    }
    return result
  })
  return (group: keyof Codes, code: string | null): string =>
    code === null ? '' : (maps.value[group]?.get(code) ?? code)
}
