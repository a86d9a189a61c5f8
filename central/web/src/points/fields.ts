/** What a point's form holds, and what people are told beside it. Pure. */

import type { FilingChange, Point, PointState, PointTerms } from '@/api/pointTypes'

/** Return what the form begins with: what is written down, else what the box says, else the usual. */
export function fieldsOf(point: Point, today: string): PointTerms {
  return {
    place_type: point.place_type ?? 'crossroads',
    legal_basis: point.legal_basis ?? point.box_legal_basis ?? 'art7_1',
    device_type: point.device_type,
    manager_unit: point.manager_unit,
    manager_phone: point.manager_phone,
    installed_on: point.installed_on ?? (point.state === 'unregistered' ? today : null),
    note: point.note,
  }
}

/** Return whether a form may be sent. */
export const isWhole = (terms: PointTerms): boolean => terms.manager_unit.trim() !== '' && (terms.place_type !== 'other' || terms.note.trim() !== '')

/** What comes next for a point, the usual step first. */
export const NEXT: Record<PointState, readonly PointState[]> = {
  unregistered: [],
  draft: ['trial', 'in_use', 'retired'],
  trial: ['in_use', 'draft', 'retired'],
  in_use: ['retired'],
  retired: ['draft'],
}

const FOR_TRIAL = new Set(['place_type', 'legal_basis', 'manager_unit', 'checklist'])

/** Return what a point still lacks for a step. */
export function lacksFor(point: Point, state: PointState): string[] {
  if (state === 'in_use') return point.lacks
  return state === 'trial' ? point.lacks.filter((lack) => FOR_TRIAL.has(lack)) : []
}

/** Return points with those first that somebody is to see to; else as they were. */
export function inOrder(points: readonly Point[]): Point[] {
  const rank = (it: Point) => (it.state === 'unregistered' ? 0 : needsHand(it) ? 1 : it.state === 'retired' ? 3 : 2)
  return [...points].sort((a, b) => rank(a) - rank(b))
}

/** Whether somebody is to see to a registered point. */
export const needsHand = (it: Point): boolean => it.trial_is_long || it.sign?.is_due === true || (it.state === 'retired' && it.present) || (it.state === 'in_use' && !it.present)

/** Return a width and height that fit into a square of `most`, in the same shape. */
export function fitted(width: number, height: number, most: number): { width: number; height: number } {
  const scale = Math.min(1, most / Math.max(width, height))
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) }
}

/** Return rows by sheets, in their order: `first` is the room on the first sheet, `rest` on each other; one fits always. */
export function sheets<T>(rows: readonly T[], heightOf: (row: T) => number, first: number, rest: number): T[][] {
  const made: T[][] = [[]]
  let left = first
  for (const row of rows) {
    const height = heightOf(row)
    if (height > left && (made.at(-1)?.length ?? 0) > 0) {
      made.push([])
      left = rest
    }
    made.at(-1)?.push(row)
    left -= height
  }
  return made
}

/** Return how many lines a text takes where so many Chinese characters fit on one; others are half as wide. */
export function linesOf(text: string, most: number): number {
  const width = [...text].reduce((sum, char) => sum + (char.charCodeAt(0) < 256 ? 0.6 : 1), 0)
  return Math.max(1, Math.ceil(width / most))
}

/** Return what a change was and is, in words; `label` says a type of device. */
export function wordsOf(change: FilingChange, label: (code: string) => string, days: (n: string) => string): { before: string; now: string } {
  const say = (text: string) => (text === '' ? '' : change.fact === 'type' ? label(text) : change.fact === 'retention' ? days(text) : text)
  return { before: say(change.before), now: say(change.now) }
}

/** Return how many devices there are of each type, the most first. */
export function countsOf(types: readonly string[]): [string, number][] {
  const counts = new Map<string, number>()
  for (const type of types) counts.set(type, (counts.get(type) ?? 0) + 1)
  return [...counts].sort((a, b) => b[1] - a[1])
}
