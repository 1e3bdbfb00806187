import type { Directory, DirectoryChange, DirectoryEntry, DirectoryTree } from '@openspine/services/directory/contract'
import { SpineError } from '@openspine/standards/error'
import { type NormalisedName, nameKey, type Schema, spineSchema } from '@openspine/standards/ldap'
import {
  type AttributeChange,
  type FolderReader,
  type Place,
  type PlannedChange,
  placed,
  placeOf,
  type RegistryFile,
  type RegistryPart,
} from './part.ts'
import { byCodeUnit, textLine } from './text.ts'
import { groupOf, isBranch, treeCollections, whereabouts } from './tree-places.ts'
import { entryText, type ReadEntry, readTreeFile, treeFileText } from './tree-text.ts'

const orderFile = 'order.txt'

/** A change of the tree with what a plan says of it. */
interface TreeChange {
  readonly change: DirectoryChange
  readonly planned: PlannedChange
}

/**
 * The tree of the directory as files: LDIF, entries sorted within their file, and `order.txt` with the names of all in
 * the order that clients see.
 */
export function treePart(directory: Directory): RegistryPart {
  const schema = spineSchema()
  return {
    name: 'directory',
    places: [...treeCollections.map(({ place }) => place), orderFile],
    files: () => treeFiles(schema, directory.tree()),
    plan(folder, { prune, tolerateLiveQuirks: imported }) {
      const tree = directory.tree()
      const { changes, staying, notes } = treeChanges(schema, tree, folder, prune)
      const about = changes.map(({ change }) => change)
      const named = (error: unknown) => {
        const planned = changes[placeOf(error) ?? -1]?.planned
        if (planned === undefined) return error
        const { attribute } = (error as { readonly outcome: { readonly attribute?: string } }).outcome
        return placed(error, lineOf(folder, planned.place, attribute), planned.name)
      }
      return {
        version: tree.version,
        changes: changes.map(({ planned }) => planned),
        staying,
        notes,
        async check() {
          try {
            return (await tree.check(about, { imported })).map(({ change, dn, code, explanation }) => {
              const place = changes[change]?.planned.place
              return { code, name: dn, explanation, ...(place === undefined ? {} : { place }) }
            })
          } catch (error) {
            throw named(error)
          }
        },
        async apply(by) {
          try {
            await directory.apply(about, by, { imported, ifVersion: tree.version })
          } catch (error) {
            throw named(error)
          }
        },
      }
    },
  }
}

/** The line of an attribute of the entry that begins at a place; the entry's own where the attribute has none. */
function lineOf(folder: FolderReader, place: Place | undefined, attribute: string | undefined): Place | undefined {
  if (place === undefined || attribute === undefined) return place
  const lines = folder.file(place.file)?.text.split('\n') ?? []
  for (let line = place.line; (lines[line] ?? '').trim() !== ''; line++)
    if (lines[line]?.toLowerCase().startsWith(`${attribute.toLowerCase()}:`)) return { ...place, line: line + 1 }
  return place
}

/** Sorts parents before what stands below them. */
const sortKey = ({ parts }: NormalisedName) => parts.toReversed().join('\0')

/** The files of a state, one at a time in memory. */
function* treeFiles(schema: Schema, tree: DirectoryTree): IterableIterator<RegistryFile> {
  const files = new Map<string, { readonly key: string; readonly sort: string }[]>()
  const fileOfAnchor = new Map<string, string>()
  const order: string[] = []
  for (const dn of tree.names()) {
    order.push(dn)
    const name = nameKey(schema, dn)
    if (name === undefined) continue
    const { collection, anchor } = whereabouts(name)
    let path = fileOfAnchor.get(anchor)
    if (path === undefined) {
      // The entry above all of its file comes first in every order.
      const entry = tree.entry(anchor)
      if (entry === undefined) continue
      path = collection.file(entry)
      fileOfAnchor.set(anchor, path)
    }
    const there = files.get(path)
    const entry = { key: name.key, sort: sortKey(name) }
    if (there === undefined) files.set(path, [entry])
    else there.push(entry)
  }
  const orderText = order.map((dn) => textLine('dn', dn)).join('')
  for (const path of [...files.keys(), orderFile].sort(byCodeUnit)) {
    if (path === orderFile) {
      yield { path, text: orderText }
      continue
    }
    const entries = (files.get(path) ?? []).sort((a, b) => byCodeUnit(a.sort, b.sort))
    yield { path, text: treeFileText(entries.flatMap(({ key }) => tree.entry(key) ?? []).map(entryText)) }
  }
}

/** What differs between two states of an entry. */
function differences(before: DirectoryEntry, after: DirectoryEntry): AttributeChange[] {
  const pairs = [...new Set([...Object.keys(before.attributes), ...Object.keys(after.attributes)])].map(
    (attribute) => ({
      attribute,
      before: before.attributes[attribute] ?? [],
      after: after.attributes[attribute] ?? [],
    }),
  )
  const fqdn = (entry: DirectoryEntry) => (entry.registeredFqdn === undefined ? [] : [entry.registeredFqdn])
  pairs.push({ attribute: 'registeredFqdn', before: fqdn(before), after: fqdn(after) })
  return pairs.filter(
    ({ before: old, after: now }) => old.length !== now.length || old.some((value, place) => value !== now[place]),
  )
}

