import { describe, expect, it, vi } from 'vitest'

import { CentreError } from '../src/api/http'
import type { Entry, SetupCamera } from '../src/api/enrolment'
import { changeOf, fieldsOf, mayRemove, settled, wrongChange } from '../src/enrolment/changes'
import { draftFor } from '../src/enrolment/drafts'
import { poll } from '../src/enrolment/polling'
import { partsOf, saveAll, termsOf } from '../src/enrolment/saving'
import { ADDING, allowedStep, cameraOf, emptyDraft, isUrl, probeOf, REPLACING, setAddress, wrongWith } from '../src/enrolment/steps'
import type { Draft } from '../src/enrolment/steps'
import { isLarge, tableOf } from '../src/enrolment/table'
import en from '../src/i18n/enrolment.en'
import zh from '../src/i18n/enrolment.zh'

const ITEMS = ['toilets', 'privacy']
const whole = (more: Partial<Draft> = {}): Draft => ({
  ...emptyDraft(),
  address: ' 192.168.1.64 ',
  username: 'admin',
  probeId: 'p1',
  looked: true,
  name: ' 村口 ',
  grid: '532324001002001',
  placeType: 'gate',
  legalBasis: 'art7_1',
  managerUnit: '下村村委会',
  installedOn: '2026-11-27',
  reason: '新装',
  confirmed: ITEMS,
  ...more,
})

describe('the steps', () => {
  it('let nobody further than what is there allows', () => {
    const draft = emptyDraft()
    for (const step of ADDING) expect(allowedStep(ADDING, step, draft)).toBe('find')
    draft.address = '192.168.1.64'
    expect(allowedStep(ADDING, 'done', draft)).toBe('login')
    draft.probeId = 'p1'
    expect(allowedStep(ADDING, 'law', draft)).toBe('look')
    draft.looked = true
    expect(allowedStep(ADDING, 'law', draft)).toBe('name')
    expect(allowedStep(ADDING, 'law', whole())).toBe('law')
    expect(allowedStep(ADDING, 'done', whole())).toBe('law')
    expect(allowedStep(REPLACING, 'swap', { ...draft, reason: '' })).toBe('swap')
  })

  it('go back to what was typed, and begin where nothing sensible is asked for', () => {
    expect(allowedStep(ADDING, 'login', whole())).toBe('login')
    for (const asked of [null, '', 'nonsense', 'swap']) expect(allowedStep(ADDING, asked, whole())).toBe('find')
  })

  it('end when the camera is saved, whatever is asked for', () => {
    for (const step of [...ADDING, null]) expect(allowedStep(ADDING, step, whole({ savedAs: 'cam5' }))).toBe('done')
  })

  it('forget what another address said', () => {
    const draft = whole()
    setAddress(draft, '192.168.1.64')
    expect(draft.looked).toBe(true)
    setAddress(draft, '192.168.1.65')
    expect([draft.address, draft.looked, draft.probeId]).toEqual(['192.168.1.65', false, null])
  })
})

describe('what a step needs', () => {
  it('takes hosts and video addresses, and no login in them', () => {
    const find = (address: string, subAddress = '') => wrongWith({ ...emptyDraft(), address, subAddress }, 'find')
    for (const good of ['192.168.1.64', 'cam-1.village', '10.0.0.9:8000', '[fe80::1]:80', 'rtsp://10.0.0.9:554/Streaming/Channels/101', 'rtsps://cam/a?b=c']) expect(find(good)).toBeNull()
    for (const bad of ['', 'a b', 'http://10.0.0.9', '192.168.1.64/', 'rtsp://', '摄像机']) expect(find(bad)).toBe('address')
    for (const login of ['admin:12345@10.0.0.9', 'rtsp://admin:12345@10.0.0.9/a']) expect(find(login)).toBe('login_in_address')
    expect(find('rtsp://a/main', 'rtsp://a/sub')).toBeNull()
    expect(find('rtsp://a/main', 'a/sub')).toBe('sub_address')
    expect(find('rtsp://a/main', 'rtsp://u:p@a/sub')).toBe('login_in_address')
    expect(isUrl('RTSP://a')).toBe(true)
  })

  it('asks for a name, a grid, a place, the law and a reason, one after another', () => {
    const needs = (more: Partial<Draft>) => wrongWith(whole(more), 'name')
    expect(needs({})).toBeNull()
    expect(needs({ name: ' ' })).toBe('name')
    expect(needs({ name: 'x'.repeat(25) })).toBe('name')
    expect(needs({ grid: '' })).toBe('grid')
    expect(needs({ placeType: '' })).toBe('place_type')
    expect(needs({ placeType: 'other' })).toBe('place_note')
    expect(needs({ placeType: 'other', placeNote: '祠堂' })).toBeNull()
    expect(needs({ legalBasis: '' })).toBe('legal_basis')
    expect(needs({ managerUnit: '' })).toBe('manager')
    expect(needs({ reason: '' })).toBe('reason')
  })

  it('keeps for 30 days where the law wants it, and fewer only with a reason', () => {
    const needs = (days: string, legalBasis: string, daysReason = '') => wrongWith(whole({ days, legalBasis, daysReason }), 'name')
    expect(needs('', 'art7_1')).toBeNull()
    expect(needs('30', 'art7_1')).toBeNull()
    expect(needs('29', 'art7_1', '不够')).toBe('days_law')
    expect(needs('7', 'art9')).toBe('days_reason')
    expect(needs('7', 'non_public', '库房')).toBeNull()
    for (const bad of ['0', '-1', '1.5', 'x', '3651']) expect(needs(bad, 'art9', '库房')).toBe('days')
  })

  it('is every forbidden place ticked, and never nothing at all', () => {
    expect(wrongWith(whole(), 'law', ITEMS)).toBeNull()
    expect(wrongWith(whole({ confirmed: ['toilets'] }), 'law', ITEMS)).toBe('checklist')
    expect(wrongWith(whole({ confirmed: [] }), 'law', [])).toBe('checklist')
  })

  it('has words in both languages for everything that can be wrong', () => {
    expect(Object.keys(zh.enrol.wrong).sort()).toEqual(Object.keys(en.enrol.wrong).sort())
  })
})

