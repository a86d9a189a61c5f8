import { describe, expect, it } from 'vitest'

import { canPlayHere, codecName, formatAt, isPlayable, playableAround } from '@/review/formats'
import { datedStretches, momentWithFraction } from '@/review/mediatime'
import { PictureTable } from '@/review/pictures'
import { tailStart, withTail } from '@/review/tail'

/** A box of the file format: its length, its kind and what is in it. */
function box(kind: string, ...parts: Uint8Array[]): Uint8Array {
  const size = 8 + parts.reduce((sum, each) => sum + each.length, 0)
  const made = new Uint8Array(size)
  new DataView(made.buffer).setUint32(0, size)
  made.set([...kind].map((letter) => letter.charCodeAt(0)), 4)
  let at = 8
  for (const part of parts) {
    made.set(part, at)
    at += part.length
  }
  return made
}

const words = (...values: number[]): Uint8Array => {
  const made = new Uint8Array(values.length * 4)
  values.forEach((value, index) => new DataView(made.buffer).setUint32(index * 4, value >>> 0))
  return made
}

/** A fragment as the box writes it: samples are [duration, composition offset] in ticks. */
function fragment(dts: number, samples: [number, number][], flags = 0xf01): Uint8Array {
  const table = samples.flatMap(([duration, offset]) => [duration, 4, 0, offset])
  const traf = box('traf', box('tfhd', words(0, 1)), box('tfdt', words(1 << 24, 0, dts)), box('trun', words(flags, samples.length, 0, ...table)))
  return new Uint8Array([...box('moof', box('mfhd', words(0, 1)), traf), ...box('mdat', new Uint8Array(samples.length * 4))])
}

describe('the pictures of what is loaded', () => {
  it('are found by their time, to the tick', () => {
    const table = new PictureTable()
    table.add(fragment(90_000, [[3600, 0], [4500, 0], [3600, 0]]))
    expect(table.at(1)).toEqual({ start: 1, end: 1.04 })
    expect(table.at(1.0399)).toEqual({ start: 1, end: 1.04 })
    expect(table.at(1.04)).toEqual({ start: 1.04, end: 1.09 })
    expect(table.at(1.12)).toEqual({ start: 1.09, end: 1.13 })
  })

  it('are not known before, behind and between what is loaded', () => {
    const table = new PictureTable()
    table.add(fragment(90_000, [[3600, 0]]))
    table.add(fragment(900_000, [[3600, 0]]))
    expect([0.99, 1.04, 5, 10.04].map((at) => table.at(at))).toEqual([null, null, null, null])
    table.clear()
    expect(table.at(1)).toBeNull()
  })

  it('stand in the order in which they are shown, across fragments too', () => {
    // I P B B | P B B: decoded 0 1 2 3 | 4 5 6, shown 0 2 3 1 | 5 6 4
    const table = new PictureTable()
    table.add(fragment(0, [[3600, 7200], [3600, 14_400], [3600, 3600]]))
    table.add(fragment(10_800, [[3600, 3600], [3600, 10_800], [3600, 0]]))
    const starts = [0.08, 0.12, 0.16, 0.2].map((at) => table.at(at + 0.001)?.start)
    expect(starts).toEqual([0.08, 0.12, 0.16, 0.2])
    expect(table.at(0.121)?.end).toBeCloseTo(0.16)
  })

  it('come from fragments of ours alone, whole or torn', () => {
    const table = new PictureTable()
    table.add(fragment(0, [[3600, 0]], 0x301))
    table.add(fragment(0, [[3600, 0]]).subarray(0, 40))
    table.add(new Uint8Array([0, 0, 0, 1, 2]))
    table.add(box('moof', box('mfhd', words(0, 1))))
    expect(table.at(0)).toBeNull()
  })

  it('take no more room than ten minutes of them', () => {
    const table = new PictureTable()
    for (let second = 0; second < 700; second += 1) table.add(fragment(second * 90_000, [[90_000, 0]]))
    expect(table.at(50)).toBeNull()
    expect(table.at(699.5)).toEqual({ start: 699, end: 700 })
  })
})

