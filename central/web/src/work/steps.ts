/** What may be done with an incident in each state (domain 3.1.2, the village's own part). Pure. */

import type { IncidentAction, IncidentState } from '@/api/types'

const STEPS: Record<IncidentState, readonly IncidentAction[]> = {
  ACCEPTED: ['handle', 'note'],
  HANDLING: ['feedback', 'note'],
  FEEDBACK: ['close', 'rework', 'note'],
  CLOSED: [],
}

export const stepsOf = (state: IncidentState): readonly IncidentAction[] => STEPS[state]

/** Only the first step may be taken without a word. */
export const needsNote = (action: IncidentAction): boolean => action !== 'handle'
