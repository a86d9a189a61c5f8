/** A file of cameras as text, whatever wrote it. Pure. */

/** What a request to a box may have at most, less what is around the text. */
const MOST_BYTES = 15_000

export interface Table {
  text: string
  isLarge: boolean
}

/** Read a file's bytes: UTF-8, or what spreadsheets in Chinese write where that can't be. */
export function tableOf(bytes: Uint8Array): Table {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    text = new TextDecoder('gb18030').decode(bytes)
  }
  return { text, isLarge: isLarge(text) }
}

/** Whether a text is more than one request carries. */
export const isLarge = (text: string): boolean => new TextEncoder().encode(JSON.stringify(text)).length > MOST_BYTES
