import { computed } from 'vue'
import { useI18n } from 'vue-i18n'

import type { Choice } from '@/components/wall/ChoiceList.vue'
import { useCodes } from '@/stores/codes'

import { reasonsFor } from './choices'

const KNOWN = ['market', 'wedding', 'funeral', 'dance', 'school', 'temple', 'building', 'meeting'] as const

/** The choices of the two lists that verify an alert. */
export function useDialogChoices() {
  const { t, locale } = useI18n()
  const codes = useCodes()

  function reasons(kind: string): Choice[] {
    return reasonsFor(kind, codes.codes.false_reasons).map((reason) => ({
      code: reason.code,
      text: locale.value === 'en' ? reason.en : reason.zh,
      needsNote: reason.code === 'other',
    }))
  }

  /** A known activity is told by its words, in Chinese: the ledger is the village's. */
  const known = computed<Choice[]>(() => [
    ...KNOWN.map((code) => ({ code: t(`known.${code}`, {}, { locale: 'zh-CN' }), text: t(`known.${code}`), needsNote: false })),
    { code: 'other', text: t('known.other'), needsNote: true },
  ])

  return { reasons, known }
}