describe('what is sent', () => {
  it('asks a device with the login that was typed, or with the one that its camera has', () => {
    expect(probeOf(whole(), 'secret')).toEqual({ address: '192.168.1.64', username: 'admin', password: 'secret' })
    expect(probeOf(whole({ username: '' }), '')).toEqual({ address: '192.168.1.64' })
    expect(probeOf(whole({ username: '' }), '', { cameraId: 'cam1' })).toEqual({ address: '192.168.1.64', camera_id: 'cam1' })
    expect(probeOf(whole({ address: 'rtsp://a/1', subAddress: 'rtsp://a/2', username: '' }), '', { certificate: 'ab', ahead: true })).toEqual({ rtsp_url: 'rtsp://a/1', rtsp_sub_url: 'rtsp://a/2', certificate: 'ab', may_be_ahead: true })
  })

  it('says of a camera what was decided, and nothing that was not', () => {
    const plain = { probe_id: 'p1', name: '村口', grid_code: '532324001002001', place: '', legal_basis: 'art7_1', reason: '新装' }
    expect(cameraOf(whole(), 'p1')).toEqual({ ...plain, watch: ['gathering', 'fire'] })
    expect(cameraOf(whole({ watch: [] }), 'p1')).toEqual({ ...plain, watch: [] })
    expect(cameraOf(whole({ days: '90', daysReason: '旧的', like: 'cam1', recordSub: true }), 'p1')).toEqual({ ...plain, retention_days: 90, like: 'cam1', record_sub: true })
    expect(cameraOf(whole({ days: '7', daysReason: '库房', legalBasis: 'art9' }), 'p1')).toMatchObject({ retention_days: 7, retention_reason: '库房' })
    expect(termsOf(whole({ installedOn: '' }))).toEqual({ place_type: 'gate', legal_basis: 'art7_1', device_type: 'fixed', manager_unit: '下村村委会', manager_phone: '', installed_on: null, note: '' })
  })

  it('never has a password: no draft holds one', () => {
    expect(Object.keys(emptyDraft()).filter((key) => /pass|secret/i.test(key))).toEqual([])
    const draft = draftFor('box-1', null)
    draft.name = '桥头'
    expect(draftFor('box-1', null).name).toBe('桥头')
    expect(draftFor('box-1', 'cam1').name).toBe('')
    draft.savedAs = 'cam5'
    expect(draftFor('box-1', null).name).toBe('')
  })
})

describe('the papers of a camera that was saved', () => {
  const explain = (error: unknown) => String(error)

  it('are saved in order, and from where it failed on', async () => {
    const done: string[] = []
    let fails = true
    const parts = partsOf(whole(), true)
    expect(parts.map((each) => each.part)).toEqual(['point', 'checklist', 'photo', 'trial'])
    const does = {
      point: async () => void done.push('point'),
      checklist: async () => {
        if (fails) throw new Error('away')
        done.push('checklist')
      },
      photo: async () => void done.push('photo'),
      trial: async () => void done.push('trial'),
    }
    expect(await saveAll(parts, does, explain)).toBe(false)
    expect(parts.map((each) => each.state)).toEqual(['done', 'failed', 'waiting', 'waiting'])
    expect(parts[1]?.why).toBe('Error: away')
    fails = false
    expect(await saveAll(parts, does, explain)).toBe(true)
    expect(done).toEqual(['point', 'checklist', 'photo', 'trial'])
  })

  it('have no photo and no trial run that nobody wanted', () => {
    expect(partsOf(whole({ trial: false }), false).map((each) => each.part)).toEqual(['point', 'checklist'])
  })
})

