/**
 * One live picture: the viewer protocol over a WebSocket into a MediaSource, held at its live edge.
 *
 * The player owns the socket, the media source and its object URL; the video element stays the
 * caller's. It reconnects by itself with growing waits until `close()`. Decisions are made in
 * control.ts; here is only the I/O.
 */

import type { CameraStateName } from '@/api/types'

import { Backoff } from './backoff'
import { decide, LiveTarget } from './control'
import { parseViewerMessage } from './protocol'
import { FragmentQueue } from './queue'

const QUEUE_BYTES = 8 * 1024 * 1024
/**
 * A new viewer is first given the newest group of pictures, however old it is: of a camera that has
 * just died too. Pictures count only once something has come after that burst.
 */
const BURST_MS = 250
/** A socket that brings nothing for this long is given up, even if nobody closed it. */
const SILENCE_MS = 10_000
const GOOD_RUN_MS = 10_000

export interface PlayerEvents {
  /** A new frame of a stream that flows was painted; `mediaTime` in seconds, `behindS` behind the newest one received. */
  frame(mediaTime: number, behindS: number): void
  /** The camera's state as the stream tells it. */
  state(state: CameraStateName): void
  /** The last picture is about to leave the video element: keep a copy of it. */
  reset(): void
  /** This browser can't decode the stream; the player has stopped. */
  unsupported(mime: string): void
}

