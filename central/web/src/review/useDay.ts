import { computed, onScopeDispose, ref, watch, type Ref } from 'vue'

import * as centre from '@/api/centre'
import type { Alert, Camera, StreamName, Timeline } from '@/api/types'
import { serverNow } from '@/time/clock'
import { useWhenSeen } from '@/time/useWhenSeen'
import { DAY_MS, endOfDay, startOfDay } from '@/time/zone'

import { joined, type Span, type View } from './geometry'
import { tailStart, withTail } from './tail'

/** Recorded files closer together than this are one bar. */
const JOIN_MS = 1_500
/** A day's timeline is large and comes over the village's uplink: only today grows, and slowly. */
export const REFRESH_MS = 60_000
const PAGE = 200
const MAX_PAGES = 25

const spanOf = (each: { start: string; end: string }): Span => ({ start: Date.parse(each.start), end: Date.parse(each.end) })

/**
 * The recordings of one stream of a camera, and the camera's alerts, on one day.
 *
 * They are fetched when the camera, the stream or the day changes; what is new today once a minute
 * while the page is seen, until it was asked for after the day's end. What is known stays when that fails;
 * `failure` is why.
 */
export function useDay(camera: Ref<Camera | null>, day: Ref<string>, zone: Ref<string>, stream: Ref<StreamName> = ref('main')) {
  const timeline = ref<Timeline | null>(null)
  const alerts = ref<Alert[]>([])
  const failure = ref<unknown>(null)
  const loading = ref(false)
  let asked = 0
  /** When what is known was asked for. */
  let knownAt = -Infinity

  const bounds = computed<View>(() => ({ from: startOfDay(day.value, zone.value), to: endOfDay(day.value, zone.value) }))

  /** Fetch the whole day. */
  const load = (): Promise<void> => ask(null)

  /** Fetch what is new of the day. */
  const refresh = (): Promise<void> => ask(timeline.value)

  async function ask(known: Timeline | null): Promise<void> {
    const it = camera.value
    if (it === null) return
    const mine = (asked += 1)
    const [from, to] = [new Date(bounds.value.from).toISOString(), new Date(bounds.value.to).toISOString()]
    const since = new Date(Math.max(bounds.value.from, tailStart(known) ?? bounds.value.from)).toISOString()
    const askedAt = serverNow()
    loading.value = true
    failure.value = null
    const [recordings, raised] = await Promise.allSettled([
      centre.timeline(it.box_id, it.camera_id, since, to, stream.value),
      everyAlert({ camera: it.uid, from, to }),
    ])
    if (mine !== asked) return
    loading.value = false
    if (recordings.status === 'fulfilled') {
      timeline.value = known === null ? recordings.value : withTail(known, recordings.value)
      knownAt = askedAt
    }
    if (raised.status === 'fulfilled') alerts.value = raised.value
    const failed = [recordings, raised].find((each) => each.status === 'rejected')
    if (failed?.status === 'rejected') failure.value = failed.reason
  }

  // Not the camera itself: every snapshot of the village brings a new object.
  watch([() => camera.value?.uid, day, stream], () => {
    timeline.value = null
    alerts.value = []
    knownAt = -Infinity
    void load()
  })
  // The day's last file is listed a little after its end.
  const refreshWhenSeen = useWhenSeen(() => {
    if (knownAt < bounds.value.to + REFRESH_MS) void refresh()
  })
  const refreshing = setInterval(refreshWhenSeen, REFRESH_MS)
  onScopeDispose(() => clearInterval(refreshing))

  /** Every recorded file; `recorded` is what a bar shows of them. */
  const files = computed(() => (timeline.value?.segments ?? []).map(spanOf))
  const recorded = computed(() => joined(files.value, JOIN_MS))
  const formats = computed(() => timeline.value?.formats ?? [])
  const streams = computed<StreamName[]>(() => timeline.value?.streams ?? [])
  const growing = computed(() => (timeline.value?.growing ? spanOf(timeline.value.growing) : null))
  const gaps = computed(() =>
    (timeline.value?.gaps ?? []).map((gap) => ({
      start: Math.max(Date.parse(gap.start), bounds.value.from),
      end: Math.min(gap.end === null ? serverNow() : Date.parse(gap.end), bounds.value.to),
      reason: gap.reason,
    })),
  )

  return { bounds, files, recorded, formats, streams, growing, gaps, alerts, failure, loading, load, refresh }
}

/** Return the alerts of a camera's day, newest first, page by page: a rule on trial may raise many. */
async function everyAlert(query: { camera: string; from: string; to: string }): Promise<Alert[]> {
  const found: Alert[] = []
  let before: string | null = null
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const answer = await centre.alerts({ ...query, limit: PAGE, before })
    found.push(...answer.items)
    before = answer.next
    if (before === null) break
  }
  return found
}

/** The day after (1) or before (-1) `day`. */
export function otherDay(day: string, by: number): string {
  return new Date(Date.parse(`${day}T12:00:00Z`) + by * DAY_MS).toISOString().slice(0, 10)
}
