/**
 * Where a live player should stand in its buffer: pure decisions, no media element.
 *
 * Seconds are media seconds, `…Ms` are milliseconds of the monotonic clock. A frame comes as one
 * fragment whose own duration is buffered too, so right after it the buffer reaches one frame
 * interval beyond what can be shown: the target is that interval and a little slack. Measured at
 * 25 fps: 60 ms paint 113–141 ms after the push without stalls, 30 ms stall at every third frame.
 */

export interface BufferView {
  /** Start of the oldest buffered range. */
  start: number
  /** End of the newest buffered range. */
  end: number
  /** Start of the newest buffered range: a jump lands in it. */
  newestStart: number
  currentTime: number
  /** How long ago the source buffer was made. */
  ageMs: number
}

export interface Decision {
  /** Set currentTime to this, or leave it. */
  jumpTo: number | null
  rate: number
  /** Remove [from, to) from the buffer, or leave it. */
  trim: { from: number; to: number } | null
}

export const CATCH_UP_RATE = 1.1
export const MAX_BEHIND_S = 1.5
/** In its first seconds a viewer has just been given a whole group of pictures: skip to its end. */
export const OPENING_MS = 3_000
export const OPENING_BEHIND_S = 0.5
export const KEEP_S = 20
export const KEEP_AFTER_TRIM_S = 8

const MIN_TARGET_S = 0.06
const MAX_TARGET_S = 0.6
const SLACK_S = 0.03
const BAND_S = 0.06
const STALL_PENALTY_S = 0.04
const PENALTY_HALF_LIFE_MS = 60_000

/** How far behind the newest frame to play: follows the frame interval, backs off at stalls. */
export class LiveTarget {
  private intervalS = 0.04
  private penaltyS = 0
  private penaltyAtMs = 0
  private lastEnd: number | null = null

  /** Take note that the buffer now ends at `end`; `frames` were appended at once. */
  appended(end: number, frames: number): void {
    if (this.lastEnd !== null && frames > 0) {
      const interval = (end - this.lastEnd) / frames
      if (interval > 0 && interval < 2) this.intervalS += (interval - this.intervalS) * 0.1
    }
    this.lastEnd = end
  }

  stalled(nowMs: number): void {
    this.penaltyS = Math.min(this.penalty(nowMs) + STALL_PENALTY_S, MAX_TARGET_S)
    this.penaltyAtMs = nowMs
  }

  seconds(nowMs: number): number {
    const wanted = this.intervalS + SLACK_S + this.penalty(nowMs)
    return Math.min(Math.max(wanted, MIN_TARGET_S), MAX_TARGET_S)
  }

  private penalty(nowMs: number): number {
    return this.penaltyS * 0.5 ** ((nowMs - this.penaltyAtMs) / PENALTY_HALF_LIFE_MS)
  }
}

/** Return what to do with a buffer, playing `target` seconds behind its end at the present `rate`. */
export function decide(view: BufferView, target: number, rate: number): Decision {
  const behind = view.end - view.currentTime
  const limit = view.ageMs < OPENING_MS ? OPENING_BEHIND_S : MAX_BEHIND_S
  const lost = view.currentTime < view.start || behind < 0
  const jump = lost || behind > Math.max(limit, target * 2)
  return {
    jumpTo: jump ? Math.max(view.newestStart, view.end - target) : null,
    rate: jump ? 1 : nextRate(behind, target, rate),
    trim: trimOf(view),
  }
}

/** Above the target's band run faster, until the target is nearly reached: no flutter between. */
function nextRate(behind: number, target: number, rate: number): number {
  const band = Math.max(BAND_S, target * 0.5)
  if (behind > target + band) return CATCH_UP_RATE
  if (behind < target + band * 0.25) return 1
  return rate
}

function trimOf(view: BufferView): Decision['trim'] {
  if (view.end - view.start <= KEEP_S) return null
  const to = Math.min(view.end - KEEP_AFTER_TRIM_S, view.currentTime - 1)
  return to > view.start ? { from: view.start, to } : null
}
