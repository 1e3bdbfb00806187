import type { DirectoryEntry } from '@openspine/services/directory/contract'
import { SpineError } from '@openspine/standards/error'
import { type LdifRecord, type NormalisedName, nameKey, readLdif, type Schema } from '@openspine/standards/ldap'
import { type Place, placed, type RegistryFile } from './part.ts'
import { byCodeUnit, textLine } from './text.ts'

/** The line of an entry's `registeredFqdn`, which is no attribute of the directory and is not published. */
const fqdnLine = 'registeredFqdn'

/**
 * An entry as LDIF: the object classes, then the attributes by name. Their order says nothing (the directory takes two
 * entries that differ in it alone for the same); values stay in stored order, which clients see.
 */
export function entryText({ dn, attributes, registeredFqdn }: DirectoryEntry): string {
  const names = Object.keys(attributes)
    .filter((name) => name !== 'objectClass')
    .sort((a, b) => byCodeUnit(a.toLowerCase(), b.toLowerCase()))
  const lines = ['objectClass', ...names].flatMap((name) =>
    (attributes[name] ?? []).map((value) => textLine(name, value)),
  )
  const fqdn = registeredFqdn === undefined ? '' : textLine(fqdnLine, registeredFqdn)
  return `${textLine('dn', dn)}${lines.join('')}${fqdn}`
}

/** A file of entries. */
export const treeFileText = (entries: readonly string[]) => `version: 1\n${entries.map((text) => `\n${text}`).join('')}`

/** An entry of the folder. */
export interface ReadEntry {
  readonly name: NormalisedName
  readonly entry: DirectoryEntry
  readonly place: Place
}

/** The entries of a file, in its order. */
export function* readTreeFile(schema: Schema, { path, text }: RegistryFile): IterableIterator<ReadEntry> {
  let line = 1
  try {
    for (const record of readLdif(text)) {
      line = record.line
      yield readEntry(schema, record, { file: path, line })
    }
  } catch (error) {
    const own = (error as { readonly outcome?: { readonly line?: number; readonly file?: string } }).outcome
    throw own?.file === undefined ? placed(error, { file: path, line: own?.line ?? line }) : error
  }
}

function readEntry(schema: Schema, record: LdifRecord, place: Place): ReadEntry {
  const { dn, changeType } = record
  const refuse = (code: SpineError): never => {
    throw placed(code, place, dn)
  }
  const name = nameKey(schema, dn)
  if (name === undefined || name.parts.length === 0)
    return refuse(new SpineError('DIRECTORY_NAME', {}, { explanation: 'it is not a distinguished name.' }))
  if (changeType !== undefined) {
    const explanation = `a file of the registry holds entries as they shall be, and no record of changetype ${changeType}.`
    return refuse(new SpineError('REGISTRY_RECORD', {}, { explanation }))
  }
  const attributes = new Map<string, string[]>()
  let registeredFqdn: string | undefined
  for (const [given, value] of record.attributes) {
    if (given.toLowerCase() === fqdnLine.toLowerCase()) {
      if (registeredFqdn !== undefined)
        return refuse(new SpineError('REGISTRY_RECORD', {}, { explanation: `${fqdnLine} stands there twice.` }))
      registeredFqdn = value.toLowerCase()
      continue
    }
    const type = schema.attribute(given)
    if (type?.secret === true) {
      const explanation = `${type.name} is a secret: it has no place in files that others read. Whatever the registry holds of it stays.`
      return refuse(new SpineError('REGISTRY_SECRET', {}, { explanation }))
    }
    const attribute = type?.name ?? given
    // Common in live data, and as good as absent (directory specification §17).
    if (attribute === 'nhsMHSRetries' && value.trim() === '') continue
    const values = attributes.get(attribute)
    if (values === undefined) attributes.set(attribute, [value])
    else values.push(value)
  }
  const fqdn = registeredFqdn === undefined ? {} : { registeredFqdn }
  return { name, place, entry: { dn, attributes: Object.fromEntries(attributes), ...fqdn } }
}
