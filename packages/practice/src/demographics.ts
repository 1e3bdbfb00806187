/**
 * What the practice asks of the national demographics service before it trusts an NHS number (§8.2, §8.3). The
 * practice knows no national service: whoever puts the system together hands the look-up in.
 */

/** A person as the demographics service knows them. */
export interface TracedPerson {
  readonly family: string
  readonly given: readonly string[]
  /** yyyy-mm-dd, or the part of it that is known. */
  readonly birthDate?: string
  readonly gender?: 'male' | 'female' | 'other' | 'unknown'
  readonly deceased: boolean
  readonly sensitive: boolean
  /** Of the NHS number itself. */
  readonly status: 'current' | 'superseded' | 'invalidated'
}

/** One person by NHS number; undefined when the number is not known. Throws when the service cannot be reached. */
export type LookUp = (nhsNumber: string) => Promise<TracedPerson | undefined>

/** Who is compared with a traced person. */
export interface Claimed {
  readonly family: string
  readonly given: readonly string[]
  readonly birthDate: string
}

/** Letters alone, so that `O'Neil-Ash` and `ONEIL ASH` are one name. */
function letters(name: string): string {
  return name
    .normalize('NFD')
    .replaceAll(/[^\p{L}]/gu, '')
    .toLowerCase()
}

export function sameFamily(traced: TracedPerson, family: string): boolean {
  return letters(traced.family) === letters(family)
}

/** The rule of §8.2: the birth date exactly, or two of its three parts with the first letters of the names. */
export function agrees(traced: TracedPerson, claimed: Claimed): boolean {
  if (traced.birthDate === undefined) return false
  if (traced.birthDate === claimed.birthDate) return true
  const [theirs, ours] = [traced.birthDate, claimed.birthDate].map((date) => date.split('-'))
  const parts = [0, 1, 2].filter((i) => ours?.[i] !== undefined && ours[i] === theirs?.[i]).length
  const start = (name: string, count: number) => letters(name).slice(0, count)
  const initials = [traced.given[0] ?? '', claimed.given[0] ?? ''].map((name) => start(name, 1))
  return (
    parts >= 2 &&
    start(traced.family, 3) === start(claimed.family, 3) &&
    initials[0] !== '' &&
    initials[0] === initials[1]
  )
}

/** Whether the trace vouches for a number: a living, unflagged person who agrees with what is claimed. */
export function vouchesFor(traced: TracedPerson | undefined, claimed: Claimed): boolean {
  return (
    traced !== undefined &&
    traced.status === 'current' &&
    !traced.deceased &&
    !traced.sensitive &&
    agrees(traced, claimed)
  )
}
