import { describe, expect, it } from 'vitest'

import type { Alert } from '@/api/types'
import { categoryOf, isSuspected, reasonsFor } from '@/wall/choices'
import { wallAction, type WallMode } from '@/wall/keyboard'
import { burnShift, pageCount, pageOf, shortGrid, tilesFor } from '@/wall/layout'
import { directionOf, nearest } from '@/wall/navigation'
import { byPressing, calls, choosePopup, isPending, railOrder, URGENT_POPUP_MS, type PopupFacts } from '@/wall/queue'
import { fittingSize } from '@/wall/useFit'

import { anAlert } from './alerts'

const NOW = Date.parse('2026-11-22T06:06:00Z')
const facts = (more: Partial<PopupFacts> = {}): PopupFacts => ({
  firstShown: new Map(),
  minimised: new Set(),
  held: new Set(),
  opened: null,
  current: null,
  dialogOpen: false,
  ...more,
})
const chosen = (alerts: Alert[], more: Partial<PopupFacts> = {}, now = NOW) => choosePopup(alerts, facts(more), now).alert?.id ?? null

describe('which alert stands on the wall', () => {
  it('is the greatest level, and within a level the one that has waited longest', () => {
    const old = anAlert({ started_at: '2026-11-22T06:00:00Z' })
    const young = anAlert({ started_at: '2026-11-22T06:05:00Z' })
    const top = anAlert({ level: 'extra_urgent', started_at: '2026-11-22T06:05:30Z' })
    expect(chosen([young, old])).toBe(old.id)
    expect(choosePopup([young, old, top], facts(), NOW)).toEqual({ alert: top, waiting: 2 })
    expect([young, old, top].sort(byPressing)).toEqual([top, old, young])
  })

  it('is none where nothing calls', () => {
    expect(choosePopup([], facts(), NOW)).toEqual({ alert: null, waiting: 0 })
    expect(chosen([anAlert({ level: 'ordinary' })])).toBeNull()
    expect(chosen([anAlert({ late: true }), anAlert({ mode: 'trial' })])).toBeNull()
    expect(chosen([anAlert({ state: 'FALSE' }), anAlert({ state: 'ACKED' })])).toBeNull()
  })

  it('is an urgent one for a minute only, an extra urgent one until it is signed', () => {
    const urgent = anAlert()
    const extra = anAlert({ level: 'extra_urgent' })
    const firstShown = new Map([[urgent.id, NOW], [extra.id, NOW]])
    expect(chosen([urgent], { firstShown }, NOW + URGENT_POPUP_MS - 1)).toBe(urgent.id)
    expect(chosen([urgent], { firstShown }, NOW + URGENT_POPUP_MS)).toBeNull()
    expect(chosen([extra], { firstShown, minimised: new Set([extra.id]) }, NOW + 10 * URGENT_POPUP_MS)).toBe(extra.id)
  })

  it('goes away when a person puts it away, and comes back from its card', () => {
    const alert = anAlert()
    const minimised = new Set([alert.id])
    expect(chosen([alert], { minimised })).toBeNull()
    expect(chosen([alert], { minimised, opened: alert.id })).toBe(alert.id)
    const late = anAlert({ late: true, level: 'ordinary' })
    expect(chosen([late], { opened: late.id })).toBe(late.id)
  })

  it('stays after it was signed here, until it is verified or put away', () => {
    const alert = anAlert({ state: 'ACKED' })
    const held = new Set([alert.id])
    expect(chosen([alert], { held })).toBe(alert.id)
    expect(chosen([alert], { held, minimised: held })).toBeNull()
    expect(chosen([{ ...alert, state: 'CONFIRMED' }], { held, opened: alert.id })).toBeNull()
  })

  it('is not pushed aside by an equal, but by a greater level', () => {
    const shown = anAlert({ started_at: '2026-11-22T06:05:00Z' })
    const older = anAlert({ started_at: '2026-11-22T06:00:00Z' })
    const extra = anAlert({ level: 'extra_urgent' })
    expect(chosen([shown, older], { current: shown.id })).toBe(shown.id)
    expect(chosen([shown, older, extra], { current: shown.id })).toBe(extra.id)
  })

  it('gives way once it is signed to an unsigned one of its level or a greater, not of a lower', () => {
    for (const level of ['urgent', 'extra_urgent'] as const) {
      const signed = anAlert({ level, state: 'ACKED', started_at: '2026-11-22T06:00:00Z' })
      const fresh = anAlert({ level, started_at: '2026-11-22T06:05:00Z' })
      const lower = anAlert({ level: 'ordinary' })
      const standing = { held: new Set([signed.id]), current: signed.id }
      expect(chosen([signed, fresh, lower], standing)).toBe(fresh.id)
      expect(chosen([signed, lower], { ...standing, opened: signed.id })).toBe(signed.id)
      expect(chosen([signed, fresh], { ...standing, opened: signed.id })).toBe(fresh.id)
    }
  })

  it('stays when it is signed beside another signed one: it is the one to verify now', () => {
    const before = anAlert({ level: 'extra_urgent', state: 'ACKED', started_at: '2026-11-22T06:00:00Z' })
    const now = anAlert({ level: 'extra_urgent', state: 'ACKED', started_at: '2026-11-22T06:05:00Z' })
    expect(chosen([before, now], { held: new Set([before.id, now.id]), current: now.id })).toBe(now.id)
  })

  it('is what a person opened, but never against a greater level', () => {
    const shown = anAlert({ started_at: '2026-11-22T06:00:00Z' })
    const opened = anAlert({ started_at: '2026-11-22T06:05:00Z' })
    const extra = anAlert({ level: 'extra_urgent' })
    expect(chosen([shown, opened], { current: shown.id, opened: opened.id })).toBe(opened.id)
    expect(chosen([shown, opened, extra], { current: opened.id, opened: opened.id })).toBe(extra.id)
    const ordinary = anAlert({ level: 'ordinary' })
    expect(chosen([ordinary, shown], { current: ordinary.id, opened: ordinary.id })).toBe(shown.id)
  })

  it('never changes under an open dialog', () => {
    const shown = anAlert({ state: 'ACKED' })
    const extra = anAlert({ level: 'extra_urgent' })
    const equal = anAlert()
    expect(chosen([shown, extra, equal], { held: new Set([shown.id]), current: shown.id, dialogOpen: true })).toBe(shown.id)
  })
})

