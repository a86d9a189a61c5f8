import { computed, onBeforeUnmount, ref, shallowRef } from 'vue'

import * as centre from '@/api/enrolment'
import type { Book } from '@/api/enrolment'
import { useExplain } from '@/work/explain'

/** While the box takes a change it is looked at in this rhythm, else seldom. */
const SOON_MS = 1_000
const SELDOM_MS = 15_000

/** The cameras of a box as they are to be, kept current; the last ones stay while the box is away. */
export function useBook(boxId: string) {
  const explain = useExplain()
  const book = shallowRef<Book | null>(null)
  const problem = ref('')
  let timer: number | null = null
  let gone = false
  let asked = 0

  const taken = computed(() => book.value !== null && book.value.running >= book.value.version)

  function again(): void {
    if (timer !== null) window.clearTimeout(timer)
    if (!gone) timer = window.setTimeout(() => void load(), taken.value ? SELDOM_MS : SOON_MS)
  }

  async function load(): Promise<void> {
    const mine = (asked += 1)
    try {
      const found = await centre.book(boxId)
      if (mine !== asked || gone) return
      book.value = found
      problem.value = ''
    } catch (error) {
      if (mine !== asked || gone) return
      problem.value = explain(error)
    }
    again()
  }

  onBeforeUnmount(() => {
    gone = true
    if (timer !== null) window.clearTimeout(timer)
  })

  return { book, problem, taken, load }
}
