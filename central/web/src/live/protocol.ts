/** The viewer protocol's text frames (docs/design/api.md); unknown ones are read over. */

import type { CameraStateName } from '@/api/types'

export interface LiveOpen {
  op: 'live.open'
  mime: string
  generation: number
  width: number
  height: number
}

export interface LiveState {
  op: 'live.state'
  state: CameraStateName
}

export interface LiveEnd {
  op: 'end'
  reason: string
}

export type ViewerMessage = LiveOpen | LiveState | LiveEnd

const STATES: readonly string[] = ['live', 'lost', 'connecting']

/** Return the message in a text frame, or null where it is not one this page knows. */
export function parseViewerMessage(text: string): ViewerMessage | null {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return null
  }
  if (typeof value !== 'object' || value === null) return null
  const record = value as Record<string, unknown>
  switch (record.op) {
    case 'live.open':
      return typeof record.mime === 'string'
        ? {
            op: 'live.open',
            mime: record.mime,
            generation: asNumber(record.generation),
            width: asNumber(record.width),
            height: asNumber(record.height),
          }
        : null
    case 'live.state':
      return typeof record.state === 'string' && STATES.includes(record.state)
        ? { op: 'live.state', state: record.state as CameraStateName }
        : null
    case 'end':
      return { op: 'end', reason: typeof record.reason === 'string' ? record.reason : '' }
    default:
      return null
  }
}

function asNumber(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : 0
}
