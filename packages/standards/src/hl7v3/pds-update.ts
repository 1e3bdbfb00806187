import type { XmlElement } from '../xml/xml.ts'
import { type Cd, readCd, writeCd, writeIi, writeIvl, writeValued } from './datatypes.ts'
import { all, hl7, one, present, valueAt } from './element.ts'
import { oid } from './oids.ts'
import {
  type ChangedCode,
  type ChangedItem,
  type ChangedPerson,
  type ChangedProvision,
  changes,
  noChanges,
  othersOf,
  readChangedPerson,
} from './pds-changed.ts'
import { writeRelated } from './pds-related.ts'
import { writePdsParts, writeSerialChangeNumber } from './pds-response.ts'

/**
 * What a general update (PRPA_IN000203) asks: the record, the version that was read, and every value with what is to be
 * done with it. Readers judge nothing, so the counts of what should be there once are told.
 */
export interface PdsUpdate extends ChangedPerson {
  /** code of PdsUpdateRequest. */
  readonly modes: readonly Cd[]
  readonly serialChangeNumbers: readonly { readonly code?: Cd; readonly value?: string }[]
  /** How many patient roles there are, and authors: who notifies a death. */
  readonly patients: number
  readonly authors: number
  /** Names of elements that are to be changed and that are read by nobody here: shared secrets and the like. */
  readonly others: readonly string[]
}

/** An update that asks nothing yet, to build on. */
export const noUpdate: PdsUpdate = {
  ...noChanges,
  modes: [],
  serialChangeNumbers: [],
  patients: 0,
  authors: 0,
  others: [],
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
        ...update.related.map((related) => writeRelated('UK02', related)),
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
      ...update.consents.map(({ updateMode, type, value }) =>
        hl7(
          'subjectOf3',
          { typeCode: 'SBJ' },
          hl7(
            'consent',
            { ...observation, updateMode },
            writeCd('code', type === undefined ? {} : { code: type, codeSystem: oid.consentType }),
            value === undefined ? undefined : writeCd('value', { code: value, codeSystem: oid.consentValue }),
          ),
        ),
      ),
      contactMethod && hl7('subjectOf4', { typeCode: 'SBJ' }, writeContactMethod(contactMethod)),
      writtenFormat && hl7('subjectOf5', { typeCode: 'SBJ' }, writeWrittenFormat(writtenFormat)),
      ...update.secrets.map(({ updateMode, code, value }) =>
        hl7(
          'subjectOf6',
          { typeCode: 'SBJ' },
          hl7(
            'sharedSecret',
            { ...observation, updateMode },
            code && writeCd('code', code),
            value === undefined ? undefined : hl7('value', {}, value),
          ),
        ),
      ),
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
