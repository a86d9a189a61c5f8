import { onMounted, reactive, ref, shallowRef } from 'vue'

import * as centre from '@/api/fleet'
import type { QuarantineEntry, Quarantined } from '@/api/fleet'
import { useAsked } from './useAsked'

/** What replaying came to: how many are events now, and why the others are not. */
export interface Outcome {
  taken: number
  kept: number
  reasons: string[]
}

const NAMED_REASONS = 3

/** What is in quarantine, page by page, and what a person does with it. */
export function useQuarantine() {
  const { problem, busy, ask } = useAsked()
  const filter = reactive({ box_id: '', reason: '' })
  const items = shallowRef<Quarantined[]>([])
  const entries = shallowRef<QuarantineEntry[]>([])
  const total = ref(0)
  const next = ref<string | null>(null)
  const outcome = ref<Outcome | null>(null)

  const fetchAll = () => Promise.all([centre.quarantine(filter, null), centre.quarantineLedger()])

  function show([page, ledger]: Awaited<ReturnType<typeof fetchAll>>): void {
    items.value = page.items
    next.value = page.next
    total.value = page.total
    entries.value = ledger
  }

  function load(): Promise<void> {
    outcome.value = null
    return ask(fetchAll, show)
  }

  const more = () =>
    ask(
      () => centre.quarantine(filter, next.value),
      (page) => {
        items.value = [...items.value, ...page.items]
        next.value = page.next
      },
    )

  /** Take messages once more, some at a time, and show what is left. */
  function replayed(first: () => Promise<centre.Replayed>): Promise<void> {
    return ask(
      async () => {
        const found: Outcome = { taken: 0, kept: 0, reasons: [] }
        let after: string | null = null
        do {
          const done: centre.Replayed = after === null ? await first() : await centre.replaySome(filter, after)
          found.taken += done.taken
          found.kept += done.kept.length
          for (const { reason } of done.kept) if (!found.reasons.includes(reason) && found.reasons.length < NAMED_REASONS) found.reasons.push(reason)
          after = done.next
        } while (after !== null)
        return { found, all: await fetchAll() }
      },
      ({ found, all }) => {
        outcome.value = found
        show(all)
      },
    )
  }

  const replay = (digest: string) => replayed(() => centre.replayOne(digest))
  const replayAll = () => replayed(() => centre.replaySome(filter, ''))

  const discard = (digest: string, reason: string) =>
    ask(
      async () => {
        await centre.discard(digest, reason)
        return fetchAll()
      },
      (all) => {
        outcome.value = null
        show(all)
      },
    )

  onMounted(load)

  return { filter, items, entries, total, next, outcome, problem, busy, load, more, replay, replayAll, discard }
}
