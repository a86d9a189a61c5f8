/** Why an alert's picture or clip is not there: on its way, or it will never come. */

import type { Alert } from '@/api/types'

const REASONS = ['too_large', 'not_made', 'refused']
const WAITING = { snapshot: 'alert.noSnapshot', clip: 'alert.noClip' }

/** Return the key of the words for it. */
export function absenceOf(alert: Pick<Alert, 'lacks'>, kind: 'snapshot' | 'clip'): string {
  const lack = alert.lacks.find((each) => each.kind === kind)
  if (lack === undefined) return WAITING[kind]
  return `alert.lack.${kind}.${REASONS.includes(lack.reason) ? lack.reason : 'other'}`
}
