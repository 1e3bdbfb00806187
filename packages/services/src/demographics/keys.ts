import { namePieces } from './fold.ts'
import type { Json, StoredPerson, TraceSubject } from './person.ts'
import { traceSubject } from './person.ts'
import { soundex } from './soundex.ts'

/** The rows under which a person can be found; made when a person is written. */
export interface PersonKeys {
  readonly birth: number
  readonly death: number | null
  readonly gender: string | null
  readonly gp: string | null
  readonly names: readonly {
    readonly kind: number
    readonly family: string
    /** Folded given names, first one first, parted by spaces. */
    readonly given: string
    readonly familySound: string
    /** Soundex of each given name, and of each half of a hyphenated one. */
    readonly givenSounds: string
  }[]
  readonly addresses: TraceSubject['addresses']
  readonly telecoms: TraceSubject['telecoms']
}

/** The JSON of a stored person, read once. */
export interface ReadPerson {
  readonly person: StoredPerson
  readonly patient: Json
  readonly subject: TraceSubject
}

export function readPerson(person: StoredPerson): ReadPerson {
  const patient = JSON.parse(person.document) as Json
  const { history } = person.past === undefined ? {} : (JSON.parse(person.past) as { readonly history?: Json })
  return { person, patient, subject: traceSubject(person, patient, history) }
}

/** Undefined for whom no trace finds: superseded, invalidated, very restricted, or without a full date of birth. */
export function keysOf(
  person: StoredPerson,
  subjectOf: () => TraceSubject = () => readPerson(person).subject,
): PersonKeys | undefined {
  if (person.status !== 'current' || person.sensitivity === 'V') return
  const subject = subjectOf()
  if (subject.birth === undefined) return
  return {
    birth: subject.birth,
    death: subject.death ?? null,
    gender: subject.gender ?? null,
    gp: subject.gp ?? null,
    names: subject.names.map(({ kind, given, foldedFamily, foldedGiven }) => ({
      kind,
      family: foldedFamily,
      given: foldedGiven.join(' '),
      familySound: soundex(foldedFamily),
      givenSounds: givenSounds(given, foldedGiven),
    })),
    addresses: subject.addresses,
    telecoms: subject.telecoms.filter(({ value }) => value !== ''),
  }
}

function givenSounds(given: readonly string[], foldedGiven: readonly string[]): string {
  const sounds = foldedGiven.map(soundex)
  for (const name of given) if (/[\s-]/.test(name)) sounds.push(...namePieces(name).map(soundex))
  return sounds.join(' ')
}
