/** The line of people over time of an alert, as a picture's points: pure. */

import type { AlertCurve } from '@/api/crowds'

/** The drawing's own units, without the words around it. */
export const WIDTH = 600
export const HEIGHT = 120
/** Looks further apart than this say nothing of what was there in between. */
const BLIND_S = 30

export interface Spot {
  x: number
  y: number
  second: number
  people: number
}

export interface Drawing {
  /** Lines without a hole in them, each as a polyline's `points`; one of a single look is a dot. */
  lines: Spot[][]
  peak: Spot
  last: Spot
  /** Where the threshold's line is; null where it is 0. */
  thresholdY: number | null
  /** What the axes reach to. */
  people: number
  seconds: number
}

/** Draw a curve; `lastsS` is how long the alert has lasted, if that is known. Null where there is nothing to draw. */
export function draw(curve: AlertCurve, threshold: number, lastsS: number): Drawing | null {
  const seconds = Math.max(1, lastsS, ...curve.points.map(([second]) => second))
  const people = Math.max(1, threshold, ...curve.points.map(([, count]) => count))
  const level = (count: number) => HEIGHT - (count / people) * HEIGHT
  const spots = curve.points.map(([second, count]) => ({ x: (second / seconds) * WIDTH, y: level(count), second, people: count }))
  const last = spots.at(-1)
  if (last === undefined) return null
  const lines: Spot[][] = []
  let before: Spot | null = null
  for (const spot of spots) {
    if (before === null || spot.second - before.second > Math.max(BLIND_S, 2 * curve.step_s)) lines.push([])
    lines.at(-1)?.push(spot)
    before = spot
  }
  const peak = spots.reduce((highest, spot) => (spot.people > highest.people ? spot : highest), spots[0] ?? last)
  return { lines, peak, last, thresholdY: threshold > 0 ? level(threshold) : null, people, seconds }
}

/** A line as SVG has it. */
export const polyline = (line: Spot[]): string => line.map((spot) => `${spot.x.toFixed(1)},${spot.y.toFixed(1)}`).join(' ')