export class LivePlayer {
  private socket: WebSocket | null = null
  private source: MediaSource | null = null
  private buffer: SourceBuffer | null = null
  private objectUrl: string | null = null
  private readonly queue = new FragmentQueue(QUEUE_BYTES)
  private readonly backoff = new Backoff()
  private target = new LiveTarget()
  private rate = 1
  private pendingFragments = 0
  private bufferMadeAt = 0
  private openedAt = 0
  private heardAt = 0
  private burstUntil = 0
  private flowing = false
  private retryTimer: number | null = null
  private readonly watchdog: number
  private frameHandle: number | null = null
  private closed = false

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly url: string,
    private readonly events: PlayerEvents,
  ) {
    video.addEventListener('waiting', this.onWaiting)
    video.addEventListener('error', this.onVideoError)
    document.addEventListener('visibilitychange', this.onVisible)
    this.watchdog = window.setInterval(() => this.watch(), 2_000)
    this.awaitFrame()
    this.connect()
  }

  /** The centre is back: don't wait for the next attempt. */
  hurry(): void {
    if (this.retryTimer === null || this.closed) return
    window.clearTimeout(this.retryTimer)
    this.retryTimer = null
    this.backoff.reset()
    this.connect()
  }

  /** Stop for good: the socket, the timers, the object URL and the buffers are gone afterwards. */
  close(): void {
    if (this.closed) return
    this.closed = true
    window.clearInterval(this.watchdog)
    if (this.retryTimer !== null) window.clearTimeout(this.retryTimer)
    if (this.frameHandle !== null) this.video.cancelVideoFrameCallback(this.frameHandle)
    this.video.removeEventListener('waiting', this.onWaiting)
    this.video.removeEventListener('error', this.onVideoError)
    document.removeEventListener('visibilitychange', this.onVisible)
    this.dropSocket()
    this.dropSource()
    this.video.removeAttribute('src')
    this.video.load()
  }

  private connect(): void {
    if (this.closed) return
    const socket = new WebSocket(this.url)
    socket.binaryType = 'arraybuffer'
    socket.onmessage = (message: MessageEvent<string | ArrayBuffer>) => this.receive(message.data)
    socket.onclose = () => {
      if (this.socket === socket) this.retry()
    }
    this.socket = socket
    this.openedAt = this.heardAt = performance.now()
  }

  private retry(): void {
    this.dropSocket()
    if (this.closed || this.retryTimer !== null) return
    if (this.heardAt - this.openedAt > GOOD_RUN_MS) this.backoff.reset()
    this.retryTimer = window.setTimeout(() => {
      this.retryTimer = null
      this.connect()
    }, this.backoff.next())
  }

  private receive(data: string | ArrayBuffer): void {
    this.heardAt = performance.now()
    if (typeof data !== 'string') {
      if (this.source === null) return
      if (this.heardAt > this.burstUntil) this.flowing = true
      if (this.queue.push(data)) this.pump()
      else this.retry()
      return
    }
    const message = parseViewerMessage(data)
    if (message?.op === 'live.open') this.open(message.mime)
    else if (message?.op === 'live.state') this.events.state(message.state)
    else if (message?.op === 'end') this.retry()
  }

  private open(mime: string): void {
    if (!('MediaSource' in window) || !MediaSource.isTypeSupported(mime)) {
      this.events.unsupported(mime)
      this.close()
      return
    }
    this.events.reset()
    this.dropSource()
    this.burstUntil = performance.now() + BURST_MS
    this.flowing = false
    const source = new MediaSource()
    this.source = source
    this.objectUrl = URL.createObjectURL(source)
    source.addEventListener('sourceopen', () => this.sourceOpened(source, mime), { once: true })
    this.video.src = this.objectUrl
    // Autoplay of a muted picture is allowed everywhere; a refusal comes back as a stopped picture.
    void this.video.play().catch(() => undefined)
  }

  private sourceOpened(source: MediaSource, mime: string): void {
    if (this.source !== source) return
    this.revoke()
    try {
      const buffer = source.addSourceBuffer(mime)
      buffer.mode = 'segments'
      buffer.addEventListener('updateend', () => this.appended(buffer))
      this.buffer = buffer
    } catch {
      this.retry()
      return
    }
    this.target = new LiveTarget()
    this.rate = 1
    this.bufferMadeAt = performance.now()
    this.pump()
  }

  private pump(): void {
    const buffer = this.buffer
    if (buffer === null || buffer.updating) return
    const next = this.queue.takeAll()
    if (next === null) return
    this.pendingFragments = next.fragments
    try {
      buffer.appendBuffer(next.data)
    } catch {
      // A full or broken source buffer: begin again at the newest group of pictures.
      this.retry()
    }
  }

  private appended(buffer: SourceBuffer): void {
    if (this.buffer !== buffer || this.source?.readyState !== 'open') return
    const ranges = buffer.buffered
    if (ranges.length > 0) {
      if (this.pendingFragments > 0) {
        this.target.appended(ranges.end(ranges.length - 1), this.pendingFragments)
        this.pendingFragments = 0
      }
      this.steer(buffer, ranges)
    }
    this.pump()
  }

  private steer(buffer: SourceBuffer, ranges: TimeRanges): void {
    const now = performance.now()
    const last = ranges.length - 1
    const decision = decide(
      {
        start: ranges.start(0),
        end: ranges.end(last),
        newestStart: ranges.start(last),
        currentTime: this.video.currentTime,
        ageMs: now - this.bufferMadeAt,
      },
      this.target.seconds(now),
      this.rate,
    )
    if (decision.jumpTo !== null) this.video.currentTime = decision.jumpTo
    if (decision.rate !== this.rate) this.video.playbackRate = this.rate = decision.rate
    if (this.video.paused && !document.hidden) void this.video.play().catch(() => undefined)
    if (decision.trim !== null && !buffer.updating && this.queue.length === 0) {
      buffer.remove(decision.trim.from, decision.trim.to)
    }
  }

  private awaitFrame(): void {
    this.frameHandle = this.video.requestVideoFrameCallback((_now, frame) => {
      if (this.closed) return
      const ranges = this.video.buffered
      const end = ranges.length > 0 ? ranges.end(ranges.length - 1) : frame.mediaTime
      if (this.flowing) this.events.frame(frame.mediaTime, Math.max(0, end - frame.mediaTime))
      this.awaitFrame()
    })
  }

  private watch(): void {
    if (this.socket !== null && performance.now() - this.heardAt > SILENCE_MS) this.retry()
  }

  private readonly onWaiting = (): void => this.target.stalled(performance.now())

  private readonly onVideoError = (): void => {
    if (this.source !== null) this.retry()
  }

  private readonly onVisible = (): void => {
    if (document.hidden || this.buffer === null || this.buffer.updating) return
    const ranges = this.buffer.buffered
    if (ranges.length > 0) this.steer(this.buffer, ranges)
  }

  private dropSocket(): void {
    const socket = this.socket
    this.socket = null
    this.queue.clear()
    if (socket !== null) {
      socket.onmessage = socket.onclose = null
      socket.close()
    }
  }

  private dropSource(): void {
    this.buffer = null
    this.source = null
    this.revoke()
  }

  private revoke(): void {
    if (this.objectUrl !== null) URL.revokeObjectURL(this.objectUrl)
    this.objectUrl = null
  }
}
