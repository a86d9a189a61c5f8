import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { effectScope, nextTick, ref, type EffectScope } from 'vue'

import type { Camera } from '@/api/types'
import type { Span, View } from '@/review/geometry'
import { cutSheet, nearestPicture, sheetsFor, stripCells } from '@/review/previews'
import { MOST_SHEETS, REST_MS, SETTLE_MS, usePreviews } from '@/review/usePreviews'

const HOUR = 3_600_000
const DAY_START = Date.parse('2026-11-21T16:00:00Z')
const NOW = Date.parse('2026-11-22T06:00:00Z')
const DAY: View = { from: 0, to: 24 * HOUR }
const picture = (at: number) => ({ at, url: `blob:${at}` })

describe('sheets', () => {
  it('are the day, its halves, its quarters: as many as cover the view, and no more', () => {
    const spans = (from: number, to: number) => sheetsFor({ from: from * HOUR, to: to * HOUR }, DAY).map((each) => [each.start / HOUR, each.end / HOUR])
    expect(spans(0, 24)).toEqual([[0, 24]])
    expect(spans(0, 13)).toEqual([[0, 24]])
    expect(spans(0, 12)).toEqual([[0, 12]])
    expect(spans(6, 18)).toEqual([[0, 12], [12, 24]])
    expect(spans(11, 12)).toEqual([[10.5, 12]])
    expect(spans(23, 24)).toEqual([[22.5, 24]])
  })

  it('cover every view without a hole, with at most two, and the same ones have the same name', () => {
    const names = new Map<string, string>()
    for (let length = 60_000; length <= 24 * HOUR; length *= 1.3) {
      for (let from = 0; from + length <= 24 * HOUR; from += 1.7 * HOUR) {
        const sheets = sheetsFor({ from, to: from + length }, DAY)
        expect(sheets.length).toBeLessThanOrEqual(2)
        expect(sheets[0]?.start).toBeLessThanOrEqual(from)
        expect(sheets.at(-1)?.end).toBeGreaterThanOrEqual(from + length - 1)
        for (const { key, start, end } of sheets) {
          expect(names.get(key) ?? `${start}-${end}`).toBe(`${start}-${end}`)
          names.set(key, `${start}-${end}`)
        }
      }
    }
  })

  it('are cut up by their first line, and anything else is none', () => {
    const body = (text: string) => new TextEncoder().encode(text)
    const head = '{"complete":true,"pictures":[{"at":"1970-01-01T00:00:01Z","bytes":2},{"at":"1970-01-01T00:00:02Z","bytes":3}]}\n'
    expect(cutSheet(body(`${head}aabbb`))).toEqual({
      complete: true,
      pictures: [{ at: 1000, start: head.length, end: head.length + 2 }, { at: 2000, start: head.length + 2, end: head.length + 5 }],
    })
    for (const other of ['', 'no line', 'no json\n', '{}\n', `${head}aabb`, `${head}aabbbb`]) expect(cutSheet(body(other))).toBeNull()
  })
})

describe('the picture of a moment', () => {
  const recorded: Span[] = [{ start: 0, end: 100_000 }, { start: 200_000, end: 300_000 }]
  const pictures = [10_000, 90_000, 199_500, 290_000].map(picture)

  it('is the nearest one of its own stretch, never one from across a gap', () => {
    const shown = (at: number) => nearestPicture(pictures, at, recorded)?.at ?? null
    expect([0, 49_000, 51_000, 99_999].map(shown)).toEqual([10_000, 10_000, 90_000, 90_000])
    expect([100_000, 150_000, 199_999, 300_000].map(shown)).toEqual([null, null, null, null])
    expect([200_000, 280_000].map(shown)).toEqual([199_500, 290_000])
    expect(nearestPicture([], 50, recorded)).toBeNull()
  })

  it('fills the cell of the strip that it lies in', () => {
    const cells = stripCells({ from: 0, to: 400_000 }, 4, pictures)
    expect(cells.map((cell) => [cell.start, cell.end, cell.picture?.at ?? null])).toEqual([
      [0, 100_000, 10_000],
      [100_000, 200_000, 199_500],
      [200_000, 300_000, 290_000],
      [300_000, 400_000, null],
    ])
  })
})

