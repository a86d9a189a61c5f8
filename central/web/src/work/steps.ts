/** What may be done with an incident in each state (domain 3.1.2, the village's own part). Pure. */

import type { IncidentAction, IncidentState } from '@/api/types'

/** A button; handing work to another is the centre's `handle` once more. */
export type Step = IncidentAction | 'reassign'

const STEPS: Record<IncidentState, readonly Step[]> = {
  ACCEPTED: ['handle', 'note'],
  HANDLING: ['feedback', 'reassign', 'note'],
  FEEDBACK: ['close', 'rework', 'note'],
  CLOSED: [],
}

export const stepsOf = (state: IncidentState): readonly Step[] => STEPS[state]

export const actionOf = (step: Step): IncidentAction => (step === 'reassign' ? 'handle' : step)

export const needsNote = (step: Step): boolean => step === 'feedback' || step === 'rework' || step === 'note'

/** Whether a person may be named with it, and whether one must be. */
export const takesPerson = (step: Step): boolean => step === 'handle' || step === 'reassign' || step === 'rework'
export const needsPerson = (step: Step): boolean => step === 'reassign'
