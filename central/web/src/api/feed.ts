/**
 * The centre's live feed: one EventSource, resumed from the last cursor, opened again when the
 * browser gives up. What it means for the page is the caller's business.
 */

import { feedUrl } from './centre'

export const FEED_KINDS = ['alert', 'evidence', 'camera', 'box', 'duty', 'incident', 'activity'] as const
export type FeedKind = (typeof FEED_KINDS)[number]

export interface FeedEvents {
  changed(kind: FeedKind, data: unknown): void
  /** Connected; `again`: after a break, so that something may have been missed. */
  connected(again: boolean): void
  disconnected(): void
  /** The cursor is too old: fetch the snapshot again. */
  reset(): void
}

const REOPEN_MS = 2_000

export class Feed {
  private source: EventSource | null = null
  private cursor: string | null = null
  private opened = false
  /** Whether the stream stands, as far as the browser knows. */
  connected = false
  private timer: number | null = null
  private closed = false

  constructor(private readonly events: FeedEvents) {}

  /** The newest cursor that was seen. */
  get position(): string | null {
    return this.cursor
  }

  /** (Re)open after `cursor`. */
  open(cursor: string): void {
    this.cursor = cursor
    this.connect()
  }

  close(): void {
    this.closed = true
    this.drop()
  }

  private drop(): void {
    if (this.timer !== null) window.clearTimeout(this.timer)
    this.timer = null
    this.connected = false
    this.source?.close()
    this.source = null
  }

  private connect(): void {
    this.drop()
    if (this.closed) return
    const source = new EventSource(feedUrl(this.cursor))
    this.source = source
    source.onopen = () => {
      const again = this.opened
      this.opened = true
      this.connected = true
      this.events.connected(again)
    }
    source.onerror = () => {
      this.connected = false
      this.events.disconnected()
      // After an HTTP error the browser never tries again by itself.
      if (source.readyState === EventSource.CLOSED) {
        this.timer = window.setTimeout(() => this.connect(), REOPEN_MS)
      }
    }
    source.addEventListener('reset', () => this.events.reset())
    for (const kind of FEED_KINDS) {
      source.addEventListener(kind, (message: MessageEvent<string>) => this.take(kind, message))
    }
  }

  private take(kind: FeedKind, message: MessageEvent<string>): void {
    if (message.lastEventId !== '') this.cursor = message.lastEventId
    let data: unknown
    try {
      data = JSON.parse(message.data)
    } catch {
      console.warn('feed.unreadable', kind)
      return
    }
    this.events.changed(kind, data)
  }
}
