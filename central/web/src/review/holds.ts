/** What a person may have kept, and for how long: the box's own rules, so that a form can say them first. Pure. */

import type { Hold, HoldChange } from '@/api/types'
import { DAY_MS, dayOf, endOfDay } from '@/time/zone'

export const KEPT_DAYS = 180
export const REVIEW_DAYS = 90
export const MOST_KEPT_DAYS = 3 * 365
export const MOST_REVIEW_DAYS = 180
export const MOST_REASON = 500
/** One hold keeps so much at most; longer ones are several decisions. */
export const LONGEST_HOLD_MS = 7 * DAY_MS

/** When footage may go, and when somebody looks again: days of the village's zone, the last one kept whole. */
export interface Terms {
  until: string
  review: string
}

/** Return the day that is `days` after the day of `now`. */
export function dayAfter(now: number, days: number, zone: string): string {
  const noon = Date.parse(`${dayOf(now, zone)}T12:00:00Z`)
  return new Date(noon + days * DAY_MS).toISOString().slice(0, 10)
}

export const firstTerms = (now: number, zone: string): Terms => ({
  until: dayAfter(now, KEPT_DAYS, zone),
  review: dayAfter(now, REVIEW_DAYS, zone),
})

/** Return the last day that a hold keeps. */
export const lastDay = (until: string, zone: string): string => dayOf(Date.parse(until) - 1, zone)

export const untilOf = (day: string, zone: string): string => new Date(endOfDay(day, zone)).toISOString()

/** Whether a form may be sent: what can be told without the box. The end that a hold has already may stay. */
export function areGood(terms: Terms, now: number, zone: string, present?: string): boolean {
  const today = dayOf(now, zone)
  return (
    terms.review > today &&
    terms.review <= dayAfter(now, MOST_REVIEW_DAYS, zone) &&
    terms.review <= terms.until &&
    (terms.until === present || terms.until <= dayAfter(now, MOST_KEPT_DAYS, zone))
  )
}

/** Return what of a hold's terms a person has changed: an end that was not touched keeps its very moment. */
export function changeOf(hold: Hold, terms: Terms, reason: string, zone: string): HoldChange {
  return {
    ...(terms.until === lastDay(hold.until, zone) ? {} : { until: untilOf(terms.until, zone) }),
    ...(terms.review === hold.review_on ? {} : { review_on: terms.review }),
    ...(reason === '' ? {} : { reason }),
  }
}
