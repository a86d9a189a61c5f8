import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'

import * as centre from '@/api/centre'
import { CentreError } from '@/api/http'
import { Feed, type FeedKind } from '@/api/feed'
import { isShown } from '@/activities/filed'
import type { Activity } from '@/api/activityTypes'
import type { Alert, Box, Camera, Duty, Incident, Wall } from '@/api/types'
import { learnServerTime } from '@/time/clock'

import { useCodes } from './codes'
import { RecentChanges, replaced, settled } from './merge'
import { useSession } from './session'

/** The feed may have died without a word: the snapshot is fetched again in this rhythm. */
const RECONCILE_MS = 30_000
/** A centre that hangs closes nothing, and a browser never sees the feed's pings: ask for a sign of life. */
const PROBE_MS = 10_000
const PROBE_TIMEOUT_MS = 4_000
const BANNER_AFTER_MS = 5_000
/** Alerts that are over are kept a while for those who look at them, and then forgotten. */
const KEPT_ALERTS = 200

type AlertListener = (alert: Alert, news: 'snapshot' | 'feed') => void
type IncidentListener = (incident: Incident) => void

/** The village as it is now: a snapshot, kept true by the feed. One for the whole page. */
export const useVillage = defineStore('village', () => {
  const session = useSession()
  const codes = useCodes()
  const alerts = shallowRef<ReadonlyMap<string, Alert>>(new Map())
  const cameras = ref<Camera[]>([])
  const boxes = ref<Box[]>([])
  const duty = ref<Duty>({ shift: null, people: [] })
  const incidents = ref({ open: 0, overdue: 0 })
  /** Approved filed events that are on or begin within a day. */
  const activities = ref<Activity[]>([])
  const loaded = ref(false)
  /** Since when the centre is out of reach, by the monotonic clock; null: it is there. */
  const lostSince = ref<number | null>(null)
  const banner = ref(false)

  const alertListeners = new Set<AlertListener>()
  const incidentListeners = new Set<IncidentListener>()
  const recent = new RecentChanges()
  let feed: Feed | null = null
  let reconcileTimer: number | null = null
  let probeTimer: number | null = null
  let bannerTimer: number | null = null
  let users = 0
  let heardSinceReconcile = false
  let countsTimer: number | null = null

  function reachable(): void {
    lostSince.value = null
    banner.value = false
    if (bannerTimer !== null) window.clearTimeout(bannerTimer)
    bannerTimer = null
  }

  /** Nothing has come since `since` (milliseconds of the monotonic clock: that of the machine may be set). */
  function unreachable(since: number): void {
    if (lostSince.value !== null) return
    lostSince.value = since
    bannerTimer = window.setTimeout(() => {
      banner.value = true
    }, Math.max(0, since + BANNER_AFTER_MS - performance.now()))
  }

  /** Milliseconds for which the centre has been out of reach; 0: it is there. */
  function lostForMs(): number {
    return lostSince.value === null ? 0 : performance.now() - lostSince.value
  }

  function takeWall(wall: Wall, sentAt: number): void {
    const changes = recent.since(sentAt)
    cameras.value = settled(wall.cameras, cameras.value, (camera) => camera.uid, changes)
    boxes.value = settled(wall.boxes, boxes.value, (box) => box.box_id, changes)
    if (!changes.has('duty')) duty.value = wall.duty
    incidents.value = wall.incidents
    activities.value = settled(wall.activities, activities.value, (each) => each.id, changes).filter(isShown)
    const list = settled(wall.alerts, [...alerts.value.values()], (alert) => alert.id, changes)
    alerts.value = new Map(list.map((alert) => [alert.id, alert]))
    loaded.value = true
    // The words of all that is shown: what failed at first is tried again with each snapshot.
    void codes.load()
    for (const alert of wall.alerts) for (const listener of alertListeners) listener(alert, 'snapshot')
  }

  /** Fetch the snapshot and follow the feed from it. */
  async function reload(): Promise<void> {
    const [sentAt, clock] = [performance.now(), Date.now()]
    try {
      const wall = await centre.wall()
      learnServerTime(wall.server_time, clock, Date.now())
      if (feed === null) return
      const cursor = String(wall.cursor)
      const behind = feed.position !== cursor && !heardSinceReconcile
      takeWall(wall, sentAt)
      if (feed.position === null || behind) feed.open(cursor)
    } catch (error) {
      await failed(error, sentAt)
    }
  }

  async function failed(error: unknown, sentAt: number): Promise<void> {
    if (!(error instanceof CentreError)) throw error
    if (error.status === 401) await session.refresh().catch(() => undefined)
    else unreachable(sentAt)
  }

  async function reconcile(): Promise<void> {
    await reload()
    heardSinceReconcile = false
  }

  /** The session also brings the server's time and its build: a changed build reloads the page. */
  async function probe(): Promise<void> {
    const sentAt = performance.now()
    try {
      await session.refresh(PROBE_TIMEOUT_MS)
      if (feed?.connected === true && lostSince.value !== null) reachable()
    } catch {
      if (feed !== null) unreachable(sentAt)
    }
  }

  function putAlert(alert: Alert): void {
    recent.note(alert.id, performance.now())
    const next = new Map(alerts.value)
    next.delete(alert.id)
    next.set(alert.id, alert)
    for (const id of next.keys()) {
      if (next.size <= KEPT_ALERTS) break
      const old = next.get(id)
      if (old !== undefined && old.state !== 'NEW' && old.state !== 'ACKED') next.delete(id)
    }
    alerts.value = next
    for (const listener of alertListeners) listener(alert, 'feed')
  }

  /** Counts of incidents come with the snapshot only: fetch it a moment after the last change. */
  function recount(): void {
    if (countsTimer !== null) window.clearTimeout(countsTimer)
    countsTimer = window.setTimeout(() => void reload(), 500)
  }

  function changed(kind: FeedKind, data: unknown): void {
    heardSinceReconcile = true
    switch (kind) {
      case 'alert':
      case 'evidence':
        putAlert(data as Alert)
        break
      case 'camera':
        recent.note((data as Camera).uid, performance.now())
        cameras.value = replaced(cameras.value, data as Camera, (camera) => camera.uid)
        break
      case 'box':
        recent.note((data as Box).box_id, performance.now())
        boxes.value = replaced(boxes.value, data as Box, (box) => box.box_id)
        break
      case 'activity':
        recent.note((data as Activity).id, performance.now())
        activities.value = replaced(activities.value, data as Activity, (each) => each.id).filter(isShown)
        break
      case 'duty':
        recent.note('duty', performance.now())
        duty.value = data as Duty
        break
      case 'incident':
        for (const listener of incidentListeners) listener(data as Incident)
        recount()
    }
  }

  /** Begin to follow; call the returned function when the page no longer needs it. */
  function follow(): () => void {
    users += 1
    if (users === 1) {
      feed = new Feed({
        changed,
        connected: (again) => {
          reachable()
          if (again) void reconcile().then(probe)
        },
        disconnected: () => unreachable(performance.now()),
        reset: () => void reload(),
      })
      void reload()
      void codes.load()
      reconcileTimer = window.setInterval(() => void reconcile(), RECONCILE_MS)
      probeTimer = window.setInterval(() => void probe(), PROBE_MS)
    }
    let done = false
    return () => {
      if (done) return
      done = true
      users -= 1
      if (users === 0) stop()
    }
  }

  function stop(): void {
    feed?.close()
    feed = null
    for (const timer of [reconcileTimer, probeTimer, bannerTimer, countsTimer]) if (timer !== null) window.clearTimeout(timer)
    reconcileTimer = probeTimer = bannerTimer = countsTimer = null
  }

  function onAlert(listener: AlertListener): () => void {
    alertListeners.add(listener)
    return () => alertListeners.delete(listener)
  }

  function onIncident(listener: IncidentListener): () => void {
    incidentListeners.add(listener)
    return () => incidentListeners.delete(listener)
  }

  const alertList = computed(() => [...alerts.value.values()])
  const cameraByUid = computed(() => new Map(cameras.value.map((camera) => [camera.uid, camera])))

  return {
    alertList,
    cameras,
    cameraByUid,
    boxes,
    duty,
    incidents,
    activities,
    loaded,
    banner,
    lostSince,
    lostForMs,
    follow,
    putAlert,
    onAlert,
    onIncident,
  }
})