describe('the dates of a playlist', () => {
  it('keep the microseconds that a date of the browser leaves out', () => {
    expect(momentWithFraction('2026-11-22T01:02:03.456789Z')).toBeCloseTo(Date.parse('2026-11-22T01:02:03.456Z') + 0.789, 3)
    expect(momentWithFraction('2026-11-22T01:02:03Z')).toBe(Date.parse('2026-11-22T01:02:03Z'))
    expect(momentWithFraction('2026-11-22T01:02:03.456Z')).toBe(Date.parse('2026-11-22T01:02:03.456Z'))
  })

  it('count once for all that goes on without a break', () => {
    const date = (second: number) => `2026-11-22T01:02:${String(second).padStart(2, '0')}.000000Z`
    const listed = [
      { start: 0, duration: 2, cc: 0, rawProgramDateTime: date(0) },
      { start: 2, duration: 2, cc: 0, rawProgramDateTime: null },
      { start: 4, duration: 3, cc: 0, rawProgramDateTime: date(4) },
      { start: 7, duration: 2, cc: 1, rawProgramDateTime: date(30) },
    ]
    const first = Date.parse('2026-11-22T01:02:00Z')
    expect(datedStretches(listed)).toEqual([
      { start: 0, duration: 7, programDateTime: first },
      { start: 7, duration: 2, programDateTime: first + 30_000 },
    ])
  })
})

describe('what a browser can play', () => {
  const format = (minute: number, codec: string) => ({ from: new Date(minute * 60_000).toISOString(), codec, width: 1920, height: 1080 })
  const [first, second, third] = [format(0, 'avc1.64001f'), format(10, 'hvc1.1.6.L93.B0'), format(20, 'avc1.64001f')] as const
  const formats = [first, second, third]
  const noH265 = (mime: string) => mime.includes('avc1')

  it('is asked of the format of the wanted moment', () => {
    expect([-1, 5, 10, 19, 25].map((minute) => isPlayable(formatAt(formats, minute * 60_000) ?? first, noH265))).toEqual([true, true, false, false, true])
    expect(formatAt([], 0)).toBeNull()
  })

  it('is loaded between what is not played', () => {
    const day = { start: -60_000, end: 60 * 60_000 }
    expect(playableAround(day, formats, 5 * 60_000, noH265)).toEqual({ start: -60_000, end: 10 * 60_000 })
    expect(playableAround(day, formats, 21 * 60_000, noH265)).toEqual({ start: 20 * 60_000 + 1, end: 60 * 60_000 })
    expect(playableAround(day, formats, 5 * 60_000, () => true)).toEqual(day)
    expect(playableAround(day, [], 0, noH265)).toEqual(day)
  })

  it('is named as people know it', () => {
    expect(['hvc1.1.6.L93.B0', 'hev1.1', 'avc1.64001f', 'av01.0'].map(codecName)).toEqual(['H.265', 'H.265', 'H.264', 'av01'])
  })

  it('is nothing where there is no MediaSource', () => {
    expect(canPlayHere('video/mp4; codecs="avc1.64001f"')).toBe(false)
  })

  it('is known of a day whatever was fetched of it first', () => {
    const file = (minute: number) => ({ id: minute, start: new Date(minute * 60_000).toISOString(), end: new Date((minute + 10) * 60_000).toISOString(), run_id: 'a', bytes: 1, recovered: false })
    const day = (files: number[], its: typeof formats) => ({ camera_id: 'c', from: new Date((files[0] ?? 0) * 60_000).toISOString(), to: new Date(60 * 60_000).toISOString(), segments: files.map(file), formats: its, streams: ['main' as const], gaps: [], growing: null })
    const known = day([0, 10], [first, second])
    const tail = day([10, 20, 30], [second, third])
    expect(tailStart(known)).toBe(10 * 60_000)
    expect(withTail(known, tail).formats).toEqual(formats)
    expect(withTail(known, day([10], [second])).formats).toEqual([first, second])
    expect(withTail({ ...known, streams: undefined, formats: undefined }, { ...tail, streams: ['main', 'sub'] }).streams).toEqual(['main', 'sub'])
  })
})
