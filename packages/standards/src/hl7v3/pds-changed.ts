import { elementsOf, type XmlElement } from '../xml/xml.ts'
import {
  type Ad,
  type Cd,
  type Ii,
  type Ivl,
  type Pn,
  readAd,
  readCd,
  readIi,
  readIvl,
  readPn,
  readTel,
  readValued,
  type Tel,
  type Valued,
} from './datatypes.ts'
import { all, one, present, textAt, valueAt } from './element.ts'
import { type PdsRelated, pdsParts, readRelated } from './pds-related.ts'
import { pdsSubjects } from './pds-response.ts'

/** A name, an address or a telecom to change, and how many periods its sender gave it: more than one is a rule broken. */
export interface ChangedItem<Value> {
  readonly value: Value
  readonly periods: number
}

/** A provider of care to change; lists hold what was sent, although each should have one. */
export interface ChangedProvision {
  readonly updateMode?: string
  readonly code?: string
  readonly id?: Ii
  readonly effectiveTimes: readonly Ivl[]
  readonly organisations: readonly Ii[]
}

/** A coded value of its own that is changed. */
export interface ChangedCode {
  readonly updateMode?: string
  readonly code?: string
}

/** A consent of some type, and how it stands. */
export interface ChangedConsent {
  readonly updateMode?: string
  readonly type?: string
  readonly value?: string
}

/** A question and its answer, by which a person proves who they are. */
export interface ChangedSecret {
  readonly updateMode?: string
  readonly code?: Cd
  readonly value?: string
}

/** What messages that change or register somebody say of the person, in the form of MIM 3, 6 or 7. */
export interface ChangedPerson {
  readonly ids: readonly Ii[]
  readonly names: readonly ChangedItem<Pn>[]
  readonly addresses: readonly ChangedItem<Ad>[]
  readonly telecoms: readonly ChangedItem<Tel>[]
  readonly provisions: readonly ChangedProvision[]
  readonly gender?: Cd
  readonly birthTime?: Valued
  readonly deceasedTime?: Valued
  readonly multipleBirth?: Valued
  /** `authored`: it names who notified the death. */
  readonly deathNotification?: ChangedCode & { readonly authored: boolean }
  readonly birthplace?: {
    readonly updateMode?: string
    readonly cities: readonly string[]
    readonly counties: readonly string[]
    readonly countries: readonly string[]
  }
  readonly language?: ChangedCode & { readonly interpreter?: string }
  readonly contactMethod?: ChangedCode & { readonly times?: string }
  readonly writtenFormat?: ChangedCode
  /** Relatives, guardians and proxies, each with what is to be done with them. */
  readonly related: readonly PdsRelated[]
  /** Consents by their type: 4 is that to share the record. */
  readonly consents: readonly ChangedConsent[]
  readonly secrets: readonly ChangedSecret[]
  /** Leaving the practice's list (NHAIS): reason and time. */
  readonly removal?: ChangedCode & { readonly effectiveTime?: Ivl }
  /** Joining a list (NHAIS). */
  readonly enrolment?: ChangedCode
}

/** A person of whom nothing is told yet, to build on. */
export const noChanges: ChangedPerson = {
  ids: [],
  names: [],
  addresses: [],
  telecoms: [],
  provisions: [],
  related: [],
  consents: [],
  secrets: [],
}

/** What is done with an object: told on it, or by a sender of another manner on the code or value that it is about. */
function modeOf(element: XmlElement, ...within: readonly string[]): string | undefined {
  return [element, ...within.flatMap((name) => all(element, name))]
    .map((each) => valueAt(each, 'updateMode'))
    .find((mode) => mode !== undefined)
}

const texts = (elements: readonly XmlElement[]) => elements.map((each) => textAt(each) ?? '')

const itemsOf =
  <Value>(read: (element: XmlElement) => Value, period: string) =>
  (element: XmlElement): ChangedItem<Value> => ({ value: read(element), periods: all(element, period).length })

function readProvision(element: XmlElement): ChangedProvision {
  return present<ChangedProvision>({
    updateMode: modeOf(element, 'code', 'id'),
    code: valueAt(one(element, 'code'), 'code'),
    id: all(element, 'id').map(readIi)[0],
    effectiveTimes: all(element, 'effectiveTime').map(readIvl),
    organisations: [
      ...all(element, 'performer/assignedEntity/id'),
      ...all(element, 'performer/assignedOrganization/id'),
      ...all(element, 'responsibleParty/healthCareProvider/id'),
    ].map(readIi),
  })
}

