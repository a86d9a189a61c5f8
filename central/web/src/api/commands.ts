/** The centre's calls about what people have boxes do (指令). */

import { request, withQuery } from './http'
import type { Person } from './types'

export type CommandKind = 'snapshot' | 'clip' | 'disarm' | 'arm' | 'sync_clock' | 'mask' | 'configure' | 'camera_clock'
export type CommandState = 'queued' | 'sent' | 'accepted' | 'done' | 'refused' | 'failed' | 'expired' | 'unanswered'

/** Across and down a picture, 0 to 1. */
export type Point = [number, number]

/** The areas that one rule looks past in place of its configuration's. */
export interface Mask {
  camera_id: string
  rule_id: string
  exclude: Point[][]
  person: Person | null
  reason: string
  since: string
}

export interface Fetched {
  id: string
  kind: 'snapshot' | 'clip'
  start: string
  end: string
  size_bytes: number
}

export interface CommandArguments {
  camera_id?: string
  start?: string
  end?: string
  rule_id?: string
  for_s?: number
  exclude?: Point[][]
  undo?: boolean
  patch?: string
  base_version?: number
  confirm_within_s?: number
  check_only?: boolean
}

/** What of a box's settings may be changed from afar, as TOML; `version` is the newest, `running` the one it runs with. */
export interface BoxSettings {
  version: number
  running: number
  on_trial: boolean
  toml: string
}

export interface Command {
  id: string
  box_id: string
  kind: CommandKind
  arguments: CommandArguments
  reason: string
  person: Person | null
  asked_at: string
  deadline: string
  state: CommandState
  given: number
  ended_at: string | null
  why: string
  detail: string
  fetched: Fetched[]
}

export interface NewCommand {
  kind: CommandKind
  arguments: CommandArguments
  reason: string
  within_s: number
}

const id = encodeURIComponent

export const commands = (boxId: string, before: string | null) =>
  request<{ items: Command[]; next: string | null }>('GET', withQuery(`/boxes/${id(boxId)}/commands`, { before }))
export const giveCommand = (boxId: string, command: NewCommand) => request<Command>('POST', `/boxes/${id(boxId)}/commands`, command)
export const masks = (boxId: string) => request<{ items: Mask[] }>('GET', `/boxes/${id(boxId)}/masks`)
/** A box's settings, from the box itself. */
export const boxSettings = (boxId: string) => request<BoxSettings>('GET', `/boxes/${id(boxId)}/edge/v1/settings`)
/** A camera's newest picture, from its box. */
export const liveSnapshotUrl = (boxId: string, cameraId: string) => `/api/v1/boxes/${id(boxId)}/edge/v1/cameras/${id(cameraId)}/snapshot.jpg`
export const fetchedUrl = (piece: Fetched) => `/api/v1/evidence/${id(piece.id)}`
