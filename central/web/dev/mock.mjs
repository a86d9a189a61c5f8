/**
 * A centre that is made up: the contract of docs/design/api.md with canned data and moving pictures.
 *
 *   npm run build && npm run mock -- --port 8099 --cameras 4
 *
 * Logins: wall / wall, duty / duty (PIN 2468), admin / admin. POST /mock/<what> makes things happen; see `MOCK`.
 */

import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { dirname, extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

import { WebSocketServer } from 'ws'

import { activityOf, answerActivities, fileActivity, shownActivities } from './activities.mjs'
import { answerFleet } from './fleet.mjs'
import { coverage, storage } from './stock.mjs'
import { LiveStream, picture, recording } from './video.mjs'
import { alert, BOX, cameras, CODES, DUTY, incident, OPERATOR, PEOPLE, PIN, VILLAGE } from './village.mjs'

const { values: options } = parseArgs({ options: { port: { type: 'string', default: '0' }, cameras: { type: 'string', default: '4' } } })
const DIST = join(dirname(fileURLToPath(import.meta.url)), '..', 'dist')
const POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; media-src 'self' blob:; img-src 'self' blob: data:"
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' }
const USERS = { wall: '值班室电视', duty: '李秀英', admin: '赵志远' }
const FILE_S = 10
const DAY_MS = 86_400_000

const state = { cameras: cameras(Number(options.cameras)), alerts: [], incidents: [], cursor: 1, version: 'mock-1', operator: null, told: [], feeds: new Set() }
const exporting = []
const ledgers = new Map()
const streams = new Map()
/** Made when first asked for. */
const canned = {}
const snapshot = () => (canned.snapshot ??= picture())
const film = () => (canned.film ??= recording(FILE_S))

const ago = (ms) => new Date(Date.now() - ms).toISOString()
const nowIso = () => ago(0)
const note = (id, action, from, to, actor, words = null) =>
  ledgers.set(id, [...(ledgers.get(id) ?? []), { at: nowIso(), action, actor, device: actor === null ? null : 'wall', from_state: from, to_state: to, note: words }])

function tell(event, data) {
  state.cursor += 1
  const text = `id: ${state.cursor}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`
  state.told.push({ cursor: state.cursor, text })
  for (const feed of state.feeds) feed.write(text)
}

function raise(cameraIndex, kind, level, agoMs = 0, more = {}) {
  const made = alert(state.cameras[cameraIndex % state.cameras.length], kind, level, agoMs, more)
  if (kind === 'gathering' && more.state === undefined) made.activity = activityOf(state.cameras[cameraIndex % state.cameras.length])
  if (made.activity !== null) made.state = 'KNOWN'
  const file = (type) => ({ id: `${type}-${made.id}`, kind: type, start: made.started_at, end: made.started_at, size_bytes: 1, sha256: '' })
  made.evidence = kind === 'camera_lost' ? [] : [file('snapshot'), file('clip')]
  state.alerts.unshift(made)
  note(made.id, 'raised', null, 'NEW', null)
  tell('alert', made)
  return made
}

/** What a test or a curious person can make happen. */
const MOCK = {
  alert: (q) => raise(Number(q.get('camera') ?? 0), q.get('kind') ?? 'gathering', q.get('level') ?? 'urgent', Number(q.get('ago') ?? 0), { late: q.get('late') === '1', clock_doubtful: q.get('doubtful') === '1', mode: q.get('mode') ?? 'live' }),
  camera: (q) => {
    const camera = state.cameras[Number(q.get('camera') ?? 0)]
    Object.assign(camera, { state: q.get('state'), since: nowIso() })
    tell('camera', camera)
    return camera
  },
  activity: (q) => {
    const made = fileActivity(state.cameras[Number(q.get('camera') ?? 0)])
    tell('activity', made)
    return made
  },
  /** An alert of a filed event has grown beyond it: it rings. */
  exceed: (q) => {
    const it = state.alerts.find((each) => each.id === q.get('id'))
    Object.assign(it, { state: 'NEW', count: 260, peak: 260, activity: { ...it.activity, left: 'exceeded', left_at: nowIso() }, sign_by: ago(-180_000), verify_by: ago(-600_000), updated_at: nowIso() })
    tell('alert', it)
    return it
  },
  duty: (q) => {
    DUTY.shift.held_over = q.get('held_over') === '1'
    tell('duty', DUTY)
    return DUTY
  },
  freeze: (q) => {
    for (const [key, stream] of streams) if (key.startsWith(`${q.get('uid')}/`)) stream.frozen = q.get('on') !== '0'
    return {}
  },
  claim: (q) => {
    for (const [key, stream] of streams) if (key.startsWith(`${q.get('uid')}/`)) stream.claim(q.get('mime'))
    return {}
  },
  version: (q) => {
    state.version = q.get('to')
    return {}
  },
  history: (q) => {
    state.history = q.get('is')
    return {}
  },
  drop: () => {
    for (const feed of state.feeds) feed.end()
    return {}
  },
}

const session = (user) => ({ user: { username: user, name: USERS[user], role: user }, person: user === 'wall' ? state.operator : OPERATOR, operator: user === 'wall' ? state.operator : null, village: VILLAGE, server_time: nowIso(), version: state.version })
const isOpen = (each) => each.state === 'NEW' || each.state === 'ACKED' || each.ended_at === null
const openIncidents = () => state.incidents.filter((each) => each.state !== 'CLOSED')
const problem = (status, error, zh) => ({ status, body: { error, message: error, message_zh: zh } })

function wallAnswer() {
  return {
    cursor: String(state.cursor),
    server_time: nowIso(),
    village: VILLAGE,
    duty: DUTY,
    cameras: state.cameras,
    boxes: [BOX],
    alerts: state.alerts.filter(isOpen),
    incidents: { open: openIncidents().length, overdue: openIncidents().filter((each) => each.overdue).length },
    activities: shownActivities(),
  }
}

function alertDetail(it) {
  const curve = it.kind === 'gathering' ? { step_s: 2, points: [[0, 5], [4, 7], [8, it.peak], [12, 6], [90, 8], [94, it.count]] } : null
  return { ...it, curve, ledger: ledgers.get(it.id) ?? [], incident: state.incidents.find((each) => each.id === it.incident_id) ?? null }
}

/** What a rule counted; `MOCK.history` says whether that is enough, or whether the rule is gone. */
function ruleHistory(ruleId) {
  if (state.history === 'gone') return problem(404, 'not_found', '没有找到')
  const days = state.history === 'short' ? 2 : 14
  const day = (n) => ago(n * 86_400_000).slice(0, 10)
  const list = Array.from({ length: days }, (_, n) => ({ day: day(days - 1 - n), minutes: 1440, typical: 2, busy: 24 + n, peak: 31 + n }))
  const enough = days >= 3
  const suggestion = { window_days: 14, needed_days: 3, days, minutes: days * 1440, threshold: enough ? 36 : null, alarms: 14, alarms_suggested: enough ? 1 : null }
  return { status: 200, body: { camera_id: 'cam-01', rule_id: ruleId, region_id: 'all', threshold: 3, kept_days: 35, since: ago(days * 86_400_000), days: list, suggestion } }
}

function actOnAlert(user, id, action, body) {
  const it = state.alerts.find((each) => each.id === id)
  if (it === undefined) return problem(404, 'not_found', '没有这条告警')
  const actor = user === 'wall' ? state.operator : OPERATOR
  if (actor === null) return problem(403, 'operator_needed', '请先输入PIN')
  const [wanted, next] = { ack: ['NEW', 'ACKED'], confirm: ['ACKED', 'CONFIRMED'], false: ['ACKED', 'FALSE'], known: ['ACKED', 'KNOWN'] }[action]
  if (it.state !== wanted) return problem(409, 'conflict', '该告警已被处理')
  note(it.id, action, it.state, next, actor, action === 'false' ? `${body.reason}: ${body.note}` : (body.note ?? null))
  Object.assign(it, { state: next, updated_at: nowIso(), reason: body.reason ?? null, note: body.note ?? null })
  if (action === 'ack') Object.assign(it, { acked_by: actor, acked_at: nowIso() })
  else Object.assign(it, { verified_by: actor, verified_at: nowIso() })
  if (action === 'confirm') {
    const asked = body.incident ?? { level: it.level, category: 'other', summary: it.kind }
    const made = body.incident_id ? state.incidents.find((each) => each.id === body.incident_id) : incident(it, asked.level, asked.category, asked.summary, 0, 7_200_000)
    if (!state.incidents.includes(made)) state.incidents.unshift(made)
    it.incident_id = made.id
    note(made.id, 'open', null, 'ACCEPTED', actor)
    tell('incident', made)
  }
  tell('alert', it)
  return { status: 200, body: alertDetail(it) }
}

function actOnIncident(id, action, body) {
  const it = state.incidents.find((each) => each.id === id)
  const next = { handle: 'HANDLING', feedback: 'FEEDBACK', close: 'CLOSED', rework: 'HANDLING', note: it.state }[action]
  note(id, action, it.state, next, OPERATOR, body.note)
  Object.assign(it, { state: next, handler: action === 'handle' ? (PEOPLE.find((each) => each.id === body.owner_id) ?? OPERATOR) : it.handler })
  tell('incident', it)
  return { status: 200, body: it }
}

const hole = Math.floor(Date.now() / 10_000) * 10_000 - 3_600_000

function timeline(from, to) {
  const [start, end] = [Date.parse(from), Math.min(Date.parse(to), Date.now())]
  const segments = []
  for (let at = start; at + FILE_S * 1000 <= end; at += FILE_S * 1000) {
    if (at >= hole && at < hole + 900_000) continue
    segments.push({ id: at / 1000, start: new Date(at).toISOString(), end: new Date(at + FILE_S * 1000).toISOString(), run_id: at < hole ? 'a' : 'b', bytes: film().bytes.length, recovered: false })
  }
  const gap = { start: new Date(hole).toISOString(), end: new Date(hole + 900_000).toISOString(), reason: 'camera_lost' }
  const formats = segments.length ? [{ from: segments[0].start, codec: 'avc1.64001f', width: 640, height: 360 }] : []
  return { camera_id: 'cam', stream: 'main', streams: ['main'], from, to, segments, formats, gaps: hole < end && hole + 900_000 > start ? [gap] : [], growing: null }
}

const kept = [
  { by: 'person', id: 1, alert_id: null, camera_id: 'cam1', start: ago(3_700_000), end: ago(3_100_000), until: ago(-60 * DAY_MS), reason: '派出所来函,案件编号 云公(2026)117', placed_by: '张建国 (zhang)', placed_at: ago(100 * DAY_MS), review_on: ago(DAY_MS).slice(0, 10), review_due: true, asked_s: 600, held_s: 540, held_bytes: 270e6 },
  { by: 'alert', id: null, alert_id: '01930000-0000-7000-8000-000000000001', camera_id: 'cam2', start: ago(7_210_000), end: ago(7_140_000), until: ago(-90 * DAY_MS), reason: '', placed_by: null, placed_at: null, review_on: null, review_due: false, asked_s: 70, held_s: 70, held_bytes: 35e6 },
]
const acts = []

function act(hold, what, actor, note) {
  const { camera_id, start, end, until, review_on, reason, placed_by } = hold
  acts.unshift({ id: acts.length + 1, hold_id: hold.id, at: nowIso(), act: what, actor, note, camera_id, start, end, until, review_on, reason, placed_by })
}

function holds(method, path, user, body) {
  if (path.endsWith('/history')) return { status: 200, body: { items: acts, next: null } }
  if (method === 'GET') return { status: 200, body: { holds: kept, left_out: 0 } }
  const actor = `${USERS[user]} (${user})`
  if (method === 'POST') {
    const asked_s = (Date.parse(body.end) - Date.parse(body.start)) / 1000
    const hold = { by: 'person', id: kept.length + 1, alert_id: null, ...body, placed_by: actor, placed_at: nowIso(), review_due: false, asked_s, held_s: asked_s, held_bytes: asked_s * 5e5 }
    kept.unshift(hold)
    act(hold, 'placed', actor, body.reason)
    return { status: 201, body: hold }
  }
  const at = kept.findIndex((each) => String(each.id) === path.split('/').pop())
  if (at < 0) return problem(404, 'not_found', '没有找到')
  if (method === 'DELETE') {
    act(kept[at], 'released', actor, body.reason)
    kept.splice(at, 1)
    return { status: 204 }
  }
  Object.assign(kept[at], { until: body.until ?? kept[at].until, review_on: body.review_on ?? kept[at].review_on, review_due: false })
  act(kept[at], 'changed', actor, body.reason ?? '')
  return { status: 200, body: kept[at] }
}

function playlist(from, to) {
  const list = timeline(from, to).segments
  const lines = ['#EXTM3U', '#EXT-X-VERSION:7', `#EXT-X-TARGETDURATION:${FILE_S}`, '#EXT-X-PLAYLIST-TYPE:VOD']
  for (const each of list) {
    const name = `../../segments/${each.id}.mp4`
    lines.push('#EXT-X-DISCONTINUITY', `#EXT-X-MAP:URI="${name}",BYTERANGE="${film().head}@0"`, `#EXT-X-PROGRAM-DATE-TIME:${each.start}`)
    lines.push(`#EXTINF:${FILE_S}.0,`, `#EXT-X-BYTERANGE:${film().bytes.length - film().head}@${film().head}`, name)
  }
  return [...lines, '#EXT-X-ENDLIST', ''].join('\n')
}

/** One picture a part that is recorded; all of them show the same. */
function sheet(from, to, count) {
  const [start, end] = [Date.parse(from), Date.parse(to)]
  const moments = Array.from({ length: count }, (_, index) => start + ((index + 0.5) * (end - start)) / count).filter(isRecorded)
  const pictures = moments.map((at) => ({ at: new Date(at).toISOString(), bytes: snapshot().length }))
  return Buffer.concat([Buffer.from(`${JSON.stringify({ from, to, complete: true, pictures })}\n`), ...moments.map(snapshot)])
}

const isRecorded = (at) => at < Date.now() && !(at >= hole && at < hole + 900_000)

function preview(at, request, response) {
  if (!isRecorded(Date.parse(at))) return problem(404, 'not_found', '没有找到')
  response.setHeader('X-Picture-Time', new Date(Date.parse(at) - 400).toISOString())
  return void sendBytes(request, response, snapshot(), 'image/jpeg') ?? null
}

function sendBytes(request, response, bytes, type) {
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '')
  const start = range ? Number(range[1]) : 0
  const end = range && range[2] !== '' ? Math.min(Number(range[2]), bytes.length - 1) : bytes.length - 1
  const head = { 'Content-Type': type, 'Accept-Ranges': 'bytes', 'Content-Length': end - start + 1 }
  if (range) head['Content-Range'] = `bytes ${start}-${end}/${bytes.length}`
  response.writeHead(range ? 206 : 200, head).end(bytes.subarray(start, end + 1))
}

