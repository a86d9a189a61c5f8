import { computed, onScopeDispose, ref, shallowRef, watch, type Ref } from 'vue'

import * as centre from '@/api/centre'
import type { Camera } from '@/api/types'
import { serverNow } from '@/time/clock'

import { joined, type Span, type View } from './geometry'
import { cutSheet, nearestPicture, PER_SHEET, sheetsFor, stretchOf, stripCells, type Picture, type SheetSpan } from './previews'

/** What the hand on the timeline points at; `picture` is null where there is none (yet). */
export interface Peek {
  at: number
  recorded: boolean
  picture: Picture | null
}

/** A hand that moves asks for nothing; one that rests asks for the moment's own picture. */
export const REST_MS = 150
/** Sheets are fetched when the view has come to rest. */
export const SETTLE_MS = 400
/** The end of today grows: what was fetched of it is fetched again after so long. */
const STALE_MS = 60_000
/** Between the last file and the growing one there may be so little that it is no gap. */
const SEAM_MS = 1_500
/** A moment so close to one that was asked for has the same picture. */
const SAME_MS = 100
export const STRIP_CELLS = 8
/** Some 110 KB each; one that was left longest ago is let go. */
export const MOST_SHEETS = 60
const REMEMBERED = 'tanshao.preview-strip'

interface Fetched {
  span: SheetSpan
  pictures: Picture[]
  at: number
  final: boolean
}

/** Whether this device is a phone or its owner counts bytes: then nothing is fetched unasked. */
export function savesData(): boolean {
  const { connection } = navigator as Navigator & { connection?: { saveData?: boolean } }
  return connection?.saveData === true || !window.matchMedia('(hover: hover)').matches
}

/**
 * Small pictures of the day: a sheet for the view, and one for the moment that is looked at.
 *
 * Fetches are given up when camera, day or view change. All pictures are let go with the camera and
 * the day, and with the page. What can't be fetched is left out: the timeline works without.
 */
