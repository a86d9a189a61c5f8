/** What is changed of a camera that is there. Pure. */

import type { CameraChange, Entry, SetupCamera } from '@/api/enrolment'

import { MOST_NAME, wrongDays } from './steps'
import type { Wrong } from './steps'

export type CameraAct = 'edit' | 'copy' | 'remove'

export interface ChangeFields {
  name: string
  grid: string
  place: string
  legalBasis: string
  days: string
  daysReason: string
  enabled: boolean
  recordSub: boolean
}

export const fieldsOf = (camera: SetupCamera): ChangeFields => ({
  name: camera.name,
  grid: camera.grid_code,
  place: camera.place,
  legalBasis: camera.legal_basis,
  days: camera.retention_days === null ? '' : String(camera.retention_days),
  daysReason: camera.retention_reason,
  enabled: camera.enabled,
  recordSub: camera.record_sub,
})

export function wrongChange(fields: ChangeFields): Wrong | null {
  const name = fields.name.trim()
  return name === '' || name.length > MOST_NAME ? 'name' : wrongDays(fields)
}

/** Return what sound fields say otherwise than the camera is, without a reason. */
export function changeOf(fields: ChangeFields, camera: SetupCamera): Omit<CameraChange, 'reason'> {
  const days = fields.days.trim() === '' ? null : Number(fields.days)
  const wanted = {
    name: fields.name.trim(),
    grid_code: fields.grid,
    place: fields.place.trim(),
    legal_basis: fields.legalBasis,
    retention_days: days,
    retention_reason: fields.daysReason.trim(),
    enabled: fields.enabled,
    record_sub: fields.recordSub,
  }
  return Object.fromEntries(Object.entries(wanted).filter(([key, value]) => value !== camera[key as keyof SetupCamera]))
}

/** Whoever removes a camera types its name, so that it is the right one. */
export const mayRemove = (typed: string, camera: SetupCamera): boolean => typed.trim() === camera.name

/** Return entries, newest first, without those that say no more than that was asked of which the outcome is there. */
export function settled(entries: readonly Entry[]): Entry[] {
  const ended = new Map<string, number>()
  return entries.filter((entry) => {
    const key = JSON.stringify([entry.act, entry.words, entry.person?.id])
    const open = ended.get(key) ?? 0
    if (entry.outcome !== 'asked') ended.set(key, open + 1)
    else if (open > 0) ended.set(key, open - 1)
    return entry.outcome !== 'asked' || open === 0
  })
}
