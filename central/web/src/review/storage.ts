/** What a box's disk holds and for how long it will do: pure. */

import type { CameraStorage, Storage } from '@/api/types'

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'] as const

/** Return a size as people write it: 1.5 TB, 320 GB. */
export function sizeText(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000
    unit += 1
  }
  const digits = unit === 0 || value >= 99.5 ? 0 : 1
  return `${value.toFixed(digits).replace(/\.0$/, '')} ${UNITS[unit]}`
}

/** Whole days that will be there: never more than is true. */
export const wholeDays = (days: number): number => Math.floor(days + 1e-9)

/** A camera whose promise can't be kept at today's rate. */
export const isShort = (camera: CameraStorage): boolean => camera.fits_days !== null && camera.fits_days < camera.days

/** The camera that says how the whole does: the one that comes shortest of its promise; null: nothing is known. */
export function worstOf(storage: Storage): CameraStorage | null {
  let worst: CameraStorage | null = null
  for (const camera of storage.cameras) {
    if (camera.fits_days === null) continue
    if (worst === null || camera.fits_days / camera.days < (worst.fits_days ?? 0) / worst.days) worst = camera
  }
  return worst
}
