import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { nextTick } from 'vue'

import type { Session } from '@/api/types'
import { PATTERNS } from '@/sound/patterns'
import { useCalls } from '@/stores/calls'
import { useSession } from '@/stores/session'
import { useVillage } from '@/stores/village'

import { anAlert } from './alerts'

/** An audio context that plays nothing and counts the tones it was to play. */
let tones = 0
const silent = () => ({ connect: (to: unknown) => to, disconnect: vi.fn(), gain: { setValueAtTime: vi.fn(), linearRampToValueAtTime: vi.fn() } })
class Ear {
  state = 'running'
  currentTime = 0
  destination = {}
  createGain = silent
  addEventListener = vi.fn()
  createOscillator() {
    return { ...silent(), frequency: { value: 0 }, stop: vi.fn(), start: () => (tones += 1) }
  }
}
/** How many whole patterns of each level were rung. */
const rungs = (level: keyof typeof PATTERNS) => tones / PATTERNS[level].tones.length

beforeEach(() => {
  tones = 0
  vi.useFakeTimers()
  setActivePinia(createPinia())
  vi.stubGlobal('AudioContext', Ear)
  vi.stubGlobal('window', { AudioContext: Ear, addEventListener: vi.fn(), setTimeout, clearTimeout, setInterval, clearInterval })
  useSession().current = { user: { username: 'duty', name: '', role: 'duty' } } as Session
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

it('the bell rings once for an alert, however often it is told', () => {
  useCalls()
  const alert = anAlert()
  useVillage().putAlert(alert)
  useVillage().putAlert({ ...alert, count: 40 })
  expect(rungs('urgent')).toBe(1)
})

it('what may not call neither rings nor counts', () => {
  const calls = useCalls()
  for (const more of [{ late: true }, { mode: 'trial' as const }, { state: 'ACKED' as const }]) useVillage().putAlert(anAlert(more))
  expect([tones, calls.calling.length]).toEqual([0, 0])
})

it('an extra urgent alert rings on until it is signed', async () => {
  const calls = useCalls()
  const alert = anAlert({ level: 'extra_urgent' })
  useVillage().putAlert(alert)
  await nextTick()
  vi.advanceTimersByTime(5_000)
  expect(rungs('extra_urgent')).toBe(3)
  expect(calls.calling.map((each) => each.id)).toEqual([alert.id])
  useVillage().putAlert({ ...alert, state: 'ACKED' })
  await nextTick()
  vi.advanceTimersByTime(5_000)
  expect(rungs('extra_urgent')).toBe(3)
  expect(calls.calling).toEqual([])
})

it('nothing calls who has signed out', async () => {
  const calls = useCalls()
  useVillage().putAlert(anAlert({ level: 'extra_urgent' }))
  useSession().current = null
  await nextTick()
  const before = tones
  vi.advanceTimersByTime(5_000)
  expect([tones, calls.calling.length]).toEqual([before, 0])
})

it('the most pressing alert is gone to first, not the newest', () => {
  const calls = useCalls()
  const fire = anAlert({ kind: 'flame', level: 'extra_urgent', started_at: '2026-11-22T01:00:00Z' })
  const lens = anAlert({ kind: 'lens_covered', level: 'ordinary', started_at: '2026-11-22T01:05:00Z' })
  for (const alert of [fire, lens]) useVillage().putAlert(alert)
  expect(calls.foremost?.id).toBe(fire.id)
})

it('a late alert that turns out to go on rings then', () => {
  const calls = useCalls()
  const alert = anAlert({ late: true })
  useVillage().putAlert(alert)
  expect(tones).toBe(0)
  useVillage().putAlert({ ...alert, late: false })
  expect([rungs('urgent'), calls.calling.length]).toEqual([1, 1])
})
