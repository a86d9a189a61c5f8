import { useI18n } from 'vue-i18n'

import { countdown, durationText, type Countdown } from './countdown'

/** Return functions that write counts of seconds in the page's language: 3天 02:10. */
export function useCountdown() {
  const { t } = useI18n()
  const days = (n: number): string => t('units.day', { n })
  return {
    countdown: (deadline: number, from: number, now: number): Countdown => countdown(deadline, from, now, days),
    durationText: (seconds: number): string => durationText(seconds, days),
  }
}
