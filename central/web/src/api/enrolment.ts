/** The centre's calls about the cameras of a box: looking for one, adding, changing and removing it. */

import { request, withQuery } from './http'
import type { Grid, Instant, Person, StreamName } from './types'

export interface Found {
  address: string
  name: string
  hardware: string
  /** The camera that this device is already, on this box. */
  known_as: string | null
}

export interface Search {
  state: 'running' | 'done'
  found: Found[]
  /** Answers that could not be read. */
  unreadable: number
}

export interface NewProbe {
  address?: string
  rtsp_url?: string
  rtsp_sub_url?: string
  username?: string
  password?: string
  /** SHA-256 of a certificate that a person has compared. */
  certificate?: string
  may_be_ahead?: boolean
  /** The camera whose login is to be used. */
  camera_id?: string
}

export interface ProbedStream {
  stream: StreamName
  codec: string
  width: number
  height: number
  fps: number
  gop_s: number
  kbit_s: number
  b_frames: boolean
  transport: 'tcp' | 'udp'
  in_browser: 'yes' | 'some' | 'no'
  audio: boolean
}

export interface Words {
  zh: string
  en: string
}

export interface Advice extends Words {
  code: string
  level: 'must' | 'should' | 'note'
}

export type ProbeStep = 'looking' | 'asking' | 'main' | 'sub'

export interface Probe {
  state: 'running' | 'done' | 'failed'
  step: ProbeStep
  device: { maker: string; model: string; firmware: string } | null
  clock_offset_s: number | null
  streams: ProbedStream[]
  gb_per_day: number | null
  advice: Advice[]
  problem: ({ kind: string } & Words) | null
}

export interface SetupCamera {
  id: string
  name: string
  grid_code: string
  place: string
  legal_basis: string
  retention_days: number | null
  retention_reason: string
  enabled: boolean
  host: string
  has_sub: boolean
  record_sub: boolean
  /** Written in the box's own file, or by people through the centre. */
  from: 'file' | 'layer'
  rules: number
  state: string
}

/** The cameras as they are to be; the box runs `running`, which comes to `version` within seconds. */
export interface Book {
  version: number
  running: number
  cameras: SetupCamera[]
}

export interface CameraChange {
  name?: string
  grid_code?: string
  place?: string
  legal_basis?: string
  /** Null: as long as the box keeps. */
  retention_days?: number | null
  retention_reason?: string
  enabled?: boolean
  record_sub?: boolean
  reason: string
}

export type Watch = 'gathering' | 'fire'

export interface NewCamera extends CameraChange {
  probe_id: string
  name: string
  grid_code: string
  place: string
  legal_basis: string
  like?: string
  /** What it looks for beside what the other does; absent: everything, or with `like` nothing. */
  watch?: Watch[]
}

export interface BulkRow extends Words {
  line: number
  id: string
  name: string
  verdict?: 'ok' | 'refused'
  state?: 'waiting' | 'probing' | 'saved' | 'failed'
}

/** What somebody did with the cameras of a box. */
export interface Entry {
  at: Instant
  act: string
  person: Person | null
  camera_id: string | null
  outcome: string
  words: string
}

const id = encodeURIComponent
const setup = (boxId: string) => `/boxes/${id(boxId)}/edge/v1/setup`

/** The centre waits 30 s for a box: whoever gave up before would not learn that it was done. */
const ASK_MS = 40_000
const get = <T>(boxId: string, path: string) => request<T>('GET', setup(boxId) + path, undefined, 30_000)
const ask = <T>(method: string, boxId: string, path: string, body?: unknown) => request<T>(method, setup(boxId) + path, body, ASK_MS)

export const startSearch = (boxId: string, seconds: number) => ask<{ id: string }>('POST', boxId, '/searches', { seconds })
export const search = (boxId: string, searchId: string) => get<Search>(boxId, `/searches/${id(searchId)}`)
export const startProbe = (boxId: string, probe: NewProbe) => ask<{ id: string }>('POST', boxId, '/probes', probe)
export const probe = (boxId: string, probeId: string) => get<Probe>(boxId, `/probes/${id(probeId)}`)
export const forgetProbe = (boxId: string, probeId: string) => ask<undefined>('DELETE', boxId, `/probes/${id(probeId)}`)
export const probePictureUrl = (boxId: string, probeId: string) => `/api/v1${setup(boxId)}/probes/${id(probeId)}/picture.jpg`
export const book = (boxId: string) => get<Book>(boxId, '/cameras')
export const addCamera = (boxId: string, camera: NewCamera) => ask<{ id: string }>('POST', boxId, '/cameras', camera)
export const changeCamera = (boxId: string, cameraId: string, change: CameraChange) => ask<unknown>('PATCH', boxId, `/cameras/${id(cameraId)}`, change)
export const replaceCamera = (boxId: string, cameraId: string, probeId: string, reason: string) =>
  ask<unknown>('POST', boxId, `/cameras/${id(cameraId)}/replace`, { probe_id: probeId, reason })
export const copySettings = (boxId: string, cameraId: string, from: string, reason: string) =>
  ask<unknown>('POST', boxId, `/cameras/${id(cameraId)}/like`, { camera_id: from, reason })
export const removeCamera = (boxId: string, cameraId: string, reason: string) =>
  ask<unknown>('DELETE', boxId, withQuery(`/cameras/${id(cameraId)}`, { reason }))
export const checkBulk = (boxId: string, csv: string) => ask<{ rows: BulkRow[] }>('POST', boxId, '/bulk', { csv, apply: false })
export const applyBulk = (boxId: string, csv: string) => ask<{ id: string }>('POST', boxId, '/bulk', { csv, apply: true })
export const bulk = (boxId: string, bulkId: string) => get<{ state: 'running' | 'done'; rows: BulkRow[] }>(boxId, `/bulk/${id(bulkId)}`)
export const entries = (boxId: string) => request<Entry[]>('GET', `/boxes/${id(boxId)}/enrolments`)
/** The village's grids, by code. */
export const grids = async () => (await request<{ grids: Grid[] }>('GET', '/sites')).grids
