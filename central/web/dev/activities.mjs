/** The mock centre's filed events: kept as they are sent, approved by whoever asks. */

import { DUTY, OPERATOR } from './village.mjs'

const iso = (ms) => new Date(ms).toISOString()
const kept = []

const stateOf = (it) => {
  if (it.cancelled_at !== null) return 'cancelled'
  if (Date.parse(it.over_at) <= Date.now()) return 'over'
  if (it.approved_at === null) return 'waiting'
  return Date.parse(it.start) <= Date.now() ? 'on' : 'planned'
}
const whole = (it) => ({ ...it, state: stateOf(it), current: { start: it.start, end: it.end } })

/** Return what the wall shows of them. */
export const shownActivities = () => kept.map(whole).filter((it) => it.state === 'on' || it.state === 'planned')

/** Enter one that is on at `camera` for an hour yet. */
export function fileActivity(camera, more = {}) {
  const start = iso(Date.now() - 3_600_000)
  const end = iso(Date.now() + 3_600_000)
  kept.push({
    id: `01930000-0000-7000-a000-${String(kept.length).padStart(12, '0')}`, title: '王家婚宴', kind: 'wedding',
    cameras: [{ uid: camera.uid, name: camera.name }], grids: [], start, end, over_at: end, weekly: null, expected: 200,
    contact: '村红白理事会 13900000009', safety: '灭火器2个，留出消防通道', filed_by: OPERATOR, filed_at: start, terms_by: OPERATOR,
    approved_by: DUTY.people[0].person, approved_at: start, cancelled_at: null, ledger: [{ at: start, action: 'file', actor: OPERATOR, device: null, from_state: null, to_state: 'waiting', note: '婚宴《王家婚宴》 200人' }],
    ...more,
  })
  return whole(kept.at(-1))
}

/** Return the filed event that an alert of `camera` is about, as the alert bears it. */
export function activityOf(camera) {
  const it = shownActivities().find((each) => each.state === 'on' && each.cameras.some((one) => one.uid === camera.uid))
  return it === undefined ? null : { id: it.id, title: it.title, kind: it.kind, expected: it.expected, start: it.start, end: it.end, left: null, left_at: null }
}

/** Answer a call below /activities; `tell` puts what changed on the feed. */
export function answerActivities(method, id, action, query, body, cameras, tell) {
  if (id === undefined && method === 'GET') {
    const isPast = (it) => it.state === 'over' || it.state === 'cancelled'
    return { status: 200, body: { items: kept.map(whole).filter((it) => isPast(it) === (query.get('scope') === 'past')), next: null } }
  }
  if (id === undefined) {
    const made = fileActivity(cameras[0], { ...body, cameras: cameras.filter((each) => body.cameras.includes(each.uid)).map(({ uid, name }) => ({ uid, name })), grids: [], over_at: body.end, approved_by: null, approved_at: null })
    tell('activity', made)
    return { status: 201, body: made }
  }
  const it = kept.find((each) => each.id === id)
  if (action === 'approve') Object.assign(it, { approved_by: DUTY.people[0].person, approved_at: iso(Date.now()) })
  if (action === 'cancel') Object.assign(it, { cancelled_at: iso(Date.now()), over_at: iso(Date.now()) })
  if (method === 'PUT') Object.assign(it, { title: body.title, expected: body.expected })
  if (method !== 'GET') tell('activity', whole(it))
  return { status: 200, body: whole(it) }
}
