/** A timeline that grows: only what is new of it is fetched. Pure. */

import type { Timeline, TimelineFormat } from '@/api/types'

/** A file may be listed a little late: so much of what is known is asked for once more. */
const OVERLAP_MS = 10 * 60_000

/** Return from when on `known` may have changed, in epoch milliseconds; null: ask for all of it. */
export function tailStart(known: Timeline | null): number | null {
  const last = known?.segments.at(-1)
  return last === undefined ? null : Date.parse(last.end) - OVERLAP_MS
}

const firstOf = (tail: Timeline): number => Math.min(...tail.segments.map((each) => Date.parse(each.start)))

/** A format is listed where it begins, and again only after another one. */
function joined(formats: TimelineFormat[]): TimelineFormat[] {
  const same = (one: TimelineFormat, other?: TimelineFormat) =>
    one.codec === other?.codec && one.width === other.width && one.height === other.height
  return formats.filter((each, index) => !same(each, formats[index - 1]))
}

/** Return `known` with everything that overlaps the stretch of `tail` as `tail` has it. */
export function withTail(known: Timeline, tail: Timeline): Timeline {
  const from = Date.parse(tail.from)
  const before = (each: { end: string | null }): boolean => each.end !== null && Date.parse(each.end) <= from
  return {
    ...known,
    segments: [...known.segments.filter(before), ...tail.segments],
    ...(tail.formats && { formats: joined([...(known.formats ?? []).filter((each) => Date.parse(each.from) < firstOf(tail)), ...tail.formats]) }),
    ...(tail.streams && { streams: [...new Set([...(known.streams ?? []), ...tail.streams])] }),
    gaps: [...known.gaps.filter(before), ...tail.gaps],
    growing: tail.growing,
  }
}
