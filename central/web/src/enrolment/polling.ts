/** Looking at something again and again until it is over. */

import { CentreError } from '@/api/http'

/** A box may be away for a moment while it takes a change, or its line broken. */
const PATIENCE_MS = 60_000

const isPassing = (error: unknown): boolean => error instanceof CentreError && (error.status === 0 || error.status === 502 || error.status === 503 || error.status === 504)

/**
 * Look every `everyMs` and `take` what is seen, until it is `over` or `gone`. A box out of reach is asked again for a
 * minute. Rejects with what is wrong otherwise; never takes anything once gone.
 */
export async function poll<T>(look: () => Promise<T>, take: (seen: T) => void, over: (seen: T) => boolean, gone: () => boolean, everyMs: number): Promise<void> {
  let lostAt: number | null = null
  while (!gone()) {
    try {
      const seen = await look()
      if (gone()) return
      lostAt = null
      take(seen)
      if (over(seen)) return
    } catch (error) {
      if (gone()) return
      lostAt ??= performance.now()
      if (!isPassing(error) || performance.now() - lostAt > PATIENCE_MS) throw error
    }
    await new Promise((resolve) => window.setTimeout(resolve, everyMs))
  }
}
