import { computed, onScopeDispose, ref, watch, type Ref } from 'vue'

import * as centre from '@/api/centre'
import type { Alert, Camera, Timeline } from '@/api/types'
import { serverNow } from '@/time/clock'
import { DAY_MS, dayOf, endOfDay, startOfDay } from '@/time/zone'

import { joined, type Span, type View } from './geometry'

/** Recorded files closer together than this are one bar. */
const JOIN_MS = 1_500
/** A day's timeline is large and comes over the village's uplink: only today grows, and slowly. */
export const REFRESH_MS = 60_000

const spanOf = (each: { start: string; end: string }): Span => ({ start: Date.parse(each.start), end: Date.parse(each.end) })

/**
 * The recordings and alerts of one camera on one day.
 *
 * They are fetched when the camera or the day changes, and today's once a minute. What is known
 * stays when fetching it again fails; `failure` is why.
 */
export function useDay(camera: Ref<Camera | null>, day: Ref<string>, zone: Ref<string>) {
  const timeline = ref<Timeline | null>(null)
  const alerts = ref<Alert[]>([])
  const failure = ref<unknown>(null)
  const loading = ref(false)
  let asked = 0

  const bounds = computed<View>(() => ({ from: startOfDay(day.value, zone.value), to: endOfDay(day.value, zone.value) }))

  async function load(): Promise<void> {
    const it = camera.value
    if (it === null) return
    const mine = (asked += 1)
    const [from, to] = [new Date(bounds.value.from).toISOString(), new Date(bounds.value.to).toISOString()]
    loading.value = true
    failure.value = null
    const [recordings, raised] = await Promise.allSettled([
      centre.timeline(it.box_id, it.camera_id, from, to),
      centre.alerts({ camera: it.uid, from, to, limit: 200 }),
    ])
    if (mine !== asked) return
    loading.value = false
    if (recordings.status === 'fulfilled') timeline.value = recordings.value
    if (raised.status === 'fulfilled') alerts.value = raised.value.items
    const failed = [recordings, raised].find((each) => each.status === 'rejected')
    if (failed?.status === 'rejected') failure.value = failed.reason
  }

  // Not the camera itself: every snapshot of the village brings a new object.
  watch([() => camera.value?.uid, day], () => {
    timeline.value = null
    alerts.value = []
    void load()
  })
  const refreshing = setInterval(() => {
    if (day.value === dayOf(serverNow(), zone.value)) void load()
  }, REFRESH_MS)
  onScopeDispose(() => clearInterval(refreshing))

  const recorded = computed(() => joined((timeline.value?.segments ?? []).map(spanOf), JOIN_MS))
  const growing = computed(() => (timeline.value?.growing ? spanOf(timeline.value.growing) : null))
  const gaps = computed(() =>
    (timeline.value?.gaps ?? []).map((gap) => ({
      start: Math.max(Date.parse(gap.start), bounds.value.from),
      end: Math.min(gap.end === null ? serverNow() : Date.parse(gap.end), bounds.value.to),
      reason: gap.reason,
    })),
  )

  return { bounds, recorded, growing, gaps, alerts, failure, loading, load }
}

/** The day after (1) or before (-1) `day`. */
export function otherDay(day: string, by: number): string {
  return new Date(Date.parse(`${day}T12:00:00Z`) + by * DAY_MS).toISOString().slice(0, 10)
}
