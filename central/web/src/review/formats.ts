/** What a recording is made of, and whether this browser can play it. Pure but for that question. */

import type { TimelineFormat } from '@/api/types'

import type { Span } from './geometry'

export type CanPlay = (mime: string) => boolean

/** What the browser itself says; it is asked before anything is loaded. */
export const canPlayHere: CanPlay = (mime) => typeof MediaSource !== 'undefined' && MediaSource.isTypeSupported(mime)

/** Return the format of the moment `at` (epoch milliseconds), or null where nothing is known of it. */
export function formatAt(formats: readonly TimelineFormat[], at: number): TimelineFormat | null {
  return formats.filter((each) => Date.parse(each.from) <= at).at(-1) ?? formats[0] ?? null
}

export const isPlayable = (format: TimelineFormat, can: CanPlay): boolean => can(`video/mp4; codecs="${format.codec}"`)

/** Return `range` without what, before and after `at` in it, can't be played: one playlist is played whole. */
export function playableAround(range: Span, formats: readonly TimelineFormat[], at: number, can: CanPlay): Span {
  let { start, end } = range
  formats.forEach((each, index) => {
    if (isPlayable(each, can)) return
    const next = formats[index + 1]
    if (Date.parse(each.from) > at) end = Math.min(end, Date.parse(each.from))
    // A millisecond on: the browser leaves out the rest of it, and the file before ends in there.
    else if (next !== undefined) start = Math.max(start, Date.parse(next.from) + 1)
  })
  return { start, end }
}

/** Return the first codec that a media type names. */
export const codecOf = (mime: string): string => /codecs="([^",]+)/.exec(mime)?.[1] ?? mime

/** Return a codec's name as people know it. */
export function codecName(codec: string): string {
  if (/^(hvc1|hev1)/.test(codec)) return 'H.265'
  return /^avc/.test(codec) ? 'H.264' : (codec.split('.')[0] ?? codec)
}
