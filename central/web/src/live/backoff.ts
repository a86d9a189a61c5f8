/** Waits between attempts: doubling from `firstMs` to `maxMs`, with jitter, reset by a good run. */
export class Backoff {
  private nextMs: number

  constructor(
    private readonly firstMs = 500,
    private readonly maxMs = 10_000,
    private readonly random: () => number = Math.random,
  ) {
    this.nextMs = firstMs
  }

  /** Return how long to wait now; the next wait is twice as long. Jitter is ±20 %. */
  next(): number {
    const wait = this.nextMs
    this.nextMs = Math.min(wait * 2, this.maxMs)
    return Math.round(wait * (0.8 + 0.4 * this.random()))
  }

  reset(): void {
    this.nextMs = this.firstMs
  }
}
