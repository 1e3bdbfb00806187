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
  writeCd,
  writeIi,
  writeIvl,
  writeValued,
} from './datatypes.ts'
import { all, hl7, one, present, textAt, valueAt } from './element.ts'
import { oid } from './oids.ts'
import { pdsParts, pdsSubjects, writePdsParts, writeSerialChangeNumber } from './pds-response.ts'

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

/**
 * What a general update (PRPA_IN000203) asks: the record, the version that was read, and every value with what is to be
 * done with it. Readers judge nothing, so the counts of what should be there once are told.
 */
export interface PdsUpdate {
  /** code of PdsUpdateRequest. */
  readonly modes: readonly Cd[]
  readonly serialChangeNumbers: readonly { readonly code?: Cd; readonly value?: string }[]
  /** How many patient roles there are, and authors: who notifies a death. */
  readonly patients: number
  readonly authors: number
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
  /** Leaving the practice's list (NHAIS): reason and time. */
  readonly removal?: ChangedCode & { readonly effectiveTime?: Ivl }
  /** Joining a list (NHAIS). */
  readonly enrolment?: ChangedCode
  /** Names of elements that are to be changed and that are read by nobody here: shared secrets and the like. */
  readonly others: readonly string[]
}

/** An update that asks nothing yet, to build on. */
export const noUpdate: PdsUpdate = {
  modes: [],
  serialChangeNumbers: [],
  patients: 0,
  authors: 0,
  ids: [],
  names: [],
  addresses: [],
  telecoms: [],
  provisions: [],
  others: [],
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

function readBirthplace(place: XmlElement): NonNullable<PdsUpdate['birthplace']> {
  return present<NonNullable<PdsUpdate['birthplace']>>({
    updateMode: modeOf(place, 'addr'),
    cities: texts(all(place, 'addr/city')),
    counties: texts(all(place, 'addr/county')),
    countries: texts(all(place, 'addr/country')),
  })
}

/** Of a patient role and of a person, what an update reads; the rest are others. */
const ofRole = new Set(['id', 'addr', 'telecom', 'confidentialityCode', 'patientPerson'])
const ofPerson =
  /^(administrativeGenderCode|birthTime|deceasedTime|multipleBirthOrderNumber|name|birthplace|languageCommunication|playedOtherProviderPatient|COCT_MT00020[123]UK\d\d\.PartOfWhole|COCT_MT000208UK01\.BirthPlace|COCT_MT0002(09UK01\.PartAdminGenderCode|10UK01\.PartBirthTime|11UK01\.PartDeceasedTime))$/
const ofSubject = new Set([
  'deathNotification',
  'nHAISRegistrationEvent',
  'nHAISRemovalRegistrationEvent',
  'preferredContactMethod',
  'preferredWrittenCommunicationFormat',
])

/** Elements that no reader here takes: an update leaves them as they are unless they say what is to be done with them. */
function othersOf(role: XmlElement | undefined): readonly XmlElement[] {
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
const changes = (element: XmlElement): boolean =>
  valueAt(element, 'updateMode') !== undefined || elementsOf(element).some(changes)

/** A value of MIM 6, or of MIM 7 in a part of its own. */
const detail = (who: XmlElement | undefined, name: string, part: string) =>
  one(who, name) ?? one(who, `COCT_MT0002${part}/partPerson/${name}`)

/** What messages that change or register somebody say of the person, in the form of MIM 3, 6 or 7. */
export type ChangedPerson = Omit<PdsUpdate, 'modes' | 'serialChangeNumbers' | 'patients' | 'authors' | 'others'>

/** Reads it out of a patient role, or out of the `patient` of a birth. */
export function readChangedPerson(role: XmlElement | undefined): ChangedPerson {
  const who = one(role, 'patientPerson')
  const gender = detail(who, 'administrativeGenderCode', '09UK01.PartAdminGenderCode')
  const birth = detail(who, 'birthTime', '10UK01.PartBirthTime')
  const death = detail(who, 'deceasedTime', '11UK01.PartDeceasedTime')
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
    names: [...all(who, 'name'), ...pdsParts(who, '000203', 'partPerson/name')].map(itemsOf(readPn, 'validTime')),
    addresses: [...all(role, 'addr'), ...pdsParts(who, '000201', 'addr')].map(itemsOf(readAd, 'useablePeriod')),
    telecoms: [...all(role, 'telecom'), ...pdsParts(who, '000202', 'telecom')].map(itemsOf(readTel, 'useablePeriod')),
    provisions: [
      ...all(who, 'playedOtherProviderPatient/subjectOf/patientCareProvisionEvent'),
      ...all(who, 'playedOtherProviderPatient/subjectOf/patientCareProvision'),
    ].map(readProvision),
    gender: gender && readCd(gender),
    birthTime: birth && readValued(birth),
    deceasedTime: death && readValued(death),
    multipleBirth: order && readValued(order),
    deathNotification:
      notification &&
      present<NonNullable<PdsUpdate['deathNotification']>>({
        ...coded(notification),
        authored: ['author', 'responsibleParty'].some((by) => one(notification, by) !== undefined),
      }),
    birthplace: place && readBirthplace(place),
    language:
      language &&
      present<NonNullable<PdsUpdate['language']>>({
        updateMode: modeOf(language, 'languageCode'),
        code: valueAt(one(language, 'languageCode'), 'code'),
        interpreter: valueAt(one(language, 'proficiencyLevelCode'), 'code'),
      }),
    contactMethod:
      contact &&
      present<NonNullable<PdsUpdate['contactMethod']>>({
        ...coded(contact),
        times: textAt(one(contact, 'pertinentInformation/pertinentPreferredContactTimes/value')),
      }),
    writtenFormat: written && present<ChangedCode>(coded(written)),
    removal:
      removal &&
      present<NonNullable<PdsUpdate['removal']>>({
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

/** Element of a general update, and of an update by NHAIS. */
export type PdsUpdateElement = 'PdsUpdateRequest' | 'PdsNhaisUpdateRequest'

/** Reads the `subject` of an update, in the form of MIM 3, 6 or 7. */
export function readPdsUpdate(subject: XmlElement, element: PdsUpdateElement = 'PdsUpdateRequest'): PdsUpdate {
  const asked = one(subject, element)
  const roles = all(asked, 'subject/patientRole')
  const [role] = roles
  const authors = all(asked, 'author').length
  const person = readChangedPerson(role)
  const { deathNotification } = person
  return {
    modes: all(asked, 'code').map(readCd),
    serialChangeNumbers: all(asked, 'pertinentInformation/pertinentSerialChangeNumber').map((number) => {
      const code = one(number, 'code')
      return present<PdsUpdate['serialChangeNumbers'][number]>({
        code: code && readCd(code),
        value: valueAt(one(number, 'value'), 'value'),
      })
    }),
    patients: roles.length,
    authors,
    ...person,
    // The author of a death is told at the request, or by a sender of another edition at the notification.
    ...(deathNotification && {
      deathNotification: { ...deathNotification, authored: deathNotification.authored || authors > 0 },
    }),
    others: othersOf(role)
      .filter(changes)
      .map(({ name }) => name),
  }
}

const observation = { classCode: 'OBS', moodCode: 'EVN' }
const pdsCode = (code: string): Cd => ({ code, codeSystem: oid.pdsObservation })

const writeProvision = ({ updateMode, code, id, effectiveTimes, organisations }: ChangedProvision) =>
  hl7(
    'playedOtherProviderPatient',
    { classCode: 'PAT' },
    hl7(
      'subjectOf',
      { typeCode: 'SBJ' },
      hl7(
        'patientCareProvisionEvent',
        { classCode: 'PCPR', moodCode: 'EVN', updateMode },
        code === undefined ? undefined : hl7('code', { codeSystem: oid.careProvision, code }),
        ...effectiveTimes.map((time) => writeIvl('effectiveTime', time)),
        id && writeIi('id', id),
        ...organisations.map((organisation) =>
          hl7(
            'performer',
            { typeCode: 'PRF' },
            hl7('assignedEntity', { classCode: 'ASSIGNED' }, writeIi('id', organisation)),
          ),
        ),
      ),
    ),
  )

const changedCode = (
  name: string,
  code: string,
  codeSystem: string,
  it: ChangedCode,
  ...more: readonly (XmlElement | undefined)[]
) =>
  hl7(
    name,
    { ...observation, updateMode: it.updateMode },
    writeCd('code', pdsCode(code)),
    it.code === undefined ? undefined : hl7('value', { code: it.code, codeSystem }),
    ...more,
  )

/** A language, as updates and registrations write it. */
export const writeLanguage = ({ updateMode, code, interpreter }: NonNullable<PdsUpdate['language']>) =>
  hl7(
    'languageCommunication',
    { updateMode },
    code === undefined ? undefined : hl7('languageCode', { code }),
    interpreter === undefined
      ? undefined
      : hl7('proficiencyLevelCode', { codeSystem: oid.interpreterRequired, code: interpreter }),
  )

export const writeContactMethod = ({ times, ...method }: NonNullable<PdsUpdate['contactMethod']>) =>
  changedCode(
    'preferredContactMethod',
    '9',
    oid.contactMethod,
    method,
    times === undefined
      ? undefined
      : hl7(
          'pertinentInformation',
          { typeCode: 'PERT' },
          hl7('pertinentPreferredContactTimes', observation, writeCd('code', pdsCode('10')), hl7('value', {}, times)),
        ),
  )

export const writeWrittenFormat = (format: ChangedCode) =>
  changedCode('preferredWrittenCommunicationFormat', '13', oid.writtenFormat, format)

/** Joining and leaving a list; only leaving has a reason. */
const writeNhaisEvent = (name: string, kind: string, it: NonNullable<PdsUpdate['removal']>) =>
  hl7(
    name,
    { classCode: 'REG', moodCode: 'EVN', updateMode: it.updateMode },
    writeCd('code', { code: kind, codeSystem: oid.nhaisEvent }),
    it.effectiveTime && writeIvl('effectiveTime', it.effectiveTime),
    kind === '02' && it.code !== undefined
      ? writeCd('reasonCode', { code: it.code, codeSystem: oid.removalReason })
      : undefined,
  )

/** Writes an update in the form of MIM 6 (PRPA_MT000206 or 208, UK03). Elements of others are not written. */
export function writePdsUpdate(update: PdsUpdate, element: PdsUpdateElement = 'PdsUpdateRequest'): XmlElement {
  const { birthplace, language, deathNotification, contactMethod, writtenFormat } = update
  const values = <Value>(list: readonly ChangedItem<Value>[]) => list.map(({ value }) => value)
  const part = (name: string) => (text: string) => hl7(name, {}, text)
  const role = () =>
    hl7(
      'patientRole',
      { classCode: 'PAT' },
      ...update.ids.map((id) => writeIi('id', id)),
      hl7(
        'patientPerson',
        { classCode: 'PSN', determinerCode: 'INSTANCE' },
        update.gender && writeCd('administrativeGenderCode', update.gender),
        update.birthTime && writeValued('birthTime', update.birthTime),
        update.deceasedTime && writeValued('deceasedTime', update.deceasedTime),
        update.multipleBirth && writeValued('multipleBirthOrderNumber', update.multipleBirth),
        birthplace &&
          hl7(
            'birthplace',
            { classCode: 'BIRTHPL', updateMode: birthplace.updateMode },
            hl7(
              'addr',
              {},
              ...birthplace.cities.map(part('city')),
              ...birthplace.counties.map(part('county')),
              ...birthplace.countries.map(part('country')),
            ),
          ),
        language && writeLanguage(language),
        ...update.provisions.map(writeProvision),
        ...writePdsParts('UK02', {
          addresses: values(update.addresses),
          telecoms: values(update.telecoms),
          names: values(update.names),
        }),
      ),
      deathNotification &&
        hl7(
          'subjectOf2',
          { typeCode: 'SBJ' },
          changedCode(
            'deathNotification',
            '3',
            oid.deathNotification,
            deathNotification,
            deathNotification.authored && update.authors === 0 ? hl7('author', { typeCode: 'AUT' }) : undefined,
          ),
        ),
      contactMethod && hl7('subjectOf4', { typeCode: 'SBJ' }, writeContactMethod(contactMethod)),
      writtenFormat && hl7('subjectOf5', { typeCode: 'SBJ' }, writeWrittenFormat(writtenFormat)),
      update.enrolment &&
        hl7('subjectOf7', { typeCode: 'SBJ' }, writeNhaisEvent('nHAISRegistrationEvent', '01', update.enrolment)),
      update.removal &&
        hl7('subjectOf9', { typeCode: 'SBJ' }, writeNhaisEvent('nHAISRemovalRegistrationEvent', '02', update.removal)),
    )
  return hl7(
    'subject',
    { typeCode: 'SUBJ' },
    hl7(
      element,
      { classCode: 'REG', moodCode: 'RQO' },
      ...Array.from({ length: update.authors }, () => hl7('author', { typeCode: 'AUT' })),
      ...update.modes.map((mode) => writeCd('code', mode)),
      ...update.serialChangeNumbers.map(({ code, value }) =>
        hl7(
          'pertinentInformation',
          { typeCode: 'PERT' },
          hl7(
            'pertinentSerialChangeNumber',
            observation,
            code && writeCd('code', code),
            value === undefined ? undefined : hl7('value', { value }),
          ),
        ),
      ),
      ...Array.from({ length: update.patients }, (_, place) =>
        hl7('subject', { typeCode: 'SBJ' }, place === 0 ? role() : hl7('patientRole', { classCode: 'PAT' })),
      ),
    ),
  )
}

/** The `subject` of the reply to an update that was accepted: the new version and nothing else. */
export function writePdsUpdated(serialChangeNumber: string): XmlElement {
  return hl7(
    'subject',
    { typeCode: 'SUBJ', contextConductionInd: 'false' },
    hl7(
      'PdsSuccessfulUpdateResponse',
      { classCode: 'REG', moodCode: 'EVN' },
      writeSerialChangeNumber(serialChangeNumber),
    ),
  )
}

/** The new version in such a reply; undefined where there is none. */
export const readPdsUpdated = (subject: XmlElement): string | undefined =>
  valueAt(one(subject, 'PdsSuccessfulUpdateResponse/pertinentInformation/pertinentSerialChangeNumber/value'), 'value')
