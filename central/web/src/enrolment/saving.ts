/** Saving the papers of a camera that the box has: one part after another, and only what is not done yet is done again. Pure. */

import type { PointTerms } from '@/api/pointTypes'

import type { Draft } from './steps'

export type Part = 'point' | 'checklist' | 'photo' | 'trial'
export type PartState = 'waiting' | 'doing' | 'done' | 'failed'

export interface Saved {
  part: Part
  state: PartState
  /** Why it failed. */
  why: string
}

/** Return what is to be saved, in order. */
export function partsOf(draft: Draft, hasPhoto: boolean): Saved[] {
  const parts: Part[] = ['point', 'checklist', ...(hasPhoto ? (['photo'] as const) : []), ...(draft.trial ? (['trial'] as const) : [])]
  return parts.map((part) => ({ part, state: 'waiting', why: '' }))
}

/** Do one part after another. What fails stops those after it; call it again to go on there. */
export async function saveAll(parts: Saved[], does: Record<Part, () => Promise<unknown>>, explain: (error: unknown) => string): Promise<boolean> {
  for (const each of parts) {
    if (each.state === 'done') continue
    Object.assign(each, { state: 'doing', why: '' })
    try {
      await does[each.part]()
    } catch (error) {
      Object.assign(each, { state: 'failed', why: explain(error) })
      return false
    }
    each.state = 'done'
  }
  return true
}

/** Return a point's papers as a sound draft says them. */
export const termsOf = (draft: Draft): PointTerms => ({
  place_type: draft.placeType,
  legal_basis: draft.legalBasis,
  device_type: draft.deviceType,
  manager_unit: draft.managerUnit.trim(),
  manager_phone: draft.managerPhone.trim(),
  installed_on: draft.installedOn === '' ? null : draft.installedOn,
  note: draft.placeNote.trim(),
})
