import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'

import type { Alert } from '@/api/types'
import { useVillage } from '@/stores/village'

import { anAlert } from './alerts'

const NOW = Date.parse('2026-11-22T06:00:00Z')
const RECONCILE_MS = 30_000

/** What the centre has, and whether it is there. */
let alerts: Alert[] = []
let there = true
class NoFeed {
  static readonly CLOSED = 2
  readyState = 1
  addEventListener = vi.fn()
  close = vi.fn()
}

beforeEach(() => {
  alerts = []
  there = true
  vi.useFakeTimers({ now: NOW })
  setActivePinia(createPinia())
  vi.stubGlobal('EventSource', NoFeed)
  vi.stubGlobal('window', globalThis)
  vi.stubGlobal('fetch', (path: string) => {
    if (!there) return Promise.reject(new TypeError('no network'))
    if (!path.endsWith('/wall')) return Promise.resolve(Response.json({}))
    const wall = { cursor: '1', server_time: new Date(NOW).toISOString(), duty: { shift: null, people: [] }, cameras: [], boxes: [], alerts, incidents: { open: 0, overdue: 0 }, activities: [] }
    return Promise.resolve(Response.json(wall))
  })
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

it('a snapshot is believed again a minute after what the feed said, though the clock was set back', async () => {
  const village = useVillage()
  const stop = village.follow()
  const alert = anAlert()
  village.putAlert(alert)
  alerts = [{ ...alert, state: 'KNOWN' }]
  vi.setSystemTime(NOW - 3_600_000)
  await vi.advanceTimersByTimeAsync(3 * RECONCILE_MS)
  expect(village.alertList.map((each) => each.state)).toEqual(['KNOWN'])
  stop()
})

it('an outage is as long as it lasts, though the clock was set', async () => {
  const village = useVillage()
  const stop = village.follow()
  await vi.advanceTimersByTimeAsync(1_000)
  there = false
  await vi.advanceTimersByTimeAsync(RECONCILE_MS)
  vi.setSystemTime(NOW + 3_600_000)
  await vi.advanceTimersByTimeAsync(10_000)
  expect(village.banner).toBe(true)
  expect(village.lostForMs()).toBeGreaterThan(10_000)
  expect(village.lostForMs()).toBeLessThan(45_000)
  stop()
})
