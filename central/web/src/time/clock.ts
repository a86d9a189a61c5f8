/** The server's time, as well as this browser knows it: one offset, learned from every answer. */

import { ref } from 'vue'

const offsetMs = ref(0)

/** Learn from an answer that says `serverTime`; `sentAt` and `gotAt` are local epoch milliseconds. */
export function learnServerTime(serverTime: string, sentAt: number, gotAt: number): void {
  const server = Date.parse(serverTime)
  if (!Number.isNaN(server)) offsetMs.value = server - (sentAt + gotAt) / 2
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
