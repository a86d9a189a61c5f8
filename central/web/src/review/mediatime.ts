/** Media time of a playlist ↔ wall time of what was recorded, by the fragments' PROGRAM-DATE-TIME. */

export interface DatedFragment {
  /** Media seconds on the player's axis. */
  start: number
  duration: number
  /** Epoch milliseconds of its first frame. */
  programDateTime: number
}

/** Return the wall time of `mediaS`, or null where the playlist does not reach. */
export function wallTimeAt(fragments: readonly DatedFragment[], mediaS: number): number | null {
  let before: DatedFragment | null = null
  for (const fragment of fragments) {
    if (fragment.start > mediaS) break
    before = fragment
  }
  if (before === null) return fragments[0]?.programDateTime ?? null
  const offset = Math.min(mediaS - before.start, before.duration)
  return before.programDateTime + offset * 1000
}

/** Return the media time of `at`; within a gap the first moment after it; null beyond the last. */
export function mediaTimeAt(fragments: readonly DatedFragment[], at: number): number | null {
  for (const fragment of fragments) {
    if (at < fragment.programDateTime) return fragment.start
    if (at < fragment.programDateTime + fragment.duration * 1000) {
      return fragment.start + (at - fragment.programDateTime) / 1000
    }
  }
  return null
}
