import { describe, expect, it } from 'vitest'

import type { FilingChange, Point } from '@/api/pointTypes'
import { countsOf, fieldsOf, fitted, inOrder, isWhole, lacksFor, linesOf, needsHand, NEXT, sheets, wordsOf } from '@/points/fields'

function aPoint(more: Partial<Point> = {}): Point {
  return {
    uid: 'box.cam1', box_id: 'box', camera_id: 'cam1', name: '村口', grid: { code: 'g1', name: '第一网格' }, place: '', known: true, present: true,
    camera_state: 'live', retention_days: 30, box_legal_basis: 'art7_2', state: 'in_use', state_since: null, in_use_since: null, trial_is_long: false,
    place_type: 'gate', legal_basis: 'art7_1', device_type: 'dome', manager_unit: '村委会', manager_phone: '', installed_on: '2026-11-20', note: '',
    checklist: null, sign: null, lacks: [], ...more,
  }
}

describe('the form of a point', () => {
  it('begins with what is written down', () => {
    expect(fieldsOf(aPoint(), '2026-11-27')).toMatchObject({ place_type: 'gate', legal_basis: 'art7_1', device_type: 'dome', installed_on: '2026-11-20' })
  })

  it('begins, where nothing is, with what the box says and today', () => {
    const fields = fieldsOf(aPoint({ state: 'unregistered', place_type: null, legal_basis: null, installed_on: null }), '2026-11-27')
    expect(fields).toMatchObject({ place_type: 'crossroads', legal_basis: 'art7_2', installed_on: '2026-11-27' })
  })

  it('does not make up a day for a point that has none', () => {
    expect(fieldsOf(aPoint({ state: 'draft', installed_on: null }), '2026-11-27').installed_on).toBeNull()
  })

  it.each([
    [{}, true],
    [{ manager_unit: ' ' }, false],
    [{ place_type: 'other' }, false],
    [{ place_type: 'other', note: '晒谷场' }, true],
  ])('may be sent with %j: %s', (more, ready) => {
    expect(isWhole({ ...fieldsOf(aPoint(), ''), ...more })).toBe(ready)
  })
})

describe('steps', () => {
  it('lead out of use into no silent trial', () => {
    expect(NEXT.in_use).toEqual(['retired'])
  })

  it('ask for the photo only before use', () => {
    const point = aPoint({ lacks: ['checklist', 'installed_on', 'sign_photo'] })
    expect(lacksFor(point, 'trial')).toEqual(['checklist'])
    expect(lacksFor(point, 'in_use')).toEqual(['checklist', 'installed_on', 'sign_photo'])
    expect(lacksFor(point, 'retired')).toEqual([])
  })
})

describe('the list', () => {
  it('has first what nobody registered, then what is to be seen to, and last what is retired', () => {
    const points = [
      aPoint({ uid: 'd', state: 'retired', present: false }),
      aPoint({ uid: 'c' }),
      aPoint({ uid: 'b', state: 'trial', trial_is_long: true }),
      aPoint({ uid: 'a', state: 'unregistered' }),
    ]
    expect(inOrder(points).map((each) => each.uid)).toEqual(['a', 'b', 'c', 'd'])
  })

  it.each([
    [{}, false],
    [{ present: false }, true],
    [{ state: 'retired' as const }, true],
    [{ state: 'retired' as const, present: false }, false],
  ])('marks %j: %s', (more, marked) => {
    expect(needsHand(aPoint(more))).toBe(marked)
  })
})

describe('what is printed', () => {
  it.each([
    [0, 1, [0]],
    [9, 1, [9]],
    [10, 1, [9, 1]],
    [27, 1, [9, 18]],
    [28, 1, [9, 18, 1]],
    [5, 4, [2, 3]],
    [2, 50, [1, 1]],
  ])('puts %i cameras of height %i on sheets of %j', (count, height, sizes) => {
    const rows = Array.from({ length: count }, (_, n) => n)
    const made = sheets(rows, () => height, 9, 18)
    expect(made.map((each) => each.length)).toEqual(sizes)
    expect(made.flat()).toEqual(rows)
  })

  it.each([
    ['', 1],
    ['村口大槐树旁路边', 1],
    ['村口大槐树旁路边西', 2],
    ['xiacun-1.cam1', 1],
    ['xiacun-1.cam12', 2],
  ])('counts the lines of %s', (text, lines) => {
    expect(linesOf(text, 8)).toBe(lines)
  })

  it('counts devices by type, the most first', () => {
    expect(countsOf(['ptz', 'fixed', 'fixed'])).toEqual([['fixed', 2], ['ptz', 1]])
  })
})

describe('a change of what was filed', () => {
  const change = (more: Partial<FilingChange>): FilingChange => ({ fact: 'place', uid: 'a', name: '', before: '', now: '', ...more })

  it.each([
    [change({ fact: 'type', before: 'fixed', now: 'ptz' }), { before: '<fixed>', now: '<ptz>' }],
    [change({ fact: 'retention', before: '30', now: '90' }), { before: '30天', now: '90天' }],
    [change({ fact: 'added', now: '桥头' }), { before: '', now: '桥头' }],
  ])('is said in words', (it, said) => {
    expect(wordsOf(it, (code) => `<${code}>`, (n) => `${n}天`)).toEqual(said)
  })
})

describe('a photo', () => {
  it.each([
    [4000, 3000, 1920, 1440],
    [3000, 4000, 1440, 1920],
    [640, 480, 640, 480],
    [10_000, 1, 1920, 1],
  ])('of %i × %i is sent as %i × %i', (width, height, newWidth, newHeight) => {
    expect(fitted(width, height, 1920)).toEqual({ width: newWidth, height: newHeight })
  })
})
