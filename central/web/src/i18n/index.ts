import { createI18n } from 'vue-i18n'

import en from './en'
import zh from './zh'

export type Language = 'zh-CN' | 'en'

const KEY = 'tanshao.language'

/** Chinese unless the address or an earlier choice says English. */
export function chosenLanguage(search: string, remembered: string | null): Language {
  const asked = new URLSearchParams(search).get('lang') ?? remembered
  return asked !== null && asked.toLowerCase().startsWith('en') ? 'en' : 'zh-CN'
}

function remembered(): string | null {
  try {
    return window.localStorage.getItem(KEY)
  } catch {
    return null
  }
}

const locale: Language = chosenLanguage(window.location.search, remembered())

export const i18n = createI18n({
  legacy: false,
  locale,
  fallbackLocale: 'zh-CN',
  messages: { 'zh-CN': zh, en },
})

/** Switch the page's language and remember it for this browser. */
export function setLanguage(language: Language): void {
  i18n.global.locale.value = language
  document.documentElement.lang = language
  try {
    window.localStorage.setItem(KEY, language)
  } catch {
    // A browser that keeps nothing still gets the language for this visit.
  }
}

setLanguage(locale)