function sendStatic(path, response) {
  const wanted = extname(path) === '' ? 'index.html' : normalize(path).replace(/^\/+/, '')
  try {
    const bytes = readFileSync(join(DIST, wanted))
    response.writeHead(200, { 'Content-Type': TYPES[extname(wanted)] ?? 'application/octet-stream', 'Content-Security-Policy': POLICY }).end(bytes)
  } catch {
    response.writeHead(404).end()
  }
}

/** Exports get on by a third each time somebody looks. */
function exportsAnswer(method, rest, body, request, response) {
  if (method === 'POST') {
    exporting.unshift({ id: `e${exporting.length}`, mark: '', by: '李秀英', state: 'queued', created_at: nowIso(), progress: 0, bytes: 0, error: null, parts: [], files: [], ...body })
    return { status: 202, body: exporting[0] }
  }
  const job = exporting.find((each) => each.id === rest[0])
  if (method === 'DELETE') {
    if (['queued', 'running'].includes(job.state)) job.state = 'cancelled'
    else exporting.splice(exporting.indexOf(job), 1)
    return { status: 204 }
  }
  if (rest.length > 1) return void sendBytes(request, response, film().bytes, 'video/mp4') ?? null
  for (const each of exporting.filter((one) => ['queued', 'running'].includes(one.state))) {
    each.progress = Math.min(1, each.progress + 1 / 3)
    each.state = each.progress < 1 ? 'running' : 'done'
    if (each.state !== 'done') continue
    const file = { name: `${each.camera_id}_1.mp4`, bytes: film().bytes.length, sha256: 'ab'.repeat(32) }
    Object.assign(each, { bytes: file.bytes, files: [file], parts: [{ name: file.name, start: each.start, end: each.end, codec: 'h264', width: 1280, height: 720 }] })
  }
  return { status: 200, body: { exports: exporting } }
}

