import { useI18n } from 'vue-i18n'

import type { Alert } from '@/api/types'
import { useCodes, useLabels } from '@/stores/codes'
import { isSuspected } from '@/wall/choices'

/** Return functions that say in words what an alert is about. */
export function useAlertWords() {
  const { t } = useI18n()
  const label = useLabels()
  const codes = useCodes()

  /** 疑似人员聚集 until a person has verified it, then 人员聚集. */
  function what(alert: Pick<Alert, 'kind' | 'state'>): string {
    const kind = label('kinds', alert.kind)
    return isSuspected(alert) ? t('alert.suspected', { what: kind }) : kind
  }

  /** The sentence a new incident begins with: Chinese, as the village's records are. */
  function summary(alert: Alert): string {
    const values = {
      place: alert.camera.name,
      what: codes.codes.kinds.find((each) => each.code === alert.kind)?.zh ?? alert.kind,
      count: alert.peak || alert.count,
      threshold: alert.threshold,
    }
    return t(alert.threshold > 0 ? 'confirm.summaryCount' : 'confirm.summaryOf', values, { locale: 'zh-CN' })
  }

  return { what, summary, label }
}
