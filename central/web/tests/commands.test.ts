import { describe, expect, it } from 'vitest'

import type { Command, CommandState } from '../src/api/commands'
import { checkFor, checkOf, commandOf, isChecked, isOpen, kindsFor, stageOf, wrongWith } from '../src/fleet/commands'
import type { CommandFields } from '../src/fleet/commands'

const ZONE = 'Asia/Shanghai'
const FIELDS: CommandFields = {
  kind: 'clip',
  camera: 'cam1',
  from: '2026-11-22T14:00:00',
  to: '2026-11-22T14:02:00',
  rule: ' crowd ',
  minutes: 30,
  areas: '0.1,0.1 0.3,0.1 0.3,0.4\n',
  undo: false,
  patch: '[detect]\nfps = 4\n',
  base: 3,
  confirmMin: 3,
  reason: ' 核实 ',
  withinMin: 60,
}

function command(kind: Command['kind'], state: CommandState, more: Partial<Command> = {}): Command {
  return {
    id: 'id',
    box_id: 'box-1',
    kind,
    arguments: { camera_id: 'cam1', for_s: kind === 'disarm' ? 600 : undefined },
    reason: '',
    person: null,
    asked_at: '2026-11-22T06:00:00Z',
    deadline: '2026-11-22T07:00:00Z',
    state,
    given: 1,
    ended_at: '2026-11-22T06:00:10Z',
    why: '',
    detail: '',
    fetched: [],
    ...more,
  }
}

