/** What a key means on the wall. One table for keyboards and infra-red remotes; digits go by mode. */

export type WallMode = 'grid' | 'camera' | 'popup-new' | 'popup-acked' | 'list' | 'confirm' | 'note' | 'pin'

export type WallAction =
  | { do: 'camera'; index: number }
  | { do: 'back' }
  | { do: 'sign' }
  | { do: 'real' }
  | { do: 'false' }
  | { do: 'known' }
  | { do: 'pick'; index: number }
  | { do: 'digit'; digit: string }
  | { do: 'erase' }
  | { do: 'fullscreen' }
  | { do: 'mute' }
  | { do: 'privacy' }
  | { do: 'page' }
  | { do: 'review' }

const LETTERS: Record<string, WallAction> = {
  f: { do: 'fullscreen' },
  m: { do: 'mute' },
  l: { do: 'privacy' },
  p: { do: 'page' },
  b: { do: 'review' },
}

const BACK = ['Escape', 'BrowserBack', 'GoBack']

/** Return what `key` (KeyboardEvent.key) means in `mode`, or null: the browser's own business. */
export function wallAction(mode: WallMode, key: string): WallAction | null {
  if (BACK.includes(key)) return { do: 'back' }
  // Text is being typed: everything else belongs to it.
  if (mode === 'note') return null
  if (key === 'Backspace') return mode === 'pin' ? { do: 'erase' } : { do: 'back' }
  if (/^[0-9]$/.test(key)) return digitAction(mode, Number(key))
  if (mode === 'pin') return null
  if (key === ' ') return mode === 'list' || mode === 'confirm' ? null : { do: 'sign' }
  return LETTERS[key.toLowerCase()] ?? null
}

function digitAction(mode: WallMode, digit: number): WallAction | null {
  switch (mode) {
    case 'grid':
    case 'camera':
      return digit === 0 ? { do: 'back' } : { do: 'camera', index: digit - 1 }
    case 'popup-acked':
      return ackedAction(digit)
    case 'popup-new':
      return digit === 0 ? { do: 'back' } : null
    case 'list':
      // 1–9, then 0 is the tenth; what is beyond is reached by arrows.
      return { do: 'pick', index: digit === 0 ? 9 : digit - 1 }
    case 'pin':
      return { do: 'digit', digit: String(digit) }
    default:
      return null
  }
}

function ackedAction(digit: number): WallAction | null {
  switch (digit) {
    case 0:
      return { do: 'back' }
    case 1:
      return { do: 'real' }
    case 2:
      return { do: 'false' }
    case 3:
      return { do: 'known' }
    default:
      return null
  }
}