export function usePreviews(camera: Ref<Camera | null>, day: Ref<View>, view: Ref<View>, recorded: Ref<Span[]>, growing: Ref<Span | null>) {
  const thrifty = savesData()
  const sheets = shallowRef(new Map<string, Fetched>())
  /** What was asked for one by one, and the moments it was asked for. */
  const own = shallowRef<{ asked: number; picture: Picture }[]>([])
  const looking = ref<number | null>(null)
  const strip = ref(remembered() ?? !thrifty)
  const under = new Map<string, AbortController>()
  let resting: ReturnType<typeof setTimeout> | undefined
  let settling: ReturnType<typeof setTimeout> | undefined
  let asking: AbortController | null = null

  const stretches = computed(() => (growing.value === null ? recorded.value : joined([...recorded.value, growing.value], SEAM_MS)))
  const pictures = computed(() => [...[...sheets.value.values()].flatMap((each) => each.pictures), ...own.value.map((each) => each.picture)])
  const cells = computed(() => stripCells(view.value, STRIP_CELLS, pictures.value))
  const peek = computed<Peek | null>(() => {
    const at = looking.value
    if (at === null) return null
    return { at, recorded: stretchOf(stretches.value, at) !== null, picture: askedFor(at) ?? nearestPicture(pictures.value, at, stretches.value) }
  })

  function needed(): SheetSpan[] {
    if (!strip.value && (thrifty || looking.value === null)) return []
    return sheetsFor(view.value, day.value).filter((sheet) => stretches.value.some((span) => span.start < sheet.end && span.end > sheet.start))
  }

  function settle(): void {
    clearTimeout(settling)
    settling = setTimeout(fetchSheets, SETTLE_MS)
  }

  function fetchSheets(): void {
    const wanted = needed()
    const keys = new Set(wanted.map((sheet) => sheet.key))
    for (const [key, abort] of under) if (!keys.has(key)) abort.abort()
    for (const sheet of wanted) {
      const known = sheets.value.get(sheet.key)
      const fresh = known !== undefined && (known.final || serverNow() - known.at < STALE_MS)
      if (!fresh && !under.has(sheet.key)) void fetchSheet(sheet)
    }
  }

  async function fetchSheet(sheet: SheetSpan): Promise<void> {
    const it = camera.value
    if (it === null) return
    const abort = new AbortController()
    under.set(sheet.key, abort)
    try {
      const asked = serverNow()
      const bytes = await centre.previewSheet(it.box_id, it.camera_id, iso(sheet.start), iso(sheet.end), PER_SHEET, abort.signal)
      const cut = cutSheet(bytes)
      if (cut === null || abort.signal.aborted) return
      const made = cut.pictures.map((each) => ({ at: each.at, url: urlOf(bytes.slice(each.start, each.end)) }))
      const known = new Map(sheets.value)
      const wanted = new Set(needed().map((each) => each.key))
      for (const [key, each] of known) {
        if (key !== sheet.key && (known.size < MOST_SHEETS || wanted.has(key))) continue
        release(each.pictures)
        known.delete(key)
      }
      sheets.value = known.set(sheet.key, { span: sheet, pictures: made, at: asked, final: cut.complete && sheet.end < asked })
    } catch {
      // Given up, or the box is not there: the timeline is as good without.
    } finally {
      if (under.get(sheet.key) === abort) under.delete(sheet.key)
    }
  }

  /** Point at a moment, or at none. */
  function look(at: number | null): void {
    looking.value = at
    clearTimeout(resting)
    asking?.abort()
    if (at === null) return
    if (sheets.value.size === 0) settle()
    resting = setTimeout(() => void ask(at), REST_MS)
  }

  async function ask(at: number): Promise<void> {
    const it = camera.value
    if (it === null || askedFor(at) !== null || stretchOf(stretches.value, at) === null) return
    const abort = new AbortController()
    asking = abort
    try {
      const found = await centre.preview(it.box_id, it.camera_id, iso(at), abort.signal)
      if (abort.signal.aborted) return
      const picture = { at: found.at, url: urlOf(found.bytes) }
      release(own.value.slice(PER_SHEET).map((each) => each.picture))
      own.value = [{ asked: at, picture }, ...own.value.slice(0, PER_SHEET)]
    } catch {
      // As above: the sheet's picture stays.
    }
  }

  function askedFor(at: number): Picture | null {
    return own.value.find((each) => Math.abs(each.asked - at) < SAME_MS)?.picture ?? null
  }

  function toggleStrip(): void {
    strip.value = !strip.value
    try {
      window.localStorage.setItem(REMEMBERED, strip.value ? 'on' : 'off')
    } catch {
      // A browser that keeps nothing asks again next time.
    }
  }

  function forget(): void {
    clearTimeout(resting)
    clearTimeout(settling)
    asking?.abort()
    for (const abort of under.values()) abort.abort()
    under.clear()
    release(pictures.value)
    sheets.value = new Map()
    own.value = []
    looking.value = null
  }

  // What is of another camera or day must not stand under this one's name.
  watch([() => camera.value?.uid, () => day.value.from], () => {
    forget()
    settle()
  })
  watch([view, recorded, strip], settle, { immediate: true })
  onScopeDispose(forget)

  return { peek, look, strip, toggleStrip, cells }
}

const iso = (at: number) => new Date(Math.round(at)).toISOString()
const urlOf = (jpeg: Uint8Array<ArrayBuffer>) => URL.createObjectURL(new Blob([jpeg], { type: 'image/jpeg' }))

function release(pictures: readonly Picture[]): void {
  for (const picture of pictures) URL.revokeObjectURL(picture.url)
}

function remembered(): boolean | null {
  try {
    const word = window.localStorage.getItem(REMEMBERED)
    return word === null ? null : word === 'on'
  } catch {
    return null
  }
}
