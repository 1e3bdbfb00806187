import { setImmediate as nextTurn } from 'node:timers/promises'
import { isSpineError, SpineError } from '@openspine/standards/error'
import {
  type EncodedEntry,
  generalizedTime,
  type LdifModification,
  ldifAttributes,
  ldifModifications,
  type MemoryTree,
  type NormalisedName,
  nameKey,
  parseDn,
  renderDn,
  type Schema,
  structuralClass,
  type TreeEdit,
} from '@openspine/standards/ldap'
import { putChange, putHead } from './changelog.ts'
import type { Fault, WriteCheck } from './checks/check.ts'
import { writeChecks } from './checks/checks.ts'
import type { DirectoryConfig } from './config.ts'
import type { DirectoryChange, DirectoryEntry, DirectoryWarning, EntryAttributes } from './contract.ts'
import type { StoredChange, StoredEntry } from './store.ts'

/** What a refused change tells its caller. */
export interface ChangeOutcome {
  /** Place of the change among those given, from 0. */
  readonly change: number
  readonly dn: string
  readonly attribute?: string
}

/** Changes that are applied together or not at all. */
export interface ChangeCall {
  readonly changes: readonly DirectoryChange[]
  readonly by: string
  readonly imported: boolean
  /** Version that the changes were worked out for; `DIRECTORY_VERSION` when the calls before lead to another. */
  readonly ifVersion: number | undefined
}

/** What becomes of one call: the numbers before and after its changes, or why none of them is made. */
export type ChangeAnswer =
  | { readonly after: number; readonly version: number; readonly warnings: readonly DirectoryWarning[] }
  | { readonly refusal: SpineError }

/** All changes of some calls, worked out and ready to be written. */
export interface WorkedChanges {
  readonly edit: TreeEdit
  readonly entries: readonly StoredEntry[]
  readonly deleted: readonly string[]
  readonly log: readonly StoredChange[]
  readonly version: number
  /** One for each call, in order. */
  readonly answers: readonly ChangeAnswer[]
}

export interface ChangeGround {
  readonly tree: MemoryTree
  readonly schema: Schema
  readonly version: number
  readonly config: Pick<DirectoryConfig, 'organisations' | 'changeLogSize'>
  readonly now: number
  readonly uuid: () => string
  /** Stored attributes by key, of entries that may hold secret ones. */
  readonly guarded: ReadonlyMap<string, EntryAttributes>
  /** FQDN that was registered with an entry. */
  readonly registeredFqdn: (entry: EncodedEntry) => string | undefined
}

/** So long changes are worked out without a pause: searches are answered in between. */
const longestTurnMs = 8

/** Entries sort before what happens to the change log, number by number (`TreeEntry.order`). */
export const orderOfEntry = (position: number) => position * 4

/** Names that hold the tree together; they can be changed but not removed. */
const structure = new Set(
  ['', 'ou=organisations,', 'ou=people,', 'ou=services,', 'ou=referencedata,', 'ou=workgroups,'].map(
    (rdn) => `${rdn}o=nhs`,
  ),
)

function refuse(code: string, outcome: ChangeOutcome, fault: Fault): SpineError<ChangeOutcome> {
  const attribute = fault.attribute === undefined ? {} : { attribute: fault.attribute }
  return new SpineError(code, { ...outcome, ...attribute }, { explanation: fault.explanation })
}

/** What the calls so far have come to. */
interface Work {
  readonly edit: TreeEdit
  readonly entries: Map<string, StoredEntry>
  readonly deleted: Set<string>
  readonly log: StoredChange[]
  /** FQDNs registered with entries that this work wrote. */
  readonly fqdns: Map<string, string | undefined>
  version: number
}

/**
 * Checks the changes of each call one after another, each on the tree that the earlier ones leave, and works out rows,
 * change log and the next edition of the tree. A call of which one change is refused (`DIRECTORY_*`) leaves nothing
 * behind, and the others go on without it. Writes nothing. Many changes take long: others get a turn in between.
 */
export async function workOut(calls: readonly ChangeCall[], ground: ChangeGround): Promise<WorkedChanges> {
  const begin = (): Work => ({
    edit: ground.tree.edit(),
    entries: new Map(),
    deleted: new Set(),
    log: [],
    fqdns: new Map(),
    version: ground.version,
  })
  let work = begin()
  const accepted: ChangeCall[] = []
  const answers: ChangeAnswer[] = []
  for (const call of calls) {
    const after = work.version
    try {
      const warnings = await workOutCall(call, ground, work)
      accepted.push(call)
      answers.push({ after, version: work.version, warnings })
    } catch (error) {
      if (!isSpineError(error)) throw error
      // An edition has no way back: what the refused call began is gone when the others are worked out again.
      if (work.version !== after) {
        work = begin()
        for (const each of accepted) await workOutCall(each, ground, work)
      }
      answers.push({ refusal: error })
    }
  }
  const { edit, entries, deleted, log, version } = work
  return { edit, entries: [...entries.values()], deleted: [...deleted], log, version, answers }
}

