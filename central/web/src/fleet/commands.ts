/** What a form says of a command to a box, and what the centre is told. */

import type { Command, CommandKind, CommandState, NewCommand } from '@/api/commands'
import { fromLocal } from '@/time/zone'

import { areasOf } from './masks'

export const KINDS: readonly CommandKind[] = ['snapshot', 'clip', 'disarm', 'arm', 'mask', 'sync_clock', 'camera_clock']
/** What the centre lets only its administrator ask for. */
const ADMIN_KINDS: readonly CommandKind[] = ['disarm', 'arm', 'mask', 'sync_clock', 'camera_clock']
/** What is about the box itself and no camera of it. */
const OF_BOX: readonly CommandKind[] = ['sync_clock']
const OPEN: readonly CommandState[] = ['queued', 'sent', 'accepted']

export const LONGEST_CLIP_MS = 600_000
export const LONGEST_DISARMED_MIN = 1440

export interface CommandFields {
  kind: CommandKind
  camera: string
  from: string
  to: string
  rule: string
  minutes: number
  /** See `areasOf`. */
  areas: string
  undo: boolean
  reason: string
  withinMin: number
}

export const kindsFor = (role: string): readonly CommandKind[] => (role === 'admin' ? KINDS : KINDS.filter((kind) => !ADMIN_KINDS.includes(kind)))

export const isOfCamera = (kind: CommandKind): boolean => !OF_BOX.includes(kind)

export const isOpen = (command: Command): boolean => OPEN.includes(command.state)

/** Return what is wrong with the fields as a word of `commands.wrong`, or null. */
export function wrongWith(fields: CommandFields, zone: string): 'camera' | 'reason' | 'span' | 'minutes' | 'rule' | 'areas' | null {
  if (isOfCamera(fields.kind) && fields.camera === '') return 'camera'
  if (fields.reason.trim() === '') return 'reason'
  if (fields.kind === 'clip') {
    const [from, to] = [fromLocal(fields.from, zone), fromLocal(fields.to, zone)]
    if (from === null || to === null || to <= from || to - from > LONGEST_CLIP_MS) return 'span'
  }
  if (fields.kind === 'disarm' && !(Number.isInteger(fields.minutes) && fields.minutes >= 1 && fields.minutes <= LONGEST_DISARMED_MIN)) return 'minutes'
  if (fields.kind === 'mask' && fields.rule.trim() === '') return 'rule'
  if (fields.kind === 'mask' && !fields.undo && areasOf(fields.areas) === null) return 'areas'
  return null
}

/** Return the command that sound fields say. */
export function commandOf(fields: CommandFields, zone: string): NewCommand {
  const moment = (text: string) => new Date(fromLocal(text, zone) ?? 0).toISOString()
  const rule = fields.rule.trim() === '' ? {} : { rule_id: fields.rule.trim() }
  const more = {
    snapshot: {},
    clip: { start: moment(fields.from), end: moment(fields.to) },
    disarm: { ...rule, for_s: fields.minutes * 60 },
    arm: rule,
    mask: { ...rule, ...(fields.undo ? { undo: true } : { exclude: areasOf(fields.areas) ?? [] }) },
    sync_clock: {},
    camera_clock: {},
  }[fields.kind]
  const camera = isOfCamera(fields.kind) ? { camera_id: fields.camera } : {}
  return { kind: fields.kind, arguments: { ...camera, ...more }, reason: fields.reason.trim(), within_s: fields.withinMin * 60 }
}
