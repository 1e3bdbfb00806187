import { SpineError } from '@openspine/standards/error'
import type { DirectoryEntry } from './directory.ts'
import type { ClientLine } from './line.ts'

export interface LookupQuery {
  readonly odsCode: string
  /** Whole interaction id. */
  readonly interaction: string
}

export interface Lookup {
  readonly odsCode: string
  readonly interaction: string
  /** Service root URL, character for character as registered. */
  readonly endpoint: string
  readonly asid: string
  readonly partyKey: string
  /** The searches that were made, in order, for people: filter, entries found, milliseconds. */
  readonly searches: readonly { readonly filter: string; readonly found: number; readonly ms: number }[]
}

const base = 'ou=services,o=nhs'

/**
 * The two look-ups of the secure proxy guide: endpoint and accredited system of one organisation for one
 * interaction. CLIENT_NOT_FOUND says which of the two is missing.
 */
export async function lookup(line: ClientLine, query: LookupQuery): Promise<Lookup> {
  const ods = escapeFilter(query.odsCode)
  const interaction = escapeFilter(query.interaction)
  const searches: { filter: string; found: number; ms: number }[] = []
  const search = async (what: string, filter: string, attributes: string[]): Promise<DirectoryEntry> => {
    const started = performance.now()
    const entries = await line.directory.search({ base, filter, attributes })
    searches.push({ filter, found: entries.length, ms: performance.now() - started })
    const [entry] = entries
    if (entry) return entry
    throw new SpineError(
      'CLIENT_NOT_FOUND',
      { filter },
      {
        explanation: `The directory has no ${what} of ${query.odsCode} for ${query.interaction}: searched ${base} for ${filter}.`,
      },
    )
  }
  const endpointEntry = (filter: string) =>
    search('message handling system (endpoint)', filter, ['nhsMhsEndPoint', 'nhsMHSPartyKey'])
  const systemEntry = (filter: string) => search('accredited system', filter, ['uniqueIdentifier', 'nhsMHSPartyKey'])

  let endpoint: DirectoryEntry
  let system: DirectoryEntry
  if (line.settings.lookupOrder === 'system-first') {
    system = await systemEntry(`(&(nhsIDCode=${ods})(objectClass=nhsAS)(nhsAsSvcIA=${interaction}))`)
    const key = escapeFilter(value(system, 'nhsMHSPartyKey'))
    endpoint = await endpointEntry(`(&(nhsMHSPartyKey=${key})(objectClass=nhsMhs)(nhsMhsSvcIA=${interaction}))`)
  } else {
    endpoint = await endpointEntry(`(&(nhsIDCode=${ods})(objectClass=nhsMhs)(nhsMhsSvcIA=${interaction}))`)
    const key = escapeFilter(value(endpoint, 'nhsMHSPartyKey'))
    system = await systemEntry(
      `(&(nhsIDCode=${ods})(objectClass=nhsAS)(nhsMHSPartyKey=${key})(nhsAsSvcIA=${interaction}))`,
    )
  }
  return {
    ...query,
    endpoint: value(endpoint, 'nhsMhsEndPoint'),
    asid: value(system, 'uniqueIdentifier'),
    partyKey: value(endpoint, 'nhsMHSPartyKey'),
    searches,
  }
}

function value(entry: DirectoryEntry, attribute: string): string {
  const [first] = entry.attributes[attribute.toLowerCase()] ?? []
  if (first !== undefined) return first
  throw new SpineError(
    'CLIENT_DIRECTORY',
    { dn: entry.dn, attribute },
    { explanation: `The directory's entry ${entry.dn} has no ${attribute}.` },
  )
}

/** RFC 4515 §3: what has a meaning in a filter is written as a backslash and two digits. */
function escapeFilter(text: string): string {
  return text.replaceAll(/[\\*()\0]/g, (character) => `\\${character.charCodeAt(0).toString(16).padStart(2, '0')}`)
}