async function workOutCall(call: ChangeCall, ground: ChangeGround, work: Work): Promise<DirectoryWarning[]> {
  const { schema, now } = ground
  const { by, imported, ifVersion } = call
  if (ifVersion !== undefined && ifVersion !== work.version) {
    const explanation = `The directory was changed meanwhile: it stands at version ${work.version}, and the changes were worked out for ${ifVersion}. Nothing was written; look again.`
    throw new SpineError('DIRECTORY_VERSION', { version: work.version, expected: ifVersion }, { explanation })
  }
  const { edit, entries, deleted, log, fqdns } = work
  const warnings: DirectoryWarning[] = []

  const record = (kind: StoredChange['kind'], key: string, dn: string, text: string) => {
    work.version++
    log.push({ number: work.version, key, dn, kind, changes: text, at: now, by })
  }

  // At once, so that the order of places is that of `TreeEntry.order`. More than the log keeps are not shown at all:
  // who applies so many loads the tree anew.
  const showChange = () => {
    const last = log.at(-1)
    if (last !== undefined && log.length <= ground.config.changeLogSize) putChange(edit, last)
  }

  const workOutChange = (change: DirectoryChange, index: number) => {
    const dn = change.kind === 'delete' ? change.dn : change.entry.dn
    const outcome = { change: index, dn }
    const name = nameKey(schema, dn)
    if (name === undefined || name.parts.length === 0) {
      throw refuse('DIRECTORY_NAME', outcome, { explanation: `${dn.slice(0, 200)} is not a distinguished name.` })
    }
    const old = edit.get(name.key)
    if (change.kind === 'delete') {
      if (old === undefined) {
        if (change.ifThere === true) return
        throw refuse('DIRECTORY_NO_SUCH_ENTRY', outcome, { explanation: `There is no entry ${dn}.` })
      }
      if (structure.has(name.key) || /(^|,)cn=changelog,o=nhs$/.test(name.key)) {
        throw refuse('DIRECTORY_BRANCH_CLOSED', outcome, { explanation: `${dn} belongs to the directory itself.` })
      }
      if (edit.hasChildren(name.key)) {
        throw refuse('DIRECTORY_NOT_A_LEAF', outcome, { explanation: `${dn} has entries below it. Remove them first.` })
      }
      edit.delete(name.key)
      entries.delete(name.key)
      fqdns.delete(name.key)
      deleted.add(name.key)
      record('delete', name.key, old.dn, '')
      showChange()
      return
    }
    const before = secretsOf(schema, entries.get(name.key)?.attributes ?? ground.guarded.get(name.key) ?? {})
    const given = canonical(schema, change.entry.attributes, outcome)
    // Whoever writes an entry again has read it without its secrets: they stay, unless it names them.
    const attributes = old === undefined ? given : { ...kept(before, change.entry.attributes), ...given }
    const registeredFqdn = change.entry.registeredFqdn?.toLowerCase()
    const shown = withoutSecrets(schema, attributes)
    const groups = old === undefined ? [] : difference(old.attributes(schema), shown)
    const same =
      old !== undefined &&
      groups.length === 0 &&
      JSON.stringify(before) === JSON.stringify(secretsOf(schema, attributes)) &&
      (fqdns.has(name.key) ? fqdns.get(name.key) : ground.registeredFqdn(old)) === registeredFqdn
    if (change.kind === 'create' && old !== undefined && !same) {
      throw refuse('DIRECTORY_ENTRY_EXISTS', outcome, { explanation: `There is another entry ${old.dn} already.` })
    }
    check(change.entry, attributes, name, index)
    if (same) return
    if (old === undefined) record('add', name.key, renderDn(parseDn(dn)), ldifAttributes(shown))
    else record('modify', name.key, old.dn, ldifModifications(groups))
    const earlier = entries.get(name.key)
    const stored: StoredEntry = {
      key: name.key,
      dn: old?.dn ?? renderDn(parseDn(dn)),
      position: earlier?.position ?? (old === undefined ? work.version : Math.floor(old.order / 4)),
      version: work.version,
      attributes,
      registeredFqdn,
      uuid: old?.provenance.uuid ?? ground.uuid(),
      createdAt: old?.provenance.createdAt ?? now,
      createdBy: old === undefined ? by : nameOfActorBack(old.provenance.creator),
      modifiedAt: now,
      modifiedBy: by,
    }
    entries.set(name.key, stored)
    fqdns.set(name.key, registeredFqdn)
    putEntry(edit, stored)
    if (name.key === 'o=nhs' && old === undefined) putHead(edit, 0, 0, now)
    showChange()
  }

  function check(entry: DirectoryEntry, attributes: EntryAttributes, name: NormalisedName, index: number) {
    const named = attributes['objectClass'] ?? []
    const candidate = {
      schema,
      look: edit,
      config: ground.config,
      dn: entry.dn,
      name,
      attributes,
      registeredFqdn: entry.registeredFqdn,
      classes: named.flatMap((each) => schema.objectClass(each) ?? []),
      structural: structuralClass(schema, named),
      today: generalizedTime(now).slice(0, 8),
    }
    for (const each of writeChecks) {
      const fault = each.run(candidate)
      if (fault === undefined) continue
      const outcome = { change: index, dn: entry.dn }
      if (!bearable(each, imported)) throw refuse(each.code, outcome, fault)
      warnings.push({ ...outcome, code: each.code, explanation: fault.explanation })
    }
  }

  let since = performance.now()
  for (const [index, change] of call.changes.entries()) {
    workOutChange(change, index)
    if (performance.now() - since < longestTurnMs) continue
    await nextTurn()
    since = performance.now()
  }
  return warnings
}

