/** Made-up boxes, what came of them and what nobody understood: pages /boxes, /deliveries, /quarantine. */

import { BOX, DUTY } from './village.mjs'

const ago = (ms) => new Date(Date.now() - ms).toISOString()
const HOUR_MS = 3_600_000
const OUTBOX = '01930000-0000-7000-8000-00000000000b'
const FORMER = '01920000-0000-7000-8000-00000000000a'

const fine = {
  box_id: BOX.box_id,
  name: BOX.name,
  region_code: '532324001002',
  state: 'online',
  last_seen_at: ago(20_000),
  started_at: ago(90 * HOUR_MS),
  software: '0.1.0',
  outbox_rows: 0,
  outbox_oldest_at: null,
  evidence_pending: 2,
  disk_free_bytes: 812e9,
  recording_bytes: 1_130e9,
  detector: 'live',
  detector_model: 'rtmdet-nano-person',
  cameras: 4,
  cameras_live: 4,
  camera_clocks: [],
  quarantined: 0,
  upgrade_ring: 'general',
  target_version: '',
  clock_offset_ms: -85,
  clock: { state: 'synced', since: ago(90 * HOUR_MS), error_ms: 12, stepped_at: null },
  uplink: { day_bytes: 412e6, kbit_s: 38, connects_day: 1, puback_ms: 64, receipt_ms: 112, budget_kbit_s: 4000 },
  outbox: { bytes: 0, full_percent: 0, folded: 0, untold: 0 },
  warnings: [],
}

const BOXES = [
  fine,
  {
    ...fine,
    box_id: 'box-shuiku',
    name: '水库值班点',
    state: 'late',
    last_seen_at: ago(110_000),
    outbox_rows: 168_000,
    outbox_oldest_at: ago(80 * HOUR_MS),
    cameras: 2,
    cameras_live: 1,
    camera_clocks: [
      { camera_id: 'cam1', name: '水库大坝', state: 'wrong', offset_ms: -754_000 },
      { camera_id: 'cam2', name: '水库路口', state: 'off', offset_ms: 12_300 },
    ],
    quarantined: 1,
    upgrade_ring: 'pilot',
    target_version: '0.2.0',
    clock_offset_ms: 512_000,
    clock: { state: 'unsynced', since: ago(80 * HOUR_MS), error_ms: null, stepped_at: ago(2 * HOUR_MS) },
    uplink: { day_bytes: 9e6, kbit_s: 3, connects_day: 41, puback_ms: 1840, receipt_ms: null, budget_kbit_s: 128 },
    outbox: { bytes: 252e6, full_percent: 84, folded: 312, untold: 0 },
    warnings: ['gap', 'quarantine', 'clock', 'full', 'outbox', 'camera_clock'],
  },
  { ...fine, box_id: 'box-laozhai', name: '老寨村值班室', state: 'lost', last_seen_at: ago(5 * HOUR_MS), cameras_live: 0, clock: null, clock_offset_ms: null, uplink: null, outbox: null, software: '0.0.9' },
]

const whole = {
  box_id: fine.box_id,
  box_name: fine.name,
  outbox_id: OUTBOX,
  is_current: true,
  first_at: ago(300 * HOUR_MS),
  last_at: ago(600_000),
  received: 2406,
  repeated: 11,
  quarantined: 0,
  doubled: 0,
  highest: 2406,
  told_last: 2406,
  told_first: 1800,
  told_at: ago(20_000),
  complete_to: 2406,
  broken_at: null,
  missing: 0,
  missing_since: null,
  ended_at: null,
  gaps: [],
  gaps_left_out: false,
}
const gap = (first, last, state, times) => ({ first, last, count: last - first + 1, since: ago(3 * HOUR_MS), state, asked_at: times ? ago(HOUR_MS) : null, times })

const OUTBOXES = [
  whole,
  { ...whole, outbox_id: FORMER, is_current: false, received: 90, highest: 93, told_last: 93, told_first: 1, complete_to: 88, missing: 3, ended_at: ago(300 * HOUR_MS), gaps: [gap(89, 91, 'renewed', 1)] },
  { ...whole, box_id: 'box-shuiku', box_name: '水库值班点', outbox_id: '01930000-0000-7000-8000-00000000000d', received: 505, highest: 512, told_last: 512, complete_to: 480, missing: 7, missing_since: ago(3 * HOUR_MS), quarantined: 1, gaps: [gap(481, 483, 'unanswered', 4), gap(500, 503, 'asked', 1)] },
]

const PROOF = { checked_at: ago(0), links: 2406, opaque: 0, whole_to: 2406, missing: 0, broken: 0, breaks: [], head: 'same', events: 2406, same: 2406, other: 0, first_other: null }

const set_aside = [
  {
    digest: 'ab'.repeat(32),
    topic: 'tanshao/v1/532324001002/box-shuiku/event',
    box_id: 'box-shuiku',
    outbox_id: '01930000-0000-7000-8000-00000000000d',
    sequence: 499,
    reason: 'payload: unknown type cn.tanshao.alert.v2',
    first_at: ago(4 * HOUR_MS),
    last_at: ago(HOUR_MS),
    times: 3,
    size_bytes: 913,
    excerpt: '{"specversion":"1.0","type":"cn.tanshao.alert.v2"}',
    replayable: true,
    doubled: false,
  },
]
const entries = []

function let_go(digest, action, note) {
  const at = set_aside.findIndex((each) => each.digest === digest)
  if (at < 0) return { status: 404, body: { error: 'not_found', message: 'not found', message_zh: '没有找到' } }
  set_aside.splice(at, 1)
  entries.unshift({ at: ago(0), action, person: DUTY.people[0]?.person ?? null, digest, note })
  return { status: 204 }
}

/** Answer a call about boxes, the ledger or the quarantine; null where it is about something else. */
export function answerFleet(method, path, query, body) {
  if (path === '/boxes') return { status: 200, body: BOXES }
  const planned = /^\/boxes\/([^/]+)\/upgrade$/.exec(path)
  if (planned) {
    Object.assign(BOXES.find((each) => each.box_id === planned[1]), body)
    return { status: 204 }
  }
  if (path === '/deliveries') return { status: 200, body: OUTBOXES.filter((each) => !query.get('box_id') || each.box_id === query.get('box_id')) }
  if (path.startsWith('/deliveries/')) return { status: 200, body: PROOF }
  if (path === '/quarantine') {
    const fits = (each) => (!query.get('box_id') || each.box_id === query.get('box_id')) && each.reason.includes(query.get('reason') ?? '')
    const items = set_aside.filter(fits)
    return { status: 200, body: { items, next: null, total: items.length } }
  }
  if (path === '/quarantine/ledger') return { status: 200, body: entries }
  if (path === '/quarantine/replay') {
    const kept = set_aside.filter((each) => !body.digests || body.digests.includes(each.digest)).map(({ digest, reason }) => ({ digest, reason }))
    return { status: 200, body: { taken: 0, kept, next: null } }
  }
  if (path.startsWith('/quarantine/') && method === 'POST') return let_go(path.split('/')[2], 'discarded', body.reason)
  return null
}
