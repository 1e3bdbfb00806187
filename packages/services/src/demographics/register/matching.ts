import type { AskedName, Criteria } from '../criteria.ts'
import { dayNumber, foldName, foldPostcode } from '../fold.ts'
import { asJson, items, type Json, text } from '../person.ts'
import type { PersonStore } from '../store.ts'
import { trace } from '../trace.ts'

/** What of a new person is held against those who are there (§12). */
export interface Particulars {
  readonly birth: number
  readonly family: string
  readonly given: readonly string[]
  readonly gender: string
  readonly postcode?: string
}

/** Out of a Patient that passed its checks. The postcode is that of the home, or else of the first address. */
export function particularsOf(patient: Json): Particulars {
  const name = items(patient['name'])[0] ?? {}
  const addresses = items(patient['address'])
  const place = addresses.find(({ use }) => use === 'home') ?? addresses[0]
  const postcode = foldPostcode(text(asJson(place)['postalCode']) ?? '')
  return {
    birth: dayNumber(text(patient['birthDate']) ?? '') ?? 0,
    family: text(name['family']) ?? '',
    given: givenIn(name['given']),
    gender: text(patient['gender']) ?? '',
    ...(postcode === '' ? {} : { postcode }),
  }
}

const givenIn = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((part): part is string => typeof part === 'string' && foldName(part) !== '') : []

const mostFound = 50

const plain = (name: string): AskedName => ({ text: name, pattern: { pieces: [foldName(name)] } })

/**
 * Numbers of the people who are there with these particulars. A restricted person is never found by a place (§9.5): the
 * rest decides, or one person would be registered a second time. More than {@link mostFound} count as many.
 */
export async function matching(
  store: PersonStore,
  asked: Particulars,
  about: { readonly block: number; readonly byPostcode: boolean },
): Promise<readonly string[]> {
  const day = { from: asked.birth, to: asked.birth }
  const criteria: Criteria = {
    birth: day,
    family: plain(asked.family),
    given: asked.given.map(plain),
    gender: asked.gender,
    fuzzy: false,
    exact: false,
    history: false,
    max: mostFound,
  }
  const found = await trace(store, criteria, about.block)
  if ('tooMany' in found && !(about.byPostcode && asked.postcode !== undefined)) return several
  if ('tooMany' in found) {
    const there = await trace(store, { ...criteria, postcode: { pieces: [asked.postcode ?? ''] } }, about.block)
    return 'tooMany' in there ? several : numbers(there.found)
  }
  const { postcode } = asked
  if (!about.byPostcode || postcode === undefined) return numbers(found.found)
  return numbers(
    found.found.filter(
      ({ person, subject }) =>
        person.sensitivity !== 'U' ||
        subject.addresses.some((address) => address.kind === 0 && address.postcode === postcode),
    ),
  )
}

/** Too many to be told apart: what they are called does not matter. */
const several: readonly string[] = ['', '']

const numbers = (found: readonly { readonly person: { readonly nhsNumber: string } }[]) =>
  found.map(({ person }) => person.nhsNumber)
