import type { XmlElement } from '../xml/xml.ts'
import {
  type Ad,
  type Cd,
  type Ii,
  type Pn,
  readAd,
  readCd,
  readIi,
  readPn,
  readValued,
  type Valued,
  writeAd,
  writeCd,
  writeIi,
  writePn,
  writeTel,
  writeValued,
} from './datatypes.ts'
import { all, hl7, one, present, textAt, valueAt } from './element.ts'
import { oid } from './oids.ts'
import { allAdded, type ChangedPerson, noChanges, readChangedPerson } from './pds-changed.ts'
import { type RegisteringAuthority, readAuthority, writeAuthority } from './pds-register.ts'

/** Where a child was born: a place with a code of its own, or another one. */
export interface PlaceOfBirth {
  readonly code?: Cd
  readonly id?: Ii
  readonly addr?: Ad
  readonly name?: string
}

/** The mother of a child, and her practice. */
export interface BirthMother {
  readonly ids: readonly Ii[]
  readonly birthTime?: Valued
  readonly names: readonly Pn[]
  readonly practices: readonly Ii[]
}

/**
 * What the notification of a birth (PRPA_IN000205) tells. Readers judge nothing, so what should be there once is a list.
 */
export interface PdsBirth {
  /** How many notifications there are, and babies in them. */
  readonly events: number
  readonly babies: number
  readonly authorities: readonly RegisteringAuthority[]
  /** Whether a child is registered although others have the same particulars: `true` or `false`. */
  readonly ignoreDuplicates: readonly string[]
  /** The baby; every value has the updateMode `added`. */
  readonly baby: ChangedPerson
  readonly ethnicGroups: readonly Cd[]
  /** Grams. */
  readonly weights: readonly string[]
  readonly abnormalities: readonly Cd[]
  readonly stillbirths: readonly Cd[]
  readonly foetuses: readonly string[]
  /** Weeks. */
  readonly gestations: readonly string[]
  /** How many provisions of obstetric care there are. */
  readonly deliveries: number
  readonly notifiers: readonly Pn[]
  readonly places: readonly PlaceOfBirth[]
  /** Child health services: where the child lives, and who is responsible. */
  readonly partners: readonly Ii[]
  readonly responsible: readonly Ii[]
  readonly mothers: readonly BirthMother[]
}

/** A notification that tells nothing yet, to build on. */
export const noBirth: PdsBirth = {
  events: 0,
  babies: 0,
  authorities: [],
  ignoreDuplicates: [],
  baby: noChanges,
  ethnicGroups: [],
  weights: [],
  abnormalities: [],
  stillbirths: [],
  foetuses: [],
  gestations: [],
  deliveries: 0,
  notifiers: [],
  places: [],
  partners: [],
  responsible: [],
  mothers: [],
}

const values = (elements: readonly XmlElement[]) => elements.map((element) => valueAt(element, 'value') ?? '')

/** A name that is not taken apart counts as a family name. */
function readName(element: XmlElement): Pn {
  const name = readPn(element)
  const whole = textAt(element) ?? ''
  return name.family.length === 0 && name.given.length === 0 && whole !== '' ? { ...name, family: [whole] } : name
}

function readPlace(element: XmlElement): PlaceOfBirth {
  const [code, id] = [one(element, 'code'), one(element, 'id')]
  const addr = one(element, 'locatedPlaceOfBirth/addr')
  return present<PlaceOfBirth>({
    code: code && readCd(code),
    id: id && readIi(id),
    addr: addr && readAd(addr),
    name: textAt(one(element, 'locatedPlaceOfBirth/name')),
  })
}

function readMother(element: XmlElement): BirthMother {
  const birthTime = one(element, 'patientMotherPerson/birthTime')
  return present<BirthMother>({
    ids: all(element, 'id').map(readIi),
    birthTime: birthTime && readValued(birthTime),
    names: all(element, 'patientMotherPerson/name').map(readName),
    practices: all(element, 'subjectOf/primaryCareProvision/performer/primaryCareProvider/id').map(readIi),
  })
}

