/** Small pictures of recorded moments: which are fetched, and which one shows a moment. Pure. */

import type { Span, View } from './geometry'

/** A picture of `at` (epoch milliseconds), where a browser can show it from. */
export interface Picture {
  at: number
  url: string
}

/** A stretch whose pictures come in one answer. */
export interface SheetSpan extends Span {
  key: string
}

/** A day of them is one every half hour, some 110 KB. */
export const PER_SHEET = 48

/**
 * Return the stretches that cover `view`: one, or two where it lies over a seam.
 *
 * They are the day, its halves, its quarters and so on, so that who moves about and comes back asks
 * for nothing twice.
 */
export function sheetsFor(view: View, day: View): SheetSpan[] {
  const whole = day.to - day.from
  const level = Math.max(0, Math.floor(Math.log2(whole / Math.max(1, view.to - view.from))))
  const length = whole / 2 ** level
  const [first, last] = [Math.floor((view.from - day.from) / length), Math.ceil((view.to - day.from) / length) - 1]
  const sheets: SheetSpan[] = []
  for (let index = Math.max(0, first); index <= Math.min(last, 2 ** level - 1); index += 1) {
    const start = day.from + index * length
    sheets.push({ key: `${level}/${index}`, start, end: start + length })
  }
  return sheets
}

/** What is cut out of a sheet's body: one line of JSON, then the JPEGs one behind the other. */
export interface CutSheet {
  pictures: { at: number; start: number; end: number }[]
  complete: boolean
}

/** Return where the pictures are in `bytes`, or null where it is no sheet. */
export function cutSheet(bytes: Uint8Array): CutSheet | null {
  const head = bytes.indexOf(10)
  if (head < 0) return null
  try {
    const index = JSON.parse(new TextDecoder().decode(bytes.subarray(0, head))) as { pictures: { at: string; bytes: number }[]; complete: boolean }
    let end = head + 1
    const pictures = index.pictures.map((each) => {
      const start = end
      end += each.bytes
      return { at: Date.parse(each.at), start, end }
    })
    return end === bytes.length ? { pictures, complete: index.complete } : null
  } catch {
    return null
  }
}

/** The recorded stretch that `at` lies in, or null: nothing is recorded there. */
export function stretchOf(recorded: readonly Span[], at: number): Span | null {
  return recorded.find((span) => at >= span.start && at < span.end) ?? null
}

/**
 * Return the picture that is nearest to `at`, or null: never one from across a gap.
 *
 * A key frame is a little older than the first moment it stands for: hence the slack.
 */
export function nearestPicture(pictures: readonly Picture[], at: number, recorded: readonly Span[]): Picture | null {
  const stretch = stretchOf(recorded, at)
  if (stretch === null) return null
  const SLACK_MS = 1_000
  let best: Picture | null = null
  for (const picture of pictures) {
    if (picture.at < stretch.start - SLACK_MS || picture.at >= stretch.end) continue
    if (best === null || Math.abs(picture.at - at) < Math.abs(best.at - at)) best = picture
  }
  return best
}

/** One cell of the strip: a part of the view, and the picture of its middle if there is one. */
export interface Cell extends Span {
  picture: Picture | null
}

/** Return `view` in `count` parts, each with the picture of its own that is nearest to its middle. */
export function stripCells(view: View, count: number, pictures: readonly Picture[]): Cell[] {
  const length = (view.to - view.from) / count
  return Array.from({ length: count }, (_, index) => {
    const [start, end] = [view.from + index * length, view.from + (index + 1) * length]
    let picture: Picture | null = null
    for (const each of pictures) {
      if (each.at < start || each.at >= end) continue
      if (picture === null || Math.abs(each.at - (start + end) / 2) < Math.abs(picture.at - (start + end) / 2)) picture = each
    }
    return { start, end, picture }
  })
}
