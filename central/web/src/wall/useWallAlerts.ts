import { computed, nextTick, ref, shallowRef, watch, type Ref } from 'vue'

import type { Alert } from '@/api/types'
import { useVillage } from '@/stores/village'
import { useNow } from '@/time/now'

import { calls, choosePopup, isFiled, isPending, railOrder } from './queue'

const PROBE_KEPT = 500
/** The card holds four; a mark is made for what is really on the screen. */
const RAIL_CARDS = 4

/** Note when alerts were painted: the smoke test reads from rule to pixel here. */
function markShown(ids: readonly string[]): void {
  if (ids.length === 0) return
  requestAnimationFrame(() =>
    requestAnimationFrame(() => {
      const shownAt = performance.timeOrigin + performance.now()
      const { shown } = window.__tanshao
      shown.push(...ids.map((id) => ({ id, shownAt })))
      if (shown.length > PROBE_KEPT) shown.splice(0, shown.length - PROBE_KEPT)
    }),
  )
}

/** What stands on the wall now: the pop-up and the rail. */
export function useWallAlerts(dialogOpen: Ref<boolean>) {
  const village = useVillage()
  const now = useNow()

  const firstShown = shallowRef<ReadonlyMap<string, number>>(new Map())
  const minimised = ref(new Set<string>())
  const held = ref(new Set<string>())
  const opened = ref<string | null>(null)
  const current = ref<string | null>(null)
  const marked = new Set<string>()

  const pending = computed(() => railOrder(village.alertList))
  const filed = computed(() => village.alertList.filter(isFiled))
  const choice = computed(() =>
    choosePopup(
      village.alertList,
      {
        firstShown: firstShown.value,
        minimised: minimised.value,
        held: held.value,
        opened: opened.value,
        current: current.value,
        dialogOpen: dialogOpen.value,
      },
      now.value,
    ),
  )
  const popup = computed(() => choice.value.alert)

  watch(popup, (alert) => {
    current.value = alert?.id ?? null
    if (alert !== null && !firstShown.value.has(alert.id)) {
      firstShown.value = new Map(firstShown.value).set(alert.id, now.value)
    }
  })

  watch(
    [pending, popup],
    async () => {
      const onScreen = pending.value.slice(0, RAIL_CARDS).map((alert) => alert.id)
      if (popup.value !== null) onScreen.push(popup.value.id)
      const fresh = [...new Set(onScreen)].filter((id) => !marked.has(id))
      for (const id of fresh) marked.add(id)
      await nextTick()
      markShown(fresh)
    },
    { immediate: true },
  )

  /** Forget what is known of alerts that are over: the wall runs for weeks. */
  watch(
    () => village.alertList,
    (alerts) => {
      const open = new Set(alerts.filter(isPending).map((alert) => alert.id))
      for (const set of [minimised.value, held.value, marked]) for (const id of set) if (!open.has(id)) set.delete(id)
      const shown = [...firstShown.value].filter(([id]) => open.has(id))
      if (shown.length !== firstShown.value.size) firstShown.value = new Map(shown)
      if (opened.value !== null && !open.has(opened.value)) opened.value = null
    },
  )

  function open(alert: Alert): void {
    minimised.value.delete(alert.id)
    opened.value = alert.id
    if (alert.state === 'ACKED') held.value.add(alert.id)
  }

  /** Put the pop-up away; an unsigned 特急 that calls stays. Returns whether it went. */
  function minimise(): boolean {
    const alert = popup.value
    if (alert === null) return true
    if (alert.state === 'NEW' && alert.level === 'extra_urgent' && calls(alert)) return false
    minimised.value.add(alert.id)
    if (opened.value === alert.id) opened.value = null
    return true
  }

  /** It is being signed here: signed, it stays up until it is verified. */
  function hold(id: string): void {
    held.value.add(id)
    minimised.value.delete(id)
  }

  return { pending, filed, popup, waiting: computed(() => choice.value.waiting), open, minimise, hold }
}
