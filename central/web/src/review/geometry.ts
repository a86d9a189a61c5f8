/** The day's timeline as numbers: what is where, for any zoom. Times are epoch milliseconds. */

export interface View {
  from: number
  to: number
}

export interface Span {
  start: number
  end: number
}

export const MIN_VIEW_MS = 60_000
export const MAX_CLIP_MS = 10 * 60_000

export function xOf(at: number, view: View, width: number): number {
  return ((at - view.from) / (view.to - view.from)) * width
}

export function timeAt(x: number, view: View, width: number): number {
  return view.from + (x / width) * (view.to - view.from)
}

/** Return `view` moved and shortened so that it lies within `day`. */
export function within(view: View, day: View): View {
  const length = Math.min(view.to - view.from, day.to - day.from)
  const from = Math.min(Math.max(view.from, day.from), day.to - length)
  return { from, to: from + length }
}

/** Return `view` with its length times `factor`, keeping the time `anchor` where it is. */
export function zoomed(view: View, factor: number, anchor: number, day: View): View {
  const length = Math.max(MIN_VIEW_MS, (view.to - view.from) * factor)
  const share = (anchor - view.from) / (view.to - view.from)
  const from = anchor - share * length
  return within({ from, to: from + length }, day)
}

export function panned(view: View, byMs: number, day: View): View {
  return within({ from: view.from + byMs, to: view.to + byMs }, day)
}

const STEPS_MIN = [1, 2, 5, 10, 15, 30, 60, 120, 180, 240, 360]

/** Return the times of the ticks: whole steps from the day's start, no closer than `minPx`. */
export function ticks(view: View, dayStart: number, width: number, minPx: number): number[] {
  const msPerPx = (view.to - view.from) / width
  const wanted = msPerPx * minPx
  const stepMin = STEPS_MIN.find((step) => step * 60_000 >= wanted) ?? 720
  const step = stepMin * 60_000
  const result: number[] = []
  for (let at = dayStart + Math.ceil((view.from - dayStart) / step) * step; at <= view.to; at += step) result.push(at)
  return result
}

/**
 * Return spans joined where less than `joinMs` lies between them: a day has thousands of recorded
 * files and one bar. Sorted by start.
 */
export function joined(spans: readonly Span[], joinMs: number): Span[] {
  const result: Span[] = []
  for (const span of [...spans].sort((a, b) => a.start - b.start)) {
    const last = result.at(-1)
    if (last !== undefined && span.start - last.end <= joinMs) last.end = Math.max(last.end, span.end)
    else result.push({ ...span })
  }
  return result
}

/** Return where playing can begin at or after `at`, or null: nothing is recorded from there on. */
export function nextRecorded(spans: readonly Span[], at: number): number | null {
  let best: number | null = null
  for (const span of spans) {
    if (at >= span.start && at < span.end) return at
    if (span.start > at && (best === null || span.start < best)) best = span.start
  }
  return best
}

/** Return a clip whose moved end stays after its start and whose length stays within the limit. */
export function clipWith(clip: Span, moved: 'start' | 'end', at: number, day: View): Span {
  const inside = Math.min(Math.max(at, day.from), day.to)
  if (moved === 'start') {
    const start = Math.min(inside, clip.end - 1000)
    return { start, end: Math.min(clip.end, start + MAX_CLIP_MS) }
  }
  const end = Math.max(inside, clip.start + 1000)
  return { start: Math.max(clip.start, end - MAX_CLIP_MS), end }
}
