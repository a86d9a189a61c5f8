import { onScopeDispose, readonly, ref, type Ref } from 'vue'

import { everyQuarterSecond, serverNow } from './clock'

/** Return the server's time in epoch milliseconds, to the second, as long as the component lives. */
export function useNow(): Readonly<Ref<number>> {
  const now = ref(Math.floor(serverNow() / 1000) * 1000)
  const stop = everyQuarterSecond((time) => {
    now.value = Math.floor(time / 1000) * 1000
  })
  onScopeDispose(stop)
  return readonly(now)
}
