/** Areas of a picture as text: a line an area, a point "x,y" with 0 to 1 across and down. */

import type { Point } from '@/api/commands'

const MOST_AREAS = 8
const LEAST_POINTS = 3
const MOST_POINTS = 10
const POINT = /^(\d(?:\.\d+)?),(\d(?:\.\d+)?)$/

const lines = (text: string): string[] => text.split('\n').map((line) => line.trim()).filter((line) => line !== '')

function pointsOf(line: string): Point[] {
  return line.split(/\s+/).flatMap((word): Point[] => {
    const [, x, y] = POINT.exec(word) ?? []
    const point: Point = [Number(x), Number(y)]
    return point.every((part) => part >= 0 && part <= 1) ? [point] : []
  })
}

/** Return the areas that a text says, or null where a box would not take them. */
export function areasOf(text: string): Point[][] | null {
  const areas = lines(text).map((line) => ({ points: pointsOf(line), words: line.split(/\s+/).length }))
  const sound = areas.every(({ points, words }) => points.length === words && words >= LEAST_POINTS && words <= MOST_POINTS)
  return sound && areas.length <= MOST_AREAS ? areas.map(({ points }) => points) : null
}

/** Return what can be drawn of a text so far. */
export const drawnOf = (text: string): Point[][] => lines(text).map(pointsOf).filter((points) => points.length > 0)

/** Return the text with one more point in its last line. */
export function withPoint(text: string, x: number, y: number): string {
  const part = (value: number) => String(Math.round(Math.min(Math.max(value, 0), 1) * 1000) / 1000)
  return `${text}${text === '' || text.endsWith('\n') ? '' : ' '}${part(x)},${part(y)}`
}

export const textOf = (areas: readonly (readonly Point[])[]): string => areas.map((points) => points.map((point) => point.join(',')).join(' ')).join('\n')
