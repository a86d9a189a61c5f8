/** A timeline that grows: only what is new of it is fetched. Pure. */

import type { Timeline } from '@/api/types'

/** A file may be listed a little late: so much of what is known is asked for once more. */
const OVERLAP_MS = 10 * 60_000

/** Return from when on `known` may have changed, in epoch milliseconds; null: ask for all of it. */
export function tailStart(known: Timeline | null): number | null {
  const last = known?.segments.at(-1)
  return last === undefined ? null : Date.parse(last.end) - OVERLAP_MS
}

/** Return `known` with everything that overlaps the stretch of `tail` as `tail` has it. */
export function withTail(known: Timeline, tail: Timeline): Timeline {
  const from = Date.parse(tail.from)
  const before = (each: { end: string | null }): boolean => each.end !== null && Date.parse(each.end) <= from
  return {
    ...known,
    segments: [...known.segments.filter(before), ...tail.segments],
    gaps: [...known.gaps.filter(before), ...tail.gaps],
    growing: tail.growing,
  }
}
