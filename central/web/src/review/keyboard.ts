/** What a key means on the review page. Pure. */

export type ReviewAction =
  | { do: 'toggle' }
  | { do: 'skip'; ms: number }
  | { do: 'frame'; by: 1 | -1 }
  | { do: 'zoom'; factor: number }
  | { do: 'clip'; edge: 'start' | 'end' }
  | { do: 'faster'; by: 1 | -1 }
  | { do: 'leave' }
  | { do: 'previews' }

export const SPEEDS = [0.5, 1, 2, 4, 8, 16] as const

export function reviewAction(key: string): ReviewAction | null {
  switch (key) {
    case ' ':
      return { do: 'toggle' }
    case 'ArrowLeft':
      return { do: 'skip', ms: -5_000 }
    case 'ArrowRight':
      return { do: 'skip', ms: 5_000 }
    case 'ArrowUp':
      return { do: 'faster', by: 1 }
    case 'ArrowDown':
      return { do: 'faster', by: -1 }
    case ',':
      return { do: 'frame', by: -1 }
    case '.':
      return { do: 'frame', by: 1 }
    case '+':
    case '=':
      return { do: 'zoom', factor: 0.5 }
    case '-':
      return { do: 'zoom', factor: 2 }
    case '[':
      return { do: 'clip', edge: 'start' }
    case ']':
      return { do: 'clip', edge: 'end' }
    case 'p':
    case 'P':
      return { do: 'previews' }
    case 'Escape':
      return { do: 'leave' }
    default:
      return null
  }
}

/** Return the next speed up or down the scale; it stops at its ends. */
export function otherSpeed(speed: number, by: 1 | -1): number {
  const at = SPEEDS.findIndex((each) => each === speed)
  return SPEEDS[Math.min(Math.max(at + by, 0), SPEEDS.length - 1)] ?? 1
}
