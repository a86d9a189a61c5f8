import { computed, onBeforeUnmount, ref, watch } from 'vue'

import { activities } from '@/api/activities'
import type { Activity } from '@/api/activityTypes'
import { useSession } from '@/stores/session'
import { useVillage } from '@/stores/village'
import { useNow } from '@/time/now'
import { useExplain } from '@/work/explain'

import { groupOf } from './filed'

/** So often the list is fetched again: what begins and ends by time alone no feed tells. */
const REFRESH_MS = 60_000

export type Tab = 'today' | 'upcoming' | 'past'

/** The filed events of the village as lists: today's, later ones, and past ones by pages. */
export function useActivities() {
  const session = useSession()
  const village = useVillage()
  const explain = useExplain()
  const now = useNow()

  const tab = ref<Tab>('today')
  const current = ref<Activity[]>([])
  const past = ref<Activity[]>([])
  const next = ref<string | null>(null)
  const problem = ref('')
  const loading = ref(false)

  const rows = computed(() => {
    if (tab.value === 'past') return past.value
    const start = (it: Activity) => Date.parse((it.current ?? it).start)
    return current.value.filter((it) => groupOf(it, now.value, session.zone) === tab.value).sort((a, b) => start(a) - start(b))
  })

  async function load(more = false): Promise<void> {
    loading.value = true
    try {
      if (tab.value === 'past') {
        const page = await activities('past', more ? next.value : null)
        past.value = more ? [...past.value, ...page.items] : page.items
        next.value = page.next
      } else current.value = (await activities('current')).items
      problem.value = ''
    } catch (error) {
      problem.value = explain(error)
    }
    loading.value = false
  }

  watch(tab, () => void load())
  watch(() => village.activities, () => void load())
  watch(() => village.lostSince, (lost, before) => {
    if (lost === null && before !== null) void load()
  })
  const timer = window.setInterval(() => void load(), REFRESH_MS)
  onBeforeUnmount(() => window.clearInterval(timer))
  void load()

  const hasMore = computed(() => tab.value === 'past' && next.value !== null)
  return { tab, rows, problem, loading, hasMore, load }
}
