import { describe, expect, it } from 'vitest'

import type { CameraStorage, Storage } from '@/api/types'
import en from '@/i18n/recording.en'
import zh from '@/i18n/recording.zh'
import { isShort, sizeText, wholeDays, worstOf } from '@/review/storage'

function camera(camera_id: string, days: number, fits_days: number | null): CameraStorage {
  return { camera_id, is_configured: true, days, bytes: 0, quota_bytes: null, earliest: null, daily_bytes: null, fits_days }
}

const storage = (...cameras: CameraStorage[]) => ({ cameras }) as Storage

describe('a size in words', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1500, '1.5 KB'],
    [999_600, '1 MB'],
    [43_000_000_000, '43 GB'],
    [999_400_000_000, '999 GB'],
    [1_250_000_000_000, '1.3 TB'],
    [5e15, '5000 TB'],
  ])('%d bytes are %s', (bytes, text) => {
    expect(sizeText(bytes)).toBe(text)
  })
})

describe('the days that fit', () => {
  it('are never told as more than is true', () => {
    expect(wholeDays(29.99)).toBe(29)
    expect(wholeDays(30)).toBe(30)
  })

  it('are short of the promise or not', () => {
    expect(isShort(camera('a', 30, 29.9))).toBe(true)
    expect(isShort(camera('a', 30, 30))).toBe(false)
    expect(isShort(camera('a', 30, null))).toBe(false)
  })

  it('of the whole are those of the camera that comes shortest of its promise', () => {
    expect(worstOf(storage(camera('a', 30, 41), camera('b', 90, 62), camera('c', 30, null)))?.camera_id).toBe('b')
    expect(worstOf(storage(camera('a', 30, null)))).toBeNull()
  })
})

describe('a record of deletion', () => {
  it('has words for every reason that a box writes down', () => {
    const reasons = ['age', 'lost', 'orphan', 'quota', 'watermark']
    for (const words of [zh, en]) expect(Object.keys(words.storage.reasons).sort()).toEqual(reasons)
  })
})
