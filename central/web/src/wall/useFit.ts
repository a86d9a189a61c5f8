import { nextTick, onBeforeUnmount, onMounted, watch, type Ref } from 'vue'

/** Largest font size of at most `max` at which `fits` holds, by halving; sizes are pixels. Pure. */
export function fittingSize(max: number, min: number, fits: (size: number) => boolean): number {
  if (fits(max)) return max
  let [low, high] = [min, max]
  while (high - low > 1) {
    const middle = (low + high) / 2
    if (fits(middle)) low = middle
    else high = middle
  }
  return Math.floor(low)
}

/** Keep an element's text as large as its box allows, `maxRem` at most. */
export function useFit(element: Ref<HTMLElement | null>, text: () => string, maxRem: number, minRem: number): void {
  let observer: ResizeObserver | null = null

  function fit(): void {
    const box = element.value
    if (box === null) return
    const rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize)
    const size = fittingSize(maxRem * rem, minRem * rem, (each) => {
      box.style.fontSize = `${each}px`
      return box.scrollHeight <= box.clientHeight && box.scrollWidth <= box.clientWidth
    })
    box.style.fontSize = `${size}px`
  }

  onMounted(() => {
    fit()
    observer = new ResizeObserver(fit)
    if (element.value !== null) observer.observe(element.value)
  })
  watch(text, () => void nextTick(fit))
  onBeforeUnmount(() => observer?.disconnect())
}
