/** Plays recorded stretches through hls.js and knows the wall time of every picture. */

import Hls, { ErrorTypes, Events, type ErrorData, type LevelLoadedData } from 'hls.js/light'

import type { Span } from './geometry'
import { mediaTimeAt, wallTimeAt, type DatedFragment } from './mediatime'

export interface PlaybackEvents {
  /** The picture on the screen is of this moment (epoch milliseconds). */
  time(at: number): void
  /** The loaded stretch is played out; `at` is where it ended. */
  ended(at: number): void
  problem(kind: 'network' | 'media' | 'codec', detail: string): void
}

export class Playback {
  private hls: Hls | null = null
  private fragments: DatedFragment[] = []
  private wanted = 0
  private range: Span = { start: 0, end: 0 }
  private recoveries = 0
  /** Seconds of one frame, learned while it plays. */
  private frameS = 1 / 25
  private lastMedia: number | null = null
  private frameHandle: number | null = null
  private rate = 1

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly events: PlaybackEvents,
  ) {
    video.addEventListener('ended', this.onEnded)
    video.addEventListener('seeked', this.tell)
    this.awaitFrame()
  }

  close(): void {
    this.hls?.destroy()
    this.hls = null
    if (this.frameHandle !== null) this.video.cancelVideoFrameCallback(this.frameHandle)
    this.video.removeEventListener('ended', this.onEnded)
    this.video.removeEventListener('seeked', this.tell)
  }

  /** Show `at`: a seek where it is loaded, else the playlist `url` of `range`. */
  show(at: number, range: Span, url: string, force: boolean): void {
    this.wanted = at
    const media = this.hls === null ? null : mediaTimeAt(this.fragments, at)
    if (!force && media !== null && at >= this.range.start && at < this.range.end) {
      this.video.currentTime = media
      return
    }
    this.load(range, url)
  }

  /** Show nothing: the picture on the screen belongs to what is no longer asked for. */
  clear(): void {
    this.video.pause()
    this.hls?.destroy()
    this.hls = null
    this.fragments = []
    this.range = { start: 0, end: 0 }
    this.lastMedia = null
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
  }

  /** Go one picture on or back; it pauses. */
  step(frames: number): void {
    this.video.pause()
    this.video.currentTime = Math.max(0, this.video.currentTime + frames * this.frameS)
  }

  private load(range: Span, url: string): void {
    this.hls?.destroy()
    this.fragments = []
    this.range = range
    this.recoveries = 0
    if (!Hls.isSupported()) {
      this.events.problem('codec', 'MediaSource')
      return
    }
    // No worker: it would be a blob of script, which the content policy forbids.
    const hls = new Hls({ autoStartLoad: false, enableWorker: false, maxBufferLength: 20, maxMaxBufferLength: 60, backBufferLength: 30 })
    this.hls = hls
    hls.on(Events.LEVEL_LOADED, (_event, data) => this.loaded(data))
    hls.on(Events.ERROR, (_event, data) => this.failed(data))
    hls.loadSource(url)
    hls.attachMedia(this.video)
    this.video.playbackRate = this.rate
  }

  private loaded(data: LevelLoadedData): void {
    const first = this.fragments.length === 0
    this.fragments = data.details.fragments
      .filter((fragment) => fragment.programDateTime !== null)
      .map((fragment) => ({
        start: fragment.start,
        duration: fragment.duration,
        programDateTime: fragment.programDateTime ?? 0,
      }))
    if (!first) return
    // Where to begin is known only now; loading starts there and nowhere else, and only after
    // hls.js has itself taken in the playlist: in the midst of that it would stop for good.
    const { hls } = this
    queueMicrotask(() => {
      if (this.hls === hls) hls?.startLoad(mediaTimeAt(this.fragments, this.wanted) ?? 0)
    })
  }

  private failed(data: ErrorData): void {
    if (!data.fatal) return
    if (/codec/i.test(data.details)) {
      this.events.problem('codec', data.details)
    } else if (data.type === ErrorTypes.MEDIA_ERROR && this.recoveries < 2) {
      this.recoveries += 1
      this.hls?.recoverMediaError()
    } else {
      this.events.problem(data.type === ErrorTypes.NETWORK_ERROR ? 'network' : 'media', data.details)
    }
  }

  private wallTime(): number | null {
    return wallTimeAt(this.fragments, this.video.currentTime)
  }

  private readonly tell = (): void => {
    const at = this.wallTime()
    if (at !== null) this.events.time(at)
  }

  private readonly onEnded = (): void => {
    const last = this.fragments.at(-1)
    if (last !== undefined) this.events.ended(last.programDateTime + last.duration * 1000)
  }

  private awaitFrame(): void {
    this.frameHandle = this.video.requestVideoFrameCallback((_now, frame) => {
      const delta = this.lastMedia === null ? 0 : frame.mediaTime - this.lastMedia
      this.lastMedia = frame.mediaTime
      // At higher speeds pictures are skipped: only true speed teaches the frame's length.
      if (delta > 0.005 && delta < 0.5 && this.rate <= 1 && !this.video.paused) this.frameS += (delta - this.frameS) * 0.2
      this.tell()
      this.awaitFrame()
    })
  }
}
