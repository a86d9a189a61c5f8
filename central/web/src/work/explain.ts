import { useI18n } from 'vue-i18n'

import { CentreError } from '@/api/http'

/** Return a function that says an error in the page's language. */
export function useExplain() {
  const { t, locale } = useI18n()
  return (error: unknown): string => {
    if (!(error instanceof CentreError)) return String(error)
    if (error.status === 0) return t('login.unreachable')
    return locale.value === 'en' ? error.message : error.messageZh
  }
}
