/** The shapes of filed events (报备活动; docs/design/api.md). */

import type { Grid, Instant, LedgerEntry, Person } from './types'

/** The filed event of an alert; `left`: why it rang all the same. */
export interface AlertActivity {
  id: string
  title: string
  kind: string
  expected: number
  start: Instant
  end: Instant
  left: 'exceeded' | 'over' | null
  left_at: Instant | null
}

export type ActivityState = 'waiting' | 'planned' | 'on' | 'over' | 'cancelled'

/** A filed event (报备活动); `current` is the time that is on, else the next one. */
export interface Activity {
  id: string
  title: string
  kind: string
  state: ActivityState
  cameras: { uid: string; name: string }[]
  grids: Grid[]
  start: Instant
  end: Instant
  weekly: { weekdays: number[]; last_day: string } | null
  current: { start: Instant; end: Instant } | null
  over_at: Instant
  expected: number
  contact: string
  safety: string
  filed_by: Person
  filed_at: Instant
  terms_by: Person
  approved_by: Person | null
  approved_at: Instant | null
  cancelled_at: Instant | null
}

export interface ActivityDetail extends Activity {
  ledger: LedgerEntry[]
}

export interface NewActivity {
  title: string
  kind: string
  cameras: string[]
  grids: string[]
  start: Instant
  end: Instant
  weekly: { weekdays: number[]; last_day: string } | null
  expected: number
  contact: string
  safety: string
  overlap: string
}
