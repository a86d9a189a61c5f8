/** Why a message was not understood, in kinds that have words; the centre's own sentence stands beside them. */

export type Why = 'newer' | 'broken' | 'box' | 'doubled' | 'stranger' | 'source' | 'topic' | 'type' | 'database' | 'overflow'

const BEGINNINGS: [RegExp, Why][] = [
  [/^payload: Input tag /, 'newer'],
  [/^box: /, 'box'],
  [/^sequence: used /, 'doubled'],
  [/^alert_id: is /, 'stranger'],
  [/^source: is /, 'source'],
  [/^topic: not /, 'topic'],
  [/^type: .* does not belong /, 'type'],
  [/^database: /, 'database'],
  [/^more than \d+ rows/, 'overflow'],
]

export const whyOf = (reason: string): Why => BEGINNINGS.find(([beginning]) => beginning.test(reason))?.[1] ?? 'broken'
