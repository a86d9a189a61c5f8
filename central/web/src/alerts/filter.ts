/** Whether a changed alert or incident belongs into a filtered list, and where. Pure. */

import type { Alert } from '@/api/types'

export interface AlertFilter {
  state: string
  kind: string
  camera: string
  /** ISO times or empty. */
  from: string
  to: string
}

export function matches(filter: AlertFilter, alert: Alert): boolean {
  const started = Date.parse(alert.started_at)
  return (
    (filter.state === '' || alert.state === filter.state) &&
    (filter.kind === '' || alert.kind === filter.kind) &&
    (filter.camera === '' || alert.camera.uid === filter.camera) &&
    (filter.from === '' || started >= Date.parse(filter.from)) &&
    (filter.to === '' || started < Date.parse(filter.to))
  )
}

/** Return the list (newest first) with `alert` put in, changed or, where it no longer fits, out. */
export function merged(list: readonly Alert[], alert: Alert, filter: AlertFilter): Alert[] {
  const rest = list.filter((each) => each.id !== alert.id)
  if (!matches(filter, alert)) return rest
  const started = Date.parse(alert.started_at)
  const at = rest.findIndex((each) => Date.parse(each.started_at) < started)
  if (at === -1) return [...rest, alert]
  return [...rest.slice(0, at), alert, ...rest.slice(at)]
}
