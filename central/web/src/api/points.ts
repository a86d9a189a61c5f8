/** The centre's calls about points (点位档案) and the filing (备案). */

import { BASE, request, upload } from './http'
import type { Due, Filing, Point, PointCodes, PointDetail, PointTerms } from './pointTypes'

const at = (uid: string) => `/points/${encodeURIComponent(uid)}`

export const points = () => request<Point[]>('GET', '/points')
export const pointCodes = () => request<PointCodes>('GET', '/points/codes')
export const pointsDue = () => request<Due>('GET', '/points/due')
export const point = (uid: string) => request<PointDetail>('GET', at(uid))
export const putPoint = (uid: string, terms: PointTerms) => request<PointDetail>('PUT', at(uid), terms)
export const signChecklist = (uid: string, answers: Record<string, boolean>, note: string) => request<PointDetail>('POST', `${at(uid)}/checklist`, { answers, note })
export const stepPoint = (uid: string, state: string, reason: string) => request<PointDetail>('POST', `${at(uid)}/state`, { state, reason })
export const checkSign = (uid: string, whole: boolean, note: string) => request<PointDetail>('POST', `${at(uid)}/sign-check`, { whole, note })
export const putSignPhoto = (uid: string, photo: Blob) => upload<PointDetail>(`${at(uid)}/sign-photo`, photo)
/** Where the photo is; another one has another address. */
export const signPhotoUrl = (uid: string, sha256: string) => `${BASE}${at(uid)}/sign-photo?v=${sha256.slice(0, 16)}`

export const filing = () => request<Filing>('GET', '/filing')
export const enterFiling = (filed_on: string, number: string) => request<Filing>('POST', '/filing', { filed_on, number })
