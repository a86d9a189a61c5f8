/** What is missing of an outbox, as people write it down. */

import type { Gap, Outbox } from '@/api/fleet'

/** A gap that is younger may be on its way. */
export const isOld = (gap: Gap): boolean => gap.state !== 'young'

/** Whether something is to be looked after: not where its numbers have ended. */
export const isLacking = (gap: Gap): boolean => isOld(gap) && gap.state !== 'renewed'

/** 7 or 3–5 */
export const numbersOf = (gap: Gap): string => (gap.first === gap.last ? String(gap.first) : `${gap.first}–${gap.last}`)

const quoted = (cell: string): string => {
  // A table program would take a cell that begins so for a formula.
  const plain = /^[=+\-@\t]/.test(cell) ? `'${cell}` : cell
  return /[",\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain
}

/** Return the gaps older than a minute as a table, one line each; the mark at its head lets Excel read Chinese. */
export function gapsCsv(outboxes: readonly Outbox[], headings: readonly string[], stateOf: (gap: Gap) => string, momentOf: (at: string) => string): string {
  const lines = outboxes.flatMap((outbox) =>
    outbox.gaps.filter(isOld).map((gap) => [outbox.box_id, outbox.box_name, outbox.outbox_id, String(gap.first), String(gap.last), String(gap.count), momentOf(gap.since), stateOf(gap), String(gap.times)]),
  )
  return '\ufeff' + [headings, ...lines].map((cells) => cells.map(quoted).join(',') + '\r\n').join('')
}
