/** How complete a day of recording is, for people who glance at a month of them. Pure. */

import type { DayCoverage } from '@/api/types'
import { DAY_MS } from '@/time/zone'

export type Grade = 'whole' | 'good' | 'poor' | 'bad'

/** What a restart or a camera's hiccup costs is no fault of a day. */
const GOOD_PERCENT = 99
const POOR_PERCENT = 90

/** Percent with one digit, never rounded up: 100 means that not a tenth of a percent is missing. */
export function percentOf(day: DayCoverage): number {
  if (day.expected_s <= 0) return 100
  return Math.min(100, Math.floor((day.recorded_s / day.expected_s) * 1000 + 1e-6) / 10)
}

export function gradeOf(percent: number): Grade {
  if (percent >= 100) return 'whole'
  if (percent >= GOOD_PERCENT) return 'good'
  return percent >= POOR_PERCENT ? 'poor' : 'bad'
}

/** What is missing, by reason, longest first, in milliseconds; what nothing explains is `unknown`. */
export function missingOf(day: DayCoverage): { reason: string; ms: number }[] {
  const parts = [...Object.entries(day.missing_s), ['unknown', day.unexplained_s] as const]
  return parts
    .map(([reason, seconds]) => ({ reason, ms: seconds * 1000 }))
    .filter((part) => part.ms >= 1000)
    .sort((one, other) => other.ms - one.ms)
}

/** The days of a month, `2026-11` → `2026-11-01` … `2026-11-30`. */
export function daysOf(month: string): string[] {
  const first = Date.parse(`${month}-01T12:00:00Z`)
  return Array.from({ length: 31 }, (_, index) => new Date(first + index * DAY_MS).toISOString().slice(0, 10)).filter((day) =>
    day.startsWith(month),
  )
}

/** The month after (1) or before (-1) `month`. */
export function otherMonth(month: string, by: number): string {
  const [year, number] = month.split('-').map(Number) as [number, number]
  return new Date(Date.UTC(year, number - 1 + by, 15)).toISOString().slice(0, 7)
}
