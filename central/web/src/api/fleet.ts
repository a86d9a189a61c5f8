/** The centre's calls about boxes (主机), what came of them (送达台账) and what nobody understood (隔离区). */

import { request, withQuery } from './http'
import type { Person } from './types'

export type BoxWarning = 'doubled' | 'two_outboxes' | 'broken' | 'gap' | 'quarantine' | 'detector' | 'clock' | 'full' | 'outbox' | 'evidence' | 'camera_clock'

export type UpgradeRing = 'pilot' | 'early' | 'general'

export interface FleetBox {
  box_id: string
  name: string
  region_code: string
  state: 'online' | 'late' | 'lost'
  last_seen_at: string | null
  started_at: string | null
  software: string
  outbox_rows: number
  outbox_oldest_at: string | null
  evidence_pending: number
  disk_free_bytes: number | null
  recording_bytes: number | null
  detector: string
  detector_model: string | null
  cameras: number
  cameras_live: number
  /** Those that are off. */
  camera_clocks: CameraClock[]
  quarantined: number
  upgrade_ring: UpgradeRing
  /** What it is to run; empty: as it is. */
  target_version: string
  /** The box's clock minus the centre's. */
  clock_offset_ms: number | null
  clock: ClockQuality | null
  uplink: UplinkFigures | null
  outbox: OutboxFill | null
  warnings: BoxWarning[]
}

/** A camera's clock minus its box's; `wrong` is by more than a minute. */
export interface CameraClock {
  camera_id: string
  name: string
  state: 'off' | 'wrong'
  offset_ms: number
}

/** What a box says of its clock; times are that clock's own. */
export interface ClockQuality {
  state: 'synced' | 'unsynced' | 'unknown'
  since: string
  error_ms: number | null
  stepped_at: string | null
}

export interface UplinkFigures {
  day_bytes: number
  kbit_s: number
  connects_day: number
  puback_ms: number | null
  receipt_ms: number | null
  budget_kbit_s: number | null
}

export interface OutboxFill {
  bytes: number
  full_percent: number
  folded: number
  untold: number
}

export type GapState = 'young' | 'open' | 'asked' | 'unanswered' | 'gone' | 'renewed'

export interface Gap {
  first: number
  last: number
  count: number
  since: string
  state: GapState
  asked_at: string | null
  times: number
}

export interface Outbox {
  box_id: string
  box_name: string
  outbox_id: string
  is_current: boolean
  first_at: string
  last_at: string
  received: number
  repeated: number
  quarantined: number
  doubled: number
  highest: number
  told_last: number
  told_first: number | null
  told_at: string | null
  complete_to: number
  broken_at: number | null
  missing: number
  missing_since: string | null
  ended_at: string | null
  gaps: Gap[]
  gaps_left_out: boolean
}

export interface Proof {
  checked_at: string
  links: number
  opaque: number
  whole_to: number
  missing: number
  broken: number
  breaks: number[]
  head: 'same' | 'other' | 'not_here' | 'untold'
  events: number
  same: number
  other: number
  first_other: number | null
}

export interface Quarantined {
  digest: string
  topic: string
  box_id: string | null
  outbox_id: string | null
  sequence: number | null
  reason: string
  first_at: string
  last_at: string
  times: number
  size_bytes: number
  excerpt: string
  replayable: boolean
  doubled: boolean
}

export interface QuarantineEntry {
  at: string
  action: 'replayed' | 'discarded'
  person: Person | null
  digest: string
  note: string
}

export interface QuarantineFilter {
  box_id: string
  reason: string
}

export interface Replayed {
  taken: number
  kept: { digest: string; reason: string }[]
  next: string | null
}

const id = encodeURIComponent
/** Going through a long outbox, or many messages, takes a while. */
const PATIENT_MS = 120_000

export const fleet = () => request<FleetBox[]>('GET', '/boxes')
export const planUpgrade = (boxId: string, ring: UpgradeRing, version: string) =>
  request<undefined>('PUT', `/boxes/${id(boxId)}/upgrade`, { upgrade_ring: ring, target_version: version })
export const deliveries = (boxId: string) => request<Outbox[]>('GET', withQuery('/deliveries', { box_id: boxId }))
export const verify = (outbox: Outbox) => request<Proof>('POST', `/deliveries/${id(outbox.box_id)}/${id(outbox.outbox_id)}/verify`, undefined, PATIENT_MS)
export const quarantine = (filter: QuarantineFilter, before: string | null) =>
  request<{ items: Quarantined[]; next: string | null; total: number }>('GET', withQuery('/quarantine', { ...filter, before }))
export const quarantineLedger = () => request<QuarantineEntry[]>('GET', '/quarantine/ledger')
export const replayOne = (digest: string) => request<Replayed>('POST', '/quarantine/replay', { digests: [digest] }, PATIENT_MS)
export const replaySome = (filter: QuarantineFilter, after: string) =>
  request<Replayed>('POST', '/quarantine/replay', { box_id: filter.box_id || null, reason: filter.reason || null, after }, PATIENT_MS)
export const discard = (digest: string, reason: string) => request<undefined>('POST', `/quarantine/${digest}/discard`, { reason })
