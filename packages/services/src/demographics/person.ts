import { SpineError } from '@openspine/standards/error'
import { namingSystem } from '@openspine/standards/nhs'
import type { PersonRecord } from './contract.ts'
import { dayNumber, foldEmail, foldName, foldPhone, foldPostcode } from './fold.ts'

/** A FHIR value of which only what is read is known. */
export type Json = Readonly<Record<string, unknown>>

export type Status = 'current' | 'superseded' | 'invalidated'
export type Sensitivity = 'U' | 'R' | 'V'

/** One person as the store keeps them. */
export interface StoredPerson {
  readonly nhsNumber: string
  readonly version: number
  readonly status: Status
  readonly supersededBy?: string
  readonly sensitivity: Sensitivity
  /** The whole Patient as JSON text, with id, meta and identifier. */
  readonly document: string
  /** True where every reader may be given `document` as it stands: nothing to mask, nothing to tidy. */
  readonly asIs: boolean
  /** `{history, hidden}` as JSON text, where there is any. */
  readonly past?: string
  /** `{related, coverage}` as JSON text, where there is any: kept with the person and never part of the Patient. */
  readonly beside?: string
}

/** Which snippet a name or address comes from; the order is that of the rules in §9.3. */
export const snippetKind = { main: 0, other: 1, historic: 2 } as const
export type SnippetKind = (typeof snippetKind)[keyof typeof snippetKind]

/** Everything about a person that a trace may compare: raw for the accent tie-break, folded for the rest. */
export interface TraceSubject {
  readonly nhsNumber: string
  readonly sensitivity: Sensitivity
  readonly names: readonly {
    readonly kind: SnippetKind
    readonly use: string
    readonly family: string
    readonly given: readonly string[]
    readonly foldedFamily: string
    readonly foldedGiven: readonly string[]
  }[]
  readonly gender?: string
  readonly formerGenders: readonly string[]
  /** `yyyymmdd`; undefined where the date is partial, and then no trace finds the person. */
  readonly birth?: number
  readonly death?: number
  readonly addresses: readonly { readonly kind: SnippetKind; readonly use: string; readonly postcode: string }[]
  readonly telecoms: readonly { readonly kind: 'phone' | 'email'; readonly value: string; readonly current: boolean }[]
  /** Registered GP practice, upper case. */
  readonly gp?: string
}

export const ukCore = 'https://fhir.hl7.org.uk/StructureDefinition/'
export const extensionUrl = {
  nominatedPharmacy: `${ukCore}Extension-UKCore-NominatedPharmacy`,
  dispensingDoctor: `${ukCore}Extension-UKCore-PreferredDispenserOrganization`,
  applianceSupplier: `${ukCore}Extension-UKCore-MedicalApplianceSupplier`,
  deathNotification: `${ukCore}Extension-UKCore-DeathNotificationStatus`,
  communication: `${ukCore}Extension-UKCore-NHSCommunication`,
  contactPreference: `${ukCore}Extension-UKCore-ContactPreference`,
  birthPlace: 'http://hl7.org/fhir/StructureDefinition/patient-birthPlace',
  removal: 'https://fhir.nhs.uk/StructureDefinition/Extension-PDS-RemovalFromRegistration',
  consent: 'https://hl7.org/fhir/R4/consent.html',
  ethnicCategory: `${ukCore}Extension-UKCore-EthnicCategory`,
} as const

/** Order of extensions on every read (§2). */
const extensionOrder: readonly string[] = Object.values(extensionUrl)

const confidentiality = {
  U: 'unrestricted',
  R: 'restricted',
  V: 'very restricted',
} as const satisfies Record<Sensitivity, string>

const numberVerified: Json = {
  url: `${ukCore}Extension-UKCore-NHSNumberVerificationStatus`,
  valueCodeableConcept: {
    coding: [
      {
        system: 'https://fhir.hl7.org.uk/CodeSystem/UKCore-NHSNumberVerificationStatus',
        version: '1.0.0',
        code: '01',
        display: 'Number present and verified',
      },
    ],
  },
}

const listsWithIds = ['name', 'address', 'telecom', 'contact', 'generalPractitioner'] as const

/** SpineError `DEMOGRAPHICS_PERSON_INVALID`, with the reason, when it is no person. */
export function checkPerson({ nhsNumber, version = 1, status, supersededBy, patient }: PersonRecord): void {
  const problem = !/^\d{10}$/.test(nhsNumber)
    ? 'the NHS number is not ten digits'
    : !Number.isSafeInteger(version) || version < 1
      ? 'the version is not a positive integer'
      : (status === 'superseded') !== (supersededBy !== undefined && /^\d{10}$/.test(supersededBy))
        ? 'a superseded person, and no other, names the ten-digit number that took over'
        : isJson(patient)
          ? undefined
          : 'patient is not an object'
  if (problem)
    throw new SpineError(
      'DEMOGRAPHICS_PERSON_INVALID',
      {},
      { explanation: `This person cannot be loaded: ${problem}.` },
    )
}

