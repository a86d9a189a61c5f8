/** Points (点位档案) and the filing (备案), as the centre says them. */

import type { Code, LedgerEntry, Person } from './types'

export interface PointCodes {
  states: Code[]
  place_types: Code[]
  legal_bases: Code[]
  device_types: Code[]
  checklist: Code[]
  lacks: Code[]
  filing_states: Code[]
  facts: Code[]
}

export type PointState = 'unregistered' | 'draft' | 'trial' | 'in_use' | 'retired'

export interface Checklist {
  answers: Record<string, boolean>
  clear: boolean
  note: string
  by: Person
  at: string
}

export interface NoticeSign {
  photo_sha256: string
  width: number
  height: number
  stored_at: string
  stored_by: Person
  checked_at: string
  whole: boolean
  due_at: string | null
  is_due: boolean
}

export interface Point {
  uid: string
  box_id: string
  camera_id: string
  name: string
  grid: { code: string; name: string }
  place: string
  known: boolean
  present: boolean
  camera_state: string | null
  retention_days: number | null
  box_legal_basis: string | null
  state: PointState
  state_since: string | null
  in_use_since: string | null
  trial_is_long: boolean
  place_type: string | null
  legal_basis: string | null
  device_type: string
  manager_unit: string
  manager_phone: string
  installed_on: string | null
  note: string
  checklist: Checklist | null
  sign: NoticeSign | null
  lacks: string[]
}

export interface PointDetail extends Point {
  ledger: LedgerEntry[]
}

export interface PointTerms {
  place_type: string
  legal_basis: string
  device_type: string
  manager_unit: string
  manager_phone: string
  installed_on: string | null
  note: string
}

export interface Due {
  filing: string
  filing_days_left: number | null
  unregistered: number
  trials_long: number
  signs_due: number
}

export interface FiledCamera {
  uid: string
  name: string
  place: string
  device_type: string
  unit: string
  retention_days: number | null
}

export interface FilingChange {
  fact: string
  uid: string
  name: string
  before: string
  now: string
}

export interface Filing {
  state: 'not_filed' | 'filed' | 'change_needed' | 'exempt'
  due_on: string | null
  days_left: number | null
  changes: FilingChange[]
  changed_since: string | null
  changed_days: number | null
  last: { filed_on: string; number: string; entered_by: Person; entered_at: string; cameras: FiledCamera[] } | null
  cameras: FiledCamera[]
  exempt: number
  unregistered: number
  ledger: LedgerEntry[]
}
