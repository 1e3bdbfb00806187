import { parseJson } from '@openspine/standards/fhir'
import { outcomes, refuse } from '../outcomes.ts'
import { isJson, type Json } from '../person.ts'
import { pythonText, pythonType } from '../rules/python-literal.ts'

/** One operation of a JSON Patch, read and with a legal name: the subset of RFC 6902 that PDS FHIR takes (§10). */
export interface Patch {
  readonly op: 'add' | 'replace' | 'remove' | 'test'
  /** As it was sent. */
  readonly path: string
  readonly tokens: readonly string[]
  readonly value: unknown
}

/** Members of a Patient that are lists of items with an id, or with a URL. */
export const itemLists: ReadonlySet<string> = new Set([
  'name',
  'address',
  'telecom',
  'contact',
  'generalPractitioner',
  'extension',
])

/** Members that an update may be about at all. */
const supported: ReadonlySet<string> = new Set([
  ...itemLists,
  'gender',
  'birthDate',
  'deceasedDateTime',
  'multipleBirthInteger',
])

const deepest = 32
const mostPatches = 200

/** The operations in the body of a request. SpineError `PDS_INVALID_UPDATE` where there are none. */
export function patchesIn(body: unknown): readonly unknown[] {
  let read: unknown
  try {
    read = parseJson(Buffer.isBuffer(body) ? body.toString('utf8') : '', { depth: deepest })
  } catch {
    read = undefined
  }
  const patches = isJson(read) ? read['patches'] : undefined
  if (!Array.isArray(patches) || patches.length === 0)
    throw invalid('No patches found', 'Send JSON of the form {"patches": [ … ]} with one or more operations.')
  return patches
}

const operations: ReadonlySet<unknown> = new Set(['add', 'replace', 'remove', 'test'])

/**
 * The operations, each with a legal name, a path and, where it needs one, a value. Names are looked at first, in all of
 * them: a wrong one is told before anything else that may be wrong (§10.4).
 */
export function legalPatches(sent: readonly unknown[]): Patch[] {
  for (const [index, patch] of sent.entries()) {
    const op = isJson(patch) ? patch['op'] : undefined
    if (op === undefined) throw refuse(outcomes.missingField(`${index}/op`), 'Every operation has an op.')
    if (!operations.has(op))
      throw refuse(outcomes.invalidField(op, `${index}/op`), 'op is add, replace, remove or test.')
  }
  if (sent.length > mostPatches)
    throw refuse(outcomes.invalidUpdate(`more than ${mostPatches} patches`), 'Send fewer operations at once.')
  return sent.map((patch, index) => {
    const { op, path, value } = patch as Json & { op: Patch['op'] }
    if (path === undefined) throw refuse(outcomes.missingField(`${index}/path`), 'Every operation has a path.')
    if (typeof path !== 'string' || !path.startsWith('/'))
      throw refuse(outcomes.invalidField(path, `${index}/path`), 'A path is a JSON pointer: it begins with a slash.')
    if (op !== 'remove' && value === undefined)
      throw refuse(outcomes.missingField(`${index}/value`), `An operation ${op} has a value.`)
    const tokens = path
      .slice(1)
      .split('/')
      .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
    return { op, path, tokens, value }
  })
}

const invalid = (reason: string, explanation: string) => refuse(outcomes.invalidUpdate(reason), explanation)

/**
 * What can be said of operations without looking at the record, in the order of the operations: the member is one that
 * can be updated, a removal follows a test of the same item, and what is changed within an item says which item.
 */
