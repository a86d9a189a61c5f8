import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { effectScope, nextTick, ref, type EffectScope } from 'vue'

import type { Camera } from '@/api/types'
import { useTile } from '@/live/useTile'
import { Bell } from '@/sound/bell'
import { MUTE_MS } from '@/sound/patterns'

const NOW = Date.parse('2026-11-22T06:00:00Z')
const CAME_UP = '2026-11-19T03:48:00Z'

const aCamera = (more: Partial<Camera> = {}): Camera => ({
  uid: 'box.cam1',
  box_id: 'box',
  camera_id: 'cam1',
  name: '村口主路',
  grid_code: '',
  grid_name: '',
  place: '',
  has_sub: true,
  state: 'live',
  since: CAME_UP,
  last_packet_at: null,
  disarmed_until: null,
  clock_state: null,
  clock_offset_ms: null,
  ...more,
})

let scope: EffectScope
beforeEach(() => {
  vi.useFakeTimers({ now: NOW })
  vi.stubGlobal('window', globalThis)
  scope = effectScope()
})
afterEach(() => {
  scope.stop()
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

function aTile(camera = ref(aCamera())) {
  const tile = scope.run(() => useTile(camera, ref(false)))
  if (tile === undefined) throw new Error('no scope')
  return tile
}

describe('a tile whose pictures have stopped', () => {
  it('counts from its last picture where the box is out of reach, not from when the camera came up', async () => {
    const camera = ref(aCamera())
    const tile = aTile(camera)
    tile.baseFrame(1, 0)
    camera.value = aCamera({ state: 'unknown' })
    await nextTick()
    tile.told.value = 'lost'
    await vi.advanceTimersByTimeAsync(4_000)
    expect(tile.status.value).toEqual({ kind: 'offline', sinceMs: NOW })
  })

  it('counts from when the camera was lost where the centre says so', async () => {
    const since = '2026-11-22T05:00:00Z'
    const tile = aTile(ref(aCamera({ state: 'lost', since })))
    await vi.advanceTimersByTimeAsync(7_000)
    expect(tile.status.value).toEqual({ kind: 'offline', sinceMs: Date.parse(since) })
  })
})

describe('a clock that is set', () => {
  it.each([-3_600_000, 3_600_000])('by %i ms makes no picture older or younger', async (step) => {
    const tile = aTile()
    tile.baseFrame(1, 0)
    vi.setSystemTime(NOW + step)
    await vi.advanceTimersByTimeAsync(2_000)
    expect(tile.status.value.kind).toBe('live')
    await vi.advanceTimersByTimeAsync(2_000)
    expect(tile.status.value.kind).toBe('stalled')
    expect(tile.ageMs.value).toBeGreaterThan(3_000)
    expect(tile.ageMs.value).toBeLessThan(5_000)
  })

  it('makes no mute longer', () => {
    vi.stubGlobal('window', { addEventListener: vi.fn() })
    const bell = new Bell()
    bell.toggleMute()
    expect(bell.muteLeftMs.value).toBe(MUTE_MS)
    vi.setSystemTime(NOW - 3_600_000)
    vi.advanceTimersByTime(MUTE_MS - 1_000)
    bell.tick()
    expect(bell.muteLeftMs.value).toBe(1_000)
    vi.advanceTimersByTime(1_000)
    bell.tick()
    expect(bell.muteLeftMs.value).toBe(0)
  })
})