/**
 * Brings a loaded person into the one shape that is kept: order of members, ids of snippets, no empty
 * lists. Fails as {@link checkPerson}.
 */
export function storedPerson(record: PersonRecord): StoredPerson {
  checkPerson(record)
  return withPatient(record, tidyPatient(record))
}

/** {@link storedPerson} of a person who is known to be one, with the Patient that {@link tidyPatient} made of the record's. */
export function withPatient(record: PersonRecord, patient: Json): StoredPerson {
  const { nhsNumber, version = 1, status = 'current', supersededBy, sensitivity = 'U' } = record
  const past =
    record.history || record.hidden
      ? JSON.stringify({
          ...(record.history && { history: record.history }),
          ...(record.hidden && { hidden: record.hidden }),
        })
      : undefined
  const { coverage } = record
  const related = record.related?.map((resource, index) => ({
    id: resource['id'] ?? snippetId(nhsNumber, 'related', index),
    ...resource,
  }))
  const beside =
    related || coverage ? JSON.stringify({ ...(related && { related }), ...(coverage && { coverage }) }) : undefined
  return {
    nhsNumber,
    version,
    status,
    ...(supersededBy === undefined ? {} : { supersededBy }),
    sensitivity,
    document: JSON.stringify(patient),
    asIs: sensitivity === 'U' && !needsTidying(patient),
    ...(past === undefined ? {} : { past }),
    ...(beside === undefined ? {} : { beside }),
  }
}

/** The Patient in the one shape that is kept. */
export function tidyPatient({
  nhsNumber,
  version = 1,
  sensitivity = 'U',
  patient: loaded,
}: Omit<PersonRecord, 'history' | 'hidden'>): Json {
  const patient: Record<string, unknown> = {
    resourceType: 'Patient',
    id: nhsNumber,
    meta: {
      versionId: String(version),
      security: [
        {
          system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality',
          code: sensitivity,
          display: confidentiality[sensitivity],
        },
      ],
    },
    identifier: [{ system: namingSystem.fhirNhsUk.nhsNumber, value: nhsNumber, extension: [numberVerified] }],
    // Named first so that the members of every Patient stand in one order.
    name: undefined,
    gender: undefined,
    birthDate: undefined,
    multipleBirthInteger: undefined,
    deceasedDateTime: undefined,
    address: undefined,
    telecom: undefined,
    contact: undefined,
    generalPractitioner: undefined,
  }
  for (const [member, value] of Object.entries(loaded)) {
    if (member === 'resourceType' || member === 'id' || member === 'meta' || member === 'identifier') continue
    if (value === null || (Array.isArray(value) && value.length === 0)) continue
    patient[member] = value
  }
  for (const list of listsWithIds) {
    const items = patient[list]
    if (!Array.isArray(items)) continue
    patient[list] = items.map((item: unknown, index) =>
      isJson(item) && item['id'] === undefined ? { id: snippetId(nhsNumber, list, index), ...item } : item,
    )
  }
  const died = patient['deceasedDateTime']
  if (typeof died === 'string') patient['deceasedDateTime'] = deathTime(died)
  if (Array.isArray(patient['extension'])) patient['extension'] = inOrder(items(patient['extension']))
  else delete patient['extension']
  return patient
}

/** `yyyy-mm-dd` and zone-less times are given the zero offset with which they are returned. */
function deathTime(text: string): string {
  if (/^\d{4}-\d{2}-\d{2}$/.test(text)) return `${text}T00:00:00+00:00`
  return /T\d{2}:\d{2}:\d{2}$/.test(text) ? `${text}+00:00` : text
}

/** Older URLs of the same extensions are accepted and the UK Core form is kept (§2). */
export const currentUrl = (url: unknown): unknown =>
  text(url)?.replace(/^https:\/\/fhir\.nhs\.uk\/R4\/StructureDefinition\/(?=Extension-UKCore-)/, ukCore) ?? url

function inOrder(extensions: readonly Json[]): Json[] {
  const rank = (extension: Json) => {
    const at = extensionOrder.indexOf(String(extension['url']))
    return at === -1 ? extensionOrder.length : at
  }
  return extensions
    .map((extension) => {
      return { ...extension, url: currentUrl(extension['url']) }
    })
    .sort((a, b) => rank(a) - rank(b))
}

/** Eight upper-case hexadecimal digits, the same at every load of the same list. */
function snippetId(nhsNumber: string, list: string, index: number): string {
  let hash = 0x811c9dc5
  for (const part of [nhsNumber, list, String(index)])
    for (let i = 0; i < part.length; i++) hash = Math.imul(hash ^ part.charCodeAt(i), 0x01000193)
  return (hash >>> 0).toString(16).toUpperCase().padStart(8, '0')
}

