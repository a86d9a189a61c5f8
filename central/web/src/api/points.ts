/** The centre's calls about the papers of cameras (点位档案). */

import { request } from './http'

export interface Code {
  code: string
  zh: string
  en: string
}

export interface PointCodes {
  states: Code[]
  place_types: Code[]
  legal_bases: Code[]
  checklist: Code[]
}

export interface Point {
  uid: string
  state: string
  manager_unit: string
}

export interface PointTerms {
  place_type: string
  legal_basis: string
  manager_unit: string
  installed_on: string | null
  note: string
}

const of = (uid: string) => `/points/${encodeURIComponent(uid)}`
const PHOTO_MS = 60_000

export const points = () => request<Point[]>('GET', '/points')
export const pointCodes = () => request<PointCodes>('GET', '/points/codes')
export const putPoint = (uid: string, terms: PointTerms) => request<Point>('PUT', of(uid), terms)
export const signChecklist = (uid: string, answers: Record<string, boolean>) => request<Point>('POST', `${of(uid)}/checklist`, { answers, note: '' })
export const putSignPhoto = (uid: string, photo: Blob) => request<Point>('PUT', `${of(uid)}/sign-photo`, photo, PHOTO_MS)
export const stepPoint = (uid: string, state: string, reason: string) => request<Point>('POST', `${of(uid)}/state`, { state, reason })
