/** Which alert stands on the wall, which wait, and which are cards only. Pure. */

import type { Alert, AlertLevel } from '@/api/types'

export const URGENT_POPUP_MS = 60_000

const RANK: Record<AlertLevel, number> = { ordinary: 1, urgent: 2, extra_urgent: 3 }

export const levelRank = (level: AlertLevel): number => RANK[level]

const byLevel = (a: Alert, b: Alert): number => levelRank(b.level) - levelRank(a.level)
const unsignedFirst = (a: Alert, b: Alert): number => Number(a.state === 'ACKED') - Number(b.state === 'ACKED')
const byTime = (a: Alert, b: Alert): number => Date.parse(a.started_at) - Date.parse(b.started_at) || a.id.localeCompare(b.id)

/** Greater level first; within a level the unsigned, and then the one that has waited longest. */
export const byPressing = (a: Alert, b: Alert): number => byLevel(a, b) || unsignedFirst(a, b) || byTime(a, b)

/** Still a person's turn: not signed, or signed and not verified. */
export const isPending = (alert: Alert): boolean => alert.state === 'NEW' || alert.state === 'ACKED'

/** A filed event's gathering that goes on: shown, and nothing is asked of anybody. */
export const isFiled = (alert: Alert): boolean => alert.state === 'KNOWN' && alert.activity !== null && alert.ended_at === null

/** Since when people are called: a filed event's alert only once it has left the event. */
export const calledAt = (alert: Alert): number => Date.parse(alert.activity?.left_at ?? alert.received_at)

/** Whether it may call people: a late alert (补传) and a trial never ring and never pop up. */
export const calls = (alert: Alert): boolean => !alert.late && alert.mode !== 'trial'

export interface PopupFacts {
  /** When each unsigned alert was first shown here, epoch milliseconds. */
  firstShown: ReadonlyMap<string, number>
  /** Put away by a person; an unsigned 特急 can't be. */
  minimised: ReadonlySet<string>
  /** Signed at this screen and not yet verified: it stays up. */
  held: ReadonlySet<string>
  /** Opened from its card: it comes before others of its level and state. */
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
 * person read. Otherwise the greater level wins, and within a level what nobody has signed: it is
 * what the bell rings for and the space bar signs. Only among equals the one that a person opened
 * comes first, and then the one that is already shown.
 */
export function choosePopup(alerts: readonly Alert[], facts: PopupFacts, now: number): { alert: Alert | null; waiting: number } {
  const is = (id: string | null) => (a: Alert, b: Alert) => Number(b.id === id) - Number(a.id === id)
  const [opened, shown] = [is(facts.opened), is(facts.current)]
  const demanding = alerts
    .filter((alert) => demands(alert, facts, now))
    .sort((a, b) => byLevel(a, b) || unsignedFirst(a, b) || opened(a, b) || shown(a, b) || byTime(a, b))
  const underDialog = facts.dialogOpen ? demanding.find((alert) => alert.id === facts.current) : undefined
  const chosen = underDialog ?? demanding[0] ?? null
  const waiting = chosen === null ? 0 : alerts.filter((alert) => isPending(alert) && alert.id !== chosen.id).length
  return { alert: chosen, waiting }
}

/** Return the pending alerts for the rail: most pressing first. */
export const railOrder = (alerts: readonly Alert[]): Alert[] => alerts.filter(isPending).sort(byPressing)