function treeChanges(
  schema: Schema,
  tree: DirectoryTree,
  folder: FolderReader,
  prune: boolean,
): { readonly changes: readonly TreeChange[]; readonly staying: number; readonly notes: readonly string[] } {
  const order = readOrder(schema, folder)
  const seen = new Map<string, Place>()
  const added: ReadEntry[] = []
  const early: TreeChange[] = []
  const late: TreeChange[] = []
  const codes = new Set<string>()
  for (const { place: where } of treeCollections) {
    for (const file of folder.files(where)) {
      for (const read of readTreeFile(schema, file)) {
        const { name, entry, place } = read
        const earlier = seen.get(name.key)
        if (earlier !== undefined) {
          const explanation = `the entry stands in ${earlier.file}, line ${earlier.line} already.`
          throw placed(new SpineError('REGISTRY_TWICE', {}, { explanation }), place, entry.dn)
        }
        seen.set(name.key, place)
        const before = tree.entry(name.key)
        if (before === undefined) {
          added.push(read)
          if (whereabouts(name).collection.name === 'organisations')
            for (const code of entry.attributes['nhsIDCode'] ?? []) codes.add(code.toUpperCase())
          continue
        }
        const attributes = differences(before, entry)
        if (attributes.length === 0) continue
        const group = groupOf(name, entry)
        const change: TreeChange = {
          change: { kind: 'put', entry },
          planned: { kind: 'change', group, name: before.dn, place, attributes },
        }
        // A system that moves to an organisation which is added now is changed after that; all others before, so that what
        // they leave (an interaction of a party key) is free for what is added.
        const moves = attributes.some(
          ({ attribute, after }) => attribute === 'nhsIDCode' && after.some((code) => codes.has(code.toUpperCase())),
        )
        if (moves) late.push(change)
        else early.push(change)
      }
    }
  }
  const only: { readonly name: NormalisedName; readonly dn: string }[] = []
  const last = new Map<string, number>()
  const disturbed = new Set<string>()
  for (const dn of tree.names()) {
    const name = nameKey(schema, dn)
    if (name === undefined) continue
    const file = seen.get(name.key)?.file
    const rank = order.get(name.key)
    if (file === undefined) {
      if (!isBranch(name)) only.push({ name, dn })
    } else if (rank !== undefined) {
      if (rank < (last.get(file) ?? -1)) disturbed.add(file)
      else last.set(file, rank)
    }
  }
  const removals = (prune ? only.toReversed() : []).map(
    ({ name, dn }): TreeChange => ({
      change: { kind: 'delete', dn },
      planned: {
        kind: 'remove',
        group: groupOf(name, tree.entry(dn) ?? { dn, attributes: {} }),
        name: dn,
        attributes: [],
      },
    }),
  )
  const additions = inOrder(added, order).map(
    ({ name, entry, place }): TreeChange => ({
      change: { kind: 'put', entry },
      planned: { kind: 'add', group: groupOf(name, entry), name: entry.dn, place, attributes: [] },
    }),
  )
  return {
    changes: [...removals, ...early, ...additions, ...late],
    staying: prune ? 0 : only.length,
    notes: orderNotes(disturbed),
  }
}

/** Normalised names of `order.txt` by their rank. */
type Order = ReadonlyMap<string, number>

function readOrder(schema: Schema, folder: FolderReader): Order {
  const ranks = new Map<string, number>()
  for (const { path, text } of folder.files(orderFile)) {
    for (const [index, line] of text.split('\n').entries()) {
      if (line.trim() === '' || line.startsWith('#')) continue
      const name = nameKey(schema, orderedName(line))
      if (name === undefined || name.parts.length === 0) {
        const explanation = 'a line is `dn: ` and a distinguished name.'
        throw placed(new SpineError('REGISTRY_RECORD', {}, { explanation }), { file: path, line: index + 1 })
      }
      if (!ranks.has(name.key)) ranks.set(name.key, ranks.size)
    }
  }
  return ranks
}

/** Tells where clients see entries in another order than `order.txt` says: entries that are there are never moved. */
function orderNotes(disturbed: ReadonlySet<string>): string[] {
  if (disturbed.size === 0) return []
  const some = [...disturbed].slice(0, 3).join(', ')
  const more = disturbed.size > 3 ? ` and ${disturbed.size - 3} more files` : ''
  return [
    `${orderFile} has another order than the registry for entries of ${some}${more}: entries that are there keep their place.`,
  ]
}

/** New entries as `order.txt` has them, those that it does not name behind; each after the entry above it. */
function inOrder(added: readonly ReadEntry[], order: Order): ReadEntry[] {
  const rank = ({ name }: ReadEntry) => order.get(name.key) ?? Number.POSITIVE_INFINITY
  const sorted = added
    .map((read) => ({ read, rank: rank(read) }))
    .sort((a, b) => (a.rank === b.rank ? 0 : a.rank - b.rank))
    .map(({ read }) => read)
  const byKey = new Map(sorted.map((read) => [read.name.key, read]))
  const placedNow = new Set<string>()
  const result: ReadEntry[] = []
  for (const read of sorted) {
    const line: ReadEntry[] = []
    for (let next: ReadEntry | undefined = read; next !== undefined && !placedNow.has(next.name.key); ) {
      placedNow.add(next.name.key)
      line.push(next)
      next = byKey.get(next.name.parts.slice(1).join(','))
    }
    result.push(...line.reverse())
  }
  return result
}

function orderedName(line: string): string {
  const [, base64, text] = /^dn:(?:: *([A-Za-z0-9+/=]+)| *(.+?))\s*$/.exec(line) ?? []
  return base64 === undefined ? (text ?? '') : Buffer.from(base64, 'base64').toString('utf8')
}
