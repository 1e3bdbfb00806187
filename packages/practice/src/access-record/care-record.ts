/** The Bundle that answers `$gpc.getcarerecord` (§7.7). */
import type { Bundle, BundleEntry, HumanName, Resource } from '@openspine/standards/fhir'
import { profileOf, systems } from '../dstu2/systems.ts'
import { product } from '../product.ts'
import { dateTimeAt } from '../record/dates.ts'
import type { Address, PersonName, Practitioner, Telecom } from '../record/model.ts'
import { type SectionCode, sections } from '../record/sections.ts'
import type { StoredPatient, StoredPractice } from '../store.ts'
import { editionOf } from './html/editions.ts'

export interface CareRecord {
  readonly held: StoredPractice
  readonly record: StoredPatient
  readonly section: SectionCode
  /** The section as an XHTML division. */
  readonly div: string
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly bundleId: string
  readonly compositionId: string
}

const careRecordType = {
  coding: [{ system: systems.snomed, code: '425173008', display: 'record extract (record artifact)' }],
  text: 'record extract (record artifact)',
}
const careRecordClass = {
  coding: [{ system: systems.snomed, code: '700232004', display: 'general medical service (qualifier value)' }],
  text: 'general medical service (qualifier value)',
}
const deviceType = {
  coding: [
    {
      system: systems.snomed,
      code: '462240000',
      display: 'Patient health record information system (physical object)',
    },
  ],
}

/** Composition first; whatever it refers to follows, under the `fullUrl` that the reference names. */
export function careRecordBundle({ held, record, section, div, at, bundleId, compositionId }: CareRecord): Bundle {
  const { practice } = held
  const usualGp = practice.practitioners.find(({ id }) => id === record.patient.usualGp)
  const resources = [
    patientResource(record, held, usualGp),
    organizationResource(held),
    deviceResource(held),
    ...(usualGp === undefined ? [] : [practitionerResource(usualGp, held)]),
  ]
  const { title } = sections[section]
  const composition = {
    resourceType: 'Composition',
    id: compositionId,
    meta: { profile: [profileOf('carerecord-composition')] },
    date: dateTimeAt(at),
    type: careRecordType,
    class: careRecordClass,
    title: 'Patient Care Record',
    status: 'final',
    subject: { reference: `Patient/${record.id}` },
    author: [{ reference: deviceReference(held) }],
    custodian: { reference: organizationReference(held) },
    section: [
      {
        title,
        code: { coding: [{ system: systems.section, code: section, display: title }], text: title },
        text: { status: 'generated', div },
      },
    ],
  }
  const entry: BundleEntry[] = [
    { resource: composition },
    ...resources.map((resource) => ({ fullUrl: `${resource.resourceType}/${resource.id}`, resource })),
  ]
  return { resourceType: 'Bundle', id: bundleId, type: editionOf(practice.specificationVersion).bundleType, entry }
}

function organizationReference({ practice }: StoredPractice): string {
  return `Organization/${practice.odsCode}`
}

function deviceReference({ practice }: StoredPractice): string {
  return `Device/${practice.odsCode}-system`
}

function meta(name: Parameters<typeof profileOf>[0], version: number): Resource['meta'] {
  return { versionId: String(version), profile: [profileOf(name)] }
}

/** DSTU2 has the family name as a list. */
function humanName(name: PersonName): HumanName {
  return {
    text: [...name.prefix, ...name.given, name.family].join(' '),
    family: [name.family],
    ...(name.given.length > 0 ? { given: name.given } : {}),
    ...(name.prefix.length > 0 ? { prefix: name.prefix } : {}),
  }
}

function addresses(address: Address | undefined, use: string): object {
  if (address === undefined) return {}
  const { lines, city, district, postcode } = address
  if (lines.length === 0 && !city && !district && !postcode) return {}
  return {
    address: [
      {
        use,
        ...(lines.length > 0 ? { line: lines } : {}),
        ...(city === undefined ? {} : { city }),
        ...(district === undefined ? {} : { district }),
        ...(postcode === undefined ? {} : { postalCode: postcode }),
      },
    ],
  }
}

function telecoms(telecom: readonly Telecom[]): object {
  return telecom.length > 0 ? { telecom: telecom.map(({ system, value, use }) => ({ system, value, use })) } : {}
}

type IdentifiedResource = Resource & { readonly id: string }

function patientResource(
  { patient, id, version }: StoredPatient,
  held: StoredPractice,
  usualGp: Practitioner | undefined,
): IdentifiedResource {
  const resource = {
    resourceType: 'Patient',
    id,
    meta: meta('patient', version),
    identifier: [{ system: systems.nhsNumber, value: patient.nhsNumber }],
    active: patient.active,
    name: [{ use: 'official', ...humanName(patient.name) }],
    ...telecoms(patient.telecom),
    gender: patient.gender,
    birthDate: patient.birthDate,
    ...(patient.deceasedDate === undefined ? {} : { deceasedDateTime: patient.deceasedDate }),
    ...addresses(patient.address, 'home'),
    careProvider: [{ reference: usualGp === undefined ? organizationReference(held) : `Practitioner/${usualGp.id}` }],
    managingOrganization: { reference: organizationReference(held) },
  }
  return resource
}

function organizationResource(held: StoredPractice): IdentifiedResource {
  const { practice, version } = held
  const resource = {
    resourceType: 'Organization',
    id: practice.odsCode,
    meta: meta('organization', version),
    identifier: [{ system: systems.odsOrganisation, value: practice.odsCode }],
    name: practice.name,
    ...telecoms(practice.telecom),
    ...addresses(practice.address, 'work'),
  }
  return resource
}

function deviceResource({ practice, version }: StoredPractice): IdentifiedResource {
  const resource = {
    resourceType: 'Device',
    id: `${practice.odsCode}-system`,
    meta: meta('device', version),
    identifier: [{ system: systems.device, value: practice.asid }],
    type: deviceType,
    manufacturer: product.manufacturer,
    model: product.name,
    version: product.version,
    owner: { reference: `Organization/${practice.odsCode}` },
  }
  return resource
}

function practitionerResource(practitioner: Practitioner, held: StoredPractice): IdentifiedResource {
  const { id, name, gender, sdsUserId, role } = practitioner
  const resource = {
    resourceType: 'Practitioner',
    id,
    meta: meta('practitioner', held.version),
    ...(sdsUserId === undefined ? {} : { identifier: [{ system: systems.sdsUserId, value: sdsUserId }] }),
    name: { use: 'official', ...humanName(name) },
    ...(gender === undefined ? {} : { gender }),
    practitionerRole: [
      {
        managingOrganization: { reference: organizationReference(held) },
        ...(role === undefined
          ? {}
          : { role: { coding: [{ system: systems.jobRole, code: role.code, display: role.display }] } }),
      },
    ],
  }
  return resource
}
