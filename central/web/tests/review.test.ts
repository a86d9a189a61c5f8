import { describe, expect, it } from 'vitest'

import { clipWith, joined, MAX_CLIP_MS, MIN_VIEW_MS, nextRecorded, panned, ticks, timeAt, within, xOf, zoomed } from '@/review/geometry'
import { otherSpeed, reviewAction } from '@/review/keyboard'
import { mediaTimeAt, wallTimeAt } from '@/review/mediatime'
import { tailStart, withTail } from '@/review/tail'
import { otherDay } from '@/review/useDay'

const HOUR = 3_600_000
const DAY = { from: 0, to: 24 * HOUR }

describe('the timeline', () => {
  it('maps times to pixels and back', () => {
    const view = { from: 6 * HOUR, to: 12 * HOUR }
    expect(xOf(9 * HOUR, view, 800)).toBe(400)
    for (const at of [6 * HOUR, 7.3 * HOUR, 12 * HOUR]) expect(timeAt(xOf(at, view, 800), view, 800)).toBeCloseTo(at)
  })

  it('keeps the time under the finger when it zooms', () => {
    const view = zoomed(DAY, 0.5, 6 * HOUR, DAY)
    expect(view).toEqual({ from: 3 * HOUR, to: 15 * HOUR })
    expect(xOf(6 * HOUR, view, 100)).toBeCloseTo(xOf(6 * HOUR, DAY, 100))
  })

  it('never leaves the day, nor shows less than a minute', () => {
    expect(zoomed(DAY, 4, 6 * HOUR, DAY)).toEqual(DAY)
    const close = zoomed({ from: 0, to: 2 * MIN_VIEW_MS }, 0.01, 0, DAY)
    expect(close.to - close.from).toBe(MIN_VIEW_MS)
    expect(panned({ from: 20 * HOUR, to: 23 * HOUR }, 5 * HOUR, DAY)).toEqual({ from: 21 * HOUR, to: 24 * HOUR })
    expect(within({ from: -HOUR, to: HOUR }, DAY)).toEqual({ from: 0, to: 2 * HOUR })
  })

  it('puts ticks at whole steps from the beginning of the day', () => {
    expect(ticks(DAY, 0, 960, 60)).toEqual([...Array(13).keys()].map((each) => each * 2 * HOUR))
    expect(ticks({ from: 61_000, to: 250_000 }, 0, 800, 60)).toEqual([120_000, 180_000, 240_000])
    expect(ticks(DAY, 0, 50, 60)).toEqual([0, 12 * HOUR, 24 * HOUR])
  })

  it('makes one bar of files that follow each other', () => {
    const files = [
      { start: 20, end: 30 },
      { start: 0, end: 10 },
      { start: 10, end: 20 },
      { start: 45, end: 50 },
    ]
    expect(joined(files, 5)).toEqual([{ start: 0, end: 30 }, { start: 45, end: 50 }])
    expect(files[0]).toEqual({ start: 20, end: 30 })
    expect(joined([{ start: 0, end: 50 }, { start: 10, end: 20 }], 5)).toEqual([{ start: 0, end: 50 }])
    expect(joined([], 5)).toEqual([])
  })

  it('finds where playing can begin', () => {
    const spans = [{ start: 100, end: 200 }, { start: 300, end: 400 }]
    expect([50, 150, 200, 399, 400].map((at) => nextRecorded(spans, at))).toEqual([100, 150, 300, 399, null])
  })

  it('keeps a clip in order, in the day and within ten minutes', () => {
    const clip = { start: HOUR, end: HOUR + 60_000 }
    expect(clipWith(clip, 'end', HOUR - 5_000, DAY)).toEqual({ start: HOUR, end: HOUR + 1000 })
    expect(clipWith(clip, 'start', 2 * HOUR, DAY)).toEqual({ start: HOUR + 59_000, end: HOUR + 60_000 })
    expect(clipWith(clip, 'end', 2 * HOUR, DAY)).toEqual({ start: 2 * HOUR - MAX_CLIP_MS, end: 2 * HOUR })
    expect(clipWith(clip, 'start', 0, DAY)).toEqual({ start: 0, end: MAX_CLIP_MS })
    expect(clipWith(clip, 'end', 99 * HOUR, DAY).end).toBe(24 * HOUR)
  })
})

