/** The centre's JSON shapes (docs/design/api.md). Times are ISO 8601 texts with an offset. */
import type { Activity, AlertActivity } from './activityTypes'

import type { AlertCurve } from './crowds'

export type Instant = string
export type Role = 'wall' | 'duty' | 'admin'
export type AlertLevel = 'ordinary' | 'urgent' | 'extra_urgent'
export type AlertMode = 'live' | 'trial' | 'drill'
export type AlertState = 'NEW' | 'ACKED' | 'CONFIRMED' | 'FALSE' | 'KNOWN'
export type CameraStateName = 'live' | 'lost' | 'connecting' | 'unknown'
export type BoxStateName = 'online' | 'late' | 'lost'
export type IncidentState = 'ACCEPTED' | 'HANDLING' | 'FEEDBACK' | 'CLOSED'
export type DutyPost = 'lead' | 'officer' | 'deputy' | 'standby'
export type Device = 'wall' | 'pc' | 'phone'
export type StreamName = 'main' | 'sub'
export type IncidentAction = 'handle' | 'feedback' | 'close' | 'rework' | 'note'

export interface Person {
  id: string
  name: string
  post: string
  phone: string
  has_pin: boolean
}

export interface Village {
  name: string
  region_code: string
  time_zone: string
}

export interface Session {
  user: { username: string; name: string; role: Role }
  /** In whose name this browser acts. */
  person: Person | null
  operator: Person | null
  village: Village
  server_time: Instant
  version: string
}

export interface Camera {
  uid: string
  box_id: string
  camera_id: string
  name: string
  grid_code: string
  grid_name: string
  place: string
  has_sub: boolean
  state: CameraStateName
  since: Instant | null
  last_packet_at: Instant | null
  disarmed_until: Instant | null
}

export interface Box {
  box_id: string
  name: string
  state: BoxStateName
  last_seen_at: Instant | null
  outbox_rows: number
  evidence_pending: number
  disk_free_bytes: number
  detector: string
  detector_model: string | null
  software: string
}

export interface Evidence {
  id: string
  kind: 'snapshot' | 'clip'
  start: Instant
  end: Instant
  size_bytes: number
  sha256: string
}

export interface OnDuty {
  person: Person
  post: DutyPost
}

export interface Duty {
  /** `held_over`: nobody relieved it, and it is still responsible. */
  shift: { name: string; start: Instant; end: Instant; held_over: boolean } | null
  people: OnDuty[]
}

export interface Grid {
  code: string
  name: string
}

export interface Alert {
  id: string
  kind: string
  level: AlertLevel
  mode: AlertMode
  state: AlertState
  camera: { uid: string; name: string }
  grid: Grid
  rule_id: string
  region_id: string
  started_at: Instant
  ended_at: Instant | null
  updated_at: Instant
  received_at: Instant
  late: boolean
  /** Its times are not to be relied on. */
  clock_doubtful: boolean
  count: number
  threshold: number
  peak: number
  confidence: number | null
  on_duty: OnDuty[]
  acked_by: Person | null
  acked_at: Instant | null
  verified_by: Person | null
  verified_at: Instant | null
  reason: string | null
  note: string | null
  sign_by: Instant | null
  verify_by: Instant | null
  incident_id: string | null
  activity: AlertActivity | null
  evidence: Evidence[]
  /** What of it will never come. */
  lacks: { kind: 'snapshot' | 'clip'; reason: string }[]
  box_id: string
  sequence: number
}

export interface LedgerEntry {
  at: Instant
  action: string
  actor: Person | null
  device: string | null
  from_state: string | null
  to_state: string | null
  note: string | null
}

export interface Incident {
  id: string
  serial: string
  state: IncidentState
  level: AlertLevel
  category: string
  summary: string
  grid: Grid
  camera: { uid: string; name: string } | null
  owner: Person
  first_receiver: Person
  handler: Person | null
  opened_at: Instant
  deadline: Instant
  overdue: boolean
  closed_at: Instant | null
  alert_ids: string[]
}

export interface AlertDetail extends Alert {
  ledger: LedgerEntry[]
  incident: Incident | null
  curve: AlertCurve | null
}

export interface IncidentDetail extends Incident {
  ledger: LedgerEntry[]
  alerts: Alert[]
}

export interface Wall {
  cursor: string | number
  server_time: Instant
  village: Village
  duty: Duty
  cameras: Camera[]
  boxes: Box[]
  alerts: Alert[]
  incidents: { open: number; overdue: number }
  activities: Activity[]
}

