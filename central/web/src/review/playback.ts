/** Plays recorded stretches through hls.js and knows the wall time of every picture. */

import Hls, { ErrorTypes, Events, type ErrorData, type LevelLoadedData } from 'hls.js/light'

import type { Span } from './geometry'
import { datedStretches, mediaTimeAt, wallTimeAt, type DatedFragment } from './mediatime'
import { PictureTable } from './pictures'

/** Seconds of media that are loaded ahead at normal speed; at a higher one it is played sooner. */
const AHEAD_S = 20
const MOST_AHEAD_S = 120
const NOT_FOUND = 404
/** Past the beginning of a picture by more than media time is rounded on its way, by less than a picture lasts. */
const INSIDE_S = 0.000_05

export interface PlaybackEvents {
  /** The picture on the screen is of this moment (epoch milliseconds). */
  time(at: number): void
  /** The loaded stretch is played out; `at` is where it ended. */
  ended(at: number): void
  problem(kind: 'network' | 'gone' | 'media' | 'codec'): void
}

export class Playback {
  private hls: Hls | null = null
  private fragments: DatedFragment[] = []
  private readonly pictures = new PictureTable()
  private wanted = 0
  private range: Span = { start: 0, end: 0 }
  private recoveries = 0
  /** A media time within the picture that is shown, or will be when the seek is done. */
  private spot = 0
  private frameHandle: number | null = null
  private rate = 1

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly events: PlaybackEvents,
  ) {
    video.addEventListener('ended', this.onEnded)
    this.awaitFrame()
  }

  close(): void {
    this.hls?.destroy()
    this.hls = null
    if (this.frameHandle !== null) this.video.cancelVideoFrameCallback(this.frameHandle)
    this.video.removeEventListener('ended', this.onEnded)
  }

  /** Show the picture of the moment `at`: a seek where it is listed, else the playlist `url` of `range`. */
  show(at: number, range: Span, url: string, force: boolean): void {
    this.wanted = at
    const media = this.hls === null ? null : mediaTimeAt(this.fragments, at)
    if (!force && media !== null && at >= this.range.start && at < this.range.end) this.aim(media)
    else this.load(range, url)
  }

  /** Show nothing: the picture on the screen belongs to what is no longer asked for. */
  clear(): void {
    this.video.pause()
    this.hls?.destroy()
    this.hls = null
    this.fragments = []
    this.pictures.clear()
    this.range = { start: 0, end: 0 }
    this.video.removeAttribute('src')
    this.video.load()
  }

  async play(): Promise<void> {
    try {
      await this.video.play()
    } catch {
      // The element says so itself: it stays paused.
    }
  }

  pause(): void {
    this.video.pause()
  }

  setRate(rate: number): void {
    this.rate = rate
    this.video.defaultPlaybackRate = rate
    this.video.playbackRate = rate
    if (this.hls !== null) this.hls.config.maxBufferLength = ahead(rate)
  }

  /** Go one picture on or back; it pauses. */
  step(by: 1 | -1): void {
    this.video.pause()
    const picture = this.pictures.at(this.spot)
    if (picture === null) return
    if (by > 0) this.aim(picture.end)
    else if (picture.start > 0) this.aim(Math.max(0, picture.start - 2 * INSIDE_S))
  }

  /** Seek to the picture of `mediaS`: to its middle where it is loaded, so that no rounding shows its neighbour. */
  private aim(mediaS: number): void {
    const picture = this.pictures.at(mediaS + INSIDE_S)
    this.spot = picture === null ? mediaS + INSIDE_S : (picture.start + picture.end) / 2
    this.video.currentTime = this.spot
  }

  private load(range: Span, url: string): void {
    this.hls?.destroy()
    this.fragments = []
    this.pictures.clear()
    this.range = range
    this.recoveries = 0
    if (!Hls.isSupported()) {
      this.events.problem('codec')
      return
    }
    // No worker: it would be a blob of script, which the content policy forbids.
    const hls = new Hls({
      autoStartLoad: false,
      enableWorker: false,
      maxBufferLength: ahead(this.rate),
      maxMaxBufferLength: MOST_AHEAD_S,
      backBufferLength: 30,
    })
    this.hls = hls
    hls.on(Events.LEVEL_LOADED, (_event, data) => this.loaded(data))
    hls.on(Events.BUFFER_APPENDING, (_event, { data }) => this.pictures.add(data))
    hls.on(Events.ERROR, (_event, data) => this.failed(data))
    hls.loadSource(url)
    hls.attachMedia(this.video)
    this.video.playbackRate = this.rate
  }

  private loaded(data: LevelLoadedData): void {
    if (this.fragments.length > 0) return
    this.fragments = datedStretches(data.details.fragments)
    // Where to begin is known only now; loading starts there and nowhere else, and only after
    // hls.js has itself taken in the playlist: in the midst of that it would stop for good.
    const { hls } = this
    queueMicrotask(() => {
      if (this.hls !== hls || hls === null) return
      const last = this.fragments.at(-1)
      const end = last === undefined ? 0 : last.start + last.duration - 2 * INSIDE_S
      this.spot = Math.min(end, mediaTimeAt(this.fragments, this.wanted) ?? end) + INSIDE_S
      hls.startLoad(this.spot)
      this.video.currentTime = this.spot
    })
  }

  private failed(data: ErrorData): void {
    if (!data.fatal) return
    if (/codec/i.test(data.details)) {
      this.events.problem('codec')
    } else if (data.type === ErrorTypes.MEDIA_ERROR && this.recoveries < 2) {
      this.recoveries += 1
      this.hls?.recoverMediaError()
    } else {
      const isGone = data.response?.code === NOT_FOUND
      this.events.problem(isGone ? 'gone' : data.type === ErrorTypes.NETWORK_ERROR ? 'network' : 'media')
    }
  }

  private readonly onEnded = (): void => {
    const last = this.fragments.at(-1)
    if (last !== undefined) this.events.ended(last.programDateTime + last.duration * 1000)
  }

  private awaitFrame(): void {
    this.frameHandle = this.video.requestVideoFrameCallback((_now, { mediaTime }) => {
      // During a seek it may still be a picture from before.
      if (!this.video.seeking) this.spot = mediaTime + INSIDE_S
      const at = wallTimeAt(this.fragments, mediaTime)
      if (at !== null) this.events.time(at)
      this.awaitFrame()
    })
  }
}

const ahead = (rate: number): number => Math.min(MOST_AHEAD_S, AHEAD_S * Math.max(1, rate))
