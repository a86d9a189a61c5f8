/**
 * Fragments that wait for the source buffer. Bounded: over `maxBytes` it empties itself and says
 * so, and the player starts again at the newest group of pictures. Nothing is dropped singly,
 * because a missing fragment spoils every later one of its group.
 */
export class FragmentQueue {
  private parts: ArrayBuffer[] = []
  private bytes = 0
  dropped = 0

  constructor(private readonly maxBytes: number) {}

  /** Return false where the queue overflowed and is now empty. */
  push(part: ArrayBuffer): boolean {
    if (this.bytes + part.byteLength > this.maxBytes) {
      this.dropped += this.parts.length + 1
      this.clear()
      return false
    }
    this.parts.push(part)
    this.bytes += part.byteLength
    return true
  }

  /** Return everything that waits as one buffer, with how many fragments it is; null where empty. */
  takeAll(): { data: ArrayBuffer; fragments: number } | null {
    const first = this.parts[0]
    if (first === undefined) return null
    const fragments = this.parts.length
    let data = first
    if (fragments > 1) {
      const joined = new Uint8Array(this.bytes)
      let offset = 0
      for (const part of this.parts) {
        joined.set(new Uint8Array(part), offset)
        offset += part.byteLength
      }
      data = joined.buffer
    }
    this.clear()
    return { data, fragments }
  }

  clear(): void {
    this.parts = []
    this.bytes = 0
  }

  get length(): number {
    return this.parts.length
  }
}
