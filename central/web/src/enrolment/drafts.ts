import { reactive } from 'vue'

import { emptyDraft } from './steps'
import type { Draft } from './steps'

/** What was typed for a box's next camera stays while the page is open elsewhere; a password never gets here (cameras E12). */
const drafts = new Map<string, Draft>()

export function draftFor(boxId: string, cameraId: string | null): Draft {
  const key = `${boxId}.${cameraId ?? ''}`
  const kept = drafts.get(key)
  if (kept !== undefined && kept.savedAs === null) return kept
  const made = reactive(emptyDraft())
  drafts.set(key, made)
  return made
}
