import type { XmlElement } from '../xml/xml.ts'
import {
  type Ad,
  type Ii,
  type Ivl,
  type Pn,
  readAd,
  readIi,
  readIvl,
  readPn,
  readTel,
  type Tel,
  writeAd,
  writeCd,
  writeIi,
  writeIvl,
  writePn,
  writeTel,
} from './datatypes.ts'
import { all, hl7, one, present, textAt, valueAt } from './element.ts'
import { oid } from './oids.ts'

/** Somebody who is related to a person: family, guardian or proxy. Lists hold what was sent, although each should have one. */
export interface PdsRelated {
  readonly updateMode?: string
  /** `PRS` family or friend, `GUARD` guardian, `AGNT` proxy. */
  readonly classCode: string
  /** Kind of relation (PersonRelationshipType). */
  readonly code?: string
  readonly effectiveTime?: Ivl
  readonly id?: Ii
  /** Rank among those who are contacted. */
  readonly position?: string
  readonly nextOfKin: boolean
  /** Whether letters are copied to them. */
  readonly correspondence: boolean
  /** Their own NHS numbers. */
  readonly numbers: readonly Ii[]
  readonly names: readonly Pn[]
  readonly addresses: readonly Ad[]
  readonly telecoms: readonly Tel[]
  readonly language?: { readonly code: string; readonly interpreter: string }
  readonly contact?: { readonly method?: string; readonly times?: string }
  readonly writtenFormat?: string
}

const suffixes = ['UK01', 'UK02', 'UK03'] as const

/** Elements at a path within the parts of a common type, whatever the edition, each with its part. */
export const pdsParts = (
  element: XmlElement | undefined,
  type: string,
  path: string,
): readonly (readonly [element: XmlElement, part: XmlElement])[] =>
  suffixes.flatMap((suffix) =>
    all(element, `COCT_MT${type}${suffix}.PartOfWhole`).flatMap((part) =>
      all(part, path).map((found) => [found, part] as const),
    ),
  )

/** The same without their parts. */
export const inPdsParts = (element: XmlElement | undefined, type: string, path: string): readonly XmlElement[] =>
  pdsParts(element, type, path).map(([found]) => found)

/** Reads a `scopedRelatedPersonRole`: details stand in parts of their own, or by another sender in the role itself. */
export function readRelated(role: XmlElement): PdsRelated {
  const player = one(role, 'player')
  const language = one(player, 'languageCommunication')
  const subject = (name: string) => ['', ...'12345'].flatMap((number) => all(role, `subjectOf${number}/${name}`))[0]
  const time = one(role, 'effectiveTime')
  const id = one(role, 'id')
  return present<PdsRelated>({
    updateMode: valueAt(role, 'updateMode'),
    classCode: valueAt(role, 'classCode') ?? '',
    code: valueAt(one(role, 'code'), 'code'),
    effectiveTime: time && readIvl(time),
    id: id && readIi(id),
    position: valueAt(one(role, 'positionNumber'), 'value'),
    nextOfKin: one(role, 'part3/partNextOfKin') !== undefined,
    correspondence: one(role, 'part4/partCorrespondence') !== undefined,
    numbers: all(player, 'playedRelatedPatient/id').map(readIi),
    names: [...all(player, 'name'), ...inPdsParts(player, '000203', 'partPerson/name')].map(readPn),
    addresses: [...all(role, 'addr'), ...inPdsParts(player, '000201', 'addr')].map(readAd),
    telecoms: [...all(role, 'telecom'), ...inPdsParts(player, '000202', 'telecom')].map(readTel),
    language: language && {
      code: valueAt(one(language, 'languageCode'), 'code') ?? '',
      interpreter: valueAt(one(language, 'proficiencyLevelCode'), 'code') ?? '',
    },
    contact: readContact(subject('preferredContactMethod')),
    writtenFormat: valueAt(one(subject('preferredWrittenCommunicationFormat'), 'value'), 'code'),
  })
}