/** Answer one call below /api/v1, or null where the answer has been sent. */
function answer(method, path, query, user, body, request, response) {
  if (path === '/session' && method === 'POST') {
    if (USERS[body.username] === undefined || body.password !== body.username) return problem(401, 'unauthorized', '用户名或密码不对')
    response.setHeader('Set-Cookie', `tanshao_session=${body.username}; HttpOnly; SameSite=Lax; Path=/`)
    return { status: 200, body: session(body.username) }
  }
  if (user === null) return problem(401, 'unauthorized', '请登录')
  if (path === '/session') {
    if (method === 'DELETE') response.setHeader('Set-Cookie', 'tanshao_session=; Max-Age=0; Path=/')
    return method === 'DELETE' ? { status: 204 } : { status: 200, body: session(user) }
  }
  if (path === '/session/operator') {
    if (method === 'POST' && body.pin !== PIN) return problem(403, 'wrong_pin', 'PIN不对')
    state.operator = method === 'POST' ? OPERATOR : null
    return method === 'POST' ? { status: 200, body: session(user) } : { status: 204 }
  }
  if (path === '/feed') {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' }).write(': hello\n\n')
    const since = Number(request.headers['last-event-id'] ?? query.get('cursor') ?? state.cursor)
    for (const each of state.told) if (each.cursor > since) response.write(each.text)
    state.feeds.add(response)
    request.on('close', () => state.feeds.delete(response))
    return null
  }
  const plain = { '/wall': wallAnswer, '/codes': () => CODES, '/duty': () => DUTY, '/people': () => PEOPLE }[path]
  if (plain) return { status: 200, body: plain() }
  if (path === '/alerts') {
    const fits = (each) => ['state', 'kind'].every((key) => !query.get(key) || each[key] === query.get(key)) && (!query.get('camera') || each.camera.uid === query.get('camera'))
    return { status: 200, body: { items: state.alerts.filter(fits), next: null } }
  }
  if (path === '/incidents') return { status: 200, body: { items: state.incidents.filter((each) => !query.get('state') || each.state === query.get('state')), next: null } }
  const [, group, id, action] = path.split('/')
  if (group === 'activities') return answerActivities(method, id, action, query, body, state.cameras, tell)
  const ofBoxes = answerFleet(method, path, query, body)
  if (ofBoxes !== null) return ofBoxes
  if (group === 'alerts') {
    if (action) return actOnAlert(user, id, action, body)
    return { status: 200, body: alertDetail(state.alerts.find((each) => each.id === id)) }
  }
  if (group === 'incidents') {
    if (action) return actOnIncident(id, action, body)
    const it = state.incidents.find((each) => each.id === id)
    return { status: 200, body: { ...it, ledger: ledgers.get(id) ?? [], alerts: state.alerts.filter((each) => it.alert_ids.includes(each.id)) } }
  }
  if (group === 'evidence') return void (id.startsWith('clip') ? sendBytes(request, response, film().bytes, 'video/mp4') : sendBytes(request, response, snapshot(), 'image/jpeg')) ?? null
  const exported = /\/edge\/v1\/exports(?:\/(.*))?$/.exec(path)
  if (exported) return exportsAnswer(method, (exported[1] ?? '').split('/'), body, request, response)
  if (path.endsWith('/timeline')) return { status: 200, body: timeline(query.get('from'), query.get('to')) }
  if (path.endsWith('/storage')) return { status: 200, body: storage() }
  if (path.includes('/edge/v1/rules/')) return ruleHistory(path.split('/').at(-2))
  if (path.endsWith('/coverage')) return { status: 200, body: coverage(query.get('from'), query.get('to')) }
  if (path.includes('/edge/v1/holds')) return holds(method, path, user, body)
  if (path.endsWith('/playlist.m3u8')) return void response.writeHead(200, { 'Content-Type': 'application/vnd.apple.mpegurl' }).end(playlist(query.get('from'), query.get('to'))) ?? null
  if (path.endsWith('/preview.jpg')) return preview(query.get('at'), request, response)
  if (path.endsWith('/previews')) return void sendBytes(request, response, sheet(query.get('from'), query.get('to'), Number(query.get('count') ?? 60)), 'application/octet-stream') ?? null
  if (path.includes('/edge/v1/segments/') || path.endsWith('/clip.mp4')) return void sendBytes(request, response, film().bytes, 'video/mp4') ?? null
  return problem(404, 'not_found', '没有')
}

