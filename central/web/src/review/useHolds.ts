import { computed, onBeforeUnmount, ref, shallowRef, watch, type Ref } from 'vue'

import * as centre from '@/api/centre'
import type { Hold, HoldEvent } from '@/api/types'
import { useExplain } from '@/work/explain'

export interface OfBox<T> {
  boxId: string
  it: T
}

/** What is kept on every box, and what became of it: one box at a time, and one that fails hides no other. */
export function useHolds(boxIds: Ref<string[]>) {
  const explain = useExplain()
  const holds = shallowRef<OfBox<Hold>[]>([])
  const events = shallowRef<OfBox<HoldEvent>[]>([])
  const next = shallowRef<ReadonlyMap<string, number | null>>(new Map())
  const problems = shallowRef<ReadonlyMap<string, string>>(new Map())
  const leftOut = ref(0)
  const loading = ref(false)
  let asked = 0

  const latest = (a: OfBox<HoldEvent>, b: OfBox<HoldEvent>) => b.it.at.localeCompare(a.it.at) || b.it.id - a.it.id

  async function each(ask: (boxId: string) => Promise<() => void>): Promise<void> {
    const mine = (asked += 1)
    loading.value = true
    problems.value = new Map()
    for (const boxId of boxIds.value) {
      try {
        const take = await ask(boxId)
        if (mine !== asked) return
        take()
      } catch (error) {
        if (mine !== asked) return
        problems.value = new Map(problems.value).set(boxId, explain(error))
      }
    }
    loading.value = false
  }

  async function load(): Promise<void> {
    let fresh = true
    await each(async (boxId) => {
      const [kept, past] = await Promise.all([centre.holds(boxId), centre.holdHistory(boxId, null)])
      return () => {
        if (fresh) [holds.value, events.value, next.value, leftOut.value] = [[], [], new Map(), 0]
        fresh = false
        holds.value = [...holds.value, ...kept.holds.map((it) => ({ boxId, it }))]
        leftOut.value += kept.left_out
        events.value = [...events.value, ...past.items.map((it) => ({ boxId, it }))].sort(latest)
        next.value = new Map(next.value).set(boxId, past.next)
      }
    })
  }

  async function older(): Promise<void> {
    await each(async (boxId) => {
      const before = next.value.get(boxId) ?? null
      if (before === null) return () => undefined
      const past = await centre.holdHistory(boxId, before)
      return () => {
        events.value = [...events.value, ...past.items.map((it) => ({ boxId, it }))].sort(latest)
        next.value = new Map(next.value).set(boxId, past.next)
      }
    })
  }

  watch(() => boxIds.value.join(), () => void load(), { immediate: true })
  onBeforeUnmount(() => {
    asked += 1
  })

  const hasOlder = computed(() => [...next.value.values()].some((before) => before !== null))
  return { holds, events, problems, leftOut, loading, hasOlder, load, older }
}
