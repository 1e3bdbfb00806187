import type { Ad, ChangedItem, PdsUpdate, Pn, Tel } from '@openspine/standards/hl7v3'
import { genderWords } from '../asked.ts'
import { outcomes, refuse } from '../outcomes.ts'
import { extensionUrl, items, type Json } from '../person.ts'
import { partOf } from '../rules/extensions.ts'
import { pharmacyUrls } from '../spine-person.ts'
import {
  addressSnippet,
  birthPlaceOf,
  dateOf,
  deathParts,
  formatPart,
  languageOf,
  methodParts,
  nameSnippet,
  odsIdentifier,
  practiceSnippet,
  removalParts,
  telecomSnippet,
} from './snippets.ts'

/*
 * An update as the operations that every dialect's updates are made of (§10). Values go over as they were sent: whether they
 * are sound is asked by the rules of the record, which are the same for all.
 */

/** An operation of §10. */
type Operation = Json

const add = (path: string, value: unknown): Operation => ({ op: 'add', path, value })
const replace = (path: string, value: unknown): Operation => ({ op: 'replace', path, value })

/** Where the item with this object id stands in what was shown. */
function placeOf(view: Json, list: string, id: string): number {
  const place = items(view[list]).findIndex((item) => item['id'] === id)
  if (place === -1)
    throw refuse(
      outcomes.invalidUpdate(`no '${list}' resources with object id '${id}'`),
      'The object id in the update is not one of the record: retrieve it again.',
    )
  return place
}

interface Operations {
  readonly changed: readonly Operation[]
  /** Each a test and a removal; the last of a list comes first, so that the places before it stay. */
  readonly removed: readonly { readonly place: number; readonly operations: readonly Operation[] }[]
  readonly added: readonly Operation[]
}

const none: Operations = { changed: [], removed: [], added: [] }

const removal = (list: string, place: number, key: string, value: unknown): Operations['removed'][number] => ({
  place,
  operations: [
    { op: 'test', path: `/${list}/${place}/${key}`, value },
    { op: 'remove', path: `/${list}/${place}` },
  ],
})

function ofItem<Value extends Pn | Ad | Tel>(
  view: Json,
  list: string,
  { value }: ChangedItem<Value>,
  write: (value: Value) => Json,
): Operations {
  const id = value.id?.extension ?? ''
  switch (value.updateMode) {
    case 'added':
      return { ...none, added: [add(`/${list}/-`, write(value))] }
    case 'altered': {
      const place = placeOf(view, list, id)
      const { extension } = items(view[list])[place] ?? {}
      const written = write(value)
      // Keys of an address, which these messages do not tell in full, stay as long as the address does.
      const keys = list === 'address' && extension !== undefined && !written['extension'] ? { extension } : {}
      return { ...none, changed: [replace(`/${list}/${place}`, { id, ...written, ...keys })] }
    }
    case 'removed':
      return { ...none, removed: [removal(list, placeOf(view, list, id), 'id', id)] }
    default:
      return none
  }
}

/** An extension that is there once: it is added, replaced or removed as a whole. */
function ofExtension(view: Json, url: string, mode: string | undefined, content: () => Json): Operations {
  const place = items(view['extension']).findIndex((extension) => extension['url'] === url)
  if (mode === 'removed') {
    if (place === -1)
      throw refuse(
        outcomes.invalidUpdate(`no 'extension' resources with object url '${url}'`),
        'The record has nothing of the kind to remove.',
      )
    return { ...none, removed: [removal('extension', place, 'url', url)] }
  }
  if (mode !== 'added' && mode !== 'altered') return none
  const value = { url, ...content() }
  return place === -1
    ? { ...none, added: [add('/extension/-', value)] }
    : { ...none, changed: [replace(`/extension/${place}`, value)] }
}

function ofMember(view: Json, member: string, mode: string | undefined, value: unknown): Operations {
  if (mode === 'removed')
    return {
      ...none,
      removed: [
        {
          place: 0,
          operations: [
            { op: 'test', path: `/${member}`, value: view[member] ?? '' },
            { op: 'remove', path: `/${member}` },
          ],
        },
      ],
    }
  if (mode !== 'added' && mode !== 'altered') return none
  return { ...none, changed: [(view[member] === undefined ? add : replace)(`/${member}`, value)] }
}

