import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'

import type { Person, Session } from '@/api/types'
import { useSession } from '@/stores/session'

const OPERATOR: Person = { id: 'p2', name: '李秀英', post: '', phone: '', has_pin: true }
const reload = vi.fn()

function sessionOf(operator: Person | null, version = '1'): Session {
  return {
    user: { username: 'wall', name: '电视', role: 'wall' },
    person: operator,
    operator,
    village: { name: '青石村', region_code: '532301100201', time_zone: 'Asia/Shanghai' },
    server_time: '2026-11-22T06:00:00Z',
    version,
  }
}

/** Calls that wait until the test answers them. */
const waiting: { path: string; answer: (status: number, body?: unknown) => void }[] = []

beforeEach(() => {
  setActivePinia(createPinia())
  waiting.length = 0
  reload.mockReset()
  vi.stubGlobal('window', { location: { reload } })
  vi.stubGlobal('fetch', (path: string, init: RequestInit) =>
    new Promise<Response>((resolve) => {
      waiting.push({
        path: `${init.method} ${path}`,
        answer: (status, body) => resolve(new Response(body === undefined ? null : JSON.stringify(body), { status })),
      })
    }),
  )
})
afterEach(() => {
  vi.unstubAllGlobals()
})

it('an answer asked for before a sign-in does not undo it', async () => {
  const session = useSession()
  const asked = session.refresh()
  const signing = session.signInOperator('2468')
  expect(waiting.map((each) => each.path)).toEqual(['GET /api/v1/session', 'POST /api/v1/session/operator'])
  waiting[1]?.answer(200, sessionOf(OPERATOR))
  await signing
  waiting[0]?.answer(200, sessionOf(null))
  await asked
  expect(session.operator).toEqual(OPERATOR)
  expect(session.needsPin).toBe(false)
})

it('a session that has ended is known to have ended', async () => {
  const session = useSession()
  const first = session.refresh()
  waiting[0]?.answer(200, sessionOf(null))
  await first
  expect(session.needsPin).toBe(true)
  const second = session.refresh()
  waiting[1]?.answer(401, { error: 'unauthorized', message: 'sign in' })
  expect(await second).toBeNull()
  expect(session.current).toBeNull()
})

it('a centre that is away ends no session', async () => {
  const session = useSession()
  const first = session.refresh()
  waiting[0]?.answer(200, sessionOf(OPERATOR))
  await first
  const second = session.refresh()
  waiting[1]?.answer(503, {})
  await expect(second).rejects.toMatchObject({ status: 503 })
  expect(session.operator).toEqual(OPERATOR)
})

it('a new build of the server loads the page again, the first one does not', async () => {
  const session = useSession()
  for (const [index, version] of ['1', '1', '2'].entries()) {
    expect(reload).not.toHaveBeenCalled()
    const asked = session.refresh()
    waiting[index]?.answer(200, sessionOf(null, version))
    await asked
  }
  expect(reload).toHaveBeenCalledOnce()
})

it('a sign-out that the centre never heard of has not happened', async () => {
  const session = useSession()
  const first = session.refresh()
  waiting[0]?.answer(200, sessionOf(OPERATOR))
  await first
  const failing = session.logout()
  waiting[1]?.answer(503, {})
  await expect(failing).rejects.toMatchObject({ status: 503 })
  expect(session.current).not.toBeNull()
  const late = session.logout()
  waiting[2]?.answer(401, {})
  await late
  expect(session.current).toBeNull()
})

it('an answer that breaks off is a centre out of reach, in our words', async () => {
  const broken = () => Promise.resolve(new Response(new ReadableStream({ pull: (body) => body.error(new DOMException('too slow', 'TimeoutError')) })))
  vi.stubGlobal('fetch', broken)
  await expect(useSession().refresh()).rejects.toMatchObject({ name: 'CentreError', status: 0, messageZh: '连不上中心平台' })
})