const GATE: SetupCamera = { id: 'cam1', name: '村口', grid_code: '532324001002001', place: '牌坊', legal_basis: 'art7_1', retention_days: null, retention_reason: '', enabled: true, host: '10.0.0.9', has_sub: true, record_sub: false, from: 'file', rules: 1, state: 'live' }

describe('a change of a camera', () => {
  it('is what is otherwise, and nothing else', () => {
    expect(changeOf(fieldsOf(GATE), GATE)).toEqual({})
    expect(changeOf({ ...fieldsOf(GATE), name: ' 村口东 ', enabled: false, days: '90' }, GATE)).toEqual({ name: '村口东', enabled: false, retention_days: 90 })
    const long = { ...GATE, retention_days: 90 }
    expect(changeOf({ ...fieldsOf(long), days: '' }, long)).toEqual({ retention_days: null })
  })

  it('obeys the same rules as a new camera', () => {
    expect(wrongChange(fieldsOf(GATE))).toBeNull()
    expect(wrongChange({ ...fieldsOf(GATE), name: '' })).toBe('name')
    expect(wrongChange({ ...fieldsOf(GATE), days: '7' })).toBe('days_law')
  })

  it('that takes it out wants its name typed', () => {
    expect(mayRemove('村口 ', GATE)).toBe(true)
    expect(mayRemove('cam1', GATE)).toBe(false)
    expect(mayRemove('', GATE)).toBe(false)
  })
})

describe('a table of cameras', () => {
  it('is read as UTF-8, and as GBK where it is none', () => {
    expect(tableOf(new TextEncoder().encode('\ufeff名称,地址\n')).text).toBe('名称,地址\n')
    expect(tableOf(new Uint8Array([0xc3, 0xfb, 0xb3, 0xc6, 0x2c, 0x61])).text).toBe('名称,a')
  })

  it('is too long where a request can’t carry it', () => {
    expect(isLarge('名'.repeat(4_900))).toBe(false)
    expect(isLarge('名'.repeat(5_100))).toBe(true)
    expect(tableOf(new TextEncoder().encode('"'.repeat(8_000))).isLarge).toBe(true)
  })
})

describe('looking again and again', () => {
  const away = new CentreError(503, 'box_unreachable', '', '')

  async function run<T>(looks: (() => T)[], gone = () => false): Promise<{ seen: T[]; failed: unknown }> {
    vi.useFakeTimers()
    vi.stubGlobal('window', globalThis)
    const seen: T[] = []
    let failed: unknown = null
    let turn = 0
    const over = poll(async () => (looks[Math.min(turn++, looks.length - 1)] as () => T)(), (each) => seen.push(each), (each) => each === 'done', gone, 1_000).catch((error: unknown) => {
      failed = error
    })
    await vi.advanceTimersByTimeAsync(120_000)
    await over
    vi.useRealTimers()
    vi.unstubAllGlobals()
    return { seen, failed }
  }

  const fails = (error: unknown) => () => {
    throw error
  }

  it('bears with a box that is away for a moment', async () => {
    expect(await run([() => 'running', fails(away), () => 'done'])).toEqual({ seen: ['running', 'done'], failed: null })
  })

  it('gives up after a minute, and at once where it is something else', async () => {
    expect((await run([fails(away)])).failed).toBe(away)
    const gone = new CentreError(404, 'not_found', '', '')
    expect(await run([fails(gone), () => 'done'])).toEqual({ seen: [], failed: gone })
  })

  it('takes nothing for a page that is gone', async () => {
    expect(await run([() => 'done'], () => true)).toEqual({ seen: [], failed: null })
  })
})

describe('the ledger as it is shown', () => {
  it('has each deed once, and those without an outcome too', () => {
    const entry = (outcome: string, act = 'add', words = 'name 村口'): Entry => ({ at: '', act, person: null, camera_id: null, outcome, words })
    const all = [entry('asked', 'probe', 'h'), entry('done'), entry('asked'), entry('refused', 'probe', 'h'), entry('asked', 'probe', 'h'), entry('asked')]
    expect(settled(all).map((each) => `${each.act} ${each.outcome}`)).toEqual(['probe asked', 'add done', 'probe refused', 'add asked'])
  })
})
