import { criteriaFor } from '../asked.ts'
import { dayNumber, foldName, foldPostcode } from '../fold.ts'
import { asJson, items, type Json, snippetKind, text } from '../person.ts'
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

/**
 * Numbers of the people who are there with these particulars. A restricted person is never found by a place (§9.5): the
 * rest decides, or one person would be registered a second time. More than {@link mostFound} count as many.
 */
export async function matching(
  store: PersonStore,
  asked: Particulars,
  about: { readonly block: number; readonly byPostcode: boolean },
): Promise<readonly string[]> {
  const { birth, family, given, gender, postcode } = asked
  const day = { from: birth, to: birth }
  const find = async (more: { readonly postcode?: string }) => {
    const criteria = criteriaFor({ birth: day, family, given, gender, max: mostFound, ...more })
    return criteria === undefined ? { found: [] } : trace(store, criteria, about.block)
  }
  const found = await find({})
  const place = about.byPostcode ? postcode : undefined
  if ('tooMany' in found) {
    const there = place === undefined ? found : await find({ postcode: place })
    return 'tooMany' in there ? several : numbers(there.found)
  }
  if (place === undefined) return numbers(found.found)
  return numbers(
    found.found.filter(
      ({ person, subject }) =>
        person.sensitivity !== 'U' ||
        subject.addresses.some((address) => address.kind === snippetKind.main && address.postcode === place),
    ),
  )
}

/** Too many to be told apart: what they are called does not matter. */
const several: readonly string[] = ['', '']

const numbers = (found: readonly { readonly person: { readonly nhsNumber: string } }[]) =>
  found.map(({ person }) => person.nhsNumber)
