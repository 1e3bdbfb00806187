import type { XmlElement } from '../xml/xml.ts'
import {
  type Cd,
  type Ii,
  readCd,
  readIi,
  writeAd,
  writeCd,
  writeIi,
  writeIvl,
  writePn,
  writeTel,
  writeValued,
} from './datatypes.ts'
import { all, hl7, one, present, valueAt } from './element.ts'
import { oid } from './oids.ts'
import {
  allAdded,
  type ChangedPerson,
  type ChangedProvision,
  noChanges,
  otherElements,
  readChangedPerson,
} from './pds-changed.ts'
import { writeSerialChangeNumber } from './pds-response.ts'
import { writeContactMethod, writeLanguage, writeWrittenFormat } from './pds-update.ts'

/** Who has somebody registered: an organisation of some kind. */
export interface RegisteringAuthority {
  readonly code?: Cd
  readonly ids: readonly Ii[]
}

/**
 * What a request for a new NHS number (PRPA_IN000200) tells. Readers judge nothing, so the counts of what should be there
 * once are told.
 */
export interface PdsRegistration {
  /** How many requests there are, and patient roles in them. */
  readonly requests: number
  readonly patients: number
  readonly authorities: readonly RegisteringAuthority[]
  /** The person; every value has the updateMode `added`, whatever was sent. */
  readonly person: ChangedPerson
  /** Whether they have been in contact with the NHS before: codes of previousNhsContact. */
  readonly previousContacts: readonly Cd[]
  /** Names of elements that no reader here takes. */
  readonly others: readonly string[]
}

/** A registration that tells nothing yet, to build on. */
export const noRegistration: PdsRegistration = {
  requests: 0,
  patients: 0,
  authorities: [],
  person: noChanges,
  previousContacts: [],
  others: [],
}

export const readAuthority = (element: XmlElement): RegisteringAuthority => {
  const code = one(element, 'code')
  return present<RegisteringAuthority>({ code: code && readCd(code), ids: all(element, 'id').map(readIi) })
}

export const writeAuthority = ({ code, ids }: RegisteringAuthority): XmlElement =>
  hl7(
    'author',
    { typeCode: 'AUT' },
    hl7(
      'registeringAuthority',
      { classCode: 'ASSIGNED' },
      code && writeCd('code', code),
      ...ids.map((id) => writeIi('id', id)),
    ),
  )

/** previousNhsContact behind any of the numbered `subjectOf` of a role. */
const contactsOf = (role: XmlElement | undefined) =>
  ['', ...'123456789'].flatMap((number) => all(role, `subjectOf${number}/previousNhsContact`))

/** Reads the `subject` of a request for a new number, in the form of MIM 4, 6 or 7. */
export function readPdsRegistration(subject: XmlElement): PdsRegistration {
  const requests = all(subject, 'PdsRegistrationRequest')
  const [asked] = requests
  const roles = all(asked, 'subject/patientRole')
  const [role] = roles
  return {
    requests: requests.length,
    patients: roles.length,
    authorities: all(asked, 'author/registeringAuthority').map(readAuthority),
    person: allAdded(readChangedPerson(role)),
    previousContacts: contactsOf(role).map((contact) => {
      const value = one(contact, 'value')
      return value === undefined ? {} : readCd(value)
    }),
    others: otherElements(role).filter((name) => name !== 'previousNhsContact'),
  }
}

/** A provider of care as registrations name it. */
const writeProvision = ({ code, effectiveTimes, organisations }: ChangedProvision) =>
  hl7(
    'playedOtherProviderPatient',
    { classCode: 'PAT' },
    hl7(
      'subjectOf',
      { typeCode: 'SBJ' },
      hl7(
        'patientCareProvision',
        { classCode: 'PCPR', moodCode: 'EVN' },
        code === undefined ? undefined : hl7('code', { codeSystem: oid.careProvision, code }),
        ...effectiveTimes.map((time) => writeIvl('effectiveTime', time)),
        ...organisations.map((organisation) =>
          hl7(
            'performer',
            { typeCode: 'PRF' },
            hl7('assignedOrganization', { classCode: 'ASSIGNED' }, writeIi('id', organisation)),
          ),
        ),
      ),
    ),
  )