export interface Page<T> {
  items: T[]
  next: string | null
}

export interface Code {
  code: string
  zh: string
  en: string
}

export interface Codes {
  kinds: Code[]
  levels: Code[]
  modes: Code[]
  alert_states: Code[]
  false_reasons: Code[]
  categories: Code[]
  incident_states: Code[]
  gap_reasons: Code[]
  activity_kinds: Code[]
  activity_states: Code[]
}

/** One day of a camera, in seconds; the parts add up to `expected_s`. */
export interface DayCoverage {
  day: string
  expected_s: number
  recorded_s: number
  missing_s: Record<string, number>
  unexplained_s: number
}

export interface Coverage {
  camera_id: string
  since: Instant | null
  days: DayCoverage[]
  gaps: { start: Instant; end: Instant | null; reason: string }[]
  gaps_left_out: number
}

/** One camera on a box's disk; `daily_bytes` and `fits_days` are null where it was not recorded lately. */
export interface CameraStorage {
  camera_id: string
  is_configured: boolean
  days: number
  bytes: number
  quota_bytes: number | null
  earliest: Instant | null
  daily_bytes: number | null
  fits_days: number | null
}

export interface DeletionRecord {
  camera_id: string
  day: string
  reason: string
  segments: number
  bytes: number
  first: Instant
  last: Instant
  at: Instant
}

export interface Storage {
  at: Instant
  total_bytes: number
  free_bytes: number
  used_bytes: number
  kept_free_bytes: number
  quota_bytes: number | null
  held_bytes: number
  waiting_evidence: number
  waiting_evidence_bytes: number
  full_in_days: number | null
  trouble: string | null
  cameras: CameraStorage[]
  deletions: DeletionRecord[]
}

export interface TimelineSegment {
  id: number
  start: Instant
  end: Instant
  run_id: string
  bytes: number
  recovered: boolean
}

/** What the recording is, from then on; `codec` as in RFC 6381. */
export interface TimelineFormat {
  from: Instant
  codec: string
  width: number
  height: number
}

export interface TimelineGap {
  start: Instant
  end: Instant | null
  reason: string
}

export interface Timeline {
  camera_id: string
  /** Those of the camera's streams that were recorded around that time; an older box does not say. */
  streams?: StreamName[]
  from: Instant
  to: Instant
  segments: TimelineSegment[]
  /** They begin where they change; an older box does not say. */
  formats?: TimelineFormat[]
  gaps: TimelineGap[]
  growing: { start: Instant; end: Instant } | null
}

export interface NewIncident {
  category: string
  level: AlertLevel
  summary: string
  grid_code?: string
}

export type ExportKind = 'copy' | 'marked' | 'blurred' | 'playable'
export type ExportState = 'queued' | 'running' | 'done' | 'failed' | 'cancelled'

export interface NewExport {
  camera_id: string
  stream: StreamName
  start: Instant
  end: Instant
  kind: ExportKind
  reason: string
  mark?: string
}

export interface ExportJob {
  id: string
  camera_id: string
  start: Instant
  end: Instant
  kind: ExportKind
  reason: string
  by: string
  state: ExportState
  created_at: Instant
  progress: number
  bytes: number
  error: { code: string; message: string; message_zh: string } | null
  parts: { name: string; start: Instant; end: Instant; codec: string; width: number; height: number }[]
  files: { name: string; bytes: number; sha256: string }[]
}

/** Footage that a person keeps from deletion, or an alert; only a person's has an `id` and may be released. */
export interface Hold {
  by: 'person' | 'alert' | 'export'
  id: number | null
  alert_id: string | null
  camera_id: string
  start: Instant
  end: Instant
  until: Instant
  reason: string
  placed_by: string | null
  placed_at: Instant | null
  review_on: string | null
  review_due: boolean
  asked_s: number
  held_s: number
  held_bytes: number
}

export interface NewHold {
  camera_id: string
  start: Instant
  end: Instant
  until: Instant
  review_on: string
  reason: string
}

export interface HoldChange {
  until?: Instant
  review_on?: string
  reason?: string
}

/** One act on a person's hold, and the hold's terms after it. */
export interface HoldEvent {
  id: number
  hold_id: number
  at: Instant
  act: 'placed' | 'changed' | 'released' | 'ended'
  actor: string
  note: string
  camera_id: string
  start: Instant
  end: Instant
  until: Instant
  review_on: string
  reason: string
  placed_by: string
}
