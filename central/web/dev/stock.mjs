/** What a mock box has recorded, and how long it will last. */

const DAY_MS = 86_400_000

export function storage() {
  const GB = 1e9
  const camera = (camera_id, days, fits_days, daily) => ({ camera_id, is_configured: true, days, bytes: 38 * daily, quota_bytes: null, earliest: '2026-10-20T03:00:00Z', daily_bytes: daily, fits_days })
  return {
    at: new Date().toISOString(), total_bytes: 4000 * GB, free_bytes: 900 * GB, used_bytes: 2900 * GB, kept_free_bytes: 200 * GB,
    quota_bytes: null, held_bytes: 12 * GB, waiting_evidence: 2, waiting_evidence_bytes: 5e6, full_in_days: 4.1, trouble: null,
    cameras: [camera('cam-01', 30, 41.3, 21 * GB), camera('cam-02', 90, 62.5, 18 * GB)],
    deletions: [{ camera_id: 'cam-01', day: '2026-10-19', reason: 'age', segments: 8640, bytes: 21 * GB, first: '2026-10-18T16:00:00Z', last: '2026-10-19T16:00:00Z', at: '2026-11-18T16:01:00Z' }],
  }
}

export function coverage(from, to) {
  const days = []
  for (let at = Date.parse(`${from}T12:00:00Z`); at <= Math.min(Date.parse(`${to}T12:00:00Z`), Date.now() + DAY_MS / 2); at += DAY_MS) {
    const [day, camera] = [new Date(at).toISOString().slice(0, 10), [0, 300, 12_000][days.length % 3]]
    days.push({ day, expected_s: 86_400, recorded_s: 86_400 - camera, missing_s: camera ? { camera_lost: camera } : {}, unexplained_s: 0 })
  }
  const last = Date.parse(`${days.at(-1)?.day ?? from}T04:00:00Z`)
  const gaps = [{ start: new Date(last).toISOString(), end: new Date(last + 300_000).toISOString(), reason: 'camera_lost' }]
  return { camera_id: 'cam', since: new Date(last).toISOString(), days, gaps, gaps_left_out: 0 }
}
