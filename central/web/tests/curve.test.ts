import { describe, expect, it } from 'vitest'

import { draw, HEIGHT, polyline, WIDTH } from '@/work/curve'

const curve = { step_s: 1, points: [[0, 16], [10, 40], [20, 12]] as [number, number][] }

describe('the drawing of a curve', () => {
  it('reaches from the start to the end and from nobody to the most', () => {
    const drawing = draw(curve, 20, 40)
    expect(drawing?.lines.map(polyline)).toEqual([`0.0,72.0 150.0,0.0 300.0,84.0`])
    expect(drawing?.peak).toMatchObject({ x: WIDTH / 4, y: 0, people: 40, second: 10 })
    expect(drawing?.thresholdY).toBe(HEIGHT / 2)
  })

  it('has room for a threshold that nobody reached', () => {
    expect(draw({ step_s: 1, points: [[0, 5]] }, 10, 0)).toMatchObject({ people: 10, thresholdY: 0 })
  })

  it('is broken where nothing was seen for half a minute, and not between the steps of a long alert', () => {
    const holed = draw({ step_s: 1, points: [[0, 5], [30, 6], [61, 7]] }, 5, 61)
    expect(holed?.lines.map((line) => line.length)).toEqual([2, 1])
    const long = draw({ step_s: 64, points: [[0, 5], [64, 6], [128, 7]] }, 5, 128)
    expect(long?.lines.length).toBe(1)
  })

  it('marks the first of equal peaks', () => {
    expect(draw({ step_s: 1, points: [[0, 5], [3, 9], [6, 9]] }, 0, 6)?.peak.second).toBe(3)
  })

  it('of nothing is nothing', () => {
    expect(draw({ step_s: 1, points: [] }, 15, 60)).toBeNull()
  })
})