describe('the rail', () => {
  it('shows what is pending: unsigned first within a level', () => {
    const signed = anAlert({ state: 'ACKED', started_at: '2026-11-22T05:00:00Z' })
    const unsigned = anAlert()
    const extra = anAlert({ level: 'extra_urgent', state: 'ACKED' })
    const done = anAlert({ state: 'KNOWN' })
    expect(railOrder([signed, done, unsigned, extra])).toEqual([extra, unsigned, signed])
    expect(isPending(done)).toBe(false)
  })

  it('knows which alerts may call people', () => {
    expect([calls(anAlert()), calls(anAlert({ mode: 'drill' })), calls(anAlert({ late: true })), calls(anAlert({ mode: 'trial' }))]).toEqual([
      true,
      true,
      false,
      false,
    ])
  })
})

describe('the keys of the wall', () => {
  const ALL: WallMode[] = ['grid', 'camera', 'popup-new', 'popup-acked', 'list', 'confirm', 'note', 'pin']

  it('enlarge a camera by its number and go back by 0', () => {
    expect(wallAction('grid', '3')).toEqual({ do: 'camera', index: 2 })
    expect(wallAction('camera', '9')).toEqual({ do: 'camera', index: 8 })
    expect(wallAction('camera', '0')).toEqual({ do: 'back' })
  })

  it('sign by the space bar wherever no dialog is open', () => {
    for (const mode of ['grid', 'camera', 'popup-new', 'popup-acked'] as const) expect(wallAction(mode, ' ')).toEqual({ do: 'sign' })
    for (const mode of ['list', 'confirm', 'note', 'pin'] as const) expect(wallAction(mode, ' ')).toBeNull()
  })

  it('verify only what has been signed', () => {
    expect(['1', '2', '3', '4', '0'].map((key) => wallAction('popup-acked', key)?.do)).toEqual(['real', 'false', 'known', undefined, 'back'])
    expect(['1', '2', '3', '0'].map((key) => wallAction('popup-new', key)?.do)).toEqual([undefined, undefined, undefined, 'back'])
  })

  it('pick from a list by digit, the tenth by 0', () => {
    expect(wallAction('list', '1')).toEqual({ do: 'pick', index: 0 })
    expect(wallAction('list', '0')).toEqual({ do: 'pick', index: 9 })
  })

  it('type a PIN', () => {
    expect(wallAction('pin', '7')).toEqual({ do: 'digit', digit: '7' })
    expect(wallAction('pin', 'Backspace')).toEqual({ do: 'erase' })
    expect(wallAction('pin', 'm')).toBeNull()
  })

  it('leave text alone while it is typed', () => {
    for (const key of ['1', ' ', 'm', 'Backspace', 'Enter']) expect(wallAction('note', key)).toBeNull()
  })

  it('lead back by Escape and the remote in every mode', () => {
    for (const mode of ALL) for (const key of ['Escape', 'BrowserBack', 'GoBack']) expect(wallAction(mode, key)).toEqual({ do: 'back' })
    expect(wallAction('grid', 'Backspace')).toEqual({ do: 'back' })
  })

  it('have letters for the rest, large or small, and leave other keys to the browser', () => {
    expect(['f', 'M', 'l', 'P', 'b', 'x', 'Tab', 'Enter', 'ArrowUp'].map((key) => wallAction('grid', key)?.do)).toEqual([
      'fullscreen',
      'mute',
      'privacy',
      'page',
      'review',
      undefined,
      undefined,
      undefined,
      undefined,
    ])
    expect(wallAction('confirm', '1')).toBeNull()
  })
})

