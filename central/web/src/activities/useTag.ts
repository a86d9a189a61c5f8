import { useI18n } from 'vue-i18n'

import type { Activity, AlertActivity } from '@/api/activityTypes'
import { useLabels } from '@/stores/codes'
import { useSession } from '@/stores/session'
import { minuteOf } from '@/time/zone'

/** Return a function that says a filed event in short: 报备:婚宴 200人 11:00–15:00. */
export function useTag() {
  const { t } = useI18n()
  const label = useLabels()
  const session = useSession()

  function say(it: Pick<Activity, 'kind' | 'title' | 'expected'>, times: { start: string; end: string }): string {
    const what = it.kind === 'other' ? it.title : label('activity_kinds', it.kind)
    const clock = (at: string) => minuteOf(Date.parse(at), session.zone)
    return t('activities.tag', { what, n: it.expected, from: clock(times.start), to: clock(times.end) })
  }

  /** With what became of it: an alert that left its event rings. */
  function ofAlert(it: AlertActivity): string {
    return it.left === null ? say(it, it) : `${t(`activities.left.${it.left}`)} · ${say(it, it)}`
  }

  const ofActivity = (it: Activity): string => say(it, it.current ?? it)

  return { ofAlert, ofActivity }
}
