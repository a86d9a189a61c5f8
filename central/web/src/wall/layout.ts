/** How many tiles the wall shows, and what each page of them holds. */

export const LAYOUTS = [1, 4, 9, 16] as const
export type TileCount = (typeof LAYOUTS)[number]

/** Return the smallest layout that holds `cameras` cameras, or the greatest there is. */
export function tilesFor(cameras: number): TileCount {
  return LAYOUTS.find((tiles) => cameras <= tiles) ?? 16
}

/** Return how many pages `count` things make at `tiles` a page; an empty wall has one. */
export function pageCount(count: number, tiles: number): number {
  return Math.max(1, Math.ceil(count / tiles))
}

/** Return the things on `page`; a page beyond the last wraps round. */
export function pageOf<T>(items: readonly T[], page: number, tiles: number): T[] {
  const at = (page % pageCount(items.length, tiles)) * tiles
  return items.slice(at, at + tiles)
}

/** 第一网格（上寨）: what stands in brackets is for lists, not for four metres away. */
export const shortGrid = (name: string): string => name.replace(/\s*[(\uFF08].*$/, '')

const SHIFTS = [
  [0, 0],
  [2, 1],
  [4, 0],
  [2, -1],
  [0, -2],
  [-2, -1],
  [-4, 0],
  [-2, 1],
] as const

/** Return by how many pixels the whole wall stands aside in this minute, against burn-in. */
export function burnShift(epochMinute: number): readonly [number, number] {
  const index = ((epochMinute % SHIFTS.length) + SHIFTS.length) % SHIFTS.length
  return SHIFTS[index] ?? SHIFTS[0]
}
