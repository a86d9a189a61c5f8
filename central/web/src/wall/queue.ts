/** Which alert stands on the wall, which wait, and which are cards only. Pure. */

import type { Alert, AlertLevel } from '@/api/types'

export const URGENT_POPUP_MS = 60_000

const RANK: Record<AlertLevel, number> = { ordinary: 1, urgent: 2, extra_urgent: 3 }

export const levelRank = (level: AlertLevel): number => RANK[level]

/** Greater level first; within a level the one that has waited longest. */
export function byLevelThenTime(a: Alert, b: Alert): number {
  return (
    levelRank(b.level) - levelRank(a.level) ||
    Date.parse(a.started_at) - Date.parse(b.started_at) ||
    a.id.localeCompare(b.id)
  )
}

/** Still a person's turn: not signed, or signed and not verified. */
export const isPending = (alert: Alert): boolean => alert.state === 'NEW' || alert.state === 'ACKED'

/** Whether it may call people: a late alert (补传) and a trial never ring and never pop up. */
export const calls = (alert: Alert): boolean => !alert.late && alert.mode !== 'trial'

export interface PopupFacts {
  /** When each unsigned alert was first shown here, epoch milliseconds. */
  firstShown: ReadonlyMap<string, number>
  /** Put away by a person; an unsigned 特急 can't be. */
  minimised: ReadonlySet<string>
  /** Signed at this screen and not yet verified: it stays up. */
  held: ReadonlySet<string>
  /** Opened from its card. */
  opened: string | null
  /** What stands on the screen now, and whether a dialog is open on it. */
  current: string | null
  dialogOpen: boolean
}

/** Whether an alert asks for the big picture by itself at `now`. */
function demands(alert: Alert, facts: PopupFacts, now: number): boolean {
  if (!isPending(alert)) return false
  if (alert.id === facts.opened) return true
  if (alert.state === 'ACKED') return facts.held.has(alert.id) && !facts.minimised.has(alert.id)
  if (!calls(alert)) return false
  if (alert.level === 'extra_urgent') return true
  if (alert.level !== 'urgent' || facts.minimised.has(alert.id)) return false
  const shown = facts.firstShown.get(alert.id)
  return shown === undefined || now - shown < URGENT_POPUP_MS
}

/**
 * Return the alert to show big and how many more of the pending ones wait behind it.
 *
 * With a dialog open nothing takes its place: a key must not meet another alert than the one its
 * person read. Otherwise the greater level wins, and on equal levels what is already shown stays.
 */
export function choosePopup(alerts: readonly Alert[], facts: PopupFacts, now: number): { alert: Alert | null; waiting: number } {
  const demanding = alerts.filter((alert) => demands(alert, facts, now)).sort(byLevelThenTime)
  const current = demanding.find((alert) => alert.id === facts.current)
  const first = demanding[0] ?? null
  let chosen = first
  if (current !== undefined && first !== null) {
    const outranked = levelRank(first.level) > levelRank(current.level) && first.state === 'NEW'
    if (facts.dialogOpen || !outranked || current.id === facts.opened) chosen = current
  }
  const waiting = chosen === null ? 0 : alerts.filter((alert) => isPending(alert) && alert.id !== chosen?.id).length
  return { alert: chosen, waiting }
}

/** Return the pending alerts for the rail: most pressing first, unsigned before signed in a level. */
export function railOrder(alerts: readonly Alert[]): Alert[] {
  return alerts
    .filter(isPending)
    .sort(
      (a, b) =>
        levelRank(b.level) - levelRank(a.level) ||
        Number(a.state === 'ACKED') - Number(b.state === 'ACKED') ||
        byLevelThenTime(a, b),
    )
}