/** Reads the `subject` of a notification of a birth. */
export function readPdsBirth(subject: XmlElement): PdsBirth {
  const events = all(subject, 'PdsRegistrationEvent')
  const [event] = events
  const babies = all(event, 'subject/patient')
  const [baby] = babies
  const clinical = (path: string) => all(baby, `subjectOf2/clinicalInformation/${path}`)
  const deliveries = all(baby, 'babyOf/obstetricCareProvision')
  const delivery = (path: string) => all(deliveries[0], path)
  return {
    events: events.length,
    babies: babies.length,
    authorities: all(event, 'author/registeringAuthority').map(readAuthority),
    ignoreDuplicates: values(all(event, 'pertinentInformation/pertinentIgnoreDuplicateRecordCriterion/value')),
    baby: allAdded(readChangedPerson(baby)),
    ethnicGroups: all(baby, 'patientPerson/ethnicGroupCode').map(readCd),
    weights: values(all(baby, 'subjectOf1/birthWeight/value')),
    abnormalities: clinical('component1/suspectedCongenitalAbnormality/value').map(readCd),
    stillbirths: clinical('component2/stillbirthIndicator/value').map(readCd),
    foetuses: values(clinical('component3/numberOfFoetusInConfinement/value')),
    gestations: values(clinical('component4/gestationAge/value')),
    deliveries: deliveries.length,
    notifiers: delivery('author/notifier/assignedNotifierPerson/name').map(readName),
    places: [
      ...delivery('location/participantIdentifiedDeliveryLocation'),
      ...delivery('location/participantDeliveryLocation'),
    ].map(readPlace),
    partners: delivery('primaryInformationRecipient/partnerChildHealth/id').map(readIi),
    responsible: delivery('tracker/responsibleChildHealth/id').map(readIi),
    mothers: delivery('recordTarget/mother').map(readMother),
  }
}

const observation = { classCode: 'OBS', moodCode: 'EVN' }
const person = { classCode: 'PSN', determinerCode: 'INSTANCE' }
const withoutMode = <Value extends object>(value: Value): Value => ({ ...value, updateMode: undefined })
const snomed = (code: string) => writeCd('code', { code, codeSystem: oid.snomedCt })

const writePlace = ({ code, id, addr, name }: PlaceOfBirth) =>
  hl7(
    'location',
    { typeCode: 'LOC' },
    hl7(
      id === undefined ? 'participantDeliveryLocation' : 'participantIdentifiedDeliveryLocation',
      { classCode: 'SDLOC' },
      code && writeCd('code', code),
      id && writeIi('id', id),
      hl7(
        'locatedPlaceOfBirth',
        { classCode: 'PLC', determinerCode: 'INSTANCE' },
        addr && writeAd('addr', addr),
        name === undefined ? undefined : hl7('name', {}, name),
      ),
    ),
  )

const writeMother = ({ ids, birthTime, names, practices }: BirthMother) =>
  hl7(
    'recordTarget',
    { typeCode: 'RCT' },
    hl7(
      'mother',
      { classCode: 'PAT' },
      ...ids.map((id) => writeIi('id', id)),
      hl7(
        'patientMotherPerson',
        person,
        birthTime && writeValued('birthTime', birthTime),
        ...names.map((name) => writePn('name', name)),
      ),
      hl7(
        'subjectOf',
        { typeCode: 'SBJ' },
        hl7(
          'primaryCareProvision',
          { classCode: 'PCPR', moodCode: 'EVN' },
          writeCd('code', { code: '1', codeSystem: oid.careProvision }),
          ...practices.map((practice) =>
            hl7(
              'performer',
              { typeCode: 'PRF' },
              hl7('primaryCareProvider', { classCode: 'ASSIGNED' }, writeIi('id', practice)),
            ),
          ),
        ),
      ),
    ),
  )

