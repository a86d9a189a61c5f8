/** The centre's calls, one function each. */

import { BASE, request, withQuery, type Query } from './http'
import type {
  Alert,
  AlertDetail,
  Codes,
  Coverage,
  Device,
  Duty,
  ExportJob,
  Incident,
  IncidentAction,
  IncidentDetail,
  NewExport,
  NewIncident,
  Page,
  Person,
  Session,
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

export const timeline = (boxId: string, cameraId: string, from: string, to: string) =>
  request<Timeline>('GET', withQuery(`${edge(boxId, cameraId)}/timeline`, { from, to }), undefined, 30_000)

export const coverage = (boxId: string, cameraId: string, from: string, to: string) =>
  request<Coverage>('GET', withQuery(`${edge(boxId, cameraId)}/coverage`, { from, to }), undefined, 30_000)

const exportsOf = (boxId: string) => `/boxes/${id(boxId)}/edge/v1/exports`
export const exports = (boxId: string) => request<{ exports: ExportJob[] }>('GET', exportsOf(boxId), undefined, 30_000)
export const startExport = (boxId: string, asked: NewExport) => request<ExportJob>('POST', exportsOf(boxId), asked, 30_000)
export const removeExport = (boxId: string, jobId: string) =>
  request<ExportJob | undefined>('DELETE', `${exportsOf(boxId)}/${id(jobId)}`, undefined, 30_000)

/** Addresses that the browser itself fetches. */
export const exportUrl = (boxId: string, jobId: string, name: string) => `${BASE}${exportsOf(boxId)}/${id(jobId)}/${id(name)}`
export const playlistUrl = (boxId: string, cameraId: string, from: string, to: string) =>
  BASE + withQuery(`${edge(boxId, cameraId)}/playlist.m3u8`, { from, to })
export const clipUrl = (boxId: string, cameraId: string, from: string, to: string) =>
  BASE + withQuery(`${edge(boxId, cameraId)}/clip.mp4`, { from, to })
export const evidenceUrl = (evidenceId: string) => `${BASE}/evidence/${id(evidenceId)}`
export const feedUrl = (cursor: string | null) => BASE + withQuery('/feed', { cursor })
export const liveUrl = (uid: string, stream: StreamName, origin: string) =>
  `${origin.replace(/^http/, 'ws')}${BASE}/live/${id(uid)}/${stream}`
