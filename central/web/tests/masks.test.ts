import { describe, expect, it } from 'vitest'

import type { Point } from '../src/api/commands'
import { areasOf, drawnOf, textOf, withPoint } from '../src/fleet/masks'

const AREAS: Point[][] = [
  [
    [0, 0],
    [0.25, 0],
    [1, 1],
  ],
  [
    [0.5, 0.5],
    [0.6, 0.5],
    [0.6, 0.6],
    [0.5, 0.6],
  ],
]

describe('areas as text', () => {
  it('are the same when they are read again', () => {
    expect(areasOf(textOf(AREAS))).toEqual(AREAS)
    expect(areasOf(`\n ${textOf(AREAS)} \n\n`)).toEqual(AREAS)
    expect(areasOf('')).toEqual([])
  })

  it.each(['0,0 1,1', '0,0 1,0 1,1.1', '0,0 1,0 x', '0,0 1,0 1,-1', '0;0 1;0 1;1', Array(11).fill('0,0').join(' '), Array(9).fill('0,0 1,0 1,1').join('\n')])('are not taken where a box would not: %s', (text) => {
    expect(areasOf(text)).toBeNull()
  })

  it('grow by the points that are clicked, which never lie outside of the picture', () => {
    let text = ''
    for (const [x, y] of [[0.12345, 0], [1.2, 0.5], [0.5, -0.1]] as const) text = withPoint(text, x, y)
    expect(text).toBe('0.123,0 1,0.5 0.5,0')
    expect(withPoint(`${text}\n`, 0.5, 0.5)).toBe(`${text}\n0.5,0.5`)
  })

  it('are drawn as far as they are written', () => {
    expect(drawnOf('0,0 1,0 1,\n\nx\n0.5,0.5')).toEqual([
      [
        [0, 0],
        [1, 0],
      ],
      [[0.5, 0.5]],
    ])
  })
})