function readBirthplace(place: XmlElement): NonNullable<ChangedPerson['birthplace']> {
  return present<NonNullable<ChangedPerson['birthplace']>>({
    updateMode: modeOf(place, 'addr'),
    cities: texts(all(place, 'addr/city')),
    counties: texts(all(place, 'addr/county')),
    countries: texts(all(place, 'addr/country')),
  })
}

/** Of a patient role and of a person, what an update reads; the rest are others. */
const ofRole = new Set(['id', 'addr', 'telecom', 'confidentialityCode', 'patientPerson'])
const ofPerson =
  /^(administrativeGenderCode|birthTime|deceasedTime|multipleBirthOrderNumber|name|birthplace|languageCommunication|playedOtherProviderPatient|scopedRelatedPersonRole|COCT_MT00020[123]UK\d\d\.PartOfWhole|COCT_MT000208UK01\.BirthPlace|COCT_MT0002(09UK01\.PartAdminGenderCode|10UK01\.PartBirthTime|11UK01\.PartDeceasedTime))$/
const ofSubject = new Set([
  'consent',
  'deathNotification',
  'nHAISRegistrationEvent',
  'nHAISRemovalRegistrationEvent',
  'preferredContactMethod',
  'preferredWrittenCommunicationFormat',
  'sharedSecret',
])

/** Elements that no reader here takes: an update leaves them as they are unless they say what is to be done with them. */
export function othersOf(role: XmlElement | undefined): readonly XmlElement[] {
  if (role === undefined) return []
  const person = one(role, 'patientPerson')
  return [
    ...elementsOf(role).flatMap((each) =>
      /^subjectOf\d*$/.test(each.name)
        ? elementsOf(each).filter(({ name }) => !ofSubject.has(name))
        : ofRole.has(each.name)
          ? []
          : [each],
    ),
    ...(person === undefined ? [] : elementsOf(person).filter(({ name }) => !ofPerson.test(name))),
  ]
}

/** Whether anything in an element carries an updateMode. */
export const changes = (element: XmlElement): boolean =>
  valueAt(element, 'updateMode') !== undefined || elementsOf(element).some(changes)

/** A value of MIM 6, or of MIM 7 in a part of its own, which may carry the updateMode in its place. */
function detail<Value extends { readonly updateMode?: string }>(
  who: XmlElement | undefined,
  name: string,
  part: string,
  read: (element: XmlElement) => Value,
): Value | undefined {
  const own = one(who, name)
  if (own !== undefined) return read(own)
  const around = one(who, `COCT_MT0002${part}`)
  const within = one(around, `partPerson/${name}`)
  return within && inPart(read(within), around)
}

const inPart = <Value extends { readonly updateMode?: string }>(value: Value, part: XmlElement | undefined): Value => {
  const updateMode = valueAt(part, 'updateMode')
  return value.updateMode !== undefined || updateMode === undefined ? value : { ...value, updateMode }
}

/** Values inline, and those in parts of a common type. */
function valuesOf<Value extends { readonly updateMode?: string }>(
  inline: readonly XmlElement[],
  parts: readonly (readonly [element: XmlElement, part: XmlElement])[],
  read: (element: XmlElement) => ChangedItem<Value>,
): readonly ChangedItem<Value>[] {
  return [
    ...inline.map(read),
    ...parts.map(([element, part]) => {
      const { value, periods } = read(element)
      return { value: inPart(value, part), periods }
    }),
  ]
}

