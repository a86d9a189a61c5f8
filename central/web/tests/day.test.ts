import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { effectScope, nextTick, ref, type EffectScope, type Ref } from 'vue'

import type { Camera, Timeline } from '@/api/types'
import { REFRESH_MS, useDay } from '@/review/useDay'

const NOW = Date.parse('2026-11-22T06:00:00Z')
const TODAY = '2026-11-22'

const aCamera = (id: string): Camera => ({
  uid: `box.${id}`,
  box_id: 'box',
  camera_id: id,
  name: id,
  grid_code: '',
  grid_name: '',
  place: '',
  has_sub: true,
  state: 'live',
  since: null,
  last_packet_at: null,
  disarmed_until: null,
  clock_state: null,
  clock_offset_ms: null,
})
const recordings: Timeline = {
  camera_id: 'cam1',
  from: '2026-11-21T16:00:00Z',
  to: '2026-11-22T16:00:00Z',
  segments: [{ id: 1, start: '2026-11-22T01:00:00Z', end: '2026-11-22T02:00:00Z', run_id: 'a', bytes: 1, recovered: false }],
  gaps: [{ start: '2026-11-22T05:00:00Z', end: null, reason: 'camera_lost' }],
  growing: null,
}

/** What was asked of the centre, and whether it answers. */
const asked: string[] = []
const froms: string[] = []
/** The pages of alerts that the centre gives, by the `before` that asks for them. */
let pages: { items: { id: string }[]; next: string | null }[] = []
let there = true
let page: EventTarget & { hidden: boolean }
let scope: EffectScope

beforeEach(() => {
  vi.useFakeTimers({ now: NOW })
  asked.length = froms.length = 0
  there = true
  pages = []
  page = Object.assign(new EventTarget(), { hidden: false })
  vi.stubGlobal('document', page)
  scope = effectScope()
  vi.stubGlobal('fetch', (path: string) => {
    if (path.includes('/timeline')) {
      asked.push(/cameras\/(\w+)\//.exec(path)?.[1] ?? '')
      froms.push(new URLSearchParams(path.split('?')[1]).get('from') ?? '')
    }
    if (!there) return Promise.reject(new TypeError('no network'))
    const before = new URLSearchParams(path.split('?')[1]).get('before')
    const page = pages[before === null ? 0 : Number(before)] ?? { items: [], next: null }
    return Promise.resolve(Response.json(path.includes('/timeline') ? recordings : page))
  })
})
afterEach(() => {
  scope.stop()
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

async function opened(camera: Ref<Camera | null>, day: Ref<string>) {
  const made = scope.run(() => useDay(camera, day, ref('Asia/Shanghai')))
  if (made === undefined) throw new Error('no scope')
  await made.load()
  return made
}

it('a new word on the same camera fetches nothing, another camera or day does', async () => {
  const camera = ref<Camera | null>(aCamera('cam1'))
  const day = ref(TODAY)
  const { recorded } = await opened(camera, day)
  expect(recorded.value).toHaveLength(1)
  camera.value = aCamera('cam1')
  await nextTick()
  expect(asked).toEqual(['cam1'])
  camera.value = aCamera('cam2')
  await nextTick()
  expect(recorded.value).toEqual([])
  day.value = '2026-11-21'
  await nextTick()
  expect(asked).toEqual(['cam1', 'cam2', 'cam2'])
})

it('what is new of today is fetched once a minute, of a day that is over nothing', async () => {
  const day = ref(TODAY)
  await opened(ref(aCamera('cam1')), day)
  await vi.advanceTimersByTimeAsync(REFRESH_MS)
  expect(froms).toEqual(['2026-11-21T16:00:00.000Z', '2026-11-22T01:50:00.000Z'])
  day.value = '2026-11-21'
  await vi.advanceTimersByTimeAsync(3 * REFRESH_MS)
  expect(asked).toHaveLength(3)
})

it('a page that nobody sees asks for nothing, and at once when it is seen again', async () => {
  await opened(ref(aCamera('cam1')), ref(TODAY))
  page.hidden = true
  await vi.advanceTimersByTimeAsync(5 * REFRESH_MS)
  expect(asked).toHaveLength(1)
  page.hidden = false
  page.dispatchEvent(new Event('visibilitychange'))
  page.dispatchEvent(new Event('visibilitychange'))
  expect(asked).toHaveLength(2)
})

it('the end of a day is fetched after it is over, and then nothing more', async () => {
  await opened(ref(aCamera('cam1')), ref(TODAY))
  vi.setSystemTime(Date.parse('2026-11-22T15:59:30Z'))
  await vi.advanceTimersByTimeAsync(5 * REFRESH_MS)
  expect(asked).toHaveLength(3)
})

it('what is known stays when it cannot be fetched again', async () => {
  const { recorded, failure } = await opened(ref(aCamera('cam1')), ref(TODAY))
  there = false
  await vi.advanceTimersByTimeAsync(REFRESH_MS)
  expect(recorded.value).toHaveLength(1)
  expect(failure.value).not.toBeNull()
  there = true
  await vi.advanceTimersByTimeAsync(REFRESH_MS)
  expect(failure.value).toBeNull()
})

it('a gap that lasts reaches to now', async () => {
  const { gaps } = await opened(ref(aCamera('cam1')), ref(TODAY))
  expect(gaps.value).toEqual([{ start: NOW - 3_600_000, end: NOW, reason: 'camera_lost' }])
})

it('every alert of a day is there, however many the rule raised', async () => {
  pages = [
    { items: [{ id: 'c' }, { id: 'b' }], next: '1' },
    { items: [{ id: 'a' }], next: null },
  ]
  const { alerts } = await opened(ref(aCamera('cam1')), ref(TODAY))
  expect(alerts.value.map((each) => each.id)).toEqual(['c', 'b', 'a'])
})
