import type { DirectoryEntry } from '@openspine/services/directory/contract'
import type { NormalisedName } from '@openspine/standards/ldap'

/** Entries of the tree that stand together in the folder. */
export interface TreeCollection {
  readonly name: string
  /** Name below which they stand, normalised. */
  readonly branch: string
  readonly place: string
  /** File of an entry directly below the branch; all below that entry stands in the same. */
  file(entry: DirectoryEntry): string
}

const first = (entry: DirectoryEntry, attribute: string) => entry.attributes[attribute]?.[0] ?? ''

/**
 * A value as the name of a file on any machine: upper case, because some do not tell cases apart; of live data's odd
 * values what a name may not hold as `%` and hexadecimal digits.
 */
function fileName(value: string): string {
  const safe = value
    .slice(0, 60)
    .toUpperCase()
    .replace(/[^A-Z0-9-]/gu, (char) => [...Buffer.from(char)].map((byte) => `%${byte.toString(16)}`).join(''))
  if (safe === '') return '_'
  return /^(CON|PRN|AUX|NUL|COM\d|LPT\d)$/.test(safe) ? `${safe}_` : safe
}

/**
 * In the order in which additions are applied where nothing else says an order: systems stand on organisations. The file of
 * a system is its organisation's; organisations share files by the beginning of their codes, people by the
 * end of their uids, which are given out in sequence.
 */
const branches: readonly TreeCollection[] = [
  {
    name: 'organisations',
    branch: 'ou=organisations,o=nhs',
    place: 'organisations/*.ldif',
    file: (entry) => `organisations/${fileName(first(entry, 'uniqueIdentifier').slice(0, 2))}.ldif`,
  },
  {
    name: 'people',
    branch: 'ou=people,o=nhs',
    place: 'people/*.ldif',
    file: (entry) => `people/${fileName(first(entry, 'uid').slice(-2))}.ldif`,
  },
  {
    name: 'reference-data',
    branch: 'ou=referencedata,o=nhs',
    place: 'reference-data.ldif',
    file: () => 'reference-data.ldif',
  },
  { name: 'workgroups', branch: 'ou=workgroups,o=nhs', place: 'workgroups.ldif', file: () => 'workgroups.ldif' },
  {
    name: 'services',
    branch: 'ou=services,o=nhs',
    place: 'services/*.ldif',
    file: (entry) => `services/${fileName(first(entry, 'nhsIDCode'))}.ldif`,
  },
]

/** The branches themselves, and whatever stands outside of them. */
const rest: TreeCollection = { name: 'tree', branch: '', place: 'tree.ldif', file: () => 'tree.ldif' }

/** Every collection of the tree, in the order of application. */
export const treeCollections: readonly TreeCollection[] = [rest, ...branches]

/** Where an entry belongs, and under which ancestor directly below the branch (itself, mostly). */
export function whereabouts({ key, parts }: NormalisedName): {
  readonly collection: TreeCollection
  readonly anchor: string
} {
  const collection = branches.find(({ branch }) => key.endsWith(`,${branch}`)) ?? rest
  const depth = collection.branch === '' ? parts.length : collection.branch.split(',').length + 1
  return { collection, anchor: parts.slice(-depth).join(',') }
}

/** Under which heading a reviewer looks for the entry: the organisation's ODS code, or the collection. */
export function groupOf(name: NormalisedName, entry: DirectoryEntry): string {
  const { collection } = whereabouts(name)
  const bySystem = collection.name === 'services' || collection.name === 'organisations'
  return (bySystem && first(entry, 'nhsIDCode').toUpperCase()) || collection.name
}

/** The branches, which the directory makes itself and never removes. */
export function isBranch({ key }: NormalisedName): boolean {
  return key === 'o=nhs' || branches.some(({ branch }) => branch === key)
}
