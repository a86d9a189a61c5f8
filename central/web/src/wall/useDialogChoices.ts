import { useI18n } from 'vue-i18n'

import { offersFor } from '@/activities/filed'
import { useTag } from '@/activities/useTag'
import type { Alert } from '@/api/types'
import type { Choice } from '@/components/wall/ChoiceList.vue'
import { useCodes } from '@/stores/codes'
import { useVillage } from '@/stores/village'

import { reasonsFor } from './choices'

const KNOWN = ['market', 'wedding', 'funeral', 'dance', 'school', 'temple', 'building', 'meeting'] as const

/** The choices of the two lists that verify an alert. */
export function useDialogChoices() {
  const { t, locale } = useI18n()
  const codes = useCodes()
  const village = useVillage()
  const tag = useTag()

  function reasons(kind: string): Choice[] {
    return reasonsFor(kind, codes.codes.false_reasons).map((reason) => ({
      code: reason.code,
      text: locale.value === 'en' ? reason.en : reason.zh,
      needsNote: reason.code === 'other',
    }))
  }

  /**
   * What is filed for the camera comes first, by its id. Any other known activity is told by its
   * words, in Chinese: the ledger is the village's.
   */
  const known = (alert: Alert, now: number): Choice[] => [
    ...offersFor(village.activities, alert, now).map((each) => ({ code: each.id, text: tag.ofActivity(each), needsNote: false })),
    ...KNOWN.map((code) => ({ code: t(`known.${code}`, {}, { locale: 'zh-CN' }), text: t(`known.${code}`), needsNote: false })),
    { code: 'other', text: t('known.other'), needsNote: true },
  ]

  return { reasons, known }
}
