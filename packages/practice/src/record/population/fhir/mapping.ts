/** What the mappings of resources to rows share: who is meant, what is linked, and what has been used up. */
import type { Population, RowArea } from '../population.ts'
import { codeOf, type Fields, fields, list, textOf } from './elements.ts'
import type { Held, Resources } from './resources.ts'

/** A row that refers to another one, which may turn out not to be there. */
export class Link {
  readonly target: Held
  readonly allowed: (area: RowArea) => boolean
  constructor(target: Held, allowed: (area: RowArea) => boolean = () => true) {
    this.target = target
    this.allowed = allowed
  }
}

export interface Row {
  readonly area: RowArea
  readonly row: Fields
}

export interface Mapping {
  readonly resources: Resources
  /** Id of the practitioner of a reference, when the population has one that can be used. */
  practitioner(reference: unknown, from: Held): string | undefined
  location(reference: unknown, from: Held): string | undefined
  /** Resources by what they are derived from: notes on a result, how a report was filed. */
  readonly notesOn: ReadonlyMap<Fields, readonly Held[]>
  /** Requests by the plan that they are based on. */
  readonly ordersOf: ReadonlyMap<Fields, readonly Held[]>
  /** Lists and notes of a consultation. */
  readonly inEncounter: ReadonlyMap<Fields, readonly Held[]>
}

const commentNote = '37331000000100'
export const isNote = ({ type, resource }: Held): boolean =>
  type === 'Observation' && list(fields(resource['code'])['coding']).some(({ code }) => code === commentNote)

/** References of one kind, in the form of STU3 (`related`) and of R4. */
export function relatedTo(resource: Fields, kind: 'has-member' | 'derived-from'): readonly unknown[] {
  return [
    ...list(resource['related'])
      .filter(({ type }) => type === kind)
      .map(({ target }) => target),
    ...list(resource[kind === 'has-member' ? 'hasMember' : 'derivedFrom']),
  ]
}

/** The encounter of a resource, in the form of any version. */
export const encounterReference = (resource: Fields): unknown => resource['encounter'] ?? resource['context']

/** Entered in error, or cancelled before it meant anything: no row of a record. */
export function isWithdrawn({ resource }: Held): boolean {
  const status = textOf(resource['status']) ?? codeOf(resource['status'])
  const verification = codeOf(resource['verificationStatus'])
  return status === 'entered-in-error' || verification === 'entered-in-error' || verification === 'refuted'
}

const targetOf = (reference: unknown): string => textOf(fields(reference)['reference']) ?? ''

/** Prepares what mappings look up more than once. */
export function mappingOf(
  resources: Resources,
  population: Pick<Population, 'practitioners' | 'locations' | 'leaveOut'>,
): Mapping {
  const { practitioners, locations } = population
  const missed = new Set<unknown>()
  /** Tells once of a reference to a person or place that no source has. */
  const miss = (reference: unknown, from: Held) => {
    const [, type] = /(?:^|\/)(Practitioner|PractitionerRole|Location)\//.exec(targetOf(reference)) ?? []
    if (type === undefined || missed.has(reference)) return
    missed.add(reference)
    population.leaveOut(`${from.type} (link to ${type})`, from.place, 'no source has what it refers to')
  }
  const grouped = (targets: (held: Held) => readonly unknown[]): ReadonlyMap<Fields, readonly Held[]> => {
    const found = new Map<Fields, Held[]>()
    for (const held of resources.all)
      for (const reference of targets(held)) {
        const target = resources.follow(reference, held)
        if (target === undefined) continue
        const before = found.get(target.resource)
        if (before === undefined) found.set(target.resource, [held])
        else before.push(held)
      }
    return found
  }
  return {
    resources,
    practitioner(reference, from) {
      const direct = resources.follow(reference, from)
      if (direct === undefined) miss(reference, from)
      const found =
        direct?.type === 'PractitionerRole' ? resources.follow(direct.resource['practitioner'], direct) : direct
      return found?.type === 'Practitioner' && found.id !== undefined && practitioners.has(found.id)
        ? found.id
        : undefined
    },
    location(reference, from) {
      const found = resources.follow(reference, from)
      if (found === undefined) miss(reference, from)
      return found?.type === 'Location' && found.id !== undefined && locations.has(found.id) ? found.id : undefined
    },
    notesOn: grouped((held) => (isNote(held) ? relatedTo(held.resource, 'derived-from') : [])),
    ordersOf: grouped(({ type, resource }) =>
      /^Medication(Request|Order)$/.test(type) ? list(resource['basedOn']) : [],
    ),
    inEncounter: grouped((held) => (held.type === 'List' || isNote(held) ? [encounterReference(held.resource)] : [])),
  }
}
