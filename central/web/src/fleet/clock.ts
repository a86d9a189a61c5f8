/** How far a box's clock is from the centre's, in words. */

export interface Offset {
  /** The words: `fleet.offset.<key>`. */
  key: 'right' | 'aheadSeconds' | 'behindSeconds' | 'aheadMinutes' | 'behindMinutes' | 'aheadHours' | 'behindHours'
  /** How many of them. */
  n: string
}

/** The way of a heartbeat counts as well: less than this says nothing. */
const RIGHT_MS = 500
/** As the centre has it (central/fleet/clock.py). */
export const OFF_MS = 5000

const UNITS = [
  { name: 'Seconds', ms: 1000, below: 120_000 },
  { name: 'Minutes', ms: 60_000, below: 7_200_000 },
  { name: 'Hours', ms: 3_600_000, below: Infinity },
] as const

/** Return the offset in the largest unit of which there are two. */
export function offsetOf(ms: number): Offset {
  const size = Math.abs(ms)
  if (size < RIGHT_MS) return { key: 'right', n: '' }
  const unit = UNITS.find((each) => size < each.below) ?? UNITS[2]
  const digits = unit.name === 'Seconds' && size < 10_000 ? 1 : 0
  return { key: `${ms > 0 ? 'ahead' : 'behind'}${unit.name}`, n: (size / unit.ms).toFixed(digits) }
}
