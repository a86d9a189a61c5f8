import { onBeforeUnmount, ref, shallowRef } from 'vue'

import * as centre from '@/api/commands'
import type { Command, NewCommand } from '@/api/commands'

import { isOpen } from './commands'
import { useAsked } from './useAsked'

/** While something of a box is open its commands are looked at in this rhythm, else seldom. */
const SOON_MS = 2_000
const SELDOM_MS = 15_000

/** A box's commands, kept current, and a way to give one. */
export function useCommands(boxId: string) {
  const { problem, busy, ask } = useAsked()
  const items = shallowRef<Command[]>([])
  const next = ref<string | null>(null)
  const loaded = ref(false)
  let timer: number | null = null
  let gone = false

  function again(): void {
    if (timer !== null) window.clearTimeout(timer)
    if (!gone) timer = window.setTimeout(() => void refresh(), items.value.some(isOpen) ? SOON_MS : SELDOM_MS)
  }

  /** Fetch the newest; older ones that were asked for stay, as they are over. */
  async function load(): Promise<void> {
    await ask(
      () => centre.commands(boxId, null),
      (page) => {
        const oldest = page.items.at(-1)?.id ?? ''
        const older = items.value.filter((each) => each.id < oldest)
        if (older.length === 0) next.value = page.next
        items.value = [...page.items, ...older]
        loaded.value = true
      },
    )
    again()
  }

  /** Look again unless somebody is waiting for an answer, which would be lost. */
  const refresh = async (): Promise<void> => (busy.value ? again() : await load())

  const more = () =>
    ask(
      () => centre.commands(boxId, next.value),
      (page) => {
        items.value = [...items.value, ...page.items]
        next.value = page.next
      },
    )

  /** Give a command; return whether the centre took it. */
  async function give(command: NewCommand): Promise<boolean> {
    let taken = false
    await ask(
      () => centre.giveCommand(boxId, command),
      (made) => {
        items.value = [made, ...items.value]
        taken = true
      },
    )
    again()
    return taken
  }

  onBeforeUnmount(() => {
    gone = true
    if (timer !== null) window.clearTimeout(timer)
  })

  return { items, next, loaded, problem, busy, load, more, give }
}
