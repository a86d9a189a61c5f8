import { computed, onScopeDispose, ref, watch, type Ref } from 'vue'

import type { Camera, CameraStateName } from '@/api/types'
import { everyQuarterSecond, serverNow } from '@/time/clock'

import { liveness, STALE_AFTER_MS, type Liveness } from './liveness'

/** Follow the pictures of one camera: how fresh they are, and whether the main stream may be shown. */
export function useTile(camera: Ref<Camera>, wantsMain: Ref<boolean>) {
  const openedAt = serverNow()
  let baseAt: number | null = null
  let mainAt: number | null = null
  let behindS = 0
  const told = ref<CameraStateName | null>(null)
  const status = ref<Liveness>({ kind: 'opening' })
  const ageMs = ref<number | null>(null)
  const mainFresh = ref(false)
  const mainSeen = ref(false)
  const mainRefused = ref(false)
  const baseRefused = ref(false)
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
    baseAt = serverNow()
    if (mainFresh.value) return
    behindS = behind
    mediaTime.value = media
  }

  function mainFrame(media: number, behind: number): void {
    mainAt = serverNow()
    mainFresh.value = mainSeen.value = true
    behindS = behind
    mediaTime.value = media
  }

  function look(now: number): void {
    mainFresh.value = wantsMain.value && mainAt !== null && now - mainAt <= STALE_AFTER_MS
    const lastFrameAt = mainFresh.value ? mainAt : baseAt
    const since = camera.value.since
    status.value = liveness(
      {
        lastFrameAt,
        openedAt,
        state: told.value ?? camera.value.state,
        stateSince: since === null ? null : Date.parse(since),
      },
      now,
    )
    ageMs.value = lastFrameAt === null ? null : Math.max(0, now - lastFrameAt) + behindS * 1000
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
    baseFrame,
    mainFrame,
    told,
  }
}
