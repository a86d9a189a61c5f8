import { describe, expect, it } from 'vitest'

import { Backoff } from '@/live/backoff'
import { CATCH_UP_RATE, decide, LiveTarget, type BufferView } from '@/live/control'
import { liveness, type PictureFacts } from '@/live/liveness'
import { parseViewerMessage } from '@/live/protocol'
import { FragmentQueue } from '@/live/queue'

const view = (more: Partial<BufferView> = {}): BufferView => ({
  start: 100,
  end: 102,
  newestStart: 100,
  currentTime: 101.9,
  ageMs: 60_000,
  ...more,
})

describe('where a live picture stands in its buffer', () => {
  it('plays on at true speed within its target', () => {
    expect(decide(view(), 0.15, 1)).toEqual({ jumpTo: null, rate: 1, trim: null })
  })

  it('runs faster above the band of its target, until the target is nearly reached', () => {
    expect(decide(view({ currentTime: 101.76 }), 0.16, 1).rate).toBe(1)
    expect(decide(view({ currentTime: 101.75 }), 0.16, 1).rate).toBe(CATCH_UP_RATE)
    expect(decide(view({ currentTime: 101.8 }), 0.16, CATCH_UP_RATE).rate).toBe(CATCH_UP_RATE)
    expect(decide(view({ currentTime: 101.83 }), 0.16, CATCH_UP_RATE).rate).toBe(1)
    expect(decide(view({ currentTime: 101.85 }), 0.07, 1).rate).toBe(CATCH_UP_RATE)
  })

  it('jumps to the live edge when more than 1.5 s behind', () => {
    expect(decide(view({ currentTime: 100.4 }), 0.15, CATCH_UP_RATE)).toEqual({ jumpTo: 101.85, rate: 1, trim: null })
    expect(decide(view({ currentTime: 100.6 }), 0.15, 1).jumpTo).toBeNull()
  })

  it('skips the group of pictures a new viewer is given', () => {
    expect(decide(view({ currentTime: 101.2, ageMs: 200 }), 0.15, 1).jumpTo).toBe(101.85)
  })

  it('comes back when it stands before or after everything buffered', () => {
    expect(decide(view({ currentTime: 0 }), 0.15, 1).jumpTo).toBe(101.85)
    expect(decide(view({ currentTime: 103 }), 0.15, 1).jumpTo).toBe(101.85)
  })

  it('never jumps before the newest stretch', () => {
    expect(decide(view({ currentTime: 0, newestStart: 101.95 }), 0.15, 1).jumpTo).toBe(101.95)
  })

  it('trims what is long past, but never what is being shown', () => {
    expect(decide(view({ start: 70, newestStart: 70 }), 0.15, 1).trim).toEqual({ from: 70, to: 94 })
    expect(decide(view({ start: 85 }), 0.15, 1).trim).toBeNull()
    expect(decide(view({ start: 70, newestStart: 70, currentTime: 70.5 }), 40, 1).trim).toBeNull()
  })
})

describe('the live target', () => {
  it('follows the frame interval within its limits', () => {
    const fast = new LiveTarget()
    for (let frame = 0; frame < 200; frame += 1) fast.appended(frame / 25, 1)
    expect(fast.seconds(0)).toBeCloseTo(0.07, 4)
    const slow = new LiveTarget()
    for (let frame = 0; frame < 200; frame += 1) slow.appended(frame / 7, 1)
    expect(slow.seconds(0)).toBeCloseTo(1 / 7 + 0.03, 4)
  })

  it('counts the frames of a joined append and ignores jumps', () => {
    const target = new LiveTarget()
    for (let step = 0; step < 200; step += 1) target.appended(step * 0.4, 10)
    target.appended(10_000, 1)
    expect(target.seconds(0)).toBeCloseTo(0.07, 4)
  })

  it('backs off at stalls, and forgets them', () => {
    const target = new LiveTarget()
    const before = target.seconds(0)
    target.stalled(0)
    target.stalled(0)
    expect(target.seconds(0)).toBeCloseTo(before + 0.08)
    expect(target.seconds(60_000)).toBeCloseTo(before + 0.04)
    for (let stall = 0; stall < 100; stall += 1) target.stalled(0)
    expect(target.seconds(0)).toBe(0.6)
  })
})

