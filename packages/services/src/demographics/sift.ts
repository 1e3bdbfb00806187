import type { Criteria } from './criteria.ts'
import { namePieces } from './fold.ts'
import { shortForms } from './short-forms.ts'
import { familyNearby, givenLikeness } from './similarity.ts'
import { soundex } from './soundex.ts'

/**
 * The cheap test over the name rows of one birth date, before whole people are read and judged by the
 * matcher: lets through everyone the matcher could accept, and few others.
 */
export function sift(
  criteria: Criteria,
): (row: { readonly family: string; readonly given: string; readonly sound: string }) => boolean {
  const family = criteria.family?.pattern.pieces[0]
  const given = criteria.given.map(({ pattern }) => pattern.pieces[0] ?? '')
  if (family === undefined) {
    const pieces = [...new Set([...given, ...criteria.given.flatMap(({ text }) => namePieces(text))])]
    return (row) =>
      row.given.split(' ').some((held) => pieces.some((asked) => held.includes(asked) || givenLikeness(asked, held)))
  }
  const asked = [family, ...given]
  const sounds = new Set(asked.map(soundex))
  // Swapped, and the family name was asked for by an everyday form of a given name that is held as one.
  const forms = new Set(given.flatMap((name) => [...shortForms(name)]))
  return (row) => sounds.has(row.sound) || forms.has(row.family) || asked.some((name) => familyNearby(name, row.family))
}
