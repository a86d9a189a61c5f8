import { defineStore } from 'pinia'
import { computed, markRaw, watch } from 'vue'

import type { Alert } from '@/api/types'
import { Bell } from '@/sound/bell'
import { useNow } from '@/time/now'
import { byPressing, calls } from '@/wall/queue'

import { useSession } from './session'
import { useVillage } from './village'

/** What calls people now, and the bell that says so: one for the whole page, on the wall and off it. */
export const useCalls = defineStore('calls', () => {
  const session = useSession()
  const village = useVillage()
  const bell = markRaw(new Bell())
  const rung = new Set<string>()

  /** Unsigned alerts that may call; none for who is not signed in. */
  const calling = computed<Alert[]>(() =>
    session.current === null ? [] : village.alertList.filter((alert) => alert.state === 'NEW' && calls(alert)),
  )

  /** The one to go to first: a fire is not to be hidden by a lens that its smoke covers later. */
  const foremost = computed<Alert | null>(() => [...calling.value].sort(byPressing)[0] ?? null)

  /** Ring once for each alert that calls, and once more where its level has changed. */
  function listen(alert: Alert): void {
    if (alert.state !== 'NEW' || !calls(alert)) return
    const key = `${alert.id}:${alert.level}`
    if (rung.has(key)) return
    rung.add(key)
    bell.call(alert)
  }
  village.onAlert(listen)

  /** On and on while a 特急 is unsigned. */
  const pressing = computed(() => calling.value.some((alert) => alert.level === 'extra_urgent'))
  watch(pressing, (on) => bell.repeat(on ? 'extra_urgent' : null), { immediate: true })

  /** Forget what is over: a page stays open for weeks. */
  watch(calling, (alerts) => {
    const open = new Set(alerts.map((alert) => alert.id))
    for (const key of rung) if (!open.has(key.split(':')[0] ?? key)) rung.delete(key)
  })
  watch(useNow(), () => bell.tick())

  return { bell, calling, foremost }
})
