/** What a recording is made of, and whether this browser can play it. Pure but for that question. */

import type { TimelineFormat } from '@/api/types'

export type CanPlay = (mime: string) => boolean

/** What the browser itself says; it is asked before anything is loaded. */
export const canPlayHere: CanPlay = (mime) => typeof MediaSource !== 'undefined' && MediaSource.isTypeSupported(mime)

/** Return the format of the moment `at` (epoch milliseconds), or null where nothing is known of it. */
export function formatAt(formats: readonly TimelineFormat[], at: number): TimelineFormat | null {
  return formats.filter((each) => Date.parse(each.from) <= at).at(-1) ?? formats[0] ?? null
}

export const isPlayable = (format: TimelineFormat, can: CanPlay): boolean => can(`video/mp4; codecs="${format.codec}"`)

/** Return from when on, after `at`, the recording can't be played; null: it all can. */
export function unplayableFrom(formats: readonly TimelineFormat[], at: number, can: CanPlay): number | null {
  const found = formats.find((each) => Date.parse(each.from) > at && !isPlayable(each, can))
  return found === undefined ? null : Date.parse(found.from)
}

/** Return a codec's name as people know it. */
export function codecName(codec: string): string {
  if (/^(hvc1|hev1)/.test(codec)) return 'H.265'
  return /^avc/.test(codec) ? 'H.264' : (codec.split('.')[0] ?? codec)
}
