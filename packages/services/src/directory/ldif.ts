import { SpineError } from '@openspine/standards/error'
import {
  ldifAttributes,
  ldifLine,
  type NormalisedName,
  nameKey,
  readLdif,
  type Schema,
  writeLdif,
} from '@openspine/standards/ldap'
import type { DirectoryChange, EntryAttributes, LdifRepair } from './contract.ts'

export interface ReadEntries {
  /** In the order of the file, parents before children where the file has them so. */
  readonly changes: readonly DirectoryChange[]
  readonly repairs: readonly LdifRepair[]
}

/**
 * Entries and deletions of an LDIF file as changes for `Directory.apply` with `imported`. Known quirks of live dumps
 * (directory specification §17) are repaired and reported: duplicate entries that are equal, duplicate and empty
 * values, operational and unknown attributes, the dump's own change log. Throws `LDIF_SYNTAX` with the
 * line, `DIRECTORY_LDIF_CONFLICT` for two different entries of one name, `DIRECTORY_LDIF_CHANGE` for modifications.
 */
export function readEntries(schema: Schema, text: string): ReadEntries {
  const entries = new Map<
    string,
    { readonly dn: string; readonly attributes: EntryAttributes; readonly line: number }
  >()
  const deletions: DirectoryChange[] = []
  const repairs: LdifRepair[] = []
  for (const record of readLdif(text)) {
    const { dn, line, changeType } = record
    const name: NormalisedName | undefined = nameKey(schema, dn)
    if (name === undefined) throw refused('DIRECTORY_NAME', line, `${dn.slice(0, 200)} is not a distinguished name.`)
    if (changeType === 'delete') {
      deletions.push({ kind: 'delete', dn })
      continue
    }
    if (changeType !== undefined && changeType !== 'add') {
      throw refused(
        'DIRECTORY_LDIF_CHANGE',
        line,
        `Records of changetype ${changeType} are not imported: write the whole entry.`,
      )
    }
    // The directory writes its change log itself.
    if (/(^|,)cn=changelog,o=nhs$/.test(name.key)) {
      repairs.push({ line, dn, repair: 'entry of the change log left out' })
      continue
    }
    const report = (repair: string) => repairs.push({ line, dn, repair })
    const attributes = tidied(schema, record.attributes, report)
    const earlier = entries.get(name.key)
    if (earlier === undefined) entries.set(name.key, { dn, attributes, line })
    else if (JSON.stringify(sorted(earlier.attributes)) === JSON.stringify(sorted(attributes))) {
      report(`same entry as on line ${earlier.line}, merged`)
    } else
      throw refused('DIRECTORY_LDIF_CONFLICT', line, `${dn} stands on line ${earlier.line} already, with other values.`)
  }
  const puts = [...entries.values()].map(
    ({ dn, attributes }): DirectoryChange => ({ kind: 'put', entry: { dn, attributes } }),
  )
  return { changes: [...puts, ...deletions], repairs }
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
): EntryAttributes {
  const attributes: Record<string, string[]> = {}
  for (const [given, value] of lines) {
    const type = schema.attribute(given)
    if (type === undefined) report(`attribute ${given.slice(0, 100)} left out: the schema does not know it`)
    else if (type.usage !== 'userApplications') report(`operational attribute ${type.name} left out`)
    else if (value.trim() === '') report(`empty value of ${type.name} left out`)
    else {
      const values = attributes[type.name] ?? []
      attributes[type.name] = values
      const rule = schema.equality(type, 'caseIgnoreMatch')
      const form = (text: string) => rule?.normalise(text) ?? text
      if (values.some((each) => form(each) === form(value)))
        report(`second value ${value.slice(0, 100)} of ${type.name} left out`)
      else values.push(value)
    }
  }
  return attributes
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
