import { describe, expect, it } from 'vitest'

import type { Gap, Outbox } from '@/api/fleet'
import { offsetOf } from '@/fleet/clock'
import { gapsCsv, isLacking, isOld, numbersOf } from '@/fleet/gaps'
import { whyOf } from '@/fleet/why'
import en from '@/i18n/fleet.en'
import zh from '@/i18n/fleet.zh'

const gap = (first: number, last: number, state: Gap['state'] = 'asked'): Gap => ({
  first,
  last,
  count: last - first + 1,
  since: '2026-11-26T04:00:00Z',
  state,
  asked_at: null,
  times: 2,
})

const outbox = (name: string, ...gaps: Gap[]): Outbox => ({
  box_id: 'xiacun-1',
  box_name: name,
  outbox_id: '018f0000-0000-7000-8000-000000000002',
  is_current: true,
  first_at: '2026-11-26T04:00:00Z',
  last_at: '2026-11-26T04:00:00Z',
  received: 9,
  repeated: 0,
  quarantined: 0,
  doubled: 0,
  highest: 12,
  told_last: 12,
  told_first: 1,
  ended_at: null,
  told_at: null,
  complete_to: 2,
  broken_at: null,
  missing: 3,
  missing_since: null,
  gaps,
  gaps_left_out: false,
})

const HEADINGS = ['box', 'name', 'outbox', 'from', 'to', 'n', 'since', 'state', 'asked']
const table = (...outboxes: Outbox[]) => gapsCsv(outboxes, HEADINGS, (each) => each.state, (at) => at)

describe('a gap', () => {
  it('is written as one number, or as the first and the last', () => {
    expect([numbersOf(gap(7, 7)), numbersOf(gap(3, 5))]).toEqual(['7', '3–5'])
  })

  it('counts only once it is a minute old', () => {
    expect((['young', 'open', 'asked', 'unanswered', 'gone'] as const).map((state) => isOld(gap(1, 1, state)))).toEqual([false, true, true, true, true])
  })
})

describe('the table of gaps', () => {
  it('has a line for each that is old, and none for what is on its way', () => {
    const lines = table(outbox('下村', gap(3, 5), gap(7, 7, 'young')), outbox('上村', gap(9, 9, 'gone'))).split('\r\n')
    expect(lines).toEqual([
      '\ufeffbox,name,outbox,from,to,n,since,state,asked',
      'xiacun-1,下村,018f0000-0000-7000-8000-000000000002,3,5,3,2026-11-26T04:00:00Z,asked,2',
      'xiacun-1,上村,018f0000-0000-7000-8000-000000000002,9,9,1,2026-11-26T04:00:00Z,gone,2',
      '',
    ])
  })

  it('keeps a name with commas and quotes in one cell, and makes no formula of it', () => {
    expect(table(outbox('村口,"东"', gap(1, 1)))).toContain(',"村口,""东""",')
    expect(table(outbox('=1+1', gap(1, 1)))).toContain(",'=1+1,")
  })
})

describe('why a message was not understood', () => {
  it.each([
    ["payload: Input tag 'cn.tanshao.alert.v9' found using 'type' does not match any of the expected tags", 'newer'],
    ['payload: Invalid JSON: expected value at line 1 column 1', 'broken'],
    ['data.count: Input should be greater than or equal to 0', 'broken'],
    ['box: not entered at this centre, or under another region', 'box'],
    ['sequence: used by another event before: is there a second such box?', 'doubled'],
    ['sequence: Input should be greater than or equal to 1', 'broken'],
    ["alert_id: is another box's", 'stranger'],
    ["source: is not the topic's box", 'source'],
    ["topic: not a box's uplink topic", 'topic'],
    ['type: cn.tanshao.state.v1 does not belong on /event', 'type'],
    ['database: integer out of range', 'database'],
    ['more than 2000 rows: counted only', 'overflow'],
  ])('%s', (reason, why) => {
    expect(whyOf(reason)).toBe(why)
  })
})

describe('a clock that is not the centre’s', () => {
  it('is right while the line may account for it', () => {
    expect([offsetOf(0), offsetOf(-499)].map((each) => each.key)).toEqual(['right', 'right'])
  })

  it('is ahead or behind, in the largest unit of which there are two', () => {
    expect(offsetOf(1240)).toEqual({ key: 'aheadSeconds', n: '1.2' })
    expect(offsetOf(-75_000)).toEqual({ key: 'behindSeconds', n: '75' })
    expect(offsetOf(512_000)).toEqual({ key: 'aheadMinutes', n: '9' })
    expect(offsetOf(-7_200_000)).toEqual({ key: 'behindHours', n: '2' })
  })

  it('has words in both languages for whatever it is', () => {
    for (const ms of [0, 600, -600, 200_000, -200_000, 1e9, -1e9]) {
      const { key } = offsetOf(ms)
      expect([zh.fleet.offset[key], en.fleet.offset[key]].every(Boolean)).toBe(true)
    }
  })
})

it('what is missing of numbers that have ended is nothing to look after', () => {
  const gap = { first: 1, last: 1, count: 1, since: '', state: 'renewed', asked_at: null, times: 0 } as const
  expect([isLacking(gap), isLacking({ ...gap, state: 'asked' }), isLacking({ ...gap, state: 'young' })]).toEqual([false, true, false])
})
