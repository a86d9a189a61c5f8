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
/** Fragments that follow each other meet within this, whatever was rounded on the way. */
const SEAM_S = 0.000_2

interface Stretch {
  start: number
  end: number
  pictures: Picture[]
}

export class PictureTable {
  private stretches = new Map<number, Stretch>()

  clear(): void {
    this.stretches.clear()
  }

  /** Take in appended fragments (`moof` and `mdat`, in media time). What is no fragment of ours is passed over. */
  add(data: Uint8Array): void {
    for (const moof of boxes(data, 'moof')) {
      const found = stretchOf(moof)
      if (found === null) continue
      this.stretches.delete(found.start)
      this.stretches.set(found.start, found)
      if (this.stretches.size > MOST_FRAGMENTS) this.stretches.delete(this.stretches.keys().next().value ?? 0)
    }
  }

  /** Return the picture that is shown at `mediaS`, or null where that is not loaded. */
  at(mediaS: number): Picture | null {
    for (const stretch of this.stretches.values()) {
      if (mediaS < stretch.start || mediaS >= stretch.end) continue
      return stretch.pictures.find((each) => mediaS >= each.start && mediaS < each.end) ?? null
    }
    // Between two that only rounding parts.
    for (const stretch of this.stretches.values()) {
      if (mediaS >= stretch.start - SEAM_S && mediaS < stretch.start) return stretch.pictures[0] ?? null
    }
    return null
  }
}

function stretchOf(moof: DataView): Stretch | null {
  const [traf] = boxes(bytesOf(moof), 'traf')
  if (traf === undefined) return null
  const [tfdt] = boxes(bytesOf(traf), 'tfdt')
  const [trun] = boxes(bytesOf(traf), 'trun')
  if (tfdt === undefined || trun === undefined || (trun.getUint32(0) & 0xffffff) !== TRUN_FLAGS) return null
  let dts = tfdt.getUint8(0) === 1 ? Number(tfdt.getBigUint64(4)) : tfdt.getUint32(4)
  const shown: Picture[] = []
  for (let at = 12; at + 16 <= trun.byteLength; at += 16) {
    const [duration, offset] = [trun.getUint32(at), trun.getInt32(at + 12)]
    shown.push({ start: (dts + offset) / TICKS_PER_S, end: (dts + offset + duration) / TICKS_PER_S })
    dts += duration
  }
  shown.sort((one, other) => one.start - other.start)
  const [first, last] = [shown[0], shown.at(-1)]
  if (first === undefined || last === undefined) return null
  // A picture stands until the next one, however long its own sample says.
  shown.forEach((each, index) => (each.end = shown[index + 1]?.start ?? each.end))
  return { start: first.start, end: last.end, pictures: shown }
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
