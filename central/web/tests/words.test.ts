import { describe, expect, it } from 'vitest'

import { matches, merged, type AlertFilter } from '@/alerts/filter'
import { withQuery } from '@/api/http'
import en from '@/i18n/en'
import zh from '@/i18n/zh'
import { Mute, MUTE_MS, PATTERNS } from '@/sound/patterns'
import { announcement, chineseNumber } from '@/sound/words'
import { RecentChanges, replaced, settled } from '@/stores/merge'
import { noteOf } from '@/work/ledger'
import { actionOf, needsNote, needsPerson, stepsOf, takesPerson } from '@/work/steps'

import { anAlert } from './alerts'

function keysOf(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null) return [path]
  return Object.entries(value).flatMap(([key, inner]) => keysOf(inner, `${path}.${key}`))
}

function textsOf(value: unknown): [string, string][] {
  const walk = (inner: unknown, path: string): [string, string][] => {
    if (typeof inner === 'string') return [[path, inner]]
    return Object.entries(inner as object).flatMap(([key, each]) => walk(each, `${path}.${key}`))
  }
  return walk(value, '')
}

describe('the two languages', () => {
  it('have the same keys', () => {
    expect(keysOf(en)).toEqual(keysOf(zh))
  })

  it('say every text, with the same values in it', () => {
    const english = new Map(textsOf(en))
    const holes = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort()
    for (const [key, text] of textsOf(zh)) {
      expect(text.trim(), key).not.toBe('')
      expect(holes(english.get(key) ?? ''), key).toEqual(holes(text))
    }
  })

  it('use no sign that the message format reads as its own', () => {
    for (const [key, text] of [...textsOf(zh), ...textsOf(en)]) expect(text.replace(/\{\w+\}/g, ''), key).not.toMatch(/[@|{}]/)
  })

  it('call an alert 告警 and keep 报警 for the police', () => {
    for (const [key, text] of textsOf(zh)) if (key !== '.alert.police') expect(text, key).not.toContain('报警')
  })
})

describe('the voice', () => {
  it.each([
    [0, '零'],
    [7, '七'],
    [10, '十'],
    [15, '十五'],
    [35, '三十五'],
    [100, '一百'],
    [102, '一百零二'],
    [110, '一百一十'],
    [1002, '一千零二'],
    [1010, '一千零一十'],
    [9999, '九千九百九十九'],
    [12_345, '九千九百九十九'],
    [-3, '零'],
  ])('says %i as %s', (value, words) => {
    expect(chineseNumber(value)).toBe(words)
  })

  it('says the place first, the number in words and what to do', () => {
    expect(announcement(anAlert())).toBe('紧急告警。村口主路，疑似人员聚集，约三十五人，达到阈值三十人。请立即签收。')
    expect(announcement(anAlert({ kind: 'flame', level: 'extra_urgent' }))).toBe('特急告警。村口主路，疑似明火。请立即签收。')
    expect(announcement(anAlert({ kind: 'camera_lost', level: 'ordinary' }))).toBe('点位离线。村口主路，请检查。')
    expect(announcement(anAlert({ kind: 'storage', level: 'ordinary', mode: 'drill' }))).toBe('演练。告警。村口主路，存储异常。请查看。')
  })
})

describe('the bell', () => {
  it('has a pattern of its own for each level, and repeats only 特急', () => {
    const shapes = Object.values(PATTERNS).map((pattern) => JSON.stringify(pattern.tones))
    expect(new Set(shapes).size).toBe(3)
    expect([PATTERNS.extra_urgent.every, PATTERNS.urgent.every, PATTERNS.ordinary.every]).toEqual([2.4, null, null])
    const last = PATTERNS.extra_urgent.tones.at(-1)
    expect((last?.at ?? 0) + (last?.seconds ?? 0)).toBeLessThan(2.4)
  })

  it('is muted for ten minutes at most, and a new 特急 lifts the mute', () => {
    const mute = new Mute()
    expect(mute.isOn(1000)).toBe(false)
    mute.toggle(1000)
    expect([mute.isOn(1000), mute.isOn(1000 + MUTE_MS - 1), mute.isOn(1000 + MUTE_MS)]).toEqual([true, true, false])
    expect(mute.leftMs(1000)).toBe(MUTE_MS)
    mute.alerted('urgent')
    expect(mute.isOn(2000)).toBe(true)
    mute.alerted('extra_urgent')
    expect(mute.isOn(2000)).toBe(false)
    mute.toggle(3000)
    mute.toggle(4000)
    expect([mute.isOn(4000), mute.leftMs(4000)]).toEqual([false, 0])
  })
})

