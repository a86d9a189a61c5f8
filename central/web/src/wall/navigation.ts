/** Arrow keys of a remote control: which of several boxes on the screen lies next that way. */

export interface Box {
  left: number
  top: number
  width: number
  height: number
}

export type Direction = 'left' | 'right' | 'up' | 'down'

export function directionOf(key: string): Direction | null {
  switch (key) {
    case 'ArrowLeft':
      return 'left'
    case 'ArrowRight':
      return 'right'
    case 'ArrowUp':
      return 'up'
    case 'ArrowDown':
      return 'down'
    default:
      return null
  }
}

/**
 * Return the index of the nearest box from `from` in `direction`, or null where none lies there.
 * A box counts by its centre; sideways distance weighs more, so that rows and columns hold.
 */
export function nearest(boxes: readonly Box[], from: number, direction: Direction): number | null {
  const origin = boxes[from]
  if (origin === undefined) return boxes.length > 0 ? 0 : null
  const [x, y] = centre(origin)
  let best: number | null = null
  let bestCost = Infinity
  boxes.forEach((box, index) => {
    if (index === from) return
    const [bx, by] = centre(box)
    const horizontal = direction === 'left' || direction === 'right'
    const sign = direction === 'left' || direction === 'up' ? -1 : 1
    const along = sign * (horizontal ? bx - x : by - y)
    const aside = Math.abs(horizontal ? by - y : bx - x)
    if (along <= 1) return
    const cost = along + aside * 3
    if (cost < bestCost) {
      bestCost = cost
      best = index
    }
  })
  return best
}

function centre(box: Box): [number, number] {
  return [box.left + box.width / 2, box.top + box.height / 2]
}
