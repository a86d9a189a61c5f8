import { computed, onScopeDispose, ref, watch, type Ref } from 'vue'

import type { Camera, CameraStateName } from '@/api/types'
import { codecName, codecOf } from '@/review/formats'
import { everyQuarterSecond } from '@/time/clock'

import { liveness, STALE_AFTER_MS, type Liveness } from './liveness'

/** Follow the pictures of one camera: how fresh they are, and whether the main stream may be shown. */
export function useTile(camera: Ref<Camera>, wantsMain: Ref<boolean>) {
  // Ages count by the monotonic clock: a frozen picture must not look live while a clock is set.
  const openedAt = performance.now()
  let baseAt: number | null = null
  let mainAt: number | null = null
  let behindS = 0
  const told = ref<CameraStateName | null>(null)
  const status = ref<Liveness>({ kind: 'opening' })
  const ageMs = ref<number | null>(null)
  const mainFresh = ref(false)
  const mainSeen = ref(false)
  const mainRefused = ref(false)
  /** The codec that this browser can't play; empty while nothing was refused. */
  const baseRefused = ref('')
  /** Media seconds of the newest painted frame: the hand on the tile moves by it. */
  const mediaTime = ref(0)

  // What the feed says later than the stream counts again.
  watch(
    () => camera.value.state,
    () => {
      told.value = null
    },
  )
  watch(wantsMain, () => {
    mainAt = null
    mainFresh.value = mainSeen.value = mainRefused.value = false
  })

  function baseFrame(media: number, behind: number): void {
    baseAt = performance.now()
    if (mainFresh.value) return
    behindS = behind
    mediaTime.value = media
  }

  function mainFrame(media: number, behind: number): void {
    mainAt = performance.now()
    mainFresh.value = mainSeen.value = true
    behindS = behind
    mediaTime.value = media
  }

  function look(now: number): void {
    const monotonic = performance.now()
    const onServer = (at: number) => now - (monotonic - at)
    mainFresh.value = wantsMain.value && mainAt !== null && monotonic - mainAt <= STALE_AFTER_MS
    const lastFrameAt = mainFresh.value ? mainAt : baseAt
    const { state, since } = camera.value
    status.value = liveness(
      {
        lastFrameAt: lastFrameAt === null ? null : onServer(lastFrameAt),
        openedAt: onServer(openedAt),
        state: told.value ?? state,
        // The stream may say first that the camera is lost: until then `since` is when it came up.
        stateSince: state === 'lost' && since !== null ? Date.parse(since) : null,
      },
      now,
    )
    ageMs.value = lastFrameAt === null ? null : monotonic - lastFrameAt + behindS * 1000
  }

  onScopeDispose(everyQuarterSecond(look))

  return {
    status,
    ageMs,
    mediaTime,
    mainFresh,
    /** Why the enlarged picture is not the main stream's, if so. */
    mainNote: computed(() => {
      if (!wantsMain.value) return null
      if (mainRefused.value) return 'wall.mainUnsupported'
      return mainSeen.value && !mainFresh.value ? 'wall.mainLost' : null
    }),
    mainRefused,
    baseRefused,
    refuseBase: (mime: string) => {
      baseRefused.value = codecName(codecOf(mime))
    },
    baseFrame,
    mainFrame,
    told,
  }
}