const userOf = (request) => /tanshao_session=(\w+)/.exec(request.headers.cookie ?? '')?.[1] ?? null

const server = createServer(async (request, response) => {
  const url = new URL(request.url, 'http://mock')
  if (!url.pathname.startsWith('/api/v1/') && !url.pathname.startsWith('/mock/')) return sendStatic(url.pathname, response)
  let text = ''
  for await (const chunk of request) text += chunk
  const body = text === '' ? {} : JSON.parse(text)
  const made = url.pathname.startsWith('/mock/')
    ? { status: 200, body: MOCK[url.pathname.slice(6)](url.searchParams) }
    : answer(request.method, url.pathname.slice('/api/v1'.length), url.searchParams, userOf(request), body, request, response)
  if (made === null) return
  response.writeHead(made.status, { 'Content-Type': 'application/json' }).end(made.body === undefined ? undefined : JSON.stringify(made.body))
})

const sockets = new WebSocketServer({ noServer: true })
server.on('upgrade', (request, socket, head) => {
  const found = /^\/api\/v1\/live\/([^/]+)\/(main|sub)$/.exec(request.url)
  if (found === null || userOf(request) === null) return socket.destroy()
  const key = `${found[1]}/${found[2]}`
  if (!streams.has(key)) streams.set(key, new LiveStream(found[2], () => state.cameras.find((each) => each.uid === found[1])?.state ?? 'lost'))
  sockets.handleUpgrade(request, socket, head, (viewer) => streams.get(key).add(viewer))
})

raise(1, 'gathering', 'urgent', 7_200_000, { state: 'CONFIRMED', ended_at: nowIso() })
raise(2, 'camera_lost', 'ordinary', 5_400_000, { ended_at: nowIso() })
raise(3, 'smoke', 'urgent', 3_000_000, { state: 'FALSE', reason: 'cooking_smoke', ended_at: nowIso() })
const first = state.alerts[2]
state.incidents.push(incident(first, 'urgent', 'crowd_safety', '文化广场人员聚集,约9人(阈值3人)', 7_000_000, 3_600_000))
state.incidents.push(incident(first, 'ordinary', 'equipment', '水库路口点位离线', 90_000_000, -3_600_000))
first.incident_id = state.incidents[0].id

function stop() {
  for (const stream of streams.values()) stream.stop()
  process.exit(0)
}
process.on('SIGTERM', stop)
process.on('SIGINT', stop)
server.listen(Number(options.port), '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port })))
