/** Whether a tile's picture may be believed: a frozen picture must never look live. */

import type { CameraStateName } from '@/api/types'

export const STALE_AFTER_MS = 3_000

export type Liveness =
  | { kind: 'live'; ageMs: number }
  | { kind: 'opening' }
  /** The camera is there, its pictures are not: 断流. */
  | { kind: 'stalled'; sinceMs: number }
  /** The box says that the camera is gone: 离线. */
  | { kind: 'offline'; sinceMs: number | null }

export interface PictureFacts {
  /** Epoch milliseconds of the newest painted frame; null: none yet. */
  lastFrameAt: number | null
  /** Epoch milliseconds when this tile began to wait for its first picture. */
  openedAt: number
  state: CameraStateName
  /** Epoch milliseconds since when the camera is in that state, where known. */
  stateSince: number | null
}

/**
 * Return what to show over a picture at `now` (all epoch milliseconds of one clock).
 *
 * Frames decide: a picture that moves is live whatever a late state says, and one that has stopped
 * is not, whatever the state still claims.
 */
export function liveness(facts: PictureFacts, now: number): Liveness {
  const { lastFrameAt } = facts
  const fresh = lastFrameAt !== null && now - lastFrameAt <= STALE_AFTER_MS
  if (fresh) return { kind: 'live', ageMs: Math.max(0, now - lastFrameAt) }
  if (facts.state === 'lost') return { kind: 'offline', sinceMs: facts.stateSince ?? lastFrameAt }
  if (lastFrameAt !== null) return { kind: 'stalled', sinceMs: lastFrameAt }
  if (now - facts.openedAt <= STALE_AFTER_MS * 2) return { kind: 'opening' }
  return { kind: 'stalled', sinceMs: facts.openedAt }
}
