/** The centre's calls about filed events (报备活动). */

import { request, withQuery } from './http'
import type { Activity, ActivityDetail, NewActivity } from './activityTypes'
import type { Page } from './types'

const at = (activityId: string) => `/activities/${encodeURIComponent(activityId)}`

export const activities = (scope: 'current' | 'past', before: string | null = null) =>
  request<Page<Activity>>('GET', withQuery('/activities', { scope, before, limit: scope === 'past' ? 50 : null }))
export const activity = (activityId: string) => request<ActivityDetail>('GET', at(activityId))
export const fileActivity = (asked: NewActivity) => request<ActivityDetail>('POST', '/activities', asked)
export const changeActivity = (activityId: string, asked: NewActivity, note: string) =>
  request<ActivityDetail>('PUT', at(activityId), { ...asked, note })
export const approveActivity = (activityId: string) => request<ActivityDetail>('POST', `${at(activityId)}/approve`, {})
export const cancelActivity = (activityId: string, note: string) => request<ActivityDetail>('POST', `${at(activityId)}/cancel`, { note })