describe('a form of a command', () => {
  it('says moments in the zone of the village, and only what its kind has', () => {
    const reason = { reason: '核实', within_s: 3600 }
    expect(commandOf(FIELDS, ZONE)).toEqual({ kind: 'clip', arguments: { camera_id: 'cam1', start: '2026-11-22T06:00:00.000Z', end: '2026-11-22T06:02:00.000Z' }, ...reason })
    expect(commandOf({ ...FIELDS, kind: 'snapshot' }, ZONE)).toEqual({ kind: 'snapshot', arguments: { camera_id: 'cam1' }, ...reason })
    expect(commandOf({ ...FIELDS, kind: 'disarm' }, ZONE)).toEqual({ kind: 'disarm', arguments: { camera_id: 'cam1', rule_id: 'crowd', for_s: 1800 }, ...reason })
    const mask = { camera_id: 'cam1', rule_id: 'crowd' }
    expect(commandOf({ ...FIELDS, kind: 'mask' }, ZONE)).toEqual({ kind: 'mask', arguments: { ...mask, exclude: [[[0.1, 0.1], [0.3, 0.1], [0.3, 0.4]]] }, ...reason })
    expect(commandOf({ ...FIELDS, kind: 'mask', areas: '' }, ZONE).arguments).toEqual({ ...mask, exclude: [] })
    expect(commandOf({ ...FIELDS, kind: 'mask', undo: true }, ZONE).arguments).toEqual({ ...mask, undo: true })
    expect(commandOf({ ...FIELDS, kind: 'sync_clock' }, ZONE)).toEqual({ kind: 'sync_clock', arguments: {}, ...reason })
    expect(commandOf({ ...FIELDS, kind: 'camera_clock' }, ZONE)).toEqual({ kind: 'camera_clock', arguments: { camera_id: 'cam1' }, ...reason })
    expect(commandOf({ ...FIELDS, kind: 'arm', rule: ' ' }, ZONE)).toEqual({ kind: 'arm', arguments: { camera_id: 'cam1' }, ...reason })
  })

  it('names what the centre would refuse', () => {
    expect(wrongWith(FIELDS, ZONE)).toBeNull()
    expect(wrongWith({ ...FIELDS, camera: '' }, ZONE)).toBe('camera')
    expect(wrongWith({ ...FIELDS, reason: '  ' }, ZONE)).toBe('reason')
    expect(wrongWith({ ...FIELDS, to: FIELDS.from }, ZONE)).toBe('span')
    expect(wrongWith({ ...FIELDS, to: '' }, ZONE)).toBe('span')
    expect(wrongWith({ ...FIELDS, to: '2026-11-22T14:10:01' }, ZONE)).toBe('span')
    expect(wrongWith({ ...FIELDS, to: '2026-11-22T14:10:00' }, ZONE)).toBeNull()
    expect(wrongWith({ ...FIELDS, kind: 'disarm', minutes: 0 }, ZONE)).toBe('minutes')
    expect(wrongWith({ ...FIELDS, kind: 'disarm', minutes: 1.5 }, ZONE)).toBe('minutes')
    expect(wrongWith({ ...FIELDS, kind: 'mask', rule: '' }, ZONE)).toBe('rule')
    expect(wrongWith({ ...FIELDS, kind: 'mask', areas: '0.1,0.1 0.2,0.2' }, ZONE)).toBe('areas')
    expect(wrongWith({ ...FIELDS, kind: 'mask', areas: 'x', undo: true }, ZONE)).toBeNull()
    expect(wrongWith({ ...FIELDS, kind: 'sync_clock', camera: '' }, ZONE)).toBeNull()
    expect(wrongWith({ ...FIELDS, kind: 'arm', minutes: 0, from: '' }, ZONE)).toBeNull()
  })

  it('says settings as they are written, for the version that they were made for', () => {
    const form: CommandFields = { ...FIELDS, kind: 'configure', camera: '' }
    expect(commandOf(form, ZONE).arguments).toEqual({ patch: '[detect]\nfps = 4\n', base_version: 3, confirm_within_s: 180 })
    expect(commandOf({ ...form, undo: true }, ZONE).arguments).toEqual({ undo: true, base_version: 3, confirm_within_s: 180 })
    expect(wrongWith(form, ZONE)).toBeNull()
    expect(wrongWith({ ...form, base: null }, ZONE)).toBe('base')
    expect(wrongWith({ ...form, patch: ' \n' }, ZONE)).toBe('patch')
    expect(wrongWith({ ...form, patch: '好'.repeat(5462) }, ZONE)).toBe('patch')
    expect(wrongWith({ ...form, patch: '', undo: true }, ZONE)).toBeNull()
  })

  it('takes a dry run only for what was looked at, word for word', () => {
    const wanted = commandOf({ ...FIELDS, kind: 'configure' }, ZONE)
    const check = checkOf(wanted)
    expect(check.arguments.check_only).toBe(true)
    const given = command('configure', 'done', { arguments: { ...check.arguments, undo: false }, why: 'checked' })
    expect(checkFor(wanted, [given])).toBe(given)
    expect(isChecked(given)).toBe(true)
    expect(isChecked({ ...given, why: 'nothing_changes' })).toBe(false)
    expect(isChecked({ ...given, state: 'refused', why: 'settings' })).toBe(false)
    expect(isChecked(null)).toBe(false)
    const others = [{ patch: '[detect]\nfps = 5\n' }, { base_version: 4 }, { check_only: false }, { patch: undefined, undo: true }]
    expect(others.map((other) => checkFor(wanted, [{ ...given, arguments: { ...given.arguments, ...other } }]))).toEqual([null, null, null, null])
  })

  it('offers disarming to the administrator alone', () => {
    expect(kindsFor('admin')).toEqual(expect.arrayContaining(['disarm', 'configure']))
    expect(kindsFor('duty')).toEqual(['snapshot', 'clip'])
  })
})

describe('what boxes have done', () => {
  it('says of settings whether they are on trial, in effect or taken back', () => {
    const stage = (state: CommandState, why: string) => stageOf(command('configure', state, { why }))
    expect([stage('accepted', 'on_trial'), stage('done', 'kept'), stage('failed', 'rolled_back'), stage('done', 'checked')]).toEqual(['on_trial', 'kept', 'rolled_back', 'checked'])
    expect([stage('unanswered', 'on_trial'), stage('refused', 'another_on_trial'), stage('failed', 'not_begun'), stage('sent', '')]).toEqual([null, null, null, null])
    expect(stageOf(command('mask', 'done'))).toBeNull()
  })

  it('is open until the box has said its last word, or nobody waits for it', () => {
    expect((['queued', 'sent', 'accepted'] as const).every((state) => isOpen(command('arm', state)))).toBe(true)
    expect((['done', 'refused', 'failed', 'expired', 'unanswered'] as const).some((state) => isOpen(command('arm', state)))).toBe(false)
  })
})
