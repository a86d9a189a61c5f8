/// <reference types="vite/client" />

interface TanshaoProbe {
  /** When each alert's card or pop-up was painted, in epoch milliseconds; the newest 500. */
  shown: { id: string; shownAt: number }[]
}

interface Window {
  __tanshao: TanshaoProbe
}
