import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { effectScope, ref, type EffectScope } from 'vue'

import type { ExportJob } from '@/api/types'
import { FIRST_MS, firstSpan, isOver, LONGEST_MS, shownBy, spanProblem, wholeSeconds } from '@/review/exports'
import { BUSY_MS, CALM_MS, useExports } from '@/review/useExports'
import { fromLocal, localOf } from '@/time/zone'

const HOUR = 3_600_000
const NOW = Date.parse('2026-11-22T06:00:00Z')

const job = (state: ExportJob['state'], more: Partial<ExportJob> = {}): ExportJob => ({
  id: 'a',
  camera_id: 'cam1',
  start: '2026-11-22T01:00:00Z',
  end: '2026-11-22T02:00:00Z',
  kind: 'copy',
  reason: '事件处置',
  by: '张三',
  state,
  created_at: '2026-11-22T03:00:00Z',
  progress: 0,
  bytes: 0,
  error: null,
  parts: [],
  files: [],
  ...more,
})

describe('what is asked for', () => {
  it('begins with the clip, or a minute from the playhead on', () => {
    expect(firstSpan({ start: 1, end: 2 }, 9)).toEqual({ start: 1, end: 2 })
    expect(firstSpan(null, 9)).toEqual({ start: 9, end: 9 + FIRST_MS })
  })

  it('is a stretch forwards of a day at most', () => {
    expect(spanProblem(0, LONGEST_MS)).toBeNull()
    expect(spanProblem(0, LONGEST_MS + 1)).toBe('tooLong')
    expect(spanProblem(5, 5)).toBe('backwards')
    expect(spanProblem(null, 5)).toBe('backwards')
  })

  it('is never less than was chosen, in the whole seconds that a field can say', () => {
    expect(wholeSeconds({ start: 1_999, end: 61_001 })).toEqual({ start: 1_000, end: 62_000 })
    expect(wholeSeconds({ start: 1_000, end: 61_000 })).toEqual({ start: 1_000, end: 61_000 })
  })

  it('may be as long as is said', () => {
    expect(spanProblem(0, 7 * 24 * HOUR, 7 * 24 * HOUR)).toBeNull()
    expect(spanProblem(0, 7 * 24 * HOUR + 1, 7 * 24 * HOUR)).toBe('tooLong')
  })

  it('is written and read in the village’s zone', () => {
    const text = localOf(NOW, 'Asia/Shanghai')
    expect(text).toBe('2026-11-22T14:00:00')
    expect(fromLocal(text, 'Asia/Shanghai')).toBe(NOW)
    expect(fromLocal('2026-11-22T14:00', 'Asia/Shanghai')).toBe(NOW)
    expect(fromLocal('2026-07-01T12:00:00', 'Europe/Berlin')).toBe(Date.parse('2026-07-01T10:00:00Z'))
    expect(fromLocal('', 'Asia/Shanghai')).toBeNull()
  })
})

describe('what came of it', () => {
  it('says its true bounds, from the first video to the last', () => {
    const part = (start: string, end: string) => ({ name: '', start, end, codec: 'h264', width: 1, height: 1 })
    const done = job('done', { parts: [part('2026-11-22T00:59:59Z', '2026-11-22T01:30:00Z'), part('2026-11-22T01:31:00Z', '2026-11-22T02:00:00Z')] })
    expect(shownBy(done)).toEqual({ start: Date.parse('2026-11-22T00:59:59Z'), end: Date.parse('2026-11-22T02:00:00Z') })
    expect(shownBy(job('failed'))).toBeNull()
  })

  it('is over once nothing is done any more', () => {
    expect((['queued', 'running', 'done', 'failed', 'cancelled'] as const).map((state) => isOver(job(state)))).toEqual([false, false, true, true, true])
  })
})

