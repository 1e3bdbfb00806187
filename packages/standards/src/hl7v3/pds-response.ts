import type { XmlElement } from '../xml/xml.ts'
import {
  type Ad,
  type Cd,
  type Pn,
  readAd,
  readCd,
  readIi,
  readIvl,
  readPn,
  readTel,
  readValued,
  type Tel,
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
  type CareProvision,
  type PdsForm,
  type PdsFormName,
  type PdsMember,
  type PdsPerson,
  pdsForms,
} from './pds-person.ts'
import {
  inPdsParts,
  readContact,
  readRelated,
  writeContact,
  writeFormat,
  writeRelated,
  writeSpoken,
} from './pds-related.ts'

const observation = { classCode: 'OBS', moodCode: 'EVN' }
const person = { classCode: 'PSN', determinerCode: 'INSTANCE' }
const pdsCode = (code: string): Cd => ({ code, codeSystem: oid.pdsObservation })
/** The attributes of a coded value, written in the order in which PDS writes them. */
const coded = (name: string, codeSystem: string, code: string) => hl7(name, { codeSystem, code })

/** `pertinentInformation` with the serial change number, as replies and updates carry it. */
export function writeSerialChangeNumber(value: string): XmlElement {
  return hl7(
    'pertinentInformation',
    { typeCode: 'PERT' },
    hl7('pertinentSerialChangeNumber', observation, writeCd('code', pdsCode('2')), hl7('value', { value })),
  )
}

function writeProvision(form: PdsForm, { code, effectiveTime, id, organisation }: CareProvision): XmlElement {
  const old = form.performer === 'healthCareProvider'
  return hl7(
    'playedOtherProviderPatient',
    { classCode: 'PAT' },
    hl7(
      'subjectOf',
      { typeCode: 'SBJ' },
      hl7(
        form.provision,
        { classCode: 'PCPR', moodCode: 'EVN' },
        coded('code', oid.careProvision, code),
        effectiveTime && writeIvl('effectiveTime', effectiveTime),
        form.provisionId && id ? writeIi('id', id) : undefined,
        hl7(
          old ? 'responsibleParty' : 'performer',
          { typeCode: old ? 'RESP' : 'PRF' },
          hl7(form.performer, { classCode: old ? 'PROV' : 'ASSIGNED' }, writeIi('id', organisation)),
        ),
      ),
    ),
  )
}

/** Names, addresses and telecoms each in a part of its own. */
export function writePdsParts(suffix: string, it: Pick<PdsPerson, 'addresses' | 'telecoms' | 'names'>): XmlElement[] {
  const part = (type: string, content: XmlElement) =>
    hl7(`COCT_MT${type}${suffix}.PartOfWhole`, { classCode: 'PART' }, content)
  return [
    ...it.addresses.map((addr) => part('000201', writeAd('addr', addr))),
    ...it.telecoms.map((telecom) => part('000202', writeTel('telecom', telecom))),
    ...it.names.map((name) => part('000203', hl7('partPerson', person, writePn('name', name)))),
  ]
}

/** When a value was notified. */
const writeNotified = (value: string) =>
  hl7(
    'subjectOf',
    { typeCode: 'SBJ' },
    hl7('notificationTime', observation, writeCd('code', pdsCode('45')), hl7('value', { value })),
  )

/** Gender, birth and death each in a part of its own: MIM 7. */
function writePersonParts(it: PdsPerson): (XmlElement | undefined)[] {
  const part = (name: string, content: XmlElement | undefined, notified?: string) =>
    content &&
    hl7(
      name,
      { classCode: 'PART' },
      hl7('partPerson', person, content),
      notified === undefined ? undefined : writeNotified(notified),
    )
  return [
    it.birthplace && hl7('COCT_MT000208UK01.BirthPlace', { classCode: 'BIRTHPL' }, writeAd('addr', it.birthplace)),
    part('COCT_MT000209UK01.PartAdminGenderCode', it.gender && writeCd('administrativeGenderCode', it.gender)),
    part('COCT_MT000210UK01.PartBirthTime', it.birthTime && writeValued('birthTime', it.birthTime)),
    part(
      'COCT_MT000211UK01.PartDeceasedTime',
      it.deceasedTime && writeValued('deceasedTime', it.deceasedTime),
      it.deathNotified,
    ),
  ]
}

function writePatientPerson(form: PdsForm, it: PdsPerson): XmlElement | undefined {
  const inline = form.parts === 'inline'
  const seventh = form.parts === 'UK03'
  const children = [
    ...(seventh
      ? []
      : [
          it.gender && writeCd('administrativeGenderCode', it.gender),
          it.birthTime && writeValued('birthTime', it.birthTime),
          it.deceasedTime && writeValued('deceasedTime', it.deceasedTime),
        ]),
    it.multipleBirth === undefined ? undefined : hl7('multipleBirthOrderNumber', { value: it.multipleBirth }),
    ...(inline ? it.names.map((name) => writePn('name', name)) : []),
    it.birthplace && !seventh ? hl7('birthplace', { classCode: 'BIRTHPL' }, writeAd('addr', it.birthplace)) : undefined,
    it.language && writeSpoken(it.language),
    ...it.provisions.map((provision) => writeProvision(form, provision)),
    ...(inline ? [] : it.related.map((related) => writeRelated(form.parts, related))),
    ...(inline ? [] : writePdsParts(form.parts, it)),
    ...(seventh ? writePersonParts(it) : []),
  ].filter((child) => child !== undefined)
  return children.length === 0 ? undefined : hl7('patientPerson', person, ...children)
}

