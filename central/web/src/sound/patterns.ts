/** The bell's patterns: one for each level, so that ears alone tell them apart. */

import type { AlertLevel } from '@/api/types'

export interface Tone {
  /** Seconds after the pattern's start. */
  at: number
  seconds: number
  hertz: number
  gain: number
  shape: OscillatorType
}

export interface Pattern {
  tones: readonly Tone[]
  /** Seconds from one start to the next; null: once. */
  every: number | null
}

const twoTone: Tone[] = [0, 1, 2, 3].map((step) => ({
  at: step * 0.35,
  seconds: 0.32,
  hertz: step % 2 === 0 ? 960 : 720,
  gain: 0.8,
  shape: 'square',
}))

const chimes: Tone[] = [0, 1, 2].map((step) => ({ at: step * 0.5, seconds: 0.4, hertz: 784, gain: 0.6, shape: 'triangle' }))

export const PATTERNS: Record<AlertLevel, Pattern> = {
  extra_urgent: { tones: twoTone, every: 2.4 },
  urgent: { tones: chimes, every: null },
  ordinary: { tones: [{ at: 0, seconds: 0.5, hertz: 523, gain: 0.3, shape: 'sine' }], every: null },
}

export const MUTE_MS = 10 * 60_000

/** The mute: never longer than ten minutes, and a new 特急 lifts it. */
export class Mute {
  private untilMs = 0

  toggle(now: number): void {
    this.untilMs = this.isOn(now) ? 0 : now + MUTE_MS
  }

  alerted(level: AlertLevel): void {
    if (level === 'extra_urgent') this.untilMs = 0
  }

  isOn(now: number): boolean {
    return now < this.untilMs
  }

  leftMs(now: number): number {
    return Math.max(0, this.untilMs - now)
  }
}
