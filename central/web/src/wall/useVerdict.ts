import { ref, type ComputedRef } from 'vue'
import { useI18n } from 'vue-i18n'

import * as centre from '@/api/centre'
import { CentreError } from '@/api/http'
import type { Alert, NewIncident } from '@/api/types'
import { useSession } from '@/stores/session'
import { useVillage } from '@/stores/village'
import { useExplain } from '@/work/explain'

export type Dialog =
  | { kind: 'pin'; signing: Alert | null }
  | { kind: 'confirm'; alert: Alert }
  | { kind: 'false'; alert: Alert }
  | { kind: 'known'; alert: Alert }

const NOTE_MS = 6_000

/** Signing and verifying at the wall. A dialog belongs to the alert it was opened for. */
export function useVerdict(popup: ComputedRef<Alert | null>, hold: (id: string) => void) {
  const session = useSession()
  const village = useVillage()
  const { t } = useI18n()
  const explain = useExplain()
  const dialog = ref<Dialog | null>(null)
  const busy = ref(false)
  const note = ref('')
  let noteTimer: number | null = null

  function say(text: string): void {
    note.value = text
    if (noteTimer !== null) window.clearTimeout(noteTimer)
    noteTimer = window.setTimeout(() => {
      note.value = ''
    }, NOTE_MS)
  }

  /**
   * Do one thing at a time; what the centre refuses is said, and what it now says is fetched. Nothing
   * is disabled meanwhile: the focus would be lost, and the next key meet something else.
   */
  async function act(alert: Alert, deed: () => Promise<void>): Promise<void> {
    if (busy.value) return
    busy.value = true
    try {
      await deed()
    } catch (error) {
      if (error instanceof CentreError && (error.status === 401 || error.status === 403)) {
        await session.refresh().catch(() => undefined)
        if (session.needsPin) {
          dialog.value = { kind: 'pin', signing: alert.state === 'NEW' ? alert : null }
          return
        }
      }
      say(t('wall.failed', { why: explain(error) }))
      if (error instanceof CentreError && error.status === 409) await centre.alert(alert.id).then(village.putAlert, () => undefined)
    } finally {
      busy.value = false
    }
  }

  async function sign(alert: Alert | null = popup.value): Promise<void> {
    if (alert === null) return
    if (alert.state !== 'NEW') {
      say(t('wall.signedAlready'))
      return
    }
    if (session.needsPin) {
      dialog.value = { kind: 'pin', signing: alert }
      return
    }
    await act(alert, async () => {
      // Before it is asked for: the feed may say that it is signed before the answer does.
      hold(alert.id)
      village.putAlert(await centre.ack(alert.id, 'wall'))
    })
  }

  /** The operator stands there now: sign what asked for them. */
  async function operatorCame(): Promise<void> {
    const pending = dialog.value?.kind === 'pin' ? dialog.value.signing : null
    dialog.value = null
    if (pending !== null) await sign(pending)
  }

  function ask(kind: 'confirm' | 'false' | 'known'): void {
    const alert = popup.value
    if (alert === null) return
    if (alert.state === 'NEW') {
      say(t('wall.signFirst'))
      return
    }
    if (alert.state !== 'ACKED') return
    dialog.value = session.needsPin ? { kind: 'pin', signing: null } : { kind, alert }
  }

  async function confirm(alert: Alert, incident: NewIncident): Promise<void> {
    await act(alert, async () => {
      const detail = await centre.confirm(alert.id, { incident })
      dialog.value = null
      village.putAlert(detail)
      say(t('confirm.madeIncident', { serial: detail.incident?.serial ?? '' }))
    })
  }

  async function rejectFalse(alert: Alert, reason: string, words: string): Promise<void> {
    await act(alert, async () => {
      const changed = await centre.rejectFalse(alert.id, reason, words)
      dialog.value = null
      village.putAlert(changed)
    })
  }

  /** `code`: a filed event's id, or else what it is in words. */
  async function markKnown(alert: Alert, code: string, words: string): Promise<void> {
    const filed = village.activities.some((each) => each.id === code)
    await act(alert, async () => {
      const changed = await (filed ? centre.markKnown(alert.id, '', code) : centre.markKnown(alert.id, words || code))
      dialog.value = null
      village.putAlert(changed)
    })
  }

  async function toggleOperator(): Promise<void> {
    if (session.operator === null) {
      dialog.value = { kind: 'pin', signing: null }
      return
    }
    await session.signOutOperator().catch((error: unknown) => say(t('wall.failed', { why: explain(error) })))
  }

  return { dialog, busy, note, say, sign, operatorCame, ask, confirm, rejectFalse, markKnown, toggleOperator }
}
