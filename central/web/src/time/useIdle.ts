import { onScopeDispose, watch, type Ref } from 'vue'

const SIGNS_OF_LIFE = ['keydown', 'pointerdown', 'pointermove', 'wheel'] as const
const OPTIONS = { capture: true, passive: true }

/** Call `left` once nobody has touched key or pointer for `ms` while `watching` holds. */
export function useIdle(ms: number, watching: Ref<boolean>, left: () => void): void {
  let timer: ReturnType<typeof setTimeout> | undefined

  const wait = (): void => {
    clearTimeout(timer)
    timer = setTimeout(left, ms)
  }
  const stop = (): void => {
    clearTimeout(timer)
    for (const sign of SIGNS_OF_LIFE) window.removeEventListener(sign, wait, OPTIONS)
  }

  watch(
    watching,
    (on) => {
      stop()
      if (!on) return
      for (const sign of SIGNS_OF_LIFE) window.addEventListener(sign, wait, OPTIONS)
      wait()
    },
    { immediate: true },
  )
  onScopeDispose(stop)
}
