import { isSpineError } from '@openspine/standards/error'
import type { Lookup, LookupQuery } from './lookup.ts'

/**
 * Look-ups that are remembered for a short time (§2.12): what was found longer than what was missing, failures of the
 * directory itself not at all. Questions asked at the same time are one search.
 */
export function rememberedLookups(options: {
  readonly ask: (query: LookupQuery) => Promise<Lookup>
  readonly now: () => number
  readonly life: { readonly found?: number; readonly missing?: number } | undefined
}): (query: LookupQuery) => Promise<Lookup> {
  const { found = 60, missing = 5 } = options.life ?? {}
  const answers = new Map<string, { readonly answer: Promise<Lookup>; until: number }>()
  return (query) => {
    const key = `${query.odsCode.toUpperCase()} ${query.interaction}`
    const known = answers.get(key)
    if (known && options.now() < known.until) return known.answer
    // Until it is answered it stands, however long that takes.
    const entry = { answer: options.ask(query), until: Number.POSITIVE_INFINITY }
    answers.set(key, entry)
    const remember = (seconds: number) => {
      entry.until = options.now() + seconds * 1000
    }
    entry.answer.then(
      () => remember(found),
      (error) => remember(isSpineError(error) && error.code === 'CLIENT_NOT_FOUND' ? missing : 0),
    )
    return entry.answer
  }
}
