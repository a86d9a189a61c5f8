import { computed, shallowRef, watch } from 'vue'
import type { Ref } from 'vue'

import * as centre from '@/api/commands'
import type { Command, Mask } from '@/api/commands'

import { useAsked } from './useAsked'

/** What rules of a box look past by a person's word; fetched again when a command about it was done. */
export function useMasks(boxId: string, commands: Readonly<Ref<readonly Command[]>>) {
  const { problem, ask } = useAsked()
  const masks = shallowRef<Mask[]>([])
  const done = computed(() => commands.value.filter((each) => each.kind === 'mask' && each.state === 'done').length)
  const load = () =>
    ask(
      () => centre.masks(boxId),
      (answer) => {
        masks.value = answer.items
      },
    )
  watch(done, load, { immediate: true })
  return { masks, problem }
}