describe('previews on the page', () => {
  let scope: EffectScope
  const asked: URL[] = []
  let given = 0
  /** Answers that are not given before the test says so. */
  let held: (() => void)[] | null

  beforeEach(() => {
    vi.useFakeTimers({ now: NOW })
    asked.length = given = 0
    held = null
    const kept = new Map<string, string>()
    vi.stubGlobal('window', {
      matchMedia: () => ({ matches: true }),
      localStorage: { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => kept.set(key, value) },
    })
    vi.stubGlobal('navigator', {})
    vi.stubGlobal('fetch', async (path: string, init: RequestInit) => {
      const url = new URL(path, 'http://centre')
      asked.push(url)
      await new Promise<void>((resolve, reject) => {
        init.signal?.addEventListener('abort', () => reject(new DOMException('given up', 'AbortError')))
        if (held === null) resolve()
        else held.push(resolve)
      })
      given += 1
      if (url.pathname.endsWith('/preview.jpg')) return new Response('jpg', { headers: { 'x-picture-time': new Date(Date.parse(url.searchParams.get('at') ?? '') - 300).toISOString() } })
      const pictures = [{ at: url.searchParams.get('from'), bytes: 1 }]
      return new Response(`${JSON.stringify({ complete: true, pictures })}\nx`)
    })
    scope = effectScope()
  })
  afterEach(() => {
    scope.stop()
    vi.useRealTimers()
    vi.unstubAllGlobals()
  })

  const aCamera = (id: string) => ({ uid: `box.${id}`, box_id: 'box', camera_id: id }) as Camera
  function opened() {
    const camera = ref<Camera | null>(aCamera('cam1'))
    const day = ref<View>({ from: DAY_START, to: DAY_START + 24 * HOUR })
    const view = ref<View>({ ...day.value })
    const recorded = ref<Span[]>([{ start: DAY_START, end: DAY_START + 10 * HOUR }])
    const previews = scope.run(() => usePreviews(camera, day, view, recorded, ref(null)))
    if (previews === undefined) throw new Error('no scope')
    return { camera, day, view, recorded, ...previews }
  }
  const settled = () => vi.advanceTimersByTimeAsync(SETTLE_MS)
  const sheets = () => asked.filter((url) => url.pathname.endsWith('/previews'))
  const own = () => asked.filter((url) => url.pathname.endsWith('/preview.jpg'))

  it('are one sheet for the view, fetched once however often one comes back', async () => {
    const { view, day, cells } = opened()
    await settled()
    expect(sheets()).toHaveLength(1)
    expect(cells.value[0]?.picture?.at).toBe(DAY_START)
    view.value = { from: DAY_START, to: DAY_START + 3 * HOUR }
    await settled()
    expect(sheets()).toHaveLength(2)
    view.value = { ...view.value, to: DAY_START + 2.9 * HOUR }
    await settled()
    expect(sheets()).toHaveLength(2)
    view.value = { from: DAY_START + 12 * HOUR, to: DAY_START + 15 * HOUR }  // nothing is recorded
    await settled()
    expect(sheets()).toHaveLength(2)
    view.value = { ...day.value }
    await settled()
    expect(sheets()).toHaveLength(2)
  })

  it('of a view that was left are given up', async () => {
    const { view } = opened()
    held = []
    await settled()
    view.value = { from: DAY_START, to: DAY_START + 3 * HOUR }
    held = null
    await settled()
    expect([sheets().length, given]).toEqual([2, 1])
  })

  it('of a day that grows are fetched again after a minute', async () => {
    const { recorded } = opened()
    recorded.value = [{ start: DAY_START, end: NOW }]
    await settled()
    await vi.advanceTimersByTimeAsync(60_000)
    recorded.value = [{ start: DAY_START, end: NOW + 60_000 }]
    await settled()
    expect(sheets()).toHaveLength(2)
  })

  it('that were left long ago are let go: who watches a day minute by minute fills no memory', async () => {
    const [made, revoked] = [vi.spyOn(URL, 'createObjectURL'), vi.spyOn(URL, 'revokeObjectURL')]
    const { view } = opened()
    for (let step = 0; step < MOST_SHEETS + 40; step += 1) {
      view.value = { from: DAY_START + step * 5 * 60_000, to: DAY_START + (step + 1) * 5 * 60_000 }
      await settled()
    }
    expect(made.mock.calls.length - revoked.mock.calls.length).toBeLessThanOrEqual(MOST_SHEETS)
    vi.restoreAllMocks()
  })

  it('of the moment itself are asked for when the hand rests, and once', async () => {
    const { look, peek } = opened()
    await settled()
    for (let step = 0; step < 20; step += 1) {
      look(DAY_START + HOUR + step * 1000)
      await vi.advanceTimersByTimeAsync(REST_MS / 3)
      expect(peek.value?.picture?.at).toBe(DAY_START)  // the sheet's follows the hand
    }
    expect(own()).toHaveLength(0)
    const at = DAY_START + HOUR + 19_000
    await vi.advanceTimersByTimeAsync(REST_MS)
    expect(peek.value?.picture?.at).toBe(at - 300)
    look(null)
    expect(peek.value).toBeNull()
    look(at)
    await vi.advanceTimersByTimeAsync(REST_MS)
    expect(own()).toHaveLength(1)
    look(DAY_START + 11 * HOUR)
    await vi.advanceTimersByTimeAsync(REST_MS)
    expect(peek.value).toMatchObject({ recorded: false, picture: null })
    expect(own()).toHaveLength(1)
  })

  it('of another camera or day are let go at once', async () => {
    const { camera, cells, look } = opened()
    await settled()
    look(DAY_START + HOUR)
    await vi.advanceTimersByTimeAsync(REST_MS)
    camera.value = aCamera('cam2')
    await nextTick()
    expect(cells.value.every((cell) => cell.picture === null)).toBe(true)
    await settled()
    expect(sheets().map((url) => url.pathname.split('/').at(-2))).toEqual(['cam1', 'cam2'])
  })

  it('are not fetched unasked where bytes are counted', async () => {
    vi.stubGlobal('navigator', { connection: { saveData: true } })
    const { strip, toggleStrip, look } = opened()
    look(DAY_START + HOUR)
    await settled()
    expect([strip.value, sheets().length]).toEqual([false, 0])
    toggleStrip()
    await settled()
    expect(sheets()).toHaveLength(1)
    expect(window.localStorage.getItem('tanshao.preview-strip')).toBe('on')
  })
})