describe('media time and wall time', () => {
  const fragments = [
    { start: 0, duration: 10, programDateTime: 1_000_000 },
    { start: 10, duration: 10, programDateTime: 1_010_000 },
    { start: 20, duration: 10, programDateTime: 1_100_000 },
  ]

  it('agree within a fragment', () => {
    expect(wallTimeAt(fragments, 12.5)).toBe(1_012_500)
    expect(mediaTimeAt(fragments, 1_012_500)).toBe(12.5)
    expect(wallTimeAt(fragments, 20)).toBe(1_100_000)
  })

  it('cross a gap to its far side', () => {
    expect(mediaTimeAt(fragments, 1_050_000)).toBe(20)
    expect(mediaTimeAt(fragments, 1_110_000)).toBeNull()
    expect(mediaTimeAt(fragments, 0)).toBe(0)
  })

  it('do not run past a fragment or before the first', () => {
    expect(wallTimeAt(fragments, 99)).toBe(1_110_000)
    expect(wallTimeAt([{ start: 5, duration: 1, programDateTime: 7 }], 0)).toBe(7)
    expect(wallTimeAt([], 0)).toBeNull()
  })
})

describe('the keys of the review page', () => {
  it('are those of its legend', () => {
    expect([' ', 'ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown', ',', '.', '+', '=', '-', '[', ']', 'Escape', 'p', 'x'].map(reviewAction)).toEqual([
      { do: 'toggle' },
      { do: 'skip', ms: -5000 },
      { do: 'skip', ms: 5000 },
      { do: 'faster', by: 1 },
      { do: 'faster', by: -1 },
      { do: 'frame', by: -1 },
      { do: 'frame', by: 1 },
      { do: 'zoom', factor: 0.5 },
      { do: 'zoom', factor: 0.5 },
      { do: 'zoom', factor: 2 },
      { do: 'clip', edge: 'start' },
      { do: 'clip', edge: 'end' },
      { do: 'leave' },
      { do: 'previews' },
      null,
    ])
  })

  it('change the speed from half to sixteen times', () => {
    expect([otherSpeed(1, 1), otherSpeed(1, -1), otherSpeed(0.5, -1), otherSpeed(16, 1)]).toEqual([2, 0.5, 0.5, 16])
  })

  it('know the day before and after', () => {
    expect([otherDay('2026-03-01', -1), otherDay('2026-12-31', 1)]).toEqual(['2026-02-28', '2027-01-01'])
  })
})

describe('a timeline that grows', () => {
  const at = (minute: number) => new Date(minute * 60_000).toISOString()
  const file = (start: number, end: number) => ({ id: start, start: at(start), end: at(end), run_id: 'a', bytes: 1, recovered: false })
  const gap = (start: number, end: number | null) => ({ start: at(start), end: end === null ? null : at(end), reason: 'camera_lost' })
  const day = { files: [file(0, 10), file(10, 20), file(30, 40), file(40, 50), file(55, 65)], gaps: [gap(20, 30), gap(50, 55)] }
  /** What a box answers: whole files and gaps that overlap the stretch. */
  const answer = (from: number, to: number, files = day.files, gaps: ReturnType<typeof gap>[] = day.gaps) => ({
    camera_id: 'cam1',
    from: at(from),
    to: at(to),
    segments: files.filter((each) => each.start < at(to) && each.end > at(from)),
    gaps: gaps.filter((each) => each.start < at(to) && (each.end === null || each.end > at(from))),
    growing: null,
  })

  it('is the same from whatever moment its end was fetched', () => {
    const known = answer(0, 100, day.files.slice(0, 4), [gap(20, 30), gap(50, null)])
    for (let from = 0; from <= 50; from += 5) expect(withTail(known, answer(from, 100))).toEqual(answer(0, 100))
  })

  it('is asked for again from a little before its last file, or whole', () => {
    expect(tailStart(answer(0, 100))).toBe(55 * 60_000)
    expect([tailStart(answer(0, 100, [])), tailStart(null)]).toEqual([null, null])
  })
})
