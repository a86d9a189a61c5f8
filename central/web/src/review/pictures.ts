/** When each picture of the loaded fragments is shown, read from their MP4 boxes. Pure. */

/** One picture on the player's axis, in media seconds; it is shown from `start` until `end`. */
export interface Picture {
  start: number
  end: number
}

/** Ten minutes of fragments of a second: far more than the player itself keeps. */
const MOST_FRAGMENTS = 600
const TICKS_PER_S = 90_000
/** The box's own writer: data offset; and duration, size, flags and composition offset of each sample. */
const TRUN_FLAGS = 0xf01
/** What is loaded comes in pieces longer than this: a smaller distance is no hole in it. */
const NEAR_S = 1

export class PictureTable {
  /** The pictures of each fragment, by its first time; with B-frames neighbours reach into each other. */
  private fragments = new Map<number, Picture[]>()

  clear(): void {
    this.fragments.clear()
  }

  /** Take in appended fragments (`moof` and `mdat`, in media time). What is no fragment of ours is passed over. */
  add(data: Uint8Array): void {
    for (const moof of boxes(data, 'moof')) {
      const pictures = picturesOf(moof)
      const first = pictures[0]?.start
      if (first === undefined) continue
      this.fragments.delete(first)
      this.fragments.set(first, pictures)
      if (this.fragments.size > MOST_FRAGMENTS) this.fragments.delete(this.fragments.keys().next().value ?? 0)
    }
  }

  /** Return the picture that is shown at `mediaS`, or null where that is not loaded. */
  at(mediaS: number): Picture | null {
    let found: Picture | null = null
    let next = Infinity
    for (const pictures of this.fragments.values()) {
      for (const each of pictures) {
        if (each.start > mediaS) next = Math.min(next, each.start)
        else if (found === null || each.start > found.start) found = each
      }
    }
    if (found === null) return null
    // It stands until the next one, unless that is beyond what is not loaded.
    const end = next - found.end < NEAR_S ? next : found.end
    return mediaS < end ? { start: found.start, end } : null
  }
}

/** Return a fragment's pictures with the durations of their samples. */
function picturesOf(moof: DataView): Picture[] {
  const [traf] = boxes(bytesOf(moof), 'traf')
  if (traf === undefined) return []
  const [tfdt] = boxes(bytesOf(traf), 'tfdt')
  const [trun] = boxes(bytesOf(traf), 'trun')
  if (tfdt === undefined || trun === undefined || (trun.getUint32(0) & 0xffffff) !== TRUN_FLAGS) return []
  let dts = tfdt.getUint8(0) === 1 ? Number(tfdt.getBigUint64(4)) : tfdt.getUint32(4)
  const found: Picture[] = []
  for (let at = 12; at + 16 <= trun.byteLength; at += 16) {
    const [duration, offset] = [trun.getUint32(at), trun.getInt32(at + 12)]
    found.push({ start: (dts + offset) / TICKS_PER_S, end: (dts + offset + duration) / TICKS_PER_S })
    dts += duration
  }
  return found
}

const bytesOf = (view: DataView): Uint8Array => new Uint8Array(view.buffer, view.byteOffset, view.byteLength)

/** Return the contents of the boxes of one kind at the top of `data`; a torn one ends them. */
function boxes(data: Uint8Array, kind: string): DataView[] {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  const found: DataView[] = []
  for (let at = 0; at + 8 <= data.byteLength; ) {
    const size = view.getUint32(at)
    if (size < 8 || at + size > data.byteLength) break
    if (String.fromCharCode(...data.subarray(at + 4, at + 8)) === kind) {
      found.push(new DataView(data.buffer, data.byteOffset + at + 8, size - 8))
    }
    at += size
  }
  return found
}