describe('the queue of fragments', () => {
  const bytes = (...values: number[]) => Uint8Array.from(values).buffer

  it('joins what waits, in order', () => {
    const queue = new FragmentQueue(100)
    expect(queue.takeAll()).toBeNull()
    queue.push(bytes(1, 2))
    queue.push(bytes(3))
    const taken = queue.takeAll()
    expect([...new Uint8Array(taken?.data ?? bytes())]).toEqual([1, 2, 3])
    expect(taken?.fragments).toBe(2)
    expect(queue.length).toBe(0)
  })

  it('hands a single fragment on as it is', () => {
    const queue = new FragmentQueue(100)
    const one = bytes(7)
    queue.push(one)
    expect(queue.takeAll()).toEqual({ data: one, fragments: 1 })
  })

  it('empties itself and says so when it overflows', () => {
    const queue = new FragmentQueue(3)
    expect(queue.push(bytes(1, 2))).toBe(true)
    expect(queue.push(bytes(3, 4))).toBe(false)
    expect(queue.length).toBe(0)
    expect(queue.dropped).toBe(2)
    expect(queue.push(bytes(5))).toBe(true)
  })
})

describe('whether a picture may be believed', () => {
  const NOW = 1_000_000
  const facts = (more: Partial<PictureFacts> = {}): PictureFacts => ({
    lastFrameAt: NOW - 100,
    openedAt: 0,
    state: 'live',
    stateSince: 500_000,
    ...more,
  })

  it('is live while frames come, whatever a late state says', () => {
    expect(liveness(facts(), NOW)).toEqual({ kind: 'live', ageMs: 100 })
    expect(liveness(facts({ state: 'lost' }), NOW)).toEqual({ kind: 'live', ageMs: 100 })
    expect(liveness(facts({ lastFrameAt: NOW + 5 }), NOW)).toEqual({ kind: 'live', ageMs: 0 })
  })

  it('is stalled as soon as frames have stopped for more than 3 s, whatever the state claims', () => {
    expect(liveness(facts({ lastFrameAt: NOW - 3_000 }), NOW).kind).toBe('live')
    expect(liveness(facts({ lastFrameAt: NOW - 3_001 }), NOW)).toEqual({ kind: 'stalled', sinceMs: NOW - 3_001 })
  })

  it('is offline since the box says so', () => {
    expect(liveness(facts({ lastFrameAt: NOW - 9_000, state: 'lost' }), NOW)).toEqual({ kind: 'offline', sinceMs: 500_000 })
    expect(liveness(facts({ lastFrameAt: null, state: 'lost', stateSince: null }), NOW)).toEqual({ kind: 'offline', sinceMs: null })
  })

  it('is opening for a while, and then stalled', () => {
    expect(liveness(facts({ lastFrameAt: null, openedAt: NOW - 6_000 }), NOW)).toEqual({ kind: 'opening' })
    expect(liveness(facts({ lastFrameAt: null, openedAt: NOW - 6_001 }), NOW)).toEqual({ kind: 'stalled', sinceMs: NOW - 6_001 })
  })
})

describe('the viewer protocol', () => {
  it('reads what the contract says', () => {
    const open = { op: 'live.open', mime: 'video/mp4; codecs="avc1.64001f"', generation: 1, width: 768, height: 576 }
    expect(parseViewerMessage(JSON.stringify(open))).toEqual(open)
    expect(parseViewerMessage('{"op":"live.state","state":"lost"}')).toEqual({ op: 'live.state', state: 'lost' })
    expect(parseViewerMessage('{"op":"end","reason":"gone"}')).toEqual({ op: 'end', reason: 'gone' })
    expect(parseViewerMessage('{"op":"end"}')).toEqual({ op: 'end', reason: '' })
  })

  it.each(['', 'x', '7', 'null', '{"op":"live.open"}', '{"op":"live.state","state":"sad"}', '{"op":"other"}'])(
    'reads over what it does not know: %s',
    (text) => {
      expect(parseViewerMessage(text)).toBeNull()
    },
  )

  it('takes numbers only where they are numbers', () => {
    expect(parseViewerMessage('{"op":"live.open","mime":"a","width":"wide"}')).toEqual({
      op: 'live.open',
      mime: 'a',
      generation: 0,
      width: 0,
      height: 0,
    })
  })
})

describe('the waits between attempts', () => {
  it('double up to a limit and begin anew after a good run', () => {
    const backoff = new Backoff(500, 3_000, () => 0.5)
    expect([backoff.next(), backoff.next(), backoff.next(), backoff.next()]).toEqual([500, 1000, 2000, 3000])
    backoff.reset()
    expect(backoff.next()).toBe(500)
  })

  it('spread by a fifth', () => {
    expect(new Backoff(500, 3_000, () => 0).next()).toBe(400)
    expect(new Backoff(500, 3_000, () => 1).next()).toBe(600)
  })
})
