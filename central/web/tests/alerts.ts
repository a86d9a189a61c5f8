import type { Alert } from '@/api/types'

let serial = 0

/** Return an alert with the given facts and unremarkable others. */
export function anAlert(more: Partial<Alert> = {}): Alert {
  serial += 1
  return {
    id: `alert-${String(serial).padStart(4, '0')}`,
    kind: 'gathering',
    level: 'urgent',
    mode: 'live',
    state: 'NEW',
    camera: { uid: 'box.cam1', name: '村口主路' },
    grid: { code: '532301100201004', name: '第4网格' },
    rule_id: 'r1',
    region_id: 'all',
    started_at: '2026-11-22T06:05:22Z',
    ended_at: null,
    updated_at: '2026-11-22T06:05:22Z',
    received_at: '2026-11-22T06:05:22Z',
    late: false,
    clock_doubtful: false,
    count: 35,
    threshold: 30,
    peak: 36,
    confidence: null,
    on_duty: [],
    acked_by: null,
    acked_at: null,
    verified_by: null,
    verified_at: null,
    reason: null,
    note: null,
    sign_by: null,
    verify_by: null,
    incident_id: null,
    activity: null,
    evidence: [],
    lacks: [],
    box_id: 'box',
    sequence: serial,
    ...more,
  }
}