describe('a filtered list', () => {
  const all: AlertFilter = { state: '', kind: '', camera: '', from: '', to: '' }

  it('takes what fits', () => {
    const alert = anAlert({ started_at: '2026-11-22T06:05:22Z' })
    expect(matches(all, alert)).toBe(true)
    expect(matches({ ...all, state: 'NEW', kind: 'gathering', camera: 'box.cam1' }, alert)).toBe(true)
    expect(matches({ ...all, from: '2026-11-22T06:05:22Z', to: '2026-11-22T06:05:23Z' }, alert)).toBe(true)
    for (const part of [{ state: 'ACKED' }, { kind: 'smoke' }, { camera: 'x' }, { from: '2026-11-23T00:00:00Z' }, { to: '2026-11-22T06:05:22Z' }]) {
      expect(matches({ ...all, ...part }, alert)).toBe(false)
    }
  })

  it('puts a changed alert into its place, newest first, or out', () => {
    const [young, middle, old] = ['06:03', '06:02', '06:01'].map((time) => anAlert({ started_at: `2026-11-22T${time}:00Z` })) as [
      ReturnType<typeof anAlert>,
      ReturnType<typeof anAlert>,
      ReturnType<typeof anAlert>,
    ]
    expect(merged([young, old], middle, all)).toEqual([young, middle, old])
    expect(merged([young, middle], old, all)).toEqual([young, middle, old])
    const signed = { ...middle, state: 'ACKED' as const }
    expect(merged([young, middle, old], signed, all)).toEqual([young, signed, old])
    expect(merged([young, middle, old], signed, { ...all, state: 'NEW' })).toEqual([young, old])
  })
})

describe('a snapshot beside the feed', () => {
  const key = (item: { id: string }) => item.id

  it('never undoes what the feed has said since it was asked for', () => {
    const recent = new RecentChanges()
    recent.note('b', 100)
    recent.note('c', 200)
    const present = [{ id: 'a', v: 'old' }, { id: 'b', v: 'new' }, { id: 'c', v: 'new' }]
    const snapshot = [{ id: 'a', v: 'snap' }, { id: 'b', v: 'snap' }]
    expect(settled(snapshot, present, key, recent.since(150))).toEqual([
      { id: 'a', v: 'snap' },
      { id: 'b', v: 'snap' },
      { id: 'c', v: 'new' },
    ])
    expect(settled(snapshot, present, key, recent.since(100))[1]).toEqual({ id: 'b', v: 'new' })
  })

  it('forgets changes after a minute', () => {
    const recent = new RecentChanges()
    recent.note('a', 0)
    recent.note('b', 60_001)
    expect([...recent.since(0)]).toEqual(['b'])
  })

  it('replaces one thing of a list or adds it', () => {
    const list = [{ id: 'a', v: 1 }, { id: 'b', v: 1 }]
    expect(replaced(list, { id: 'a', v: 2 }, key)).toEqual([{ id: 'a', v: 2 }, { id: 'b', v: 1 }])
    expect(replaced(list, { id: 'c', v: 2 }, key)).toHaveLength(3)
  })
})

describe('the steps of an incident', () => {
  it('follow its state', () => {
    expect([stepsOf('ACCEPTED'), stepsOf('HANDLING'), stepsOf('FEEDBACK'), stepsOf('CLOSED')]).toEqual([
      ['handle', 'note'],
      ['feedback', 'reassign', 'note'],
      ['close', 'rework', 'note'],
      [],
    ])
  })

  it('ask for words and people where the centre does', () => {
    expect((['handle', 'reassign', 'feedback', 'close', 'rework', 'note'] as const).map((step) => [actionOf(step), needsNote(step), takesPerson(step), needsPerson(step)])).toEqual([
      ['handle', false, true, false],
      ['handle', false, true, true],
      ['feedback', true, false, false],
      ['close', false, false, false],
      ['rework', true, true, false],
      ['note', true, false, false],
    ])
  })
})

describe('an address with parameters', () => {
  it('leaves out what has no value', () => {
    expect(withQuery('/alerts', { state: '', kind: null, before: undefined, limit: 50, camera: 'a b' })).toBe('/alerts?limit=50&camera=a+b')
    expect(withQuery('/alerts', {})).toBe('/alerts')
  })
})

describe('a ledger', () => {
  const names: Record<string, string> = { urgent: '紧急', extra_urgent: '特急', insects: '飞虫蛛网', other: '其他' }
  const said = (action: string, note: string | null) =>
    noteOf({ at: '', action, actor: null, device: null, from_state: null, to_state: null, note }, (_group, code) => names[code] ?? code)

  it('says levels and reasons by their names', () => {
    expect(said('level', 'urgent > extra_urgent')).toBe('紧急 → 特急')
    expect(said('false', 'insects: ')).toBe('飞虫蛛网')
    expect(said('false', 'other: 镜头: 有水')).toBe('其他 · 镜头: 有水')
  })

  it('leaves what people wrote as it is', () => {
    expect([said('known', '婚宴'), said('note', 'insects: a > b'), said('raised', null)]).toEqual(['婚宴', 'insects: a > b', ''])
  })

  it('has a name for every act that the centre writes', () => {
    const written = ['activity', 'exceeded', 'over', 'raised', 'level', 'ended', 'ack', 'confirm', 'false', 'known', 'open', 'link', 'handle', 'feedback', 'close', 'rework', 'note']
    expect(Object.keys(zh.action).sort()).toEqual(written.sort())
    expect(Object.keys(zh.activityAction).sort()).toEqual(['approve', 'cancel', 'change', 'file'])
  })
})
