/** What is left until a deadline, and how far past it. */

export interface Countdown {
  /** Whole seconds, rounded so that 0 means the deadline itself. */
  seconds: number
  overdue: boolean
  /** 75 % or more of the time from `from` to the deadline is used up. */
  urgent: boolean
  text: string
}

/** Writes a count of days in the page's language. */
export type DayText = (days: number) => string

/** Return `m:ss`, `h:mm:ss` or `3天 hh:mm` for a count of whole seconds. */
export function durationText(seconds: number, dayText: DayText): string {
  const whole = Math.max(0, Math.floor(seconds))
  const two = (value: number) => String(value).padStart(2, '0')
  const days = Math.floor(whole / 86_400)
  const hours = Math.floor((whole % 86_400) / 3_600)
  const minutes = Math.floor((whole % 3_600) / 60)
  if (days > 0) return `${dayText(days).trim()} ${two(hours)}:${two(minutes)}`
  if (hours > 0) return `${hours}:${two(minutes)}:${two(whole % 60)}`
  return `${minutes}:${two(whole % 60)}`
}

/** Return the countdown at `now` to `deadline`, for something that began at `from` (epoch ms). */
export function countdown(deadline: number, from: number, now: number, dayText: DayText): Countdown {
  const left = Math.ceil((deadline - now) / 1000)
  const overdue = left < 0
  const used = deadline > from ? (now - from) / (deadline - from) : 1
  return {
    seconds: left,
    overdue,
    urgent: used >= 0.75,
    text: (overdue ? '+' : '') + durationText(Math.abs(left), dayText),
  }
}

/** Split a stretch of time for words such as 已3小时12分: the two greatest units that are not zero. */
export function spanUnits(ms: number): { unit: 'day' | 'hour' | 'minute' | 'second'; value: number }[] {
  let seconds = Math.max(0, Math.floor(ms / 1000))
  const units: { unit: 'day' | 'hour' | 'minute' | 'second'; value: number }[] = []
  for (const [unit, size] of [
    ['day', 86_400],
    ['hour', 3_600],
    ['minute', 60],
    ['second', 1],
  ] as const) {
    const value = Math.floor(seconds / size)
    seconds -= value * size
    if (value > 0 || (unit === 'second' && units.length === 0)) units.push({ unit, value })
    if (units.length === 2) break
  }
  return units
}