describe('the list', () => {
  let scope: EffectScope
  let calls: string[]
  let answer: () => Promise<Response>
  let changed: () => Promise<Response>
  let page: EventTarget & { hidden: boolean }

  beforeEach(() => {
    vi.useFakeTimers({ now: NOW })
    scope = effectScope()
    calls = []
    answer = () => Promise.resolve(Response.json({ exports: [] }))
    changed = () => Promise.resolve(Response.json(job('queued')))
    page = Object.assign(new EventTarget(), { hidden: false })
    vi.stubGlobal('document', page)
    vi.stubGlobal('fetch', (path: string, init: RequestInit) => {
      calls.push(`${init.method} ${path}`)
      return init.method === 'GET' ? answer() : changed()
    })
  })
  afterEach(() => {
    scope.stop()
    vi.useRealTimers()
    vi.unstubAllGlobals()
  })

  const opened = async (box = ref('box-01')) => {
    const made = scope.run(() => useExports(box))
    if (made === undefined) throw new Error('no scope')
    await vi.advanceTimersByTimeAsync(0)
    return made
  }

  it('is asked for often while something goes on, else seldom', async () => {
    answer = () => Promise.resolve(Response.json({ exports: [job('running')] }))
    const { jobs } = await opened()
    expect(jobs.value.map((each) => each.state)).toEqual(['running'])
    answer = () => Promise.resolve(Response.json({ exports: [job('done')] }))
    await vi.advanceTimersByTimeAsync(BUSY_MS)
    expect(jobs.value.map((each) => each.state)).toEqual(['done'])
    await vi.advanceTimersByTimeAsync(CALM_MS - 1)
    expect(calls).toHaveLength(2)
    await vi.advanceTimersByTimeAsync(1)
    expect(calls).toHaveLength(3)
  })

  it('is asked for again at once after something was started or removed', async () => {
    const { start, remove } = await opened()
    await start({ camera_id: 'cam1', stream: 'main', start: '', end: '', kind: 'copy', reason: 'r' })
    await remove(job('running'))
    expect(calls.map((each) => each.replace('/api/v1/boxes/box-01/edge/v1', ''))).toEqual(['GET /exports', 'POST /exports', 'GET /exports', 'DELETE /exports/a', 'GET /exports'])
  })

  it('is asked for again when nobody knows whether an export was started', async () => {
    const { start } = await opened()
    changed = () => Promise.resolve(Response.json({ error: 'box_unsure' }, { status: 504 }))
    await expect(start({ camera_id: 'cam1', stream: 'main', start: '', end: '', kind: 'copy', reason: 'r' })).rejects.toThrow()
    expect(calls).toHaveLength(3)
  })

  it('is not asked for any more where the panel was closed before the box answered', async () => {
    const { start } = await opened()
    let answered: (answer: Response) => void = () => undefined
    changed = () => new Promise((resolve) => { answered = resolve })
    const started = start({ camera_id: 'cam1', stream: 'main', start: '', end: '', kind: 'copy', reason: 'r' })
    scope.stop()
    answered(Response.json(job('queued')))
    await started
    await vi.advanceTimersByTimeAsync(CALM_MS * 2)
    expect(calls).toHaveLength(2)
  })

  it('is not asked for while nobody sees the page, and at once when it is seen again', async () => {
    answer = () => Promise.resolve(Response.json({ exports: [job('running')] }))
    await opened()
    page.hidden = true
    await vi.advanceTimersByTimeAsync(10 * BUSY_MS)
    expect(calls).toHaveLength(1)
    page.hidden = false
    page.dispatchEvent(new Event('visibilitychange'))
    expect(calls).toHaveLength(2)
  })

  it('keeps what is known when it can’t be had, and says why', async () => {
    answer = () => Promise.resolve(Response.json({ exports: [job('running')] }))
    const { jobs, failure } = await opened()
    answer = () => Promise.reject(new TypeError('no network'))
    await vi.advanceTimersByTimeAsync(BUSY_MS)
    expect(jobs.value).toHaveLength(1)
    expect(failure.value).not.toBeNull()
  })

  it('is another one for another box, and stops with its page', async () => {
    const box = ref('box-01')
    const { jobs } = await opened(box)
    box.value = 'box-02'
    await vi.advanceTimersByTimeAsync(0)
    expect(jobs.value).toEqual([])
    expect(calls.at(-1)).toContain('/boxes/box-02/')
    scope.stop()
    const before = calls.length
    await vi.advanceTimersByTimeAsync(CALM_MS * 2)
    expect(calls).toHaveLength(before)
  })
})