const observation = { classCode: 'OBS', moodCode: 'EVN' }
const withoutMode = <Value extends object>(value: Value): Value => ({ ...value, updateMode: undefined })

/** Writes a request for a new number in the form of MIM 6 (PRPA_MT000203, UK03). Elements of others are not written. */
export function writePdsRegistration(it: PdsRegistration): XmlElement {
  const { person } = it
  const { gender, birthTime, deceasedTime, multipleBirth, language, contactMethod, writtenFormat } = person
  const subjectOf = (number: number, content: XmlElement) => hl7(`subjectOf${number}`, { typeCode: 'SBJ' }, content)
  const role = () =>
    hl7(
      'patientRole',
      { classCode: 'PAT' },
      ...person.addresses.map(({ value }) => writeAd('addr', withoutMode(value))),
      ...person.ids.map((id) => writeIi('id', id)),
      ...person.telecoms.map(({ value }) => writeTel('telecom', withoutMode(value))),
      hl7(
        'patientPerson',
        { classCode: 'PSN', determinerCode: 'INSTANCE' },
        gender && writeCd('administrativeGenderCode', withoutMode(gender)),
        birthTime && writeValued('birthTime', withoutMode(birthTime)),
        deceasedTime && writeValued('deceasedTime', withoutMode(deceasedTime)),
        multipleBirth && writeValued('multipleBirthOrderNumber', withoutMode(multipleBirth)),
        ...person.names.map(({ value }) => writePn('name', withoutMode(value))),
        language && writeLanguage(withoutMode(language)),
        ...person.provisions.map(writeProvision),
      ),
      contactMethod && subjectOf(2, writeContactMethod(withoutMode(contactMethod))),
      writtenFormat && subjectOf(3, writeWrittenFormat(withoutMode(writtenFormat))),
      ...it.previousContacts.map((value) =>
        subjectOf(
          5,
          hl7(
            'previousNhsContact',
            observation,
            writeCd('code', { code: '17', codeSystem: oid.pdsObservation }),
            writeCd('value', value),
          ),
        ),
      ),
    )
  return hl7(
    'subject',
    { typeCode: 'SUBJ' },
    ...Array.from({ length: it.requests }, (_, request) =>
      hl7(
        'PdsRegistrationRequest',
        { classCode: 'REG', moodCode: 'RQO' },
        ...(request === 0 ? it.authorities.map(writeAuthority) : []),
        ...Array.from({ length: request === 0 ? it.patients : 0 }, (_each, place) =>
          hl7('subject', { typeCode: 'SBJ' }, place === 0 ? role() : hl7('patientRole', { classCode: 'PAT' })),
        ),
      ),
    ),
  )
}

/** Who was registered: the new number and its version. */
export interface PdsRegistered {
  readonly nhsNumber: string
  readonly serialChangeNumber: string
}

/** The `subject` of the reply to a registration or a birth that was accepted (PRPA_MT000204). */
export function writePdsRegistered({ nhsNumber, serialChangeNumber }: PdsRegistered): XmlElement {
  return hl7(
    'subject',
    { typeCode: 'SUBJ', contextConductionInd: 'false' },
    hl7(
      'PdsRegistrationResponse',
      { classCode: 'REG', moodCode: 'EVN' },
      writeSerialChangeNumber(serialChangeNumber),
      hl7(
        'subject',
        { typeCode: 'SBJ' },
        hl7('patientRole', { classCode: 'PAT' }, writeIi('id', { root: oid.nhsNumber, extension: nhsNumber })),
      ),
    ),
  )
}

/** The new number in such a reply; undefined where there is none. */
export function readPdsRegistered(subject: XmlElement): PdsRegistered | undefined {
  const response = one(subject, 'PdsRegistrationResponse')
  const nhsNumber = valueAt(one(response, 'subject/patientRole/id'), 'extension')
  const version = valueAt(one(response, 'pertinentInformation/pertinentSerialChangeNumber/value'), 'value')
  return nhsNumber === undefined || version === undefined ? undefined : { nhsNumber, serialChangeNumber: version }
}
