/** What a ledger's entries say in words: the centre writes codes into their notes. Pure. */

import type { Codes, LedgerEntry } from '@/api/types'

type Label = (group: keyof Codes, code: string) => string

/** The alert that an incident was opened from or linked to. */
export const alertOf = (entry: LedgerEntry): string | null => /^alert ([0-9a-f-]{36})$/.exec(entry.note ?? '')?.[1] ?? null

/** Return the note as people read it: levels and reasons by their names; what is no code as it is. */
export function noteOf(entry: LedgerEntry, label: Label): string {
  const note = entry.note ?? ''
  if (entry.action === 'level') return note.split(' > ').map((level) => label('levels', level)).join(' → ')
  const reason = entry.action === 'false' ? /^(\w+): ?(.*)$/s.exec(note) : null
  if (reason === null) return note
  return [label('false_reasons', reason[1] ?? ''), reason[2] ?? ''].filter((part) => part !== '').join(' · ')
}
