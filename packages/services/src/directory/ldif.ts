import { SpineError } from '@openspine/standards/error'
import {
  type AttributeType,
  type LdifModification,
  type LdifRecord,
  ldifAttributes,
  ldifLine,
  type NormalisedName,
  nameKey,
  type Schema,
  writeLdif,
} from '@openspine/standards/ldap'
import type { DirectoryChange, DirectoryEntry, EntryAttributes, LdifRepair } from './contract.ts'

export interface ReadEntries {
  /** In the order of the file. */
  readonly changes: readonly DirectoryChange[]
  readonly repairs: readonly LdifRepair[]
  /** Whether something was worked out on what `current` holds. */
  readonly modifies: boolean
}

/** Repairs that are told one by one; what comes after is counted. */
const mostRepairs = 10_000

/** An entry as the file has left it so far; undefined where it was deleted. */
type Left = (DirectoryEntry & { readonly line: number }) | undefined

/**
 * Records of an LDIF file as changes for `Directory.apply` with `imported`: whole entries, `add`, `delete`, and `modify`
 * worked out on the entry that the file has left or that `current` holds. Known quirks of live dumps (directory
 * specification §17) are repaired and reported: duplicate entries that are equal, duplicate and empty values, other
 * spellings, operational and unknown attributes, the dump's own change log; stray commas and trailing slashes are kept
 * and reported. Throws `LDIF_SYNTAX` with the line, `DIRECTORY_LDIF_CONFLICT` for two different entries of one name,
 * `DIRECTORY_NO_SUCH_ENTRY` for a modification of nothing, `DIRECTORY_LDIF_CHANGE` for a new name.
 */
export async function readEntries(
  schema: Schema,
  records: AsyncIterable<LdifRecord> | Iterable<LdifRecord>,
  current: (key: string) => DirectoryEntry | undefined = () => undefined,
): Promise<ReadEntries> {
  const left = new Map<string, Left>()
  const changes: DirectoryChange[] = []
  const repairs: LdifRepair[] = []
  const spellings = new Set<string>()
  let more = 0
  let modifies = false
  for await (const record of records) {
    const { dn, line, changeType } = record
    const name: NormalisedName | undefined = nameKey(schema, dn)
    if (name === undefined) throw refused('DIRECTORY_NAME', line, `${dn.slice(0, 200)} is not a distinguished name.`)
    const { key } = name
    const report = (repair: string) => {
      if (repairs.length < mostRepairs) repairs.push({ line, dn, repair })
      else more++
    }
    // The directory writes its change log itself.
    if (/(^|,)cn=changelog,o=nhs$/.test(key)) {
      report('entry of the change log left out')
      continue
    }
    if (changeType === 'modrdn' || changeType === 'moddn') {
      throw refused(
        'DIRECTORY_LDIF_CHANGE',
        line,
        `${dn.slice(0, 200)} cannot get another name: an identifier is for ever. Add the entry under its new name and delete the old one.`,
      )
    }
    if (changeType === 'delete') {
      changes.push({ kind: 'delete', dn })
      left.set(key, undefined)
      continue
    }
    const earlier = left.get(key)
    const before: DirectoryEntry | undefined = left.has(key) ? earlier : current(key)
    const put = (attributes: EntryAttributes) => {
      // What LDIF cannot say stays as it is.
      const { registeredFqdn } = before ?? {}
      const entry = { dn, attributes, ...(registeredFqdn === undefined ? {} : { registeredFqdn }) }
      left.set(key, { ...entry, line })
      changes.push({ kind: 'put', entry })
    }
    if (changeType === 'modify') {
      if (before === undefined)
        throw refused('DIRECTORY_NO_SUCH_ENTRY', line, `There is no entry ${dn.slice(0, 200)} to modify.`)
      modifies = true
      put(modified(schema, before.attributes, record.modifications ?? [], report))
      continue
    }
    const attributes = tidied(schema, record.attributes, report, spellings)
    if (earlier === undefined) put(attributes)
    else if (JSON.stringify(sorted(earlier.attributes)) === JSON.stringify(sorted(attributes))) {
      report(`same entry as on line ${earlier.line}, merged`)
    } else
      throw refused('DIRECTORY_LDIF_CONFLICT', line, `${dn} stands on line ${earlier.line} already, with other values.`)
  }
  if (more > 0) repairs.push({ line: 0, dn: '', repair: `${more} more repairs` })
  return { changes, repairs, modifies }
}

