/** Media time of a playlist ↔ wall time of what was recorded, by the fragments' PROGRAM-DATE-TIME. */

export interface DatedFragment {
  /** Media seconds on the player's axis. */
  start: number
  duration: number
  /** Epoch milliseconds of its first frame, with the fraction. */
  programDateTime: number
}

/** A fragment as hls.js reads it; the time's own text, where it has one, is to the microsecond. */
export interface ListedFragment {
  start: number
  duration: number
  cc: number
  rawProgramDateTime: string | null
}

/** Return what `Date.parse` does, with the fraction of the millisecond that it leaves out. */
export function momentWithFraction(text: string): number {
  const digits = /\.\d{3}(\d+)/.exec(text)?.[1]
  return Date.parse(text) + (digits === undefined ? 0 : Number(`0.${digits}`))
}

/** Within one discontinuity media time is the camera's own: its first date counts for all of it. */
export function datedStretches(fragments: readonly ListedFragment[]): DatedFragment[] {
  const stretches: DatedFragment[] = []
  let cc: number | null = null
  for (const { start, duration, cc: its, rawProgramDateTime } of fragments) {
    const last = stretches.at(-1)
    if (last !== undefined && its === cc) last.duration = start + duration - last.start
    else if (rawProgramDateTime !== null) stretches.push({ start, duration, programDateTime: momentWithFraction(rawProgramDateTime) })
    cc = its
  }
  return stretches
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
