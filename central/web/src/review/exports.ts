/** What is asked of an export, and what came of it. */

import type { ExportJob, ExportKind } from '@/api/types'

import type { Span } from './geometry'

export const KINDS: readonly ExportKind[] = ['copy', 'marked', 'blurred', 'playable']
export const LONGEST_MS = 24 * 3_600_000
/** Where no clip is chosen: so much from where the playhead is. */
export const FIRST_MS = 60_000

/** Return the stretch that a panel begins with: the clip, or a minute from `at` on. */
export function firstSpan(clip: Span | null, at: number): Span {
  return clip ?? { start: at, end: at + FIRST_MS }
}

/** Return the stretch that fields of whole seconds can say: never less than `span`. */
export function wholeSeconds(span: Span): Span {
  return { start: Math.floor(span.start / 1000) * 1000, end: Math.ceil(span.end / 1000) * 1000 }
}

/** Return why a stretch can't be asked for, or null. */
export function spanProblem(start: number | null, end: number | null, longestMs = LONGEST_MS): 'backwards' | 'tooLong' | null {
  if (start === null || end === null || start >= end) return 'backwards'
  return end - start > longestMs ? 'tooLong' : null
}

export const isOver = (job: ExportJob): boolean => job.state !== 'queued' && job.state !== 'running'

/** Return what a job's result truly shows, first to last, or null: there is no result. */
export function shownBy(job: ExportJob): Span | null {
  const [first, last] = [job.parts.at(0), job.parts.at(-1)]
  if (first === undefined || last === undefined) return null
  return { start: Date.parse(first.start), end: Date.parse(last.end) }
}
