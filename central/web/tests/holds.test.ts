import { describe, expect, it } from 'vitest'

import type { Hold } from '@/api/types'
import { areGood, changeOf, dayAfter, firstTerms, lastDay, untilOf } from '@/review/holds'

const ZONE = 'Asia/Shanghai'
const NOW = Date.parse('2026-11-22T20:00:00Z') // the 23rd in the village

const HOLD: Hold = {
  by: 'person',
  id: 1,
  alert_id: null,
  camera_id: 'gate',
  start: '2026-11-22T01:00:00Z',
  end: '2026-11-22T01:05:00Z',
  until: '2027-05-22T16:00:00Z',
  reason: '派出所来函',
  placed_by: '张建国 (duty)',
  placed_at: '2026-11-22T02:00:00Z',
  review_on: '2027-02-20',
  review_due: false,
  asked_s: 300,
  held_s: 300,
  held_bytes: 1,
}

describe('the terms of a hold', () => {
  it('are half a year, and a look after a quarter, by the days of the village', () => {
    expect(firstTerms(NOW, ZONE)).toEqual({ until: '2027-05-22', review: '2027-02-21' })
  })

  it('keep the last day whole', () => {
    expect(untilOf('2027-05-22', ZONE)).toBe('2027-05-22T16:00:00.000Z')
    expect(lastDay('2027-05-22T16:00:00.000Z', ZONE)).toBe('2027-05-22')
    expect(lastDay('2027-05-22T16:00:01.000Z', ZONE)).toBe('2027-05-23')
  })

  it('are good where the box takes them', () => {
    expect(areGood({ until: '2026-11-24', review: '2026-11-24' }, NOW, ZONE)).toBe(true)
    expect(areGood(firstTerms(NOW, ZONE), NOW, ZONE)).toBe(true)
    expect(areGood({ until: '2027-05-22', review: '2026-11-23' }, NOW, ZONE)).toBe(false) // today
    expect(areGood({ until: '2026-12-01', review: '2026-12-02' }, NOW, ZONE)).toBe(false)
    expect(areGood({ until: dayAfter(NOW, 400, ZONE), review: dayAfter(NOW, 181, ZONE) }, NOW, ZONE)).toBe(false)
    expect(areGood({ until: dayAfter(NOW, 3 * 365 + 1, ZONE), review: dayAfter(NOW, 9, ZONE) }, NOW, ZONE)).toBe(false)
    expect(areGood({ until: '', review: '' }, NOW, ZONE)).toBe(false)
  })

  it('may keep an end that is further off than a person may choose, as a rescue gives', () => {
    const far = { until: dayAfter(NOW, 3650, ZONE), review: dayAfter(NOW, 9, ZONE) }
    expect(areGood(far, NOW, ZONE)).toBe(false)
    expect(areGood(far, NOW, ZONE, far.until)).toBe(true)
    expect(areGood({ ...far, until: dayAfter(NOW, 3651, ZONE) }, NOW, ZONE, far.until)).toBe(false)
  })
})

describe('a change of a hold', () => {
  it('says only what was touched', () => {
    expect(changeOf(HOLD, { until: '2027-05-22', review: '2027-02-20' }, '', ZONE)).toEqual({})
    expect(changeOf(HOLD, { until: '2027-05-22', review: '2027-03-01' }, '仍需要', ZONE)).toEqual({ review_on: '2027-03-01', reason: '仍需要' })
    expect(changeOf(HOLD, { until: '2027-05-01', review: '2027-02-20' }, '够了', ZONE)).toEqual({ until: '2027-05-01T16:00:00.000Z', reason: '够了' })
  })
})
