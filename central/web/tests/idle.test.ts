import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { effectScope, nextTick, ref, type EffectScope } from 'vue'

import { useIdle } from '@/time/useIdle'

let scope: EffectScope
const touched = new EventTarget()
beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal('window', touched)
  scope = effectScope()
})
afterEach(() => {
  scope.stop()
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

it('who touches nothing for the time has left, and only once', () => {
  const left = vi.fn()
  scope.run(() => useIdle(60_000, ref(true), left))
  vi.advanceTimersByTime(59_999)
  for (const sign of ['keydown', 'pointerdown']) touched.dispatchEvent(new Event(sign))
  vi.advanceTimersByTime(59_999)
  expect(left).not.toHaveBeenCalled()
  vi.advanceTimersByTime(60_001)
  expect(left).toHaveBeenCalledOnce()
})

it('nobody is watched before, after, or when the page has gone', async () => {
  const left = vi.fn()
  const watching = ref(false)
  scope.run(() => useIdle(60_000, watching, left))
  vi.advanceTimersByTime(60_000)
  watching.value = true
  await nextTick()
  watching.value = false
  await nextTick()
  touched.dispatchEvent(new Event('keydown'))
  vi.advanceTimersByTime(60_000)
  watching.value = true
  await nextTick()
  scope.stop()
  vi.advanceTimersByTime(60_000)
  expect(left).not.toHaveBeenCalled()
})
