/** Filed events (报备活动): which are on where and when, and a form's fields as the centre wants them. Pure. */

import type { Activity, NewActivity } from '@/api/activityTypes'
import type { Alert, Camera } from '@/api/types'
import { DAY_MS, dayOf, fromLocal, localOf } from '@/time/zone'

/** Whether the wall may name it: approved, and neither over nor cancelled. */
export const isShown = (it: Activity): boolean => it.state === 'on' || it.state === 'planned'

/** Whether it takes place at a camera, or in its grid. */
export const isAt = (it: Activity, uid: string, gridCode: string): boolean =>
  it.cameras.some((camera) => camera.uid === uid) || it.grids.some((grid) => grid.code === gridCode)

/** Whether it is on at `now` (epoch milliseconds): the centre's word may be some seconds old. */
export function isOn(it: Activity, now: number): boolean {
  return isShown(it) && it.current !== null && Date.parse(it.current.start) <= now && now < Date.parse(it.current.end)
}

/** Return what is on at a camera; the greatest first. */
export function onAt(list: readonly Activity[], camera: Pick<Camera, 'uid' | 'grid_code'>, now: number): Activity[] {
  return list.filter((it) => isAt(it, camera.uid, camera.grid_code) && isOn(it, now)).sort((a, b) => b.expected - a.expected)
}

/** Return the filed events that a person may put an alert to: at its camera, and begun by now. */
export function offersFor(list: readonly Activity[], alert: Pick<Alert, 'kind' | 'camera' | 'grid'>, now: number): Activity[] {
  if (alert.kind !== 'gathering') return []
  return onAt(list, { uid: alert.camera.uid, grid_code: alert.grid.code }, now)
}

export type Group = 'today' | 'upcoming'

/** Whether it is on this day of the village, or later. */
export function groupOf(it: Activity, now: number, zone: string): Group {
  const at = it.current === null ? Date.parse(it.start) : Date.parse(it.current.start)
  return at < now || dayOf(at, zone) === dayOf(now, zone) ? 'today' : 'upcoming'
}

/** The fields of the form; moments as fields of date and time have them. */
export interface Fields {
  title: string
  kind: string
  cameras: string[]
  grids: string[]
  start: string
  end: string
  isWeekly: boolean
  weekdays: number[]
  lastDay: string
  expected: number | null
  contact: string
  safety: string
  overlap: string
  note: string
}

const HOUR_MS = 3_600_000
const minuteField = (at: number, zone: string): string => localOf(at, zone).slice(0, 16)

/** Return an empty form: from the next full hour, for four hours. */
export function emptyFields(now: number, zone: string): Fields {
  const start = Math.ceil(now / HOUR_MS) * HOUR_MS
  return {
    title: '', kind: 'wedding', cameras: [], grids: [],
    start: minuteField(start, zone), end: minuteField(start + 4 * HOUR_MS, zone),
    isWeekly: false, weekdays: [], lastDay: dayOf(start + 90 * DAY_MS, zone),
    expected: null, contact: '', safety: '', overlap: '', note: '',
  }
}

/** Return a form that says what is filed. */
export function fieldsOf(it: Activity, zone: string): Fields {
  return {
    title: it.title, kind: it.kind, cameras: it.cameras.map((each) => each.uid), grids: it.grids.map((each) => each.code),
    start: minuteField(Date.parse(it.start), zone), end: minuteField(Date.parse(it.end), zone),
    isWeekly: it.weekly !== null, weekdays: [...(it.weekly?.weekdays ?? [])], lastDay: it.weekly?.last_day ?? dayOf(Date.parse(it.end), zone),
    expected: it.expected, contact: it.contact, safety: it.safety, overlap: '', note: '',
  }
}

/** Return what the form asks for, or null where something is missing or wrong. */
export function askedOf(fields: Fields, zone: string): NewActivity | null {
  const [start, end] = [fromLocal(fields.start, zone), fromLocal(fields.end, zone)]
  const { title, contact, expected } = fields
  if (start === null || end === null || end <= start || title.trim() === '' || contact.trim() === '') return null
  if (expected === null || !Number.isInteger(expected) || expected < 1) return null
  if (fields.cameras.length + fields.grids.length === 0) return null
  if (fields.isWeekly && (fields.weekdays.length === 0 || fields.lastDay === '')) return null
  return {
    title: title.trim(), kind: fields.kind, cameras: fields.cameras, grids: fields.grids,
    start: new Date(start).toISOString(), end: new Date(end).toISOString(),
    weekly: fields.isWeekly ? { weekdays: [...fields.weekdays].sort(), last_day: fields.lastDay } : null,
    expected, contact: contact.trim(), safety: fields.safety.trim(), overlap: fields.overlap.trim(),
  }
}