const subjectOf = (number: number, content: XmlElement) => hl7(`subjectOf${number}`, { typeCode: 'SBJ' }, content)

/** What hangs on the patient role behind the person. */
function writeSubjects(form: PdsForm, it: PdsPerson): (XmlElement | undefined)[] {
  const observed = (
    name: string,
    code: string,
    codeSystem: string,
    value: string,
    ...more: (XmlElement | undefined)[]
  ) => hl7(name, observation, writeCd('code', pdsCode(code)), writeCd('value', { code: value, codeSystem }), ...more)
  const consents = it.consents.map(({ type, value }) =>
    subjectOf(
      form.parts === 'inline' ? 1 : 3,
      hl7(
        'consent',
        observation,
        writeCd('code', { code: type, codeSystem: oid.consentType }),
        writeCd('value', { code: value, codeSystem: oid.consentValue }),
      ),
    ),
  )
  const death =
    it.deathNotification === undefined
      ? undefined
      : subjectOf(form.deathIn, observed('deathNotification', '3', oid.deathNotification, it.deathNotification))
  return [
    it.matchingLevel === undefined
      ? undefined
      : subjectOf(
          1,
          hl7(
            'matchingLevel',
            observation,
            writeCd('code', pdsCode('1')),
            hl7('value', { value: it.matchingLevel, unit: '%' }),
          ),
        ),
    ...(form.parts === 'inline' ? [...consents, death] : [death, ...consents]),
    it.contact && subjectOf(4, writeContact(it.contact)),
    it.writtenFormat === undefined ? undefined : subjectOf(5, writeFormat(it.writtenFormat)),
    it.removal &&
      subjectOf(
        9,
        hl7(
          'nHAISRemovalRegistrationEvent',
          { classCode: 'REG', moodCode: 'EVN' },
          writeCd('code', { code: '02', codeSystem: oid.nhaisEvent }),
          it.removal.effectiveTime && writeIvl('effectiveTime', it.removal.effectiveTime),
          writeCd('reasonCode', { code: it.removal.reason, codeSystem: oid.removalReason }),
        ),
      ),
  ]
}

function writeRole(form: PdsForm, it: PdsPerson): XmlElement {
  const inline = form.parts === 'inline'
  return hl7(
    'patientRole',
    { classCode: 'PAT' },
    ...(inline ? it.addresses.map((addr) => writeAd('addr', addr)) : []),
    it.confidentiality === undefined
      ? undefined
      : writeCd('confidentialityCode', { code: it.confidentiality, codeSystem: oid.sensitivity }),
    writeIi('id', it.id),
    ...(inline ? it.telecoms.map((telecom) => writeTel('telecom', telecom)) : []),
    writePatientPerson(form, it),
    ...writeSubjects(form, it),
  )
}

/** What a form shows of a person; a trace names one practice at most. */
export function shownBy(name: PdsFormName, it: PdsPerson): PdsPerson {
  const form: PdsForm = pdsForms[name]
  const shown = Object.fromEntries(
    Object.entries(it).filter(
      ([member]) =>
        member === 'id' ||
        // It stands with the time of death, and nowhere without it.
        (form.shows.has(member as PdsMember) && (member !== 'deathNotified' || it.deceasedTime !== undefined)),
    ),
  ) as Partial<PdsPerson>
  const provisions = it.provisions.map(({ id, ...provision }) =>
    form.provisionId && id !== undefined ? { ...provision, id } : provision,
  )
  const registered = provisions.filter(({ code }) => code === '1').slice(0, 1)
  return {
    ...shown,
    id: it.id,
    provisions: form.element === 'PdsTraceMatch' || name === 'cross-check' ? registered : provisions,
    addresses: it.addresses,
    names: it.names,
    telecoms: form.shows.has('telecoms') ? it.telecoms : [],
    consents: form.shows.has('consents') ? it.consents : [],
    related: form.shows.has('related') ? it.related : [],
  }
}

/** The content of `subject` in a reply: one person, or in an advanced trace each who matches. */
export function writePdsSubject(name: PdsFormName, people: readonly PdsPerson[]): XmlElement {
  const form: PdsForm = pdsForms[name]
  const shown = people.map((each) => shownBy(name, each))
  const [first] = shown
  const scn = first?.serialChangeNumber
  return hl7(
    'subject',
    { typeCode: 'SUBJ' },
    hl7(
      form.element,
      observation,
      scn === undefined ? undefined : writeSerialChangeNumber(scn),
      ...shown.map((each) => hl7('subject', { typeCode: 'SBJ' }, writeRole(form, each))),
    ),
  )
}

const first = <Value>(elements: readonly XmlElement[], read: (element: XmlElement) => Value): Value | undefined =>
  elements[0] && read(elements[0])

