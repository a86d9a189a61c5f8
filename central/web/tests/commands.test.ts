import { describe, expect, it } from 'vitest'

import type { Command, CommandState } from '../src/api/commands'
import { commandOf, isOpen, kindsFor, wrongWith } from '../src/fleet/commands'
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

  it('offers disarming to the administrator alone', () => {
    expect(kindsFor('admin')).toContain('disarm')
    expect(kindsFor('duty')).toEqual(['snapshot', 'clip'])
  })
})

describe('what boxes have done', () => {
  it('is open until the box has said its last word, or nobody waits for it', () => {
    expect((['queued', 'sent', 'accepted'] as const).every((state) => isOpen(command('arm', state)))).toBe(true)
    expect((['done', 'refused', 'failed', 'expired', 'unanswered'] as const).some((state) => isOpen(command('arm', state)))).toBe(false)
  })
})
