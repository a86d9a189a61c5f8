import { describe, expect, it } from 'vitest'

import { countdown, durationText, spanUnits } from '@/time/countdown'
import { clockOf, DAY_MS, dayOf, endOfDay, longDateOf, minuteOf, momentOf, startOfDay, stampOf, weekdayOf } from '@/time/zone'

const SHANGHAI = 'Asia/Shanghai'
const BERLIN = 'Europe/Berlin'

describe('the village zone', () => {
  const at = Date.parse('2026-11-21T16:05:22Z')

  it('says days and clock times of the village, wherever the browser stands', () => {
    expect(dayOf(at, SHANGHAI)).toBe('2026-11-22')
    expect(clockOf(at, SHANGHAI)).toBe('00:05:22')
    expect(minuteOf(at, SHANGHAI)).toBe('00:05')
    expect(momentOf(at, SHANGHAI)).toBe('11-22 00:05:22')
    expect(stampOf(at, SHANGHAI)).toBe('2026-11-22-000522')
    expect(weekdayOf(at, SHANGHAI, 'zh-CN')).toBe('星期日')
    expect(longDateOf(at, SHANGHAI, 'zh-CN')).toBe('2026年11月22日')
  })

  it('knows where a day begins and ends', () => {
    expect(startOfDay('2026-11-22', SHANGHAI)).toBe(Date.parse('2026-11-21T16:00:00Z'))
    expect(endOfDay('2026-11-22', SHANGHAI) - startOfDay('2026-11-22', SHANGHAI)).toBe(DAY_MS)
  })

  it('gives the days on which clocks change their own length', () => {
    expect(endOfDay('2026-03-29', BERLIN) - startOfDay('2026-03-29', BERLIN)).toBe(23 * 3_600_000)
    expect(endOfDay('2026-10-25', BERLIN) - startOfDay('2026-10-25', BERLIN)).toBe(25 * 3_600_000)
    expect(startOfDay('2026-10-26', BERLIN)).toBe(Date.parse('2026-10-25T23:00:00Z'))
  })
})

describe('a countdown', () => {
  it('counts down to zero and then up', () => {
    expect(countdown(60_000, 0, 0)).toEqual({ seconds: 60, overdue: false, urgent: false, text: '1:00' })
    expect(countdown(60_000, 0, 59_001)).toEqual({ seconds: 1, overdue: false, urgent: true, text: '0:01' })
    expect(countdown(60_000, 0, 60_000)).toEqual({ seconds: 0, overdue: false, urgent: true, text: '0:00' })
    expect(countdown(60_000, 0, 61_000)).toEqual({ seconds: -1, overdue: true, urgent: true, text: '+0:01' })
  })

  it('turns urgent at three quarters', () => {
    expect(countdown(100_000, 0, 74_999).urgent).toBe(false)
    expect(countdown(100_000, 0, 75_000).urgent).toBe(true)
    expect(countdown(0, 0, -1).urgent).toBe(true)
  })

  it('writes hours and days', () => {
    expect([0, 59, 61, 3_600, 90_061, -5].map(durationText)).toEqual(['0:00', '0:59', '1:01', '1:00:00', '1d 01:01', '0:00'])
  })
})

describe('a stretch of time in words', () => {
  it('takes the two greatest units', () => {
    expect(spanUnits(3 * 3_600_000 + 12 * 60_000 + 7_000)).toEqual([{ unit: 'hour', value: 3 }, { unit: 'minute', value: 12 }])
    expect(spanUnits(12_400)).toEqual([{ unit: 'second', value: 12 }])
    expect(spanUnits(0)).toEqual([{ unit: 'second', value: 0 }])
    expect(spanUnits(DAY_MS + 5_000)).toEqual([{ unit: 'day', value: 1 }, { unit: 'second', value: 5 }])
  })
})
