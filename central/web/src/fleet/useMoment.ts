import { useSession } from '@/stores/session'
import { clockOf, dayOf } from '@/time/zone'

/** Return a function that writes a moment of the centre in the village's time: 2026-11-22 14:05:22. */
export function useMoment() {
  const session = useSession()
  return (at: string | null): string => (at === null ? '–' : `${dayOf(Date.parse(at), session.zone)} ${clockOf(Date.parse(at), session.zone)}`)
}
