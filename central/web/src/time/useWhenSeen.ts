import { onScopeDispose } from 'vue'

/**
 * Return a function that calls `work` if somebody can see the page; else `work` is called once when they can.
 *
 * A page that is left open behind others for days asks for nothing over a village's uplink.
 */
export function useWhenSeen(work: () => void): () => void {
  let owed = false

  function attempt(): void {
    owed = document.hidden
    if (!owed) work()
  }
  const changed = (): void => {
    if (owed) attempt()
  }
  document.addEventListener('visibilitychange', changed)
  onScopeDispose(() => document.removeEventListener('visibilitychange', changed))
  return attempt
}
