/** The server's time, as well as this browser knows it: one offset, learned from quick answers. */

import { ref } from 'vue'

const offsetMs = ref(0)

/** The offset is known to half of what the answer took: slower ones teach only who knows no better. */
export const QUICK_MS = 2_000
const STEP_MS = 1_000
let learnedIn = Infinity
/** What this machine's clock was ahead of its monotonic one then: another amount, and it was set. */
let learnedAhead = 0

/** Learn from an answer that says `serverTime`; `sentAt` and `gotAt` are local epoch milliseconds. */
export function learnServerTime(serverTime: string, sentAt: number, gotAt: number): void {
  const server = Date.parse(serverTime)
  const took = gotAt - sentAt
  if (Number.isNaN(server) || took < 0) return
  const ahead = Date.now() - performance.now()
  const clockWasSet = Math.abs(ahead - learnedAhead) > STEP_MS
  if (took > QUICK_MS && took > learnedIn && !clockWasSet) return
  offsetMs.value = server - (sentAt + gotAt) / 2
  learnedIn = took
  learnedAhead = ahead
}

/** Return the server's time now, in epoch milliseconds. */
export function serverNow(): number {
  return Date.now() + offsetMs.value
}

const listeners = new Set<(now: number) => void>()
let timer: number | null = null

function tick(): void {
  const now = serverNow()
  for (const listener of [...listeners]) listener(now)
  // Aim a little past the next full quarter of a second, so that seconds change when they should.
  timer = window.setTimeout(tick, 250 - (now % 250) + 5)
}

/** Call `listener` four times a second with the server's time, until the returned function is called. */
export function everyQuarterSecond(listener: (now: number) => void): () => void {
  listeners.add(listener)
  timer ??= window.setTimeout(tick, 0)
  return () => {
    listeners.delete(listener)
    if (listeners.size === 0 && timer !== null) {
      window.clearTimeout(timer)
      timer = null
    }
  }
}
