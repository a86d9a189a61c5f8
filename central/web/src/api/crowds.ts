/** The JSON shapes of what is counted: an alert's curve, a rule's history. */

import type { Instant } from './types'

/** `points` are [seconds since `started_at`, people], the most of each `step_s`. */
export interface AlertCurve {
  step_s: number
  points: [number, number][]
}

/** A day of a rule's counts: the middle minute, the one that 99 % don't exceed, the most of any look. */
export interface RuleDay {
  day: string
  minutes: number
  typical: number
  busy: number
  peak: number
}

/** `suggestion.threshold` is null where there are counts of too few days. */
export interface RuleHistory {
  camera_id: string
  rule_id: string
  region_id: string
  threshold: number
  kept_days: number
  since: Instant | null
  days: RuleDay[]
  suggestion: {
    window_days: number
    needed_days: number
    days: number
    minutes: number
    threshold: number | null
    alarms: number
    alarms_suggested: number | null
  }
}
