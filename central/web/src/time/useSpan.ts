import { useI18n } from 'vue-i18n'

import { spanUnits } from './countdown'

/** Return a function that writes a stretch of time in words: 3小时12分. */
export function useSpan() {
  const { t } = useI18n()
  return (ms: number): string =>
    spanUnits(ms)
      .map(({ unit, value }) => t(`units.${unit}`, { n: value }))
      .join('')
}
