import { computed, ref, watch, type Ref } from 'vue'

import * as centre from '@/api/centre'
import type { Alert, Camera, Timeline } from '@/api/types'
import { DAY_MS, endOfDay, startOfDay } from '@/time/zone'
import { useExplain } from '@/work/explain'

import { joined, type Span, type View } from './geometry'

/** Recorded files closer together than this are one bar. */
const JOIN_MS = 1_500

const spanOf = (each: { start: string; end: string }): Span => ({ start: Date.parse(each.start), end: Date.parse(each.end) })

/** The recordings and alerts of one camera on one day. */
export function useDay(camera: Ref<Camera | null>, day: Ref<string>, zone: Ref<string>) {
  const explain = useExplain()
  const timeline = ref<Timeline | null>(null)
  const alerts = ref<Alert[]>([])
  const problem = ref('')
  const loading = ref(false)
  let asked = 0

  const bounds = computed<View>(() => ({ from: startOfDay(day.value, zone.value), to: endOfDay(day.value, zone.value) }))

  async function load(): Promise<void> {
    const it = camera.value
    if (it === null) return
    const mine = (asked += 1)
    const [from, to] = [new Date(bounds.value.from).toISOString(), new Date(bounds.value.to).toISOString()]
    loading.value = true
    problem.value = ''
    const [recordings, raised] = await Promise.allSettled([
      centre.timeline(it.box_id, it.camera_id, from, to),
      centre.alerts({ camera: it.uid, from, to, limit: 200 }),
    ])
    if (mine !== asked) return
    loading.value = false
    timeline.value = recordings.status === 'fulfilled' ? recordings.value : null
    alerts.value = raised.status === 'fulfilled' ? raised.value.items : []
    const failed = [recordings, raised].find((each) => each.status === 'rejected')
    if (failed?.status === 'rejected') problem.value = explain(failed.reason)
  }

  watch([camera, day], ([nowCamera], [oldCamera]) => {
    if (nowCamera?.uid !== oldCamera?.uid) timeline.value = null
    void load()
  })

  const recorded = computed(() => joined((timeline.value?.segments ?? []).map(spanOf), JOIN_MS))
  const growing = computed(() => (timeline.value?.growing ? spanOf(timeline.value.growing) : null))
  const gaps = computed(() =>
    (timeline.value?.gaps ?? []).map((gap) => ({
      start: Math.max(Date.parse(gap.start), bounds.value.from),
      end: Math.min(gap.end === null ? Date.now() : Date.parse(gap.end), bounds.value.to),
      reason: gap.reason,
    })),
  )

  return { bounds, recorded, growing, gaps, alerts, problem, loading, load }
}

/** The day after (1) or before (-1) `day`. */
export function otherDay(day: string, by: number): string {
  return new Date(Date.parse(`${day}T12:00:00Z`) + by * DAY_MS).toISOString().slice(0, 10)
}
