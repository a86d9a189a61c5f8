import { defineStore } from 'pinia'
import { computed, ref } from 'vue'

import * as centre from '@/api/centre'
import { CentreError } from '@/api/http'
import type { Device, Session } from '@/api/types'
import { learnServerTime } from '@/time/clock'

/** Who is signed in, where, and which build the server serves. */
export const useSession = defineStore('session', () => {
  const current = ref<Session | null>(null)
  let firstVersion: string | null = null
  /** Counts what was done here: an answer that was asked for before it no longer says who we are. */
  let deeds = 0

  const role = computed(() => current.value?.user.role ?? null)
  const zone = computed(() => current.value?.village.time_zone ?? 'Asia/Shanghai')
  const operator = computed(() => current.value?.operator ?? null)
  /** A TV may act only in the name of the person who stands before it. */
  const needsPin = computed(() => role.value === 'wall' && operator.value === null)
  const mayReview = computed(() => role.value === 'duty' || role.value === 'admin')

  function take(session: Session, sentAt: number): Session {
    learnServerTime(session.server_time, sentAt, Date.now())
    current.value = session
    firstVersion ??= session.version
    if (session.version !== firstVersion) window.location.reload()
    return session
  }

  /** Ask who we are. Returns null where nobody is signed in; rejects where the centre is not there. */
  async function refresh(timeoutMs?: number): Promise<Session | null> {
    const sentAt = Date.now()
    const before = deeds
    try {
      const session = await centre.session(timeoutMs)
      return before === deeds ? take(session, sentAt) : current.value
    } catch (error) {
      if (before === deeds && error instanceof CentreError && error.status === 401) {
        current.value = null
        return null
      }
      throw error
    }
  }

  async function done(answer: Promise<Session>): Promise<Session> {
    const sentAt = Date.now()
    const session = await answer
    deeds += 1
    return take(session, sentAt)
  }

  async function login(username: string, password: string): Promise<Session> {
    return done(centre.login(username, password))
  }

  /** Rejects where the centre could not be told: whoever sits here is then still signed in. */
  async function logout(): Promise<void> {
    await centre.logout().catch((error: unknown) => {
      if (!(error instanceof CentreError && error.status === 401)) throw error
    })
    deeds += 1
    current.value = null
  }

  async function signInOperator(pin: string): Promise<void> {
    await done(centre.signInOperator(pin))
  }

  async function signOutOperator(): Promise<void> {
    await centre.signOutOperator()
    deeds += 1
    await refresh()
  }

  return { current, role, zone, operator, needsPin, mayReview, refresh, login, logout, signInOperator, signOutOperator }
})

/** Where a signature is given, for the ledger. */
export function deviceOfScreen(): Device {
  return window.innerWidth < 700 ? 'phone' : 'pc'
}
