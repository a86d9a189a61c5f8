/** The centre's calls about false alarms kept as examples (误报样本); for the administrator alone. */

import { BASE, request, withQuery } from './http'
import type { Person } from './types'

export interface Example {
  id: number
  kind: string
  reason: string
  model: string | null
  camera: string
  day: string
  size_bytes: number
}

export interface ExampleCount {
  kind: string
  reason: string
  pictures: number
  negative: boolean
}

export type ExampleAct = 'exported' | 'deleted' | 'expired' | 'dropped' | 'refused'

export interface ExampleEntry {
  at: string
  act: ExampleAct
  pictures: number
  person: Person | null
  reason: string
}

export interface ExampleSummary {
  keeps: boolean
  keep_days: number
  max_pictures: number
  max_bytes: number
  pictures: number
  size_bytes: number
  cameras: number
  waiting: number
  counts: ExampleCount[]
  gone: Record<ExampleAct, number>
  entries: ExampleEntry[]
}

export const exampleSummary = () => request<ExampleSummary>('GET', '/examples/summary')
export const examples = (before: number | null) => request<{ items: Example[]; next: number | null }>('GET', withQuery('/examples', { before }))
export const deleteExample = (exampleId: number) => request<undefined>('DELETE', `/examples/${exampleId}`)
export const deleteExamples = () => request<{ pictures: number }>('DELETE', '/examples')
export const exampleUrl = (exampleId: number): string => `${BASE}/examples/${exampleId}/picture`
export const archiveUrl = (reason: string): string => BASE + withQuery('/examples/archive.zip', { reason })
