/** The centre's calls about what people have boxes do (指令). */

import { request, withQuery } from './http'
import type { Person } from './types'

export type CommandKind = 'snapshot' | 'clip' | 'disarm' | 'arm'
export type CommandState = 'queued' | 'sent' | 'accepted' | 'done' | 'refused' | 'failed' | 'expired' | 'unanswered'

export interface Fetched {
  id: string
  kind: 'snapshot' | 'clip'
  start: string
  end: string
  size_bytes: number
}

export interface CommandArguments {
  camera_id: string
  start?: string
  end?: string
  rule_id?: string
  for_s?: number
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
export const fetchedUrl = (piece: Fetched) => `/api/v1/evidence/${id(piece.id)}`