const gatedExtensions: ReadonlySet<unknown> = new Set([
  extensionUrl.removal,
  extensionUrl.consent,
  extensionUrl.ethnicCategory,
])

function needsTidying(patient: Json): boolean {
  return (
    items(patient['extension']).some((extension) => gatedExtensions.has(extension['url'])) ||
    items(patient['address']).some(({ line }) => Array.isArray(line) && line.some((part) => !part))
  )
}

/** The same person as the contract knows them. `document` for who has read the text already. */
export function personRecord(person: StoredPerson, document = JSON.parse(person.document) as Json): PersonRecord {
  const { resourceType, id, meta, identifier, ...patient } = document
  const { nhsNumber, version, status, supersededBy, sensitivity } = person
  return {
    nhsNumber,
    version,
    status,
    ...(supersededBy === undefined ? {} : { supersededBy }),
    sensitivity,
    patient,
    ...(person.past === undefined ? {} : (JSON.parse(person.past) as Pick<PersonRecord, 'history' | 'hidden'>)),
    ...(person.beside === undefined ? {} : (JSON.parse(person.beside) as Pick<PersonRecord, 'related' | 'coverage'>)),
  }
}

const genderWords: ReadonlySet<unknown> = new Set(['male', 'female', 'other', 'unknown'])

/** What a trace may know of this person. Of restricted people the places are left out, so that nothing can be learnt from a match. */
export function traceSubject(
  person: Pick<StoredPerson, 'nhsNumber' | 'sensitivity'>,
  patient: Json,
  history: Json | undefined,
): TraceSubject {
  const located = person.sensitivity === 'U'
  const names = [
    ...items(patient['name']).map((name) => nameOf(name, nameKind(name))),
    ...items(history?.['name']).map((name) => nameOf(name, snippetKind.historic)),
  ]
  const gp = located
    ? text(asJson(items(patient['generalPractitioner'])[0]?.['identifier'])['value'])?.toUpperCase()
    : undefined
  const gender = text(patient['gender'])
  const birth = dayNumber(text(patient['birthDate']) ?? '')
  const death = dayNumber((text(patient['deceasedDateTime']) ?? '').slice(0, 10))
  return {
    nhsNumber: person.nhsNumber,
    sensitivity: person.sensitivity,
    names,
    ...(gender === undefined ? {} : { gender }),
    formerGenders: values(history?.['gender']).filter(
      (word): word is string => typeof word === 'string' && genderWords.has(word),
    ),
    ...(birth === undefined ? {} : { birth }),
    ...(death === undefined ? {} : { death }),
    addresses: located
      ? [
          ...items(patient['address']).flatMap((address) => postcodeOf(address, addressKind(address))),
          ...items(history?.['address']).flatMap((address) => postcodeOf(address, snippetKind.historic)),
        ]
      : [],
    telecoms: located
      ? [
          ...items(patient['telecom']).flatMap((telecom) => telecomOf(telecom, true)),
          ...items(history?.['telecom']).flatMap((telecom) => telecomOf(telecom, false)),
        ]
      : [],
    ...(gp === undefined ? {} : { gp }),
  }
}

function nameOf(name: Json, kind: SnippetKind): TraceSubject['names'][number] {
  const family = text(name['family']) ?? ''
  // A given name without a letter leaves no key, and must not shift the ones behind it.
  const given = values(name['given']).filter(
    (part): part is string => typeof part === 'string' && foldName(part) !== '',
  )
  const use = text(name['use']) ?? 'old'
  return { kind, use, family, given, foldedFamily: foldName(family), foldedGiven: given.map(foldName) }
}

function nameKind({ use }: Json): SnippetKind {
  if (use === 'usual') return snippetKind.main
  return use === 'old' || use === 'maiden' ? snippetKind.historic : snippetKind.other
}

function addressKind({ use }: Json): SnippetKind {
  if (use === 'home' || use === 'temp') return snippetKind.main
  return use === 'old' ? snippetKind.historic : snippetKind.other
}

function postcodeOf(address: Json, kind: SnippetKind): TraceSubject['addresses'][number][] {
  const postcode = foldPostcode(text(address['postalCode']) ?? '')
  return postcode === '' ? [] : [{ kind, use: text(address['use']) ?? 'old', postcode }]
}

function telecomOf({ system, value }: Json, current: boolean): TraceSubject['telecoms'][number][] {
  if (typeof value !== 'string') return []
  if (system === 'phone') return [{ kind: 'phone', value: foldPhone(value), current }]
  return system === 'email' ? [{ kind: 'email', value: foldEmail(value), current }] : []
}

export const isJson = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
export const asJson = (value: unknown): Json => (isJson(value) ? value : {})
export const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
export const items = (value: unknown): readonly Json[] => (Array.isArray(value) ? value.filter(isJson) : [])
const values = (value: unknown): readonly unknown[] =>
  Array.isArray(value) ? value : value === undefined ? [] : [value]
