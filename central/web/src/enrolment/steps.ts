/** The way of a camera onto the wall: which steps there are, what each needs, and what is sent. Pure. */

import type { NewCamera, NewProbe, Watch } from '@/api/enrolment'

export type Step = 'find' | 'login' | 'look' | 'name' | 'law' | 'swap' | 'done'

/** A new camera's way; another device in the place of one that is there keeps its name and its papers. */
export const ADDING: readonly Step[] = ['find', 'login', 'look', 'name', 'law', 'done']
export const REPLACING: readonly Step[] = ['find', 'login', 'look', 'swap', 'done']

export const MOST_NAME = 24
export const MOST_PLACE = 60
export const MOST_REASON = 200
export const LEGAL_DAYS = 30
const MOST_DAYS = 3650
/** In the order in which they are asked. */
export const WATCHES: readonly Watch[] = ['gathering', 'fire']
/** Regulation 799: who is there by these may keep for fewer than 30 days, with a reason. */
const FREE = ['art9', 'non_public']

/** All that was typed, but for the password, which is kept nowhere. */
export interface Draft {
  /** A host, or the address of the video. */
  address: string
  subAddress: string
  username: string
  /** Null: nothing was asked yet, or the answer is of another address. */
  probeId: string | null
  /** The device answered, and its pictures were read. */
  looked: boolean
  name: string
  grid: string
  place: string
  like: string
  /** What it looks for, where it is like no other. */
  watch: Watch[]
  placeType: string
  placeNote: string
  legalBasis: string
  deviceType: string
  managerUnit: string
  managerPhone: string
  installedOn: string
  /** Empty: as long as the box keeps. */
  days: string
  daysReason: string
  recordSub: boolean
  reason: string
  confirmed: string[]
  trial: boolean
  /** The id that the box gave it. */
  savedAs: string | null
}

export const emptyDraft = (): Draft => ({
  address: '',
  subAddress: '',
  username: '',
  probeId: null,
  looked: false,
  name: '',
  grid: '',
  place: '',
  like: '',
  watch: [...WATCHES],
  placeType: '',
  placeNote: '',
  legalBasis: '',
  deviceType: 'fixed',
  managerUnit: '',
  managerPhone: '',
  installedOn: '',
  days: '',
  daysReason: '',
  recordSub: false,
  reason: '',
  confirmed: [],
  trial: true,
  savedAs: null,
})

const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/

export const isUrl = (address: string): boolean => /^rtsps?:\/\//i.test(address.trim())

export type Wrong = 'address' | 'login_in_address' | 'sub_address' | 'look' | 'name' | 'grid' | 'place_type' | 'place_note' | 'legal_basis' | 'manager' | 'days' | 'days_law' | 'days_reason' | 'reason' | 'checklist'

function wrongUrl(text: string): boolean {
  return !isUrl(text) || !URL.canParse(text.trim().replace(/^rtsps?/i, 'http'))
}

function wrongAddress({ address, subAddress }: Draft): Wrong | null {
  const text = address.trim()
  if (text.includes('@') || subAddress.includes('@')) return 'login_in_address'
  if (!isUrl(text)) return HOST.test(text) ? null : 'address'
  if (wrongUrl(text)) return 'address'
  return subAddress.trim() !== '' && wrongUrl(subAddress) ? 'sub_address' : null
}

/** Return what is wrong with the days that a camera is to be kept. */
export function wrongDays({ days, daysReason, legalBasis }: Pick<Draft, 'days' | 'daysReason' | 'legalBasis'>): Wrong | null {
  if (days.trim() === '') return null
  const number = Number(days)
  if (!Number.isInteger(number) || number < 1 || number > MOST_DAYS) return 'days'
  if (number >= LEGAL_DAYS) return null
  if (!FREE.includes(legalBasis)) return 'days_law'
  return daysReason.trim() === '' ? 'days_reason' : null
}

function wrongName(draft: Draft): Wrong | null {
  const name = draft.name.trim()
  if (name === '' || name.length > MOST_NAME) return 'name'
  if (draft.grid === '') return 'grid'
  if (draft.placeType === '') return 'place_type'
  if (draft.placeType === 'other' && draft.placeNote.trim() === '') return 'place_note'
  if (draft.legalBasis === '') return 'legal_basis'
  if (draft.managerUnit.trim() === '') return 'manager'
  return wrongDays(draft) ?? (draft.reason.trim() === '' ? 'reason' : null)
}

/** Return what a step still needs, as a word of `enrol.wrong`; null: one may go on. `items`: the checklist's. */
export function wrongWith(draft: Draft, step: Step, items: readonly string[] = []): Wrong | null {
  switch (step) {
    case 'find':
      return wrongAddress(draft)
    case 'login':
      // A device may have no login: going on means that it is asked.
      return draft.probeId === null ? 'look' : null
    case 'look':
      return draft.looked && draft.probeId !== null ? null : 'look'
    case 'name':
      return wrongName(draft)
    case 'law':
      return items.length > 0 && items.every((item) => draft.confirmed.includes(item)) ? null : 'checklist'
    case 'swap':
      return draft.reason.trim() === '' ? 'reason' : null
    case 'done':
      return null
  }
}

/**
 * Return the step that may be shown where `asked` is wanted: no further than what is there allows, and only the last one
 * once the camera is saved.
 */
export function allowedStep(way: readonly Step[], asked: string | null, draft: Draft): Step {
  const last = way.length - 1
  if (draft.savedAs !== null) return way[last] ?? 'done'
  // Saving leads to the last step, and nothing else does.
  const wanted = Math.min(Math.max(0, way.findIndex((step) => step === asked)), last - 1)
  const blocked = way.slice(0, wanted).findIndex((step) => wrongWith(draft, step) !== null)
  return way[blocked < 0 ? wanted : blocked] ?? 'find'
}

/** What was asked of one address says nothing of another. */
export function setAddress(draft: Draft, address: string): void {
  if (draft.address.trim() !== address.trim()) Object.assign(draft, { probeId: null, looked: false })
  draft.address = address
}

/** Return the question that the draft and a password make; `cameraId`: that camera's login is used where none is given. */
export function probeOf(draft: Draft, password: string, more: { certificate?: string; ahead?: boolean; cameraId?: string } = {}): NewProbe {
  const address = draft.address.trim()
  const where = isUrl(address)
    ? { rtsp_url: address, ...(draft.subAddress.trim() === '' ? {} : { rtsp_sub_url: draft.subAddress.trim() }) }
    : { address }
  const username = draft.username.trim()
  const login = username !== '' ? { username, password } : more.cameraId !== undefined ? { camera_id: more.cameraId } : {}
  return {
    ...where,
    ...login,
    ...(more.certificate === undefined ? {} : { certificate: more.certificate }),
    ...(more.ahead === true ? { may_be_ahead: true } : {}),
  }
}

/** Return the camera that a sound draft describes. */
export function cameraOf(draft: Draft, probeId: string): NewCamera {
  const days = Number(draft.days)
  return {
    probe_id: probeId,
    name: draft.name.trim(),
    grid_code: draft.grid,
    place: draft.place.trim(),
    legal_basis: draft.legalBasis,
    ...(draft.days.trim() === '' ? {} : { retention_days: days }),
    ...(draft.days.trim() !== '' && days < LEGAL_DAYS ? { retention_reason: draft.daysReason.trim() } : {}),
    ...(draft.recordSub ? { record_sub: true } : {}),
    ...(draft.like === '' ? { watch: draft.watch } : { like: draft.like }),
    reason: draft.reason.trim(),
  }
}
