/** People and places of a practice as the profiles of the 1.x line have them (§8.2). */
import type {
  CodeableConcept,
  ContactPoint,
  DomainResource,
  Extension,
  Address as FhirAddress,
  HumanName,
  Meta,
  Reference,
} from '@openspine/standards/fhir'
import type {
  Address,
  Communication,
  HealthcareService,
  Location,
  PersonName,
  Practitioner,
  Registration,
  Telecom,
} from '../record/model.ts'
import type { StoredPatient, StoredPractice } from '../store.ts'
import { codeSystem, definition, systems } from './systems.ts'

/** How the resources are written. */
export interface Writing {
  /** Whether `meta.versionId` is written: Foundations and appointments have it, a structured record has not (§9.2). */
  readonly versioned: boolean
}

export type IdentifiedResource = DomainResource & { readonly id: string }

/** URL of an extension that the CareConnect profiles of GP Connect define. */
export const extensionUrl = (name: string) => definition(`Extension-CareConnect-GPC-${name}-1`)

const registrationCodes: Readonly<Record<Registration['type'], { readonly code: string; readonly display: string }>> = {
  regular: { code: 'R', display: 'Regular' },
  temporary: { code: 'T', display: 'Temporary' },
  emergency: { code: 'E', display: 'Emergency' },
  'immediately-necessary': { code: 'IN', display: 'Immediately necessary' },
  private: { code: 'P', display: 'Private' },
  other: { code: 'O', display: 'Other' },
  synthetic: { code: 'S', display: 'Synthetic Record' },
}

/** The one reference to the practice itself. */
export const organizationReference = ({ practice }: StoredPractice): Reference => ({
  reference: `Organization/${practice.odsCode}`,
})

export function patientResource(record: StoredPatient, held: StoredPractice, writing: Writing): IdentifiedResource {
  const { patient, id, version } = record
  const resource = {
    resourceType: 'Patient',
    id,
    meta: metaOf('CareConnect-GPC-Patient-1', version, writing),
    extension: [registrationDetails(record), ...patient.communications.map(nhsCommunication)],
    identifier: [
      {
        extension: [
          {
            url: extensionUrl('NHSNumberVerificationStatus'),
            valueCodeableConcept: concept(
              'CareConnect-NHSNumberVerificationStatus-1',
              patient.nhsNumberVerified
                ? { code: '01', display: 'Number present and verified' }
                : { code: '02', display: 'Number present but not traced' },
            ),
          },
        ],
        system: systems.nhsNumber,
        value: patient.nhsNumber,
      },
    ],
    active: patient.active,
    name: [humanName(patient.name, 'official')],
    ...telecoms(patient.telecom),
    gender: patient.gender,
    birthDate: patient.birthDate,
    ...only('deceasedDateTime', patient.deceasedDate),
    ...several('address', [...addresses(patient.address, 'home'), ...addresses(patient.temporaryAddress, 'temp')]),
    ...several(
      'contact',
      patient.contacts.map((contact) => ({
        relationship: [{ text: contact.relationship }],
        ...(contact.name === undefined ? {} : { name: humanName(contact.name, 'official') }),
        ...telecoms(contact.telecom),
        ...only('address', addresses(contact.address, 'home')[0]),
      })),
    ),
    ...(patient.usualGp === undefined
      ? {}
      : { generalPractitioner: [{ reference: `Practitioner/${patient.usualGp}` }] }),
    managingOrganization: organizationReference(held),
  }
  return resource
}

export function practitionerResource(
  practitioner: Practitioner,
  held: StoredPractice,
  writing: Writing,
): IdentifiedResource {
  const { id, name, gender, sdsUserId, roleProfileIds, gmpNumber, communications } = practitioner
  const resource = {
    resourceType: 'Practitioner',
    id,
    meta: metaOf('CareConnect-GPC-Practitioner-1', held.version, writing),
    ...several('extension', communications.map(nhsCommunication)),
    ...several('identifier', [
      ...(sdsUserId === undefined ? [] : [{ system: systems.sdsUserId, value: sdsUserId }]),
      ...roleProfileIds.map((value) => ({ system: systems.sdsRoleProfileId, value })),
      ...(gmpNumber === undefined ? [] : [{ system: systems.gmpNumber, value: gmpNumber }]),
    ]),
    name: [humanName(name, 'official')],
    ...only('gender', gender),
  }
  return resource
}

