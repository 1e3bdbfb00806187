import { usage } from './registration.ts'

/** A time on the command line, milliseconds since the epoch; a day is its midnight in UTC. */
export function momentOf(text: string): number {
  const at = Date.parse(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00Z` : text)
  if (Number.isNaN(at)) throw usage(`${text} is no day or time: for example 2026-01-31 or 2026-01-31T09:30:00Z.`)
  return Math.floor(at / 1000) * 1000
}

/** To the second: `2026-01-31T09:30:00Z`. */
export const second = (at: number) => `${new Date(at).toISOString().slice(0, 19)}Z`