describe('arrows of a remote control', () => {
  const box = (left: number, top: number) => ({ left, top, width: 10, height: 10 })
  const grid = [box(0, 0), box(20, 0), box(0, 20), box(20, 20)]

  it('move to the next box that way', () => {
    expect(nearest(grid, 0, 'right')).toBe(1)
    expect(nearest(grid, 0, 'down')).toBe(2)
    expect(nearest(grid, 3, 'up')).toBe(1)
    expect(nearest(grid, 3, 'left')).toBe(2)
  })

  it('stop at the edge, and begin at the first', () => {
    expect(nearest(grid, 0, 'left')).toBeNull()
    expect(nearest(grid, -1, 'left')).toBe(0)
    expect(nearest([], -1, 'left')).toBeNull()
  })

  it('keep to the row where something nearer lies aside', () => {
    expect(nearest([box(0, 0), box(12, 14), box(30, 0)], 0, 'right')).toBe(2)
  })

  it('have four directions', () => {
    expect(['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown', 'Enter'].map(directionOf)).toEqual(['left', 'right', 'up', 'down', null])
  })
})

describe('the layout', () => {
  it('holds all cameras, up to sixteen a page', () => {
    expect([0, 1, 2, 4, 5, 9, 10, 16, 40].map(tilesFor)).toEqual([1, 1, 4, 4, 9, 9, 16, 16, 16])
  })

  it('says a grid shortly', () => {
    expect(['第一网格(上寨)', '第一网格\uFF08上寨\uFF09', '第一网格'].map(shortGrid)).toEqual(['第一网格', '第一网格', '第一网格'])
  })

  it('turns pages round', () => {
    const items = [...Array(20).keys()]
    expect(pageCount(20, 16)).toBe(2)
    expect(pageCount(0, 4)).toBe(1)
    expect(pageOf(items, 1, 16)).toEqual([16, 17, 18, 19])
    expect(pageOf(items, 2, 16)).toEqual(items.slice(0, 16))
  })

  it('shifts by a few pixels from minute to minute and comes round', () => {
    const shifts = [...Array(8).keys()].map(burnShift)
    expect(new Set(shifts.map(String)).size).toBe(8)
    expect(burnShift(8)).toEqual(burnShift(0))
    expect(burnShift(-1)).toEqual(burnShift(7))
    for (const [x, y] of shifts) expect(Math.max(Math.abs(x), Math.abs(y))).toBeLessThanOrEqual(4)
  })
})

describe('what is offered first', () => {
  const reasons = ['cooking_smoke', 'sunset', 'other', 'miscount', 'shaking'].map((code) => ({ code, zh: code, en: code }))

  it('are the likely reasons of the kind, and other last', () => {
    expect(reasonsFor('gathering', reasons).map((each) => each.code)).toEqual(['miscount', 'shaking', 'cooking_smoke', 'sunset', 'other'])
    expect(reasonsFor('smoke', reasons)[0]?.code).toBe('cooking_smoke')
    expect(reasonsFor('camera_lost', reasons).map((each) => each.code)).toEqual(['cooking_smoke', 'sunset', 'miscount', 'shaking', 'other'])
  })

  it('is the category of the kind', () => {
    expect([categoryOf('gathering'), categoryOf('flame'), categoryOf('storage'), categoryOf('new')]).toEqual(['crowd_safety', 'fire', 'equipment', 'other'])
  })

  it('says 疑似 until a person has verified it', () => {
    expect(isSuspected({ kind: 'smoke', state: 'ACKED' })).toBe(true)
    expect(isSuspected({ kind: 'smoke', state: 'CONFIRMED' })).toBe(false)
    expect(isSuspected({ kind: 'camera_lost', state: 'NEW' })).toBe(false)
  })
})

describe('a headline that fits', () => {
  it('is as large as its box allows', () => {
    expect(fittingSize(120, 40, () => true)).toBe(120)
    expect(fittingSize(120, 40, (size) => size <= 77)).toBe(76)
    expect(fittingSize(120, 40, () => false)).toBe(40)
  })
})