const observation = { classCode: 'OBS', moodCode: 'EVN' }
const person = { classCode: 'PSN', determinerCode: 'INSTANCE' }

const part = (number: number, name: string, classCode: string, codeSystem: string) =>
  hl7(`part${number}`, { typeCode: 'PART' }, hl7(name, { classCode }, writeCd('code', { code: '1', codeSystem })))

/** How and when somebody wants to be contacted; undefined where it is not told. */
export const readContact = (contact: XmlElement | undefined): PdsRelated['contact'] =>
  contact &&
  present<NonNullable<PdsRelated['contact']>>({
    method: valueAt(one(contact, 'value'), 'code'),
    times: textAt(one(contact, 'pertinentInformation/pertinentPreferredContactTimes/value')),
  })

/** How and when somebody wants to be contacted. */
export function writeContact({ method, times }: NonNullable<PdsRelated['contact']>): XmlElement {
  return hl7(
    'preferredContactMethod',
    observation,
    writeCd('code', { code: '9', codeSystem: oid.pdsObservation }),
    method === undefined ? undefined : writeCd('value', { code: method, codeSystem: oid.contactMethod }),
    times === undefined
      ? undefined
      : hl7(
          'pertinentInformation',
          { typeCode: 'PERT' },
          hl7(
            'pertinentPreferredContactTimes',
            observation,
            writeCd('code', { code: '10', codeSystem: oid.pdsObservation }),
            hl7('value', {}, times),
          ),
        ),
  )
}

export const writeFormat = (code: string): XmlElement =>
  hl7(
    'preferredWrittenCommunicationFormat',
    observation,
    writeCd('code', { code: '13', codeSystem: oid.pdsObservation }),
    writeCd('value', { code, codeSystem: oid.writtenFormat }),
  )

/** The language that somebody wants to be spoken to in. */
export const writeSpoken = ({ code, interpreter }: NonNullable<PdsRelated['language']>): XmlElement =>
  hl7(
    'languageCommunication',
    {},
    hl7('languageCode', { code }),
    hl7('preferenceInd', { value: 'true' }),
    hl7('proficiencyLevelCode', { codeSystem: oid.interpreterRequired, code: interpreter }),
  )

/** Writes a `scopedRelatedPersonRole`, the details in parts of the edition with this suffix. */
export function writeRelated(suffix: string, it: PdsRelated): XmlElement {
  const of = (type: string, content: XmlElement) =>
    hl7(`COCT_MT${type}${suffix}.PartOfWhole`, { classCode: 'PART' }, content)
  const details = [
    it.language && writeSpoken(it.language),
    ...it.numbers.map((number) => hl7('playedRelatedPatient', { classCode: 'PAT' }, writeIi('id', number))),
    ...it.telecoms.map((telecom) => of('000202', writeTel('telecom', telecom))),
    ...it.addresses.map((addr) => of('000201', writeAd('addr', addr))),
    ...it.names.map((name) => of('000203', hl7('partPerson', person, writePn('name', name)))),
  ].filter((detail) => detail !== undefined)
  return hl7(
    'scopedRelatedPersonRole',
    { classCode: it.classCode, updateMode: it.updateMode },
    it.code === undefined ? undefined : writeCd('code', { code: it.code, codeSystem: oid.relationship }),
    it.effectiveTime && writeIvl('effectiveTime', it.effectiveTime),
    it.id && writeIi('id', it.id),
    it.position === undefined ? undefined : hl7('positionNumber', { value: it.position }),
    it.nextOfKin ? part(3, 'partNextOfKin', 'NOK', oid.nextOfKin) : undefined,
    it.correspondence ? part(4, 'partCorrespondence', 'CON', oid.correspondence) : undefined,
    details.length === 0 ? undefined : hl7('player', person, ...details),
    it.contact && hl7('subjectOf1', { typeCode: 'SBJ' }, writeContact(it.contact)),
    it.writtenFormat === undefined ? undefined : hl7('subjectOf2', { typeCode: 'SBJ' }, writeFormat(it.writtenFormat)),
  )
}