function ofPractice(view: Json, { updateMode, organisations, effectiveTimes }: PdsUpdate['provisions'][number]) {
  const list = 'generalPractitioner'
  // The practice has one place and a fixed object id (§1), whatever its id in the record.
  const current = items(view[list])[0]
  if (updateMode === 'removed') {
    if (current === undefined) placeOf(view, list, '')
    return { ...none, removed: [removal(list, 0, 'id', current?.['id'])] }
  }
  if (updateMode !== 'added' && updateMode !== 'altered') return none
  const practice = practiceSnippet({ organisations, effectiveTimes })
  return current === undefined
    ? { ...none, added: [add(`/${list}/-`, practice)] }
    : { ...none, changed: [replace(`/${list}/0`, { id: current['id'], ...practice })] }
}

function ofProvision(view: Json, provision: PdsUpdate['provisions'][number]): Operations {
  const url = pharmacyUrls[provision.code ?? '']
  if (url === undefined) return ofPractice(view, provision)
  return ofExtension(view, url, provision.updateMode, () => ({
    valueReference: { identifier: odsIdentifier(provision.organisations) },
  }))
}

/** Three observations of the message are one extension of the record: what is not changed of it stays. */
function ofPreferences(view: Json, { contactMethod, writtenFormat }: PdsUpdate): Operations {
  const url = extensionUrl.contactPreference
  const current = items(view['extension']).find((extension) => extension['url'] === url)
  const changed = [contactMethod, writtenFormat].some((each) => each?.updateMode !== undefined)
  if (!changed) return none
  const kept = (part: string) => current && partOf(current, part)?.part
  const method = () => [kept('PreferredContactMethod'), kept('PreferredContactTimes')]
  const methods =
    contactMethod?.updateMode === undefined
      ? method()
      : contactMethod.updateMode === 'removed'
        ? []
        : methodParts(contactMethod)
  const formats =
    writtenFormat?.updateMode === undefined
      ? [kept('PreferredWrittenCommunicationFormat')]
      : writtenFormat.updateMode === 'removed'
        ? []
        : [formatPart(writtenFormat)]
  const parts = [...formats, ...methods].filter((part) => part !== undefined)
  return ofExtension(view, url, parts.length === 0 ? 'removed' : 'altered', () => ({ extension: parts }))
}

/**
 * The operations of an update on the record as it was shown.
 *
 * @throws SpineError `PDS_INVALID_UPDATE` where an object id is none of the record's
 */
export function patchesOf(update: PdsUpdate, view: Json): readonly Operation[] {
  const { gender, birthTime, deceasedTime, multipleBirth, deathNotification } = update
  const { birthplace: place } = update
  const order = multipleBirth?.value ?? ''
  const all: readonly Operations[] = [
    ...update.names.map((item) => ofItem(view, 'name', item, nameSnippet)),
    ...update.addresses.map((item) => ofItem(view, 'address', item, addressSnippet)),
    ...update.telecoms.map((item) => ofItem(view, 'telecom', item, telecomSnippet)),
    ...update.provisions.map((provision) => ofProvision(view, provision)),
    ofMember(view, 'gender', gender?.updateMode, genderWords[gender?.code ?? ''] ?? gender?.code ?? ''),
    ofMember(view, 'birthDate', birthTime?.updateMode, dateOf(birthTime?.value) ?? ''),
    ofMember(view, 'deceasedDateTime', deceasedTime?.updateMode, dateOf(deceasedTime?.value) ?? ''),
    ofMember(view, 'multipleBirthInteger', multipleBirth?.updateMode, /^\d$/.test(order) ? Number(order) : order),
    ofExtension(view, extensionUrl.deathNotification, deathNotification?.updateMode, () =>
      deathParts(deathNotification),
    ),
    ofExtension(view, extensionUrl.removal, update.removal?.updateMode, () => removalParts(update.removal)),
    ofExtension(view, extensionUrl.birthPlace, place?.updateMode, () => birthPlaceOf(place)),
    ofExtension(view, extensionUrl.communication, update.language?.updateMode, () => languageOf(update.language)),
    ofPreferences(view, update),
  ]
  return [
    ...all.flatMap(({ changed }) => changed),
    ...all
      .flatMap(({ removed }) => removed)
      .sort((one, other) => other.place - one.place)
      .flatMap(({ operations }) => operations),
    ...all.flatMap(({ added }) => added),
  ]
}