export function checkAddressing(patches: readonly Patch[]): void {
  for (const [index, patch] of patches.entries()) {
    const [root = '', item, ...rest] = patch.tokens
    if (!supported.has(root) || patch.tokens.some((token) => token === '__proto__'))
      throw invalid(
        `Update unsupported for resource - '${root}'`,
        `Only these can be updated: ${[...supported].join(', ')}.`,
      )
    if (patch.op === 'remove') {
      const before = patches[index - 1]
      if (before?.op !== 'test' || itemOf(before) !== itemOf(patch))
        throw invalid(
          `removal '${patch.path}' is not immediately preceded by equivalent test - instead it is ${
            before === undefined ? 'the first item' : `preceded by '${before.op} ${before.path}'`
          }`,
          'Before an item is removed, test it: its id, its url or the whole of it, in the operation just before.',
        )
      continue
    }
    if (patch.op === 'test' || !itemLists.has(root)) continue
    if (item === undefined || (patch.op === 'add' && rest.length === 0 && item !== '-'))
      throw invalid(
        `Invalid patch - items of '${root}' are added with path '/${root}/-'`,
        'An item is added at the end of its list, with /- as the end of the path.',
      )
    if (item === '-') {
      if (patch.op === 'add' && rest.length === 0) continue
      throw invalid("Invalid patch - index '-' is out of bounds", 'The path /- is for adding a whole item.')
    }
    const value = isJson(patch.value) ? patch.value : {}
    const named =
      rest[0] === 'id' ||
      rest[0] === 'url' ||
      value['url'] !== undefined ||
      (rest.length === 0 && value['id'] !== undefined) ||
      patches.some(
        ({ tokens }) =>
          tokens.length === 3 && tokens[0] === root && tokens[1] === item && /^(id|url)$/.test(tokens[2] ?? ''),
      )
    if (!named)
      throw invalid(
        `no id or url found for path with root /${root}/${item}`,
        `Say which item is meant: send its id (or the url of an extension) in the value, or as an operation on /${root}/${item}/id.`,
      )
  }
}

/** The item of a list, or the plain member, that an operation is about: `/name/0`. */
function itemOf({ tokens }: Patch): string {
  const [root = '', item] = tokens
  return itemLists.has(root) ? `/${root}/${item}` : `/${root}`
}

/** Makes the id of a new item. */
export type NewId = () => string

/**
 * The record after the operations, which are applied one after the other to a copy. SpineError `PDS_INVALID_UPDATE` with
 * the words of §10.4 at the first that cannot be applied; ids that name no item are told after all others.
 */
export function applied(record: Json, patches: readonly Patch[], newId: NewId): Json {
  const target = copied(record) as Record<string, unknown>
  let unknownId: string | undefined
  for (const patch of patches) {
    const wrong = apply(target, patch, newId)
    unknownId ??= wrong
  }
  if (unknownId !== undefined)
    throw invalid(unknownId, 'The id in the request is not that of the item at this place: read the record again.')
  return target
}

/** A copy of JSON: structuredClone costs several times as much. */
function copied(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copied)
  if (!isJson(value)) return value
  const copy: Record<string, unknown> = {}
  for (const key of Object.keys(value)) copy[key] = copied(value[key])
  return copy
}

/** Applies one operation; answers what is wrong with an id in it. */
function apply(target: Record<string, unknown>, patch: Patch, newId: NewId): string | undefined {
  const { op, tokens, value } = patch
  const [root = '', item, member] = tokens
  if (op === 'add' && item === '-') {
    const list = Array.isArray(target[root]) ? (target[root] as unknown[]) : []
    target[root] = [...list, root === 'extension' || !isJson(value) ? value : { ...value, id: newId() }]
    return undefined
  }
  const { holder, last } = holderOf(target, patch)
  if (op === 'test') {
    test(holder, last, value)
    return undefined
  }
  if (op === 'remove') {
    remove(holder, last)
    if (itemLists.has(root) && tokens.length === 2 && (target[root] as unknown[]).length === 0) delete target[root]
    return undefined
  }
  if (itemLists.has(root)) {
    const current = (target[root] as unknown[])[Number(item)]
    const key = root === 'extension' ? 'url' : 'id'
    if (tokens.length === 3 && (member === 'id' || member === 'url'))
      return isJson(current) && current[member] === value ? undefined : noSuchItem(root, member, value)
    if (tokens.length === 2) {
      const named = isJson(value) ? value[key] : undefined
      const wrong =
        named !== undefined && isJson(current) && current[key] !== named ? noSuchItem(root, key, named) : undefined
      if (wrong !== undefined) return wrong
      put(holder, last, isJson(value) && isJson(current) ? { [key]: current[key], ...value } : value, op)
      return undefined
    }
  }
  if (op === 'replace' && root === 'address' && member === 'line' && tokens.length === 3) throw cannotReplace('line')
  put(holder, last, value, op)
  return undefined
}

