/** Moves the focus by arrows among the visible [data-nav] elements of the topmost [data-layer]. */

import { nearest, type Direction } from './navigation'

function topLayer(): Element | null {
  return [...document.querySelectorAll('[data-layer]')].at(-1) ?? null
}

function choices(): HTMLElement[] {
  const layer = topLayer()
  if (layer === null) return []
  return [...layer.querySelectorAll<HTMLElement>('[data-nav]')].filter(
    (element) =>
      element.closest('[data-layer]') === layer &&
      !element.matches(':disabled') &&
      element.closest('[inert]') === null &&
      element.getClientRects().length > 0,
  )
}

/** Move the focus; returns whether there was anything to move among. */
export function moveFocus(direction: Direction): boolean {
  const all = choices()
  if (all.length === 0) return false
  const at = all.findIndex((element) => element === document.activeElement)
  const next = nearest(
    all.map((element) => element.getBoundingClientRect()),
    at,
    direction,
  )
  all[next ?? Math.max(at, 0)]?.focus()
  return true
}

/** Put the focus on the choice to begin with in the topmost layer, unless it is there already. */
export function focusTop(): void {
  const all = choices()
  if (all.some((element) => element === document.activeElement)) return
  const first = all.find((element) => element.hasAttribute('data-first')) ?? all[0]
  first?.focus()
}
