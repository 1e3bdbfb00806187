import { defined, isJson, type Json } from '@openspine/standards/fhir/untrusted'

/**
 * What is kept of a patient. `record` is the consent, and with it the Reasonable Adjustments record itself; `impairments`
 * and `conditions` are lists whose members are `impairment` and `condition`; `fgm` and `child-protection` stand alone.
 */
export const kinds = [
  'record',
  'adjustment',
  'impairments',
  'impairment',
  'conditions',
  'condition',
  'fgm',
  'child-protection',
] as const
export type Kind = (typeof kinds)[number]

/** Of these a patient has at most one that is active. */
export const single: ReadonlySet<Kind> = new Set(['record', 'impairments', 'conditions', 'fgm', 'child-protection'])
/** These belong to the Reasonable Adjustments record, and go with it. */
export const ofRecord: ReadonlySet<Kind> = new Set(kinds.slice(0, 6))

/** Who did something, where and when, as it was known then. */
export interface Author {
  /** Milliseconds since the epoch. */
  readonly at: number
  /** Uid of the person, and the role profile id they acted in. */
  readonly user?: string
  readonly role?: string
  readonly name?: string
  readonly jobRole?: { readonly code: string; readonly display?: string }
  readonly odsCode?: string
  readonly organisation?: string
  readonly asid?: string
  readonly application?: string
}

export interface Removal {
  readonly reason: string
  readonly system?: string
  readonly display?: string
  readonly comment?: string
}

/**
 * One thing that is kept. `document` is the resource in the form of STU3 without what the service adds to it: id, meta,
 * Provenance and the reason for a removal; both faces are made from it.
 */
export interface Item {
  readonly nhsNumber: string
  /** The number under which it is kept, where that was merged into `nhsNumber` since. */
  readonly under?: string
  /** UUID; on the wire `{NHS number}.{UUID}`. */
  readonly id: string
  readonly kind: Kind
  readonly version: number
  readonly active: boolean
  readonly document: Json
  /** Of a member of a list: its id in the list, as the client chose it, and the Provenance that the client sent. */
  readonly member?: { readonly localId: string; readonly provenance?: Json; readonly date?: string }
  readonly created: Author
  readonly updated?: Author
  readonly removal?: Removal
}

/** The next version of it. */
export const next = (
  item: Item,
  by: Author,
  changes: Partial<Pick<Item, 'active' | 'document' | 'member' | 'removal'>>,
): Item => ({ ...item, ...changes, version: item.version + 1, updated: by })

/** The same thing, told of the number into which its own was merged. */
export function toldOf(item: Item, retained: string): Item {
  const { nhsNumber: under, document } = item
  if (under === retained) return item
  const about = (to: unknown) =>
    isJson(to) && typeof to['reference'] === 'string'
      ? { ...to, reference: to['reference'].replace(under, retained) }
      : to
  const { patient, subject } = document
  return {
    ...item,
    nhsNumber: retained,
    under,
    document: defined({ ...document, patient: about(patient), subject: about(subject) }),
  }
}

/**
 * What is told of a patient who had several numbers: of what there is one of, the first that is active, which is that of
 * the retained number where it has one. The others stay, unseen, and go with it.
 */
export const shown = (items: readonly Item[]): readonly Item[] =>
  items.filter(
    (item) =>
      !single.has(item.kind) || !item.active || item === items.find((each) => each.active && each.kind === item.kind),
  )

export const changedAt = ({ created, updated }: Item): number => (updated ?? created).at
export const wireId = ({ nhsNumber, id }: Pick<Item, 'nhsNumber' | 'id'>): string => `${nhsNumber}.${id}`
