/** What the specification asks of a GP Connect provider, one row for each thing that can be shown by itself. */

/** 0.x is FHIR DSTU2 (Access Record HTML), 1.x is FHIR STU3 (everything else). */
export type Generation = '0.x' | '1.x'

/** Why no scenario shows an obligation, and where it is shown instead. */
export interface Elsewhere {
  /** `connection`: the provider's, but settled before there is a request that could be sent in four ways. */
  readonly whose: 'consumer' | 'operator' | 'connection'
  readonly reason: string
  readonly test: NamedTest
}

/** A test by its title; scripts/test.ts fails a run of its file in which it did not pass. */
export interface NamedTest {
  /** From the root of the repository. */
  readonly file: string
  readonly title: string
}

export interface Obligation {
  readonly generations: readonly Generation[]
  /** In words of our own. */
  readonly asks: string
  readonly elsewhere?: Elsewhere
}

/** Obligations by id; the id begins with the clause that they stand in: `3.2-iss`. */
export type Obligations = Readonly<Record<string, Obligation>>

export const in0x = (asks: string): Obligation => ({ generations: ['0.x'], asks })
export const in1x = (asks: string): Obligation => ({ generations: ['1.x'], asks })
export const inBoth = (asks: string): Obligation => ({ generations: ['0.x', '1.x'], asks })

export function shownElsewhere(
  obligation: Obligation,
  whose: Elsewhere['whose'],
  test: NamedTest,
  reason: string,
): Obligation {
  return { ...obligation, elsewhere: { whose, reason, test } }
}

/** A duty of whoever asks, of both generations: no provider can show it. */
export const ofConsumers = (asks: string, file: string, title: string): Obligation =>
  shownElsewhere(inBoth(asks), 'consumer', { file, title }, 'A duty of the client.')

/** The clause that an id begins with: `3.2` of `3.2-iss`. */
export const clauseOf = (id: string): string => id.slice(0, id.indexOf('-'))
