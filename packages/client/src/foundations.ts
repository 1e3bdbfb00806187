import { isSpineError, SpineError } from '@openspine/standards/error'
import { namingSystem } from '@openspine/standards/nhs'
import { type ReadBundle, readBundle, type Shortcoming } from './bundle.ts'
import {
  type Comparison,
  compareDemographics,
  demographicsOf,
  insistOnPatient,
  odsCodeOf,
  practiceIn,
} from './demographics.ts'
import { type Json, object, present, text } from './json.ts'
import type { ClientLine } from './line.ts'
import { askProvider, type Exchange, exchangeOf, type ProviderAnswer, unexpected } from './provider.ts'
import { queryText, segment } from './query.ts'

/** An interaction of GP Connect 1.x: what stands behind `urn:nhs:names:services:gpconnect:`. */
export const gpConnect = (name: string) => `urn:nhs:names:services:gpconnect:${name}`

const ids = namingSystem.fhirNhsUk
const profile = (name: string) => `https://fhir.nhs.uk/STU3/StructureDefinition/${name}`

export interface PatientQuery {
  readonly nhsNumber: string
  /** The practice that is asked. */
  readonly odsCode: string
  readonly format?: 'json' | 'xml'
}

/** A patient as the practice knows them. `id` is the practice's own, for the requests that follow. */
export interface FoundPatient extends Exchange {
  readonly id: string
  readonly version?: string
  /** The STU3 Patient. */
  readonly patient: Json
  /** Beside the traced person; absent when this session has not traced them. */
  readonly comparison?: Comparison
  readonly incomplete: readonly Shortcoming[]
}

/** GP Connect 1.x Foundations: the patient with this NHS number at this practice. CLIENT_NOT_FOUND when it has none. */
export async function findPatient(
  line: ClientLine,
  query: PatientQuery,
  base: 'foundations' | 'documents' = 'foundations',
): Promise<FoundPatient> {
  const answer = await askProvider(line, {
    generation: 'stu3',
    interaction: gpConnect(`${base === 'documents' ? 'documents:' : ''}fhir:rest:search:patient-1`),
    odsCode: query.odsCode,
    method: 'GET',
    path: `/Patient${queryText([['identifier', `${ids.nhsNumber}|${query.nhsNumber}`]])}`,
    scope: 'patient/*.read',
    format: query.format ?? 'json',
  })
  return onePatient(line, query, answer)
}

async function onePatient(line: ClientLine, query: PatientQuery, answer: ProviderAnswer): Promise<FoundPatient> {
  const bundle = readBundle(answer.resource)
  const [patient, another] = bundle.ofType('Patient')
  if (!patient)
    throw new SpineError(
      'CLIENT_NOT_FOUND',
      { traceId: answer.traceId },
      {
        explanation: `${query.odsCode} has no active patient with this NHS number, or none that it may show (trace ${answer.traceId}).`,
      },
    )
  if (another) throw unexpected(answer.traceId, 'more than one patient for one NHS number')
  const id = text(patient['id'])
  if (id === undefined) throw unexpected(answer.traceId, 'a patient without an id')
  insistOnPatient(answer.traceId, patient, query.nhsNumber)
  return present({
    id,
    version: text(object(patient['meta'])['versionId']),
    patient,
    comparison: await comparisonFor(line, query, bundle, patient),
    incomplete: bundle.incomplete,
    ...exchangeOf(answer),
  })
}

/** The returned patient beside the traced one; the practice that only a reference names is read for it. */
export async function comparisonFor(
  line: ClientLine,
  { nhsNumber, odsCode }: PatientQuery,
  bundle: ReadBundle,
  patient: Json,
): Promise<Comparison | undefined> {
  const local = line.traced.get(nhsNumber)
  if (!local) return undefined
  const practice = practiceIn(bundle, patient) ?? (await managingPractice(line, odsCode, patient))
  return compareDemographics(local, demographicsOf(patient, practice))
}

