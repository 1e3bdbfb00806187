import type {
  Ad,
  CareProvision,
  ChangedItem,
  ChangedProvision,
  PdsPerson,
  PdsUpdate,
  Pn,
  Tel,
} from '@openspine/standards/hl7v3'
import { genderWords } from '../asked.ts'
import { outcomes, refuse } from '../outcomes.ts'
import { extensionUrl, items, type Json } from '../person.ts'
import { pafKeyOf } from '../rules/addresses.ts'
import { partOf } from '../rules/extensions.ts'
import { emergencyUse, pharmacyUrls } from '../spine-person.ts'
import { sameJson } from '../update/patch.ts'
import {
  addressSnippet,
  birthPlaceOf,
  consentParts,
  dateOf,
  deathParts,
  emergencySnippet,
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

/** Whether a value came back as it was retrieved: then nothing is to be changed, whatever the rules of today. */
function same(shown: unknown, { updateMode, ...value }: { readonly updateMode?: string }): boolean {
  return updateMode === 'altered' && sameJson(shown, value)
}

function ofItem<Value extends Pn | Ad | Tel>(
  view: Json,
  list: string,
  { value }: ChangedItem<Value>,
  write: (value: Value) => Json,
  shown: readonly Value[],
): Operations {
  const id = value.id?.extension ?? ''
  if (shown.some((each) => same(each, value))) return none
  switch (value.updateMode) {
    case 'added':
      return { ...none, added: [add(`/${list}/-`, write(value))] }
    case 'altered': {
      const place = placeOf(view, list, id)
      const written = write(value)
      const keys = list === 'address' ? keysOf(items(view[list])[place] ?? {}, written) : {}
      return { ...none, changed: [replace(`/${list}/${place}`, { id, ...written, ...keys })] }
    }
    case 'removed':
      return { ...none, removed: [removal(list, placeOf(view, list, id), 'id', id)] }
    default:
      return none
  }
}

/** These messages tell one key of an address; the others stay as long as the address does, and so does that one where it is not told. */
function keysOf(address: Json, written: Json): { readonly extension?: readonly Json[] } {
  const told = items(written['extension'])
  const kept = items(address['extension']).filter(
    (key) => told.length === 0 || pafKeyOf({ extension: [key] }) === undefined,
  )
  const extension = [...told, ...kept]
  return extension.length === 0 ? {} : { extension }
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

const unlessSame = <Told extends { readonly updateMode?: string }>(told: Told | undefined, shown: unknown) =>
  told === undefined || same(shown, told) ? undefined : told

const sameProvision = (shown: CareProvision, { updateMode, code, id, ...told }: ChangedProvision) =>
  updateMode === 'altered' &&
  sameJson(
    [shown.code, shown.id?.extension, [shown.organisation], shown.effectiveTime ? [shown.effectiveTime] : []],
    [code, id?.extension, told.organisations, told.effectiveTimes],
  )

const deathMode = (told: PdsUpdate['deathNotification'], status: string | undefined) =>
  told?.updateMode === 'altered' && told.code === status ? undefined : told?.updateMode

/** A birth place as updates tell it. */
const placeOfBirth = (shown: Ad | undefined) => ({
  cities: shown?.city === undefined ? [] : [shown.city],
  counties: shown?.county === undefined ? [] : [shown.county],
  countries: shown?.country === undefined ? [] : [shown.country],
})

/** Three observations of the message are one extension of the record: what is not changed of it stays. */
function ofPreferences(view: Json, update: PdsUpdate, shown: PdsPerson): Operations {
  const { method: code, times } = shown.contact ?? {}
  const told = { ...(code === undefined ? {} : { code }), ...(times === undefined ? {} : { times }) }
  const contactMethod = unlessSame(update.contactMethod, told)
  const writtenFormat = unlessSame(update.writtenFormat, { code: shown.writtenFormat })
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
export function patchesOf(update: PdsUpdate, view: Json, shown: PdsPerson): readonly Operation[] {
  const { gender, birthTime, deceasedTime, multipleBirth, deathNotification } = update
  const { birthplace: place } = update
  const emergency = ({ value }: ChangedItem<Tel>) => value.use === emergencyUse
  /** What is done with a value of its own, unless it came back as it was. */
  const mode = (asked: { readonly updateMode?: string } | undefined, is: unknown) =>
    asked === undefined || same(is, asked) ? undefined : asked.updateMode
  const order = multipleBirth?.value ?? ''
  const all: readonly Operations[] = [
    ...update.names.map((item) => ofItem(view, 'name', item, nameSnippet, shown.names)),
    ...update.addresses.map((item) => ofItem(view, 'address', item, addressSnippet, shown.addresses)),
    ...update.telecoms.map((item) =>
      emergency(item)
        ? ofItem(view, 'contact', item, emergencySnippet, shown.telecoms)
        : ofItem(view, 'telecom', item, telecomSnippet, shown.telecoms),
    ),
    ...update.provisions
      .filter((provision) => !shown.provisions.some((each) => sameProvision(each, provision)))
      .map((provision) => ofProvision(view, provision)),
    ofMember(view, 'gender', gender?.updateMode, genderWords[gender?.code ?? ''] ?? gender?.code ?? ''),
    ofMember(view, 'birthDate', birthTime?.updateMode, dateOf(birthTime?.value) ?? ''),
    ofMember(view, 'deceasedDateTime', mode(deceasedTime, shown.deceasedTime), dateOf(deceasedTime?.value) ?? ''),
    ofMember(view, 'multipleBirthInteger', multipleBirth?.updateMode, /^\d$/.test(order) ? Number(order) : order),
    ofExtension(view, extensionUrl.deathNotification, deathMode(deathNotification, shown.deathNotification), () =>
      deathParts(deathNotification),
    ),
    ...update.consents
      .filter((consent) => !shown.consents.some((each) => same(each, consent)))
      .map((consent) => ofExtension(view, extensionUrl.consent, consent.updateMode, () => consentParts(consent))),
    ofExtension(view, extensionUrl.removal, update.removal?.updateMode, () => removalParts(update.removal)),
    ofExtension(view, extensionUrl.birthPlace, mode(place, placeOfBirth(shown.birthplace)), () => birthPlaceOf(place)),
    ofExtension(view, extensionUrl.communication, mode(update.language, shown.language), () =>
      languageOf(update.language),
    ),
    ofPreferences(view, update, shown),
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