export function practitionerRoleResource(
  practitioner: Practitioner,
  held: StoredPractice,
  writing: Writing,
): IdentifiedResource {
  const { id, role } = practitioner
  const resource = {
    resourceType: 'PractitionerRole',
    id: practitionerRoleId(practitioner),
    meta: metaOf('CareConnect-GPC-PractitionerRole-1', held.version, writing),
    practitioner: { reference: `Practitioner/${id}` },
    organization: organizationReference(held),
    ...(role === undefined ? {} : { code: [concept('CareConnect-SDSJobRoleName-1', role)] }),
  }
  return resource
}

/** An id has 64 characters at most, and a practitioner's may have as many. */
export const practitionerRoleId = ({ id }: Practitioner): string => `${id.slice(0, 59)}-role`

/** The practice itself. */
export function organizationResource(held: StoredPractice, writing: Writing): IdentifiedResource {
  const { odsCode, name, telecom, address, mainLocation, partOf } = held.practice
  return organisation(
    { odsCode, name, telecom, address },
    held,
    writing,
    mainLocation === undefined
      ? {}
      : {
          extension: [{ url: extensionUrl('MainLocation'), valueReference: { reference: `Location/${mainLocation}` } }],
        },
    partOf === undefined ? {} : { partOf: { reference: `Organization/${partOf.odsCode}` } },
  )
}

/** The organisation that the practice belongs to, so that `partOf` resolves; undefined where there is none. */
export function parentOrganizationResource(held: StoredPractice, writing: Writing): IdentifiedResource | undefined {
  return held.practice.partOf && organisation(held.practice.partOf, held, writing)
}

function organisation(
  described: {
    readonly odsCode: string
    readonly name: string
    readonly telecom: readonly Telecom[]
    readonly address?: Address | undefined
  },
  held: StoredPractice,
  writing: Writing,
  first: object = {},
  last: object = {},
): IdentifiedResource {
  const resource = {
    resourceType: 'Organization',
    id: described.odsCode,
    meta: metaOf('CareConnect-GPC-Organization-1', held.version, writing),
    ...first,
    identifier: [{ system: systems.odsOrganisation, value: described.odsCode }],
    name: described.name,
    ...telecoms(described.telecom),
    ...several('address', addresses(described.address, 'work')),
    ...last,
  }
  return resource
}

export function locationResource(location: Location, held: StoredPractice, writing: Writing): IdentifiedResource {
  const { id, odsSiteCode, name, telecom, address, type, physicalType, partOf } = location
  const resource = {
    resourceType: 'Location',
    id,
    meta: metaOf('CareConnect-GPC-Location-1', held.version, writing),
    ...(odsSiteCode === undefined ? {} : { identifier: [{ system: systems.odsSite, value: odsSiteCode }] }),
    status: 'active',
    name,
    ...(type === undefined ? {} : { type: { coding: [type] } }),
    ...telecoms(telecom),
    ...only('address', addresses(address, 'work')[0]),
    ...(physicalType === undefined ? {} : { physicalType: { coding: [physicalType] } }),
    managingOrganization: organizationReference(held),
    ...(partOf === undefined ? {} : { partOf: { reference: `Location/${partOf}` } }),
  }
  return resource
}