async function managingPractice(line: ClientLine, odsCode: string, patient: Json): Promise<string | undefined> {
  const [type, id] = (text(object(patient['managingOrganization'])['reference']) ?? '').split('/').slice(-2)
  if (type !== 'Organization' || id === undefined) return undefined
  try {
    return odsCodeOf((await readResource(line, { odsCode, type, id })).resource)
  } catch (error) {
    // The comparison then says that the practice was not compared.
    if (isSpineError(error)) return undefined
    throw error
  }
}

export interface ReadQuery {
  readonly odsCode: string
  readonly type: 'Patient' | 'Practitioner' | 'Organization' | 'Location' | 'HealthcareService'
  readonly id: string
  readonly format?: 'json' | 'xml'
}

export interface ReadResource extends Exchange {
  readonly resource: Json
}

/** GP Connect 1.x Foundations: one resource by the practice's own id. */
export async function readResource(line: ClientLine, query: ReadQuery): Promise<ReadResource> {
  const { type, id, odsCode } = query
  const answer = await askProvider(line, {
    generation: 'stu3',
    interaction: gpConnect(`fhir:rest:read:${type.toLowerCase()}-1`),
    odsCode,
    method: 'GET',
    path: `/${type}/${segment(id)}`,
    scope: type === 'Patient' ? 'patient/*.read' : 'organization/*.read',
    format: query.format ?? 'json',
  })
  if (answer.resource['resourceType'] !== type) throw unexpected(answer.traceId, `something that is no ${type}`)
  return { resource: answer.resource, ...exchangeOf(answer) }
}

export interface NewPatient {
  readonly nhsNumber: string
  readonly family: string
  readonly given: readonly string[]
  readonly birthDate: string
  readonly gender?: 'male' | 'female' | 'other' | 'unknown'
  /** One telephone number for each use. */
  readonly phones?: Partial<Readonly<Record<'home' | 'work' | 'mobile' | 'temp', string>>>
  readonly email?: string
  readonly addresses?: readonly {
    readonly use: 'home' | 'temp'
    readonly lines: readonly string[]
    readonly city?: string
    readonly postcode?: string
  }[]
}

export interface RegisterQuery {
  readonly odsCode: string
  readonly patient: NewPatient
  readonly format?: 'json' | 'xml'
}

/** GP Connect 1.x `$gpc.registerpatient`: a temporary patient of this practice. Never repeated by itself. */
export async function registerPatient(line: ClientLine, query: RegisterQuery): Promise<FoundPatient> {
  const { patient, odsCode } = query
  const telecom = [
    ...Object.entries(patient.phones ?? {}).map(([use, value]) => ({ system: 'phone', value, use })),
    ...(patient.email === undefined ? [] : [{ system: 'email', value: patient.email }]),
  ]
  const resource = present({
    resourceType: 'Patient',
    meta: { profile: [profile('CareConnect-GPC-Patient-1')] },
    identifier: [{ system: ids.nhsNumber, value: patient.nhsNumber }],
    name: [{ use: 'official', family: patient.family, given: patient.given }],
    telecom: telecom.length === 0 ? undefined : telecom,
    gender: patient.gender,
    birthDate: patient.birthDate,
    address: patient.addresses?.map(({ use, lines, city, postcode }) =>
      present({ use, line: lines, city, postalCode: postcode }),
    ),
  })
  const answer = await askProvider(line, {
    generation: 'stu3',
    interaction: gpConnect('fhir:operation:gpc.registerpatient-1'),
    odsCode,
    method: 'POST',
    path: '/Patient/$gpc.registerpatient',
    scope: 'patient/*.write',
    format: query.format ?? 'json',
    body: { resourceType: 'Parameters', parameter: [{ name: 'registerPatient', resource }] },
  })
  return onePatient(line, { odsCode, nhsNumber: patient.nhsNumber }, answer)
}
