/** Calendar days and clock times of the village's zone, whatever zone the browser stands in. */

export const DAY_MS = 86_400_000

interface Parts {
  year: number
  month: number
  day: number
  hour: number
  minute: number
  second: number
}

const formats = new Map<string, Intl.DateTimeFormat>()

function formatOf(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone)
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
    formats.set(zone, format)
  }
  return format
}

/** Return the calendar parts of `at` (epoch milliseconds) in `zone`. */
export function partsIn(at: number, zone: string): Parts {
  const parts: Parts = { year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0 }
  for (const { type, value } of formatOf(zone).formatToParts(at)) {
    if (type in parts) parts[type as keyof Parts] = Number(value)
  }
  return parts
}

const two = (value: number) => String(value).padStart(2, '0')

/** 2026-11-22 */
export function dayOf(at: number, zone: string): string {
  const { year, month, day } = partsIn(at, zone)
  return `${year}-${two(month)}-${two(day)}`
}

/** 14:05:22 */
export function clockOf(at: number, zone: string): string {
  const { hour, minute, second } = partsIn(at, zone)
  return `${two(hour)}:${two(minute)}:${two(second)}`
}

/** 14:05 */
export function minuteOf(at: number, zone: string): string {
  return clockOf(at, zone).slice(0, 5)
}

/** 11-22 14:05:22 */
export function momentOf(at: number, zone: string): string {
  return `${dayOf(at, zone).slice(5)} ${clockOf(at, zone)}`
}

/** 2026-11-22-140522: a moment as a part of a file's name. */
export function stampOf(at: number, zone: string): string {
  return `${dayOf(at, zone)}-${clockOf(at, zone).replaceAll(':', '')}`
}

function offsetAt(at: number, zone: string): number {
  const { year, month, day, hour, minute, second } = partsIn(at, zone)
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(at / 1000) * 1000
}

/** Return the first instant of the day `2026-11-22` in `zone`, in epoch milliseconds. */
export function startOfDay(day: string, zone: string): number {
  const midnight = Date.parse(`${day}T00:00:00Z`)
  const guess = midnight - offsetAt(midnight, zone)
  // A zone whose clocks change between the guess and midnight needs a second look.
  return midnight - offsetAt(guess, zone)
}

/** Return the first instant after that day. */
export function endOfDay(day: string, zone: string): number {
  const noon = Date.parse(`${day}T12:00:00Z`)
  return startOfDay(new Date(noon + DAY_MS).toISOString().slice(0, 10), zone)
}

/** Return the weekday of `at`, written in `locale`. */
export function weekdayOf(at: number, zone: string, locale: string): string {
  return new Intl.DateTimeFormat(locale, { timeZone: zone, weekday: 'long' }).format(at)
}

/** Return the date of `at` as people write it in `locale`: 2026年11月22日, November 22, 2026. */
export function longDateOf(at: number, zone: string, locale: string): string {
  return new Intl.DateTimeFormat(locale, { timeZone: zone, dateStyle: 'long' }).format(at)
}

/** 2026-11-22T14:05:22: a moment as a field of date and time has it. */
export function localOf(at: number, zone: string): string {
  return `${dayOf(at, zone)}T${clockOf(at, zone)}`
}

/** Return the moment that a field of date and time says in `zone`, or null: it says none. */
export function fromLocal(text: string, zone: string): number | null {
  const asUtc = Date.parse(`${text.length === 16 ? `${text}:00` : text}Z`)
  if (Number.isNaN(asUtc)) return null
  return asUtc - offsetAt(asUtc - offsetAt(asUtc, zone), zone)
}