export function healthcareServiceResource(
  service: HealthcareService,
  held: StoredPractice,
  writing: Writing,
): IdentifiedResource {
  const { id, dosServiceId, name, comment, type, telecom, locations } = service
  const resource = {
    resourceType: 'HealthcareService',
    id,
    meta: metaOf('CareConnect-GPC-HealthcareService-1', held.version, writing),
    ...(dosServiceId === undefined ? {} : { identifier: [{ system: systems.dosServiceId, value: dosServiceId }] }),
    active: true,
    providedBy: organizationReference(held),
    ...(type === undefined ? {} : { type: [{ coding: [type] }] }),
    ...several(
      'location',
      locations.map((each) => ({ reference: `Location/${each}` })),
    ),
    name,
    ...only('comment', comment),
    ...telecoms(telecom),
  }
  return resource
}

function registrationDetails({ patient }: StoredPatient): Extension {
  const { type, period } = patient.registration ?? {
    type: 'regular' as const,
    period: patient.registrationDate === undefined ? {} : { start: patient.registrationDate },
  }
  return {
    url: extensionUrl('RegistrationDetails'),
    extension: [
      ...(period.start === undefined && period.end === undefined
        ? []
        : [{ url: 'registrationPeriod', valuePeriod: period }]),
      {
        url: 'registrationType',
        valueCodeableConcept: concept('CareConnect-RegistrationType-1', registrationCodes[type]),
      },
      ...(patient.preferredBranch === undefined
        ? []
        : [{ url: 'preferredBranchSurgery', valueReference: { reference: `Location/${patient.preferredBranch}` } }]),
    ],
  }
}

function nhsCommunication(communication: Communication): Extension {
  const { language, preferred, mode, proficiency, interpreterRequired } = communication
  const code = (url: string, system: string, value: typeof mode) =>
    value === undefined ? [] : [{ url, valueCodeableConcept: concept(system, value) }]
  const flag = (url: string, value: boolean | undefined) => (value === undefined ? [] : [{ url, valueBoolean: value }])
  return {
    url: extensionUrl('NHSCommunication'),
    extension: [
      ...code('language', 'CareConnect-HumanLanguage-1', language),
      ...flag('preferred', preferred),
      ...code('modeOfCommunication', 'CareConnect-LanguageAbilityMode-1', mode),
      ...code('communicationProficiency', 'CareConnect-LanguageAbilityProficiency-1', proficiency),
      ...flag('interpreterRequired', interpreterRequired),
    ],
  }
}

function metaOf(profile: string, version: number, { versioned }: Writing): Meta {
  return { ...(versioned ? { versionId: String(version) } : {}), profile: [definition(profile)] }
}

function concept(system: string, { code, display }: { code: string; display: string }): CodeableConcept {
  return { coding: [{ system: codeSystem(system), code, display }] }
}

function humanName({ family, given, prefix }: PersonName, use: string): HumanName {
  return {
    use,
    text: [...prefix, ...given, family].join(' '),
    family,
    ...several('given', given),
    ...several('prefix', prefix),
  }
}

function telecoms(telecom: readonly Telecom[]): { readonly telecom?: readonly ContactPoint[] } {
  return several(
    'telecom',
    telecom.map(({ system, value, use }) => ({ system, value, use })),
  )
}

/** An address in which nothing is known is none. */
function addresses(address: Address | undefined, use: string): readonly FhirAddress[] {
  if (address === undefined) return []
  const { lines, city, district, postcode } = address
  if (lines.length === 0 && !city && !district && !postcode) return []
  return [
    {
      use,
      ...several('line', lines),
      ...only('city', city),
      ...only('district', district),
      ...only('postalCode', postcode),
    },
  ]
}

/** FHIR has no empty lists: an element without values is not there. */
function several<Name extends string, Value>(
  name: Name,
  values: readonly Value[],
): { readonly [name in Name]?: readonly Value[] } {
  return values.length === 0 ? {} : ({ [name]: values } as { readonly [name in Name]?: readonly Value[] })
}

function only<Name extends string, Value>(name: Name, value: Value | undefined): { readonly [name in Name]?: Value } {
  return value === undefined ? {} : ({ [name]: value } as { readonly [name in Name]?: Value })
}