/** Attributes after the groups of a modification, in order. What is there already, or not there, is reported and passed over. */
function modified(
  schema: Schema,
  before: EntryAttributes,
  groups: readonly LdifModification[],
  report: (repair: string) => void,
): EntryAttributes {
  const attributes: Record<string, readonly string[]> = { ...before }
  for (const { kind, attribute, values: given } of groups) {
    const type = schema.attribute(attribute)
    if (type === undefined || type.usage !== 'userApplications') {
      report(
        type === undefined
          ? `attribute ${attribute.slice(0, 100)} left out: the schema does not know it`
          : `operational attribute ${type.name} left out`,
      )
      continue
    }
    const { name } = type
    const values = given.filter((value) => value.trim() !== '')
    const form = formOf(schema, type)
    const held = attributes[name] ?? []
    if (kind === 'replace')
      attributes[name] =
        tidied(
          schema,
          values.map((value) => [name, value]),
          report,
        )[name] ?? []
    else if (kind === 'add') {
      const known = new Set(held.map(form))
      const added = values.filter((value) => !known.has(form(value)))
      if (added.length < values.length) report(`value of ${name} that is there already passed over`)
      attributes[name] = [...held, ...added]
    } else if (given.length === 0) {
      if (held.length === 0) report(`${name} is not there to be deleted`)
      attributes[name] = []
    } else {
      const gone = new Set(values.map(form))
      attributes[name] = held.filter((value) => !gone.has(form(value)))
      if (attributes[name].length > held.length - gone.size) report(`value of ${name} is not there to be deleted`)
    }
  }
  return attributes
}

function formOf(schema: Schema, type: AttributeType): (value: string) => string {
  const rule = schema.equality(type, 'caseIgnoreMatch')
  return (value) => rule?.normalise(value) ?? value
}

function refused(code: string, line: number, explanation: string): SpineError<{ readonly line: number }> {
  return new SpineError(code, { line }, { explanation: `Line ${line}: ${explanation}` })
}

function sorted(attributes: EntryAttributes): [string, string[]][] {
  return Object.entries(attributes)
    .map(([name, values]): [string, string[]] => [name, [...values].sort()])
    .sort(([a], [b]) => (a < b ? -1 : 1))
}

function tidied(
  schema: Schema,
  lines: readonly (readonly [string, string])[],
  report: (repair: string) => void,
  spellings = new Set<string>(),
): EntryAttributes {
  const attributes: Record<string, string[]> = {}
  for (const [given, value] of lines) {
    const type = schema.attribute(given)
    // Of a spelling that runs through a whole dump, once is enough.
    if (type !== undefined && given !== type.name && !spellings.has(given) && spellings.size < 1000) {
      spellings.add(given)
      report(`${given.slice(0, 100)} written ${type.name} (told once)`)
    }
    if (type === undefined) report(`attribute ${given.slice(0, 100)} left out: the schema does not know it`)
    else if (type.usage !== 'userApplications') report(`operational attribute ${type.name} left out`)
    else if (value.trim() === '') report(`empty value of ${type.name} left out`)
    else {
      const values = attributes[type.name] ?? []
      attributes[type.name] = values
      const form = formOf(schema, type)
      if (values.some((each) => form(each) === form(value)))
        report(`second value ${value.slice(0, 100)} of ${type.name} left out`)
      else {
        values.push(value)
        const stray = strayEnd(type.name, value)
        if (stray !== undefined) report(stray)
      }
    }
  }
  return attributes
}

/** Oddities of live data that are kept, as clients may depend on them. */
function strayEnd(name: string, value: string): string | undefined {
  if (/^(?:nhsAsSvcIA|nhsMhsSvcIA|nhsMHsIN)$/.test(name) && /[,;.]$/.test(value))
    return `stray character at the end of ${name} ${value.slice(0, 200)} kept`
  if (name === 'nhsMHSEndPoint' && value.endsWith('/')) return `slash at the end of ${name} ${value.slice(0, 200)} kept`
  return undefined
}

/** The entries of a tree as LDIF, parents first. Secret attributes are not in the tree, so not here either. */
export function exportEntries(
  schema: Schema,
  entries: Iterable<{ readonly dn: string; attributes(schema: Schema): EntryAttributes }>,
): IterableIterator<string> {
  function* records() {
    for (const entry of entries) yield { dn: entry.dn, attributes: entry.attributes(schema) }
  }
  return writeLdif(records())
}

/** One entry as LDIF text. */
export function entryLdif(entry: { readonly dn: string; readonly attributes: EntryAttributes }): string {
  return ldifLine('dn', entry.dn) + ldifAttributes(entry.attributes)
}