function writeDelivery(it: PdsBirth): XmlElement {
  const service = (participation: string, typeCode: string, name: string) => (id: Ii) =>
    hl7(participation, { typeCode }, hl7(name, { classCode: 'ASSIGNED' }, writeIi('id', id)))
  return hl7(
    'obstetricCareProvision',
    { classCode: 'PCPR', moodCode: 'EVN' },
    snomed('18629005'),
    ...it.notifiers.map((name) =>
      hl7(
        'author',
        { typeCode: 'AUT' },
        hl7('notifier', { classCode: 'ASSIGNED' }, hl7('assignedNotifierPerson', person, writePn('name', name))),
      ),
    ),
    ...it.places.map(writePlace),
    ...it.partners.map(service('primaryInformationRecipient', 'PRCP', 'partnerChildHealth')),
    ...it.mothers.map(writeMother),
    ...it.responsible.map(service('tracker', 'TRC', 'responsibleChildHealth')),
  )
}

function writeBaby(it: PdsBirth): XmlElement {
  const { gender, birthTime, deceasedTime, multipleBirth, deathNotification } = it.baby
  const counted = (name: string, code: string, found: readonly string[]) =>
    found.map((value) => hl7(name, observation, snomed(code), hl7('value', { value })))
  const coded = (name: string, code: string, found: readonly Cd[]) =>
    found.map((value) => hl7(name, observation, snomed(code), writeCd('value', value)))
  const components = [
    coded('suspectedCongenitalAbnormality', '66091009', it.abnormalities),
    coded('stillbirthIndicator', '237364002', it.stillbirths),
    counted('numberOfFoetusInConfinement', '246435002', it.foetuses),
    counted('gestationAge', '268477000', it.gestations),
  ]
  return hl7(
    'patient',
    { classCode: 'PAT' },
    ...it.baby.addresses.map(({ value }) => writeAd('addr', withoutMode(value))),
    ...it.baby.telecoms.map(({ value }) => writeTel('telecom', withoutMode(value))),
    hl7(
      'patientPerson',
      person,
      gender && writeCd('administrativeGenderCode', withoutMode(gender)),
      birthTime && writeValued('birthTime', withoutMode(birthTime)),
      deceasedTime && writeValued('deceasedTime', withoutMode(deceasedTime)),
      ...it.ethnicGroups.map((group) => writeCd('ethnicGroupCode', group)),
      multipleBirth && writeValued('multipleBirthOrderNumber', withoutMode(multipleBirth)),
      ...it.baby.names.map(({ value }) => writePn('name', withoutMode(value))),
    ),
    ...Array.from({ length: it.deliveries }, () => hl7('babyOf', { typeCode: 'BBY' }, writeDelivery(it))),
    ...counted('birthWeight', '364589006', it.weights).map((weight) => hl7('subjectOf1', { typeCode: 'SBJ' }, weight)),
    hl7(
      'subjectOf2',
      { typeCode: 'SBJ' },
      hl7(
        'clinicalInformation',
        { classCode: 'CATEGORY', moodCode: 'EVN' },
        ...components.flatMap((found, index) =>
          found.map((component) => hl7(`component${index + 1}`, { typeCode: 'COMP' }, component)),
        ),
      ),
    ),
    deathNotification &&
      hl7(
        'subjectOf4',
        { typeCode: 'SBJ' },
        hl7(
          'deathNotification',
          observation,
          writeCd('code', { code: '3', codeSystem: oid.pdsObservation }),
          hl7('value', { code: deathNotification.code, codeSystem: oid.deathNotification }),
        ),
      ),
  )
}

/** Writes a notification of a birth in the form of MIM 6 (PRPA_MT000211, UK03). */
export function writePdsBirth(it: PdsBirth): XmlElement {
  return hl7(
    'subject',
    { typeCode: 'SUBJ' },
    ...Array.from({ length: it.events }, () =>
      hl7(
        'PdsRegistrationEvent',
        { classCode: 'REG', moodCode: 'EVN' },
        ...it.authorities.map(writeAuthority),
        ...it.ignoreDuplicates.map((value) =>
          hl7(
            'pertinentInformation',
            { typeCode: 'PERT' },
            hl7('pertinentIgnoreDuplicateRecordCriterion', observation, hl7('value', { value })),
          ),
        ),
        ...Array.from({ length: it.babies }, () => hl7('subject', { typeCode: 'SBJ' }, writeBaby(it))),
      ),
    ),
  )
}