function bearable({ on }: WriteCheck, imported: boolean): boolean {
  return on === 'warned' || (on === 'tolerated' && imported)
}

/** Canonical spelling; attributes without a value are as good as absent (an empty nhsMHSRetries is common, §17). */
function canonical(schema: Schema, attributes: EntryAttributes, outcome: ChangeOutcome): EntryAttributes {
  const known: Record<string, readonly string[]> = {}
  for (const [given, values] of Object.entries(attributes)) {
    const name = schema.attribute(given)?.name ?? given
    const kept = name === 'nhsMHSRetries' ? values.filter((value) => value.trim() !== '') : values
    if (known[name] !== undefined) {
      throw refuse('DIRECTORY_VALUE', outcome, {
        attribute: name,
        explanation: `${name} is given twice, in two spellings.`,
      })
    }
    if (kept.length > 0) known[name] = [...kept]
  }
  return known
}

function withoutSecrets(schema: Schema, attributes: EntryAttributes): EntryAttributes {
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => schema.attribute(name)?.secret !== true))
}

function secretsOf(schema: Schema, attributes: EntryAttributes): EntryAttributes {
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => schema.attribute(name)?.secret === true))
}

/** Secrets that the new attributes do not name; naming one without a value takes it away. */
function kept(secrets: EntryAttributes, given: EntryAttributes): EntryAttributes {
  const named = new Set(Object.keys(given).map((name) => name.toLowerCase()))
  return Object.fromEntries(Object.entries(secrets).filter(([name]) => !named.has(name.toLowerCase())))
}

/** The groups of a modification that leads from one to the other. */
function difference(from: EntryAttributes, to: EntryAttributes): LdifModification[] {
  const groups: LdifModification[] = []
  for (const attribute of Object.keys(from)) {
    if (to[attribute] === undefined) groups.push({ kind: 'delete', attribute, values: [] })
  }
  for (const [attribute, values] of Object.entries(to)) {
    const before = from[attribute]
    if (before === undefined) groups.push({ kind: 'add', attribute, values })
    else if (before.length !== values.length || before.some((value, place) => value !== values[place])) {
      groups.push({ kind: 'replace', attribute, values })
    }
  }
  return groups
}

const actorPrefix = 'cn='

/** Who made a change, as the name that creatorsName and modifiersName must be. */
function nameOfActor(by: string): string {
  return by.includes('=') && nameOfActorIsDn(by) ? by : renderDn([[{ type: 'cn', value: by }]])
}

function nameOfActorIsDn(by: string): boolean {
  try {
    return parseDn(by).length > 0
  } catch {
    return false
  }
}

function nameOfActorBack(dn: string): string {
  const [only, ...rest] = parseDn(dn)
  return rest.length === 0 && dn.startsWith(actorPrefix) ? (only?.[0]?.value ?? dn) : dn
}

/** Brings a stored entry into a tree. */
export function putEntry(edit: TreeEdit, entry: StoredEntry): EncodedEntry {
  const provenance = {
    uuid: entry.uuid,
    createdAt: entry.createdAt,
    modifiedAt: entry.modifiedAt,
    creator: nameOfActor(entry.createdBy),
    modifier: nameOfActor(entry.modifiedBy),
  }
  return edit.put(entry.dn, entry.attributes, orderOfEntry(entry.position), provenance, entry.key)
}
