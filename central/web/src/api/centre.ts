/** The centre's calls, one function each. */

import { BASE, bytes, request, withQuery, type Query } from './http'
import type {
  Alert,
  AlertDetail,
  Codes,
  Coverage,
  Device,
  Duty,
  ExportJob,
  Hold,
  HoldChange,
  HoldEvent,
  Incident,
  IncidentAction,
  IncidentDetail,
  NewExport,
  NewHold,
  NewIncident,
  Page,
  Person,
  Session,
  Storage,
  StreamName,
  Timeline,
  Wall,
} from './types'

const id = encodeURIComponent

export const login = (username: string, password: string) =>
  request<Session>('POST', '/session', { username, password })
export const session = (timeoutMs?: number) => request<Session>('GET', '/session', undefined, timeoutMs)
export const logout = () => request<undefined>('DELETE', '/session')
export const signInOperator = (pin: string) => request<Session>('POST', '/session/operator', { pin })
export const signOutOperator = () => request<undefined>('DELETE', '/session/operator')

export const wall = () => request<Wall>('GET', '/wall')
export const codes = () => request<Codes>('GET', '/codes')
export const duty = () => request<Duty>('GET', '/duty')
export const people = () => request<Person[]>('GET', '/people')

export const alerts = (query: Query) => request<Page<Alert>>('GET', withQuery('/alerts', query))
export const alert = (alertId: string) => request<AlertDetail>('GET', `/alerts/${id(alertId)}`)
export const ack = (alertId: string, device: Device) =>
  request<Alert>('POST', `/alerts/${id(alertId)}/ack`, { device })
export const confirm = (alertId: string, body: { incident: NewIncident } | { incident_id: string } | object) =>
  request<AlertDetail>('POST', `/alerts/${id(alertId)}/confirm`, body)
export const rejectFalse = (alertId: string, reason: string, note: string) =>
  request<Alert>('POST', `/alerts/${id(alertId)}/false`, { reason, note })
export const markKnown = (alertId: string, note: string) =>
  request<Alert>('POST', `/alerts/${id(alertId)}/known`, { note })

export const incidents = (query: Query) => request<Page<Incident>>('GET', withQuery('/incidents', query))
export const incident = (incidentId: string) => request<IncidentDetail>('GET', `/incidents/${id(incidentId)}`)
export const actOnIncident = (incidentId: string, action: IncidentAction, note: string, ownerId?: string) =>
  request<Incident>('POST', `/incidents/${id(incidentId)}/${action}`, {
    note,
    ...(ownerId === undefined ? {} : { owner_id: ownerId }),
  })

const edge = (boxId: string, cameraId: string) => `/boxes/${id(boxId)}/edge/v1/cameras/${id(cameraId)}`

export const timeline = (boxId: string, cameraId: string, from: string, to: string, stream: StreamName = 'main') =>
  request<Timeline>('GET', withQuery(`${edge(boxId, cameraId)}/timeline`, { from, to, stream }), undefined, 30_000)

export const coverage = (boxId: string, cameraId: string, from: string, to: string) =>
  request<Coverage>('GET', withQuery(`${edge(boxId, cameraId)}/coverage`, { from, to }), undefined, 30_000)

/** The centre waits 30 s for a box: whoever gave up before would not learn that it was done. */
const ASK_MS = 40_000

const exportsOf = (boxId: string) => `/boxes/${id(boxId)}/edge/v1/exports`
export const exports = (boxId: string) => request<{ exports: ExportJob[] }>('GET', exportsOf(boxId), undefined, 30_000)
export const startExport = (boxId: string, asked: NewExport) => request<ExportJob>('POST', exportsOf(boxId), asked, ASK_MS)
export const removeExport = (boxId: string, jobId: string) =>
  request<ExportJob | undefined>('DELETE', `${exportsOf(boxId)}/${id(jobId)}`, undefined, ASK_MS)

export const storage = (boxId: string) =>
  request<Storage>('GET', `/boxes/${id(boxId)}/edge/v1/storage`, undefined, 30_000)

/** Small pictures of a stretch in one answer; see `cutSheet`. */
export const previewSheet = async (boxId: string, cameraId: string, from: string, to: string, count: number, signal: AbortSignal) =>
  (await bytes(withQuery(`${edge(boxId, cameraId)}/previews`, { from, to, count }), signal)).body

/** The picture of a moment, and the time it is truly of. */
export async function preview(boxId: string, cameraId: string, at: string, signal: AbortSignal): Promise<{ at: number; bytes: Uint8Array<ArrayBuffer> }> {
  const { body, headers } = await bytes(withQuery(`${edge(boxId, cameraId)}/preview.jpg`, { at, width: 320 }), signal)
  return { at: Date.parse(headers.get('x-picture-time') ?? at), bytes: body }
}

const held = (boxId: string) => `/boxes/${id(boxId)}/edge/v1/holds`

export const holds = (boxId: string) =>
  request<{ holds: Hold[]; left_out: number }>('GET', held(boxId), undefined, 30_000)
export const holdHistory = (boxId: string, before: number | null) =>
  request<{ items: HoldEvent[]; next: number | null }>('GET', withQuery(`${held(boxId)}/history`, { before }), undefined, 30_000)
export const placeHold = (boxId: string, hold: NewHold) => request<Hold>('POST', held(boxId), hold, ASK_MS)
export const changeHold = (boxId: string, holdId: number, change: HoldChange) =>
  request<Hold>('PATCH', `${held(boxId)}/${holdId}`, change, ASK_MS)
export const releaseHold = (boxId: string, holdId: number, reason: string) =>
  request<undefined>('DELETE', `${held(boxId)}/${holdId}`, { reason }, ASK_MS)

/** Addresses that the browser itself fetches. */
export const playlistUrl = (boxId: string, cameraId: string, from: string, to: string, stream: StreamName = 'main') =>
  BASE + withQuery(`${edge(boxId, cameraId)}/playlist.m3u8`, { from, to, stream })
export const clipUrl = (boxId: string, cameraId: string, from: string, to: string, stream: StreamName = 'main') =>
  BASE + withQuery(`${edge(boxId, cameraId)}/clip.mp4`, { from, to, stream })
export const exportUrl = (boxId: string, jobId: string, name: string) => `${BASE}${exportsOf(boxId)}/${id(jobId)}/${id(name)}`
export const evidenceUrl = (evidenceId: string) => `${BASE}/evidence/${id(evidenceId)}`
export const feedUrl = (cursor: string | null) => BASE + withQuery('/feed', { cursor })
export const liveUrl = (uid: string, stream: StreamName, origin: string) =>
  `${origin.replace(/^http/, 'ws')}${BASE}/live/${id(uid)}/${stream}`
