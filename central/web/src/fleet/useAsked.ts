import { onBeforeUnmount, ref } from 'vue'

import { useExplain } from '@/work/explain'

/**
 * Asks the centre for one thing at a time. What was asked for before the last `ask`, or comes when the page is gone, is
 * not taken.
 */
export function useAsked() {
  const explain = useExplain()
  const problem = ref('')
  const busy = ref(false)
  let asked = 0

  async function ask<T>(question: () => Promise<T>, take: (answer: T) => void): Promise<void> {
    const mine = (asked += 1)
    busy.value = true
    problem.value = ''
    try {
      const answer = await question()
      if (mine === asked) take(answer)
    } catch (error) {
      if (mine === asked) problem.value = explain(error)
    } finally {
      if (mine === asked) busy.value = false
    }
  }

  onBeforeUnmount(() => {
    asked += 1
  })

  return { problem, busy, ask }
}
