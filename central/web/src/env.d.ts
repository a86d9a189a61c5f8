/// <reference types="vite/client" />

interface TanshaoProbe {
  /** When each alert's card or pop-up was painted, in epoch milliseconds; the newest 500. */
  shown: { id: string; shownAt: number }[]
  /** While the review page is open: shows a moment (epoch milliseconds), as a click on its timeline does. */
  seek?: (at: number) => void
}

interface Window {
  __tanshao: TanshaoProbe
}
