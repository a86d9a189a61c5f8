/** A snapshot may be older than what the feed has said since it was asked for. Pure. */

const KEPT_MS = 60_000

/** Which things the feed has changed lately; entries older than a minute are forgotten. */
export class RecentChanges {
  private readonly at = new Map<string, number>()

  note(key: string, now: number): void {
    this.at.set(key, now)
    for (const [each, time] of this.at) if (now - time > KEPT_MS) this.at.delete(each)
  }

  /** Return the keys changed at `time` or later. */
  since(time: number): ReadonlySet<string> {
    return new Set([...this.at].filter(([, at]) => at >= time).map(([key]) => key))
  }
}

/** Return the snapshot, but with the present word on everything in `changed`. */
export function settled<T>(
  snapshot: readonly T[],
  present: readonly T[],
  key: (item: T) => string,
  changed: ReadonlySet<string>,
): T[] {
  const newer = new Map(present.filter((item) => changed.has(key(item))).map((item) => [key(item), item]))
  const result = snapshot.map((item) => newer.get(key(item)) ?? item)
  const known = new Set(snapshot.map(key))
  for (const [each, item] of newer) if (!known.has(each)) result.push(item)
  return result
}

/** Return the list with `item` in the place of the one of its key, or at the end. */
export function replaced<T>(list: readonly T[], item: T, key: (item: T) => string): T[] {
  const at = list.findIndex((each) => key(each) === key(item))
  return at === -1 ? [...list, item] : list.map((each, index) => (index === at ? item : each))
}
