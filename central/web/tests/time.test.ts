import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { learnServerTime, QUICK_MS, serverNow } from '@/time/clock'
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
  const days = (n: number) => `${n}天`
  const counted = (deadline: number, from: number, now: number) => countdown(deadline, from, now, days)

  it('counts down to zero and then up', () => {
    expect(counted(60_000, 0, 0)).toEqual({ seconds: 60, overdue: false, urgent: false, text: '1:00' })
    expect(counted(60_000, 0, 59_001)).toEqual({ seconds: 1, overdue: false, urgent: true, text: '0:01' })
    expect(counted(60_000, 0, 60_000)).toEqual({ seconds: 0, overdue: false, urgent: true, text: '0:00' })
    expect(counted(60_000, 0, 61_000)).toEqual({ seconds: -1, overdue: true, urgent: true, text: '+0:01' })
  })

  it('turns urgent at three quarters', () => {
    expect(counted(100_000, 0, 74_999).urgent).toBe(false)
    expect(counted(100_000, 0, 75_000).urgent).toBe(true)
    expect(counted(0, 0, -1).urgent).toBe(true)
  })

  it('writes hours, and days in the language of the page', () => {
    expect([0, 59, 61, 3_600, 90_061, -5].map((each) => durationText(each, days))).toEqual(['0:00', '0:59', '1:01', '1:00:00', '1天 01:01', '0:00'])
    expect(durationText(2 * 86_400, (n) => `${n} d `)).toBe('2 d 00:00')
    expect(counted(0, 0, 90_061_000).text).toBe('+1天 01:01')
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

describe("the server's time", () => {
  const HERE = Date.parse('2026-11-22T06:00:00Z')
  const ahead = (ms: number) => new Date(Date.now() + ms).toISOString()
  /** The server is `aheadMs` ahead and its answer was `tookMs` under way, all of it on the way back. */
  const answered = (aheadMs: number, tookMs: number) => learnServerTime(ahead(aheadMs - tookMs), Date.now() - tookMs, Date.now())

  beforeEach(() => {
    vi.useFakeTimers({ now: HERE })
    answered(0, 0)
  })
  afterEach(() => {
    answered(0, 0)
    vi.useRealTimers()
  })

  it('is learned from quick answers', () => {
    answered(60_000, 100)
    expect(serverNow() - Date.now()).toBe(59_950)
    answered(60_000, QUICK_MS)
    expect(serverNow() - Date.now()).toBe(60_000 - QUICK_MS / 2)
  })

  it('is not learned from slow ones while a better one is known', () => {
    answered(60_000, 100)
    answered(60_000, 12_000)
    learnServerTime(ahead(5), Date.now() + 1, Date.now())
    expect(serverNow() - Date.now()).toBe(59_950)
  })

  it('is learned from any after this clock was set', () => {
    answered(0, 100)
    vi.setSystemTime(HERE - 3_600_000)
    answered(3_600_000, 4_000)
    expect(serverNow() - Date.now()).toBe(3_598_000)
    answered(3_600_000, 3_000)
    expect(serverNow() - Date.now()).toBe(3_598_500)
    answered(3_600_000, 3_500)
    expect(serverNow() - Date.now()).toBe(3_598_500)
  })
})
