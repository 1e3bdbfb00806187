import type { OutcomeName } from '../outcome.ts'
import type { Sheet, Surroundings } from '../sheet.ts'

/** One check. It answers undefined when it passes, otherwise the diagnostics that the consumer gets. */
export interface Check {
  readonly name: string
  /** Section of the specification that asks for it. */
  readonly clause: string
  readonly outcome: OutcomeName
  /** What to do about it, for whoever is refused. */
  readonly explains: string
  examine(sheet: Sheet, surroundings: Surroundings): string | undefined | Promise<string | undefined>
}

/** One header's value without white space at its ends; undefined when there is none. */
export function header(sheet: Sheet, name: string): string | undefined {
  const value = sheet.request.headers.get(name)?.trim()
  return value === '' ? undefined : value
}