/** Both spellings of the class of a provision, and the three of who provides it. */
function readProvision(element: XmlElement): CareProvision | undefined {
  const provision =
    one(element, 'subjectOf/patientCareProvisionEvent') ?? one(element, 'subjectOf/patientCareProvision')
  const organisation =
    one(provision, 'performer/assignedEntity/id') ??
    one(provision, 'performer/assignedOrganization/id') ??
    one(provision, 'responsibleParty/healthCareProvider/id')
  if (provision === undefined || organisation === undefined) return undefined
  return present<CareProvision>({
    code: valueAt(one(provision, 'code'), 'code') ?? '',
    effectiveTime: first(all(provision, 'effectiveTime'), readIvl),
    id: first(all(provision, 'id'), readIi),
    organisation: readIi(organisation),
  })
}

/** Elements at a path behind any of the numbered `subjectOf` of a patient role. */
export const pdsSubjects = (role: XmlElement, path: string) =>
  ['', ...Array.from({ length: 9 }, (_, i) => String(i + 1))].flatMap((number) =>
    all(role, `subjectOf${number}/${path}`),
  )

/** Reads a patient role, in whichever form it was written. */
export function readPatientRole(role: XmlElement): PdsPerson {
  const who = one(role, 'patientPerson')
  const id = one(role, 'id')
  const language = one(who, 'languageCommunication')
  const removal = pdsSubjects(role, 'nHAISRemovalRegistrationEvent')[0]
  return present<PdsPerson>({
    id: id === undefined ? {} : readIi(id),
    confidentiality: valueAt(one(role, 'confidentialityCode'), 'code'),
    gender: first(
      [
        ...all(who, 'administrativeGenderCode'),
        ...all(who, 'COCT_MT000209UK01.PartAdminGenderCode/partPerson/administrativeGenderCode'),
      ],
      readCd,
    ),
    birthTime: first(
      [...all(who, 'birthTime'), ...all(who, 'COCT_MT000210UK01.PartBirthTime/partPerson/birthTime')],
      readValued,
    ),
    deceasedTime: first(
      [...all(who, 'deceasedTime'), ...all(who, 'COCT_MT000211UK01.PartDeceasedTime/partPerson/deceasedTime')],
      readValued,
    ),
    multipleBirth: valueAt(one(who, 'multipleBirthOrderNumber'), 'value'),
    birthplace: first([...all(who, 'birthplace/addr'), ...all(who, 'COCT_MT000208UK01.BirthPlace/addr')], readAd),
    language: language && {
      code: valueAt(one(language, 'languageCode'), 'code') ?? '',
      interpreter: valueAt(one(language, 'proficiencyLevelCode'), 'code') ?? '',
    },
    provisions: all(who, 'playedOtherProviderPatient')
      .map(readProvision)
      .filter((provision) => provision !== undefined),
    addresses: [...all(role, 'addr'), ...inPdsParts(who, '000201', 'addr')].map((each): Ad => readAd(each)),
    telecoms: [...all(role, 'telecom'), ...inPdsParts(who, '000202', 'telecom')].map((each): Tel => readTel(each)),
    names: [...all(who, 'name'), ...inPdsParts(who, '000203', 'partPerson/name')].map((each): Pn => readPn(each)),
    related: all(who, 'scopedRelatedPersonRole').map(readRelated),
    deathNotification: valueAt(one(pdsSubjects(role, 'deathNotification')[0], 'value'), 'code'),
    deathNotified: valueAt(one(who, 'COCT_MT000211UK01.PartDeceasedTime/subjectOf/notificationTime/value'), 'value'),
    consents: pdsSubjects(role, 'consent').map((consent) => ({
      type: valueAt(one(consent, 'code'), 'code') ?? '',
      value: valueAt(one(consent, 'value'), 'code') ?? '',
    })),
    contact: readContact(pdsSubjects(role, 'preferredContactMethod')[0]),
    writtenFormat: valueAt(one(pdsSubjects(role, 'preferredWrittenCommunicationFormat')[0], 'value'), 'code'),
    removal:
      removal &&
      present<NonNullable<PdsPerson['removal']>>({
        reason: valueAt(one(removal, 'reasonCode'), 'code') ?? '',
        effectiveTime: first(all(removal, 'effectiveTime'), readIvl),
      }),
    matchingLevel: valueAt(one(pdsSubjects(role, 'matchingLevel')[0], 'value'), 'value'),
  })
}

/** The people of a reply: reads the `subject` of any of the forms. */
export function readPdsSubject(subject: XmlElement): readonly PdsPerson[] {
  const response = (['PDSResponse', 'PdsSuccessfulRetrieval', 'PdsTraceMatch', 'PdsNhsNumberConfirmation'] as const)
    .map((name) => one(subject, name))
    .find((found) => found !== undefined)
  const serialChangeNumber = valueAt(one(response, 'pertinentInformation/pertinentSerialChangeNumber/value'), 'value')
  return all(response, 'subject/patientRole').map((role) => ({
    ...readPatientRole(role),
    ...(serialChangeNumber === undefined ? {} : { serialChangeNumber }),
  }))
}
