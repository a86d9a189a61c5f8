/** What a form says of a command to a box, and what the centre is told. */

import type { Command, CommandKind, CommandState, NewCommand } from '@/api/commands'
import { fromLocal } from '@/time/zone'

import { areasOf } from './masks'

export const KINDS: readonly CommandKind[] = ['snapshot', 'clip', 'disarm', 'arm', 'mask', 'configure', 'sync_clock', 'camera_clock']
/** What the centre lets only its administrator ask for. */
const ADMIN_KINDS: readonly CommandKind[] = ['disarm', 'arm', 'mask', 'configure', 'sync_clock', 'camera_clock']
/** What is about the box itself and no camera of it. */
const OF_BOX: readonly CommandKind[] = ['sync_clock', 'configure']
const OPEN: readonly CommandState[] = ['queued', 'sent', 'accepted']

export const LONGEST_CLIP_MS = 600_000
export const LONGEST_DISARMED_MIN = 1440

/** What a box takes at once. */
const LONGEST_PATCH_BYTES = 16_384

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
  /** The settings as TOML. */
  patch: string
  /** The version that they were made for; null until the box was asked. */
  base: number | null
  confirmMin: number
  reason: string
  withinMin: number
}

export const kindsFor = (role: string): readonly CommandKind[] => (role === 'admin' ? KINDS : KINDS.filter((kind) => !ADMIN_KINDS.includes(kind)))

export const isOfCamera = (kind: CommandKind): boolean => !OF_BOX.includes(kind)

export const isOpen = (command: Command): boolean => OPEN.includes(command.state)

/** Return what is wrong with the fields as a word of `commands.wrong`, or null. */
export function wrongWith(fields: CommandFields, zone: string): 'camera' | 'reason' | 'span' | 'minutes' | 'rule' | 'areas' | 'base' | 'patch' | null {
  if (isOfCamera(fields.kind) && fields.camera === '') return 'camera'
  if (fields.kind === 'configure') {
    if (fields.base === null) return 'base'
    if (!fields.undo && (fields.patch.trim() === '' || new TextEncoder().encode(fields.patch).length > LONGEST_PATCH_BYTES)) return 'patch'
  }
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
    configure: { ...(fields.undo ? { undo: true } : { patch: fields.patch }), base_version: fields.base ?? 0, confirm_within_s: fields.confirmMin * 60 },
    sync_clock: {},
    camera_clock: {},
  }[fields.kind]
  const camera = isOfCamera(fields.kind) ? { camera_id: fields.camera } : {}
  return { kind: fields.kind, arguments: { ...camera, ...more }, reason: fields.reason.trim(), within_s: fields.withinMin * 60 }
}

/** Return the dry run of a `configure` command. */
export const checkOf = (command: NewCommand): NewCommand => ({ ...command, arguments: { ...command.arguments, check_only: true } })

/** Return the newest dry run of what a command would change, if there is one. */
export function checkFor(command: NewCommand, given: readonly Command[]): Command | null {
  const { patch, undo, base_version: base } = command.arguments
  const isOf = ({ kind, arguments: of }: Command) => kind === 'configure' && of.check_only === true && of.patch === patch && (of.undo ?? false) === (undo ?? false) && of.base_version === base
  return given.find(isOf) ?? null
}

/** Return whether a dry run found that something would change, and all of it is valid. */
export const isChecked = (check: Command | null): boolean => check?.state === 'done' && check.why === 'checked'

export type Stage = 'on_trial' | 'kept' | 'rolled_back' | 'checked'

/** Where settings are that were given, where their command's state alone does not say it. */
export function stageOf({ kind, state, why }: Command): Stage | null {
  if (kind !== 'configure') return null
  if (state === 'accepted') return 'on_trial'
  if (state === 'done') return why === 'kept' ? 'kept' : 'checked'
  return state === 'failed' && why === 'rolled_back' ? 'rolled_back' : null
}
