import { describe, expect, it } from 'vitest'

import { absenceOf } from '@/alerts/absence'
import en from '@/i18n/en'
import zh from '@/i18n/zh'

import { anAlert } from './alerts'

describe('a picture or clip that is not there', () => {
  it('is on its way until its box says that it will never come', () => {
    expect(absenceOf(anAlert(), 'clip')).toBe('alert.noClip')
    expect(absenceOf(anAlert({ lacks: [{ kind: 'clip', reason: 'too_large' }] }), 'snapshot')).toBe('alert.noSnapshot')
  })

  it('will not come for a reason that has words in both languages, also one that is newer than this page', () => {
    for (const reason of ['too_large', 'not_made', 'refused', 'eaten']) {
      const key = absenceOf(anAlert({ lacks: [{ kind: 'clip', reason }] }), 'clip')
      const words = [zh, en].map((texts) => key.split('.').reduce<unknown>((found, part) => (found as Record<string, unknown>)[part], texts))
      expect(words.map((each) => typeof each)).toEqual(['string', 'string'])
    }
  })
})
