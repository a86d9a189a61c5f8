/** What the wall offers first when an alert is verified, so that one key is enough. Pure. */

import type { Alert, AlertLevel, Code } from '@/api/types'

const LIKELY_REASONS: Record<string, readonly string[]> = {
  gathering: ['miscount', 'shaking', 'insects', 'rain_snow', 'light_reflection', 'headlights', 'fog'],
  flame: ['ritual_burning', 'permitted_burning', 'sunset', 'headlights', 'light_reflection', 'red_object'],
  smoke: ['cooking_smoke', 'fog', 'permitted_burning', 'ritual_burning', 'insects', 'rain_snow'],
}

/** Return the reasons with the likely ones of this kind first and `other` last. */
export function reasonsFor(kind: string, reasons: readonly Code[]): Code[] {
  const likely = LIKELY_REASONS[kind] ?? []
  const rank = (code: string): number => {
    const at = likely.indexOf(code)
    if (code === 'other') return 1000
    return at === -1 ? 100 : at
  }
  return reasons
    .map((reason, index) => ({ reason, key: rank(reason.code) * 100 + index }))
    .sort((a, b) => a.key - b.key)
    .map(({ reason }) => reason)
}

const CATEGORY_OF_KIND: Record<string, string> = {
  gathering: 'crowd_safety',
  flame: 'fire',
  smoke: 'fire',
  camera_lost: 'equipment',
  detector_down: 'equipment',
  storage: 'equipment',
  outbox: 'equipment',
  lens_covered: 'equipment',
  picture_blurred: 'equipment',
  camera_moved: 'equipment',
  picture_frozen: 'equipment',
  picture_overexposed: 'equipment',
  picture_underexposed: 'equipment',
  camera_clock: 'equipment',
}

export const categoryOf = (kind: string): string => CATEGORY_OF_KIND[kind] ?? 'other'

export const LEVELS: readonly AlertLevel[] = ['ordinary', 'urgent', 'extra_urgent']

/** Kinds of which nobody knows yet whether they are so: their words begin with 疑似. */
const SUSPECTED: readonly string[] = ['gathering', 'flame', 'smoke']

/** Whether the screen must still say 疑似: until a person has verified it. */
export const isSuspected = (alert: Pick<Alert, 'kind' | 'state'>): boolean =>
  SUSPECTED.includes(alert.kind) && alert.state !== 'CONFIRMED'
