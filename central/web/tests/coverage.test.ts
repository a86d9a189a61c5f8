import { describe, expect, it } from 'vitest'

import { daysOf, gradeOf, missingOf, otherMonth, percentOf } from '@/review/coverage'

const day = (recorded_s: number, missing_s: Record<string, number> = {}, unexplained_s = 0) => ({
  day: '2026-11-22',
  expected_s: 86_400,
  recorded_s,
  missing_s,
  unexplained_s,
})

describe('the coverage of a day', () => {
  it('is never rounded up to whole', () => {
    expect(percentOf(day(86_400))).toBe(100)
    expect(percentOf(day(86_399))).toBe(99.9)
    expect(percentOf(day(43_200))).toBe(50)
    expect(percentOf(day(0))).toBe(0)
  })

  it('is graded by what a person must look after', () => {
    expect([100, 99.9, 99, 98.9, 90, 89.9, 0].map(gradeOf)).toEqual(['whole', 'good', 'good', 'poor', 'poor', 'bad', 'bad'])
  })

  it('names what is missing, longest first, and leaves out what nobody could miss', () => {
    const parts = missingOf(day(80_000, { camera: 400, network: 6000, box_off: 0.4 }, 2))
    expect(parts).toEqual([
      { reason: 'network', ms: 6_000_000 },
      { reason: 'camera', ms: 400_000 },
      { reason: 'unknown', ms: 2000 },
    ])
  })
})

describe('a month', () => {
  it('has its own days', () => {
    expect(daysOf('2026-11')).toHaveLength(30)
    expect(daysOf('2024-02').at(-1)).toBe('2024-02-29')
    expect(daysOf('2026-12').at(-1)).toBe('2026-12-31')
  })

  it('follows on another over the year', () => {
    expect(otherMonth('2026-12', 1)).toBe('2027-01')
    expect(otherMonth('2026-01', -1)).toBe('2025-12')
    expect(otherMonth('2026-03', -1)).toBe('2026-02')
  })
})