function noSuchItem(root: string, member: 'id' | 'url', value: unknown): string {
  return `no '${root}' resources with object ${member} '${pythonText(value)}'`
}

type Holder = Record<string, unknown> | unknown[]

/** What holds the last token of the path; nothing may be missing on the way. */
function holderOf(
  target: Record<string, unknown>,
  { op, tokens }: Patch,
): { readonly holder: Holder; readonly last: string } {
  const last = tokens.at(-1) ?? ''
  let holder: Holder = target
  for (const token of tokens.slice(0, -1)) {
    const next: unknown = Array.isArray(holder) ? itemAt(holder, token) : own(holder, token)
    if (next === undefined && itemLists.has(token) && holder === target) {
      // A list that is not there is an empty one.
      holder = []
      continue
    }
    if (!isJson(next) && !Array.isArray(next)) throw missing(op, last, token)
    holder = next as Holder
  }
  return { holder, last }
}

function itemAt(list: readonly unknown[], token: string): unknown {
  const index = /^(0|[1-9]\d{0,5})$/.test(token) ? Number(token) : -1
  if (index < 0 || index >= list.length)
    throw invalid(
      `Invalid patch - index '${token}' is out of bounds`,
      'The list has no such item: read the record again.',
    )
  return list[index]
}

const own = (holder: Record<string, unknown>, token: string): unknown =>
  Object.hasOwn(holder, token) ? holder[token] : undefined

const cannotReplace = (token: string) =>
  invalid(
    `Invalid patch - can't replace non-existent object '${token}'`,
    token === 'line'
      ? 'Lines of an address are replaced one by one, or with the whole address.'
      : 'There is nothing to replace here: use add.',
  )

function missing(op: Patch['op'], last: string, token: string) {
  if (op === 'remove') return cannotRemove(last)
  if (op === 'replace') return cannotReplace(last)
  return invalid(`Invalid patch - member '${token}' not found`, 'The record has no such member.')
}

const cannotRemove = (token: string) =>
  invalid(`Invalid patch - can't remove non-existent object '${token}'`, 'There is nothing to remove here.')

function test(holder: Holder, last: string, tested: unknown): void {
  const actual = Array.isArray(holder) ? itemAt(holder, last) : own(holder, last)
  if (actual === undefined)
    throw invalid(`Invalid patch - member '${last}' not found`, 'The record has no such member.')
  if (sameJson(actual, tested)) return
  const shown = (value: unknown) => `${pythonText(value)} (<class '${pythonType(value)}'>)`
  throw invalid(
    `Invalid patch - ${shown(actual)} is not equal to tested value ${shown(tested)}`,
    'The record holds something else than the test says: read it again.',
  )
}

function remove(holder: Holder, last: string): void {
  if (Array.isArray(holder)) {
    const index = /^(0|[1-9]\d{0,5})$/.test(last) ? Number(last) : holder.length
    if (index >= holder.length) throw cannotRemove(last)
    holder.splice(index, 1)
  } else {
    if (!Object.hasOwn(holder, last)) throw cannotRemove(last)
    delete holder[last]
  }
}

function put(holder: Holder, last: string, value: unknown, op: Patch['op']): void {
  if (Array.isArray(holder)) {
    if (op === 'replace') {
      itemAt(holder, last)
      holder[Number(last)] = value
      return
    }
    const index = last === '-' ? holder.length : /^(0|[1-9]\d{0,5})$/.test(last) ? Number(last) : -1
    if (index < 0 || index > holder.length)
      throw invalid("Invalid patch - can't insert outside of list", 'The list is shorter than this place.')
    holder.splice(index, 0, value)
    return
  }
  if (op === 'replace' && !Object.hasOwn(holder, last)) throw cannotReplace(last)
  holder[last] = value
}

/** Equal as JSON: the order of members does not matter, that of items does. */
export function sameJson(one: unknown, other: unknown): boolean {
  if (one === other) return true
  if (Array.isArray(one) || Array.isArray(other))
    return (
      Array.isArray(one) &&
      Array.isArray(other) &&
      one.length === other.length &&
      one.every((value, index) => sameJson(value, other[index]))
    )
  if (!isJson(one) || !isJson(other)) return false
  const keys = Object.keys(one)
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => Object.hasOwn(other, key) && sameJson(one[key], other[key]))
  )
}
