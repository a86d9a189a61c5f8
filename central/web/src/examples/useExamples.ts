import { onBeforeUnmount, onMounted, ref, shallowRef } from 'vue'

import * as centre from '@/api/examples'
import { CentreError } from '@/api/http'
import type { Example, ExampleSummary } from '@/api/examples'
import { useExplain } from '@/work/explain'

const NOT_FOUND = 404

/** What is kept: the figures, and the pictures page by page. What was asked for before the last `load` is not shown. */
export function useExamples() {
  const explain = useExplain()
  const summary = shallowRef<ExampleSummary | null>(null)
  const items = shallowRef<Example[]>([])
  const next = ref<number | null>(null)
  const problem = ref('')
  const loading = ref(false)
  let asked = 0

  async function ask(act: () => Promise<() => void>): Promise<void> {
    const mine = (asked += 1)
    loading.value = true
    problem.value = ''
    try {
      const take = await act()
      if (mine === asked) take()
    } catch (error) {
      if (mine === asked) problem.value = explain(error)
    } finally {
      if (mine === asked) loading.value = false
    }
  }

  async function fetchAll(): Promise<() => void> {
    const [figures, page] = await Promise.all([centre.exampleSummary(), centre.examples(null)])
    return () => {
      summary.value = figures
      items.value = page.items
      next.value = page.next
    }
  }

  const load = () => ask(fetchAll)

  const more = () =>
    ask(async () => {
      const page = await centre.examples(next.value)
      return () => {
        items.value = [...items.value, ...page.items]
        next.value = page.next
      }
    })

  const remove = (exampleId: number) =>
    ask(async () => {
      await centre.deleteExample(exampleId).catch((error: unknown) => {
        // Somebody else was quicker, or its time was over: it is gone, as was wanted.
        if (!(error instanceof CentreError && error.status === NOT_FOUND)) throw error
      })
      const figures = await centre.exampleSummary()
      return () => {
        summary.value = figures
        items.value = items.value.filter((each) => each.id !== exampleId)
      }
    })

  const removeAll = () =>
    ask(async () => {
      await centre.deleteExamples()
      return fetchAll()
    })

  onMounted(load)
  onBeforeUnmount(() => {
    asked += 1
  })

  return { summary, items, next, problem, loading, load, more, remove, removeAll }
}
