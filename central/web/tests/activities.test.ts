import { describe, expect, it } from 'vitest'

import { askedOf, emptyFields, fieldsOf, groupOf, isOn, offersFor, onAt } from '@/activities/filed'
import type { Activity } from '@/api/activityTypes'
import { calledAt, calls, isFiled, isPending } from '@/wall/queue'

import { anAlert } from './alerts'

const ZONE = 'Asia/Shanghai'
const NOON = Date.parse('2026-11-22T12:00:00+08:00')
const PERSON = { id: 'p', name: '张建国', post: '村支书', phone: '', has_pin: true }
const TIMES = { start: '2026-11-22T11:00:00+08:00', end: '2026-11-22T15:00:00+08:00' }

function anActivity(more: Partial<Activity> = {}): Activity {
  return {
    id: 'w', title: '王家婚宴', kind: 'wedding', state: 'on', cameras: [{ uid: 'box.cam1', name: '村口主路' }], grids: [],
    ...TIMES, weekly: null, current: TIMES, over_at: TIMES.end, expected: 200, contact: '理事会', safety: '',
    filed_by: PERSON, filed_at: TIMES.start, terms_by: PERSON, approved_by: PERSON, approved_at: TIMES.start, cancelled_at: null,
    ...more,
  }
}

describe('what is on', () => {
  const camera = { uid: 'box.cam1', grid_code: 'g1' }

  it.each([
    ['2026-11-22T10:59:59+08:00', false],
    ['2026-11-22T11:00:00+08:00', true],
    ['2026-11-22T15:00:00+08:00', false],
  ])('is on at %s: %s', (at, on) => {
    expect(isOn(anActivity(), Date.parse(at))).toBe(on)
  })

  it.each(['waiting', 'over', 'cancelled'] as const)('is nothing that is %s', (state) => {
    expect(onAt([anActivity({ state })], camera, NOON)).toEqual([])
  })

  it('begins by the clock, though the centre last said that it was planned', () => {
    expect(onAt([anActivity({ state: 'planned' })], camera, NOON)).toHaveLength(1)
  })

  it('is at its cameras and in its grids, the greatest first', () => {
    const market = anActivity({ id: 'm', cameras: [], grids: [{ code: 'g1', name: '第1网格' }], expected: 300 })
    expect(onAt([anActivity(), market], camera, NOON).map((each) => each.id)).toEqual(['m', 'w'])
    expect(onAt([anActivity(), market], { uid: 'box.cam2', grid_code: 'g2' }, NOON)).toEqual([])
  })

  it('is offered for gatherings only', () => {
    expect(offersFor([anActivity()], anAlert(), NOON)).toHaveLength(1)
    expect(offersFor([anActivity()], anAlert({ kind: 'flame' }), NOON)).toEqual([])
  })

  it('is listed under its day of the village', () => {
    expect(groupOf(anActivity(), NOON, ZONE)).toBe('today')
    expect(groupOf(anActivity({ current: { start: '2026-11-22T23:30:00+08:00', end: '2026-11-23T01:00:00+08:00' } }), NOON, ZONE)).toBe('today')
    expect(groupOf(anActivity({ current: { start: '2026-11-23T00:10:00+08:00', end: '2026-11-23T01:00:00+08:00' } }), NOON, ZONE)).toBe('upcoming')
  })
})

describe('an alert of a filed event', () => {
  const activity = { id: 'w', title: '王家婚宴', kind: 'wedding', expected: 200, ...TIMES, left: null, left_at: null }

  it('is shown and asks for nobody while it is known', () => {
    const known = anAlert({ state: 'KNOWN', activity })
    expect([isFiled(known), isPending(known)]).toEqual([true, false])
    expect(isFiled({ ...known, ended_at: TIMES.end })).toBe(false)
    expect(isFiled(anAlert({ state: 'KNOWN' }))).toBe(false)
  })

  it('calls as any other once it has left the event', () => {
    const left = anAlert({ activity: { ...activity, left: 'exceeded', left_at: TIMES.end } })
    expect(calledAt(left)).toBe(Date.parse(TIMES.end))
    expect(calledAt(anAlert({ received_at: TIMES.start }))).toBe(Date.parse(TIMES.start))
    expect([isFiled(left), isPending(left), calls(left)]).toEqual([false, true, true])
  })
})

describe('the form', () => {
  const filled = { ...emptyFields(NOON, ZONE), title: ' 王家婚宴 ', cameras: ['box.cam1'], expected: 200, contact: '理事会' }

  it('begins at the next full hour and lasts four', () => {
    expect(emptyFields(NOON + 1, ZONE)).toMatchObject({ start: '2026-11-22T13:00', end: '2026-11-22T17:00' })
  })

  it('says what the centre wants, in times of the village', () => {
    expect(askedOf(filled, ZONE)).toMatchObject({ title: '王家婚宴', start: '2026-11-22T04:00:00.000Z', end: '2026-11-22T08:00:00.000Z', weekly: null })
    const weekly = { ...filled, isWeekly: true, weekdays: [6, 3], lastDay: '2026-12-31' }
    expect(askedOf(weekly, ZONE)?.weekly).toEqual({ weekdays: [3, 6], last_day: '2026-12-31' })
  })

  it.each([
    { title: ' ' },
    { contact: '' },
    { cameras: [] },
    { expected: null },
    { expected: 0 },
    { expected: 1.5 },
    { end: '2026-11-22T12:00' },
    { start: '' },
    { isWeekly: true, weekdays: [] },
  ])('is not sent with %o', (wrong) => {
    expect(askedOf({ ...filled, ...wrong }, ZONE)).toBeNull()
  })

  it('says of a filed event what is filed', () => {
    const weekly = anActivity({ weekly: { weekdays: [3, 6], last_day: '2026-12-31' } })
    expect(askedOf(fieldsOf(weekly, ZONE), ZONE)).toEqual({
      title: '王家婚宴', kind: 'wedding', cameras: ['box.cam1'], grids: [], start: '2026-11-22T03:00:00.000Z', end: '2026-11-22T07:00:00.000Z',
      weekly: { weekdays: [3, 6], last_day: '2026-12-31' }, expected: 200, contact: '理事会', safety: '', overlap: '',
    })
  })
})