/** Reads it out of a patient role, or out of the `patient` of a birth. */
export function readChangedPerson(role: XmlElement | undefined): ChangedPerson {
  const who = one(role, 'patientPerson')
  const order = one(who, 'multipleBirthOrderNumber')
  const place = one(who, 'birthplace') ?? one(who, 'COCT_MT000208UK01.BirthPlace')
  const language = one(who, 'languageCommunication')
  const about = (name: string) => (role === undefined ? undefined : pdsSubjects(role, name)[0])
  const notification = about('deathNotification')
  const contact = about('preferredContactMethod')
  const written = about('preferredWrittenCommunicationFormat')
  const removal = about('nHAISRemovalRegistrationEvent')
  const enrolment = about('nHAISRegistrationEvent')
  const coded = (element: XmlElement) => ({
    updateMode: modeOf(element, 'value', 'code'),
    code: valueAt(one(element, 'value'), 'code'),
  })
  return present<ChangedPerson>({
    ids: all(role, 'id').map(readIi),
    names: valuesOf(all(who, 'name'), pdsParts(who, '000203', 'partPerson/name'), itemsOf(readPn, 'validTime')),
    addresses: valuesOf(all(role, 'addr'), pdsParts(who, '000201', 'addr'), itemsOf(readAd, 'useablePeriod')),
    telecoms: valuesOf(all(role, 'telecom'), pdsParts(who, '000202', 'telecom'), itemsOf(readTel, 'useablePeriod')),
    provisions: [
      ...all(who, 'playedOtherProviderPatient/subjectOf/patientCareProvisionEvent'),
      ...all(who, 'playedOtherProviderPatient/subjectOf/patientCareProvision'),
    ].map(readProvision),
    related: all(who, 'scopedRelatedPersonRole').map(readRelated),
    consents: (role === undefined ? [] : pdsSubjects(role, 'consent')).map((consent) =>
      present<ChangedConsent>({
        updateMode: modeOf(consent, 'value', 'code'),
        type: valueAt(one(consent, 'code'), 'code'),
        value: valueAt(one(consent, 'value'), 'code'),
      }),
    ),
    secrets: (role === undefined ? [] : pdsSubjects(role, 'sharedSecret')).map((secret) => {
      const code = one(secret, 'code')
      return present<ChangedSecret>({
        updateMode: modeOf(secret, 'value', 'code'),
        code: code && readCd(code),
        value: textAt(one(secret, 'value')),
      })
    }),
    gender: detail(who, 'administrativeGenderCode', '09UK01.PartAdminGenderCode', readCd),
    birthTime: detail(who, 'birthTime', '10UK01.PartBirthTime', readValued),
    deceasedTime: detail(who, 'deceasedTime', '11UK01.PartDeceasedTime', readValued),
    multipleBirth: order && readValued(order),
    deathNotification:
      notification &&
      present<NonNullable<ChangedPerson['deathNotification']>>({
        ...coded(notification),
        authored: ['author', 'responsibleParty'].some((by) => one(notification, by) !== undefined),
      }),
    birthplace: place && readBirthplace(place),
    language:
      language &&
      present<NonNullable<ChangedPerson['language']>>({
        updateMode: modeOf(language, 'languageCode'),
        code: valueAt(one(language, 'languageCode'), 'code'),
        interpreter: valueAt(one(language, 'proficiencyLevelCode'), 'code'),
      }),
    contactMethod:
      contact &&
      present<NonNullable<ChangedPerson['contactMethod']>>({
        ...coded(contact),
        times: textAt(one(contact, 'pertinentInformation/pertinentPreferredContactTimes/value')),
      }),
    writtenFormat: written && present<ChangedCode>(coded(written)),
    removal:
      removal &&
      present<NonNullable<ChangedPerson['removal']>>({
        updateMode: modeOf(removal),
        code: valueAt(one(removal, 'reasonCode'), 'code'),
        effectiveTime: all(removal, 'effectiveTime').map(readIvl)[0],
      }),
    enrolment:
      enrolment &&
      present<ChangedCode>({ updateMode: modeOf(enrolment), code: valueAt(one(enrolment, 'code'), 'code') }),
  })
}

/** Names of what stands beside that, in a message where everything that is there is meant. */
export const otherElements = (role: XmlElement | undefined): readonly string[] => othersOf(role).map(({ name }) => name)

/** The same, every value of it added: what a registration means. */
export function allAdded(person: ChangedPerson): ChangedPerson {
  const updateMode = 'added'
  const each = <Value extends object>(list: readonly ChangedItem<Value>[]) =>
    list.map((item) => ({ ...item, value: { ...item.value, updateMode } }))
  const single = <Value extends object>(value: Value | undefined) => value && { ...value, updateMode }
  return present<ChangedPerson>({
    ids: person.ids,
    names: each(person.names),
    addresses: each(person.addresses),
    telecoms: each(person.telecoms),
    provisions: person.provisions.map((provision) => ({ ...provision, updateMode })),
    related: person.related.map((related) => ({ ...related, updateMode })),
    consents: person.consents.map((consent) => ({ ...consent, updateMode })),
    secrets: person.secrets.map((secret) => ({ ...secret, updateMode })),
    gender: single(person.gender),
    birthTime: single(person.birthTime),
    deceasedTime: single(person.deceasedTime),
    multipleBirth: single(person.multipleBirth),
    deathNotification: single(person.deathNotification),
    birthplace: single(person.birthplace),
    language: single(person.language),
    contactMethod: single(person.contactMethod),
    writtenFormat: single(person.writtenFormat),
    removal: single(person.removal),
    enrolment: single(person.enrolment),
  })
}
