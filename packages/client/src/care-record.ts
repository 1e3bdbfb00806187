import { SpineError } from '@openspine/standards/error'
import { writeJson } from '@openspine/standards/fhir'
import { dstu2 } from '@openspine/standards/fhir/dstu2'
import { namingSystem } from '@openspine/standards/nhs'
import type { ClientLine } from './line.ts'
import { askProvider } from './provider.ts'

/** Sections of the HTML record, by their codes. */
export const recordSections = {
  SUM: 'Summary',
  ENC: 'Encounters',
  CLI: 'Clinical Items',
  PRB: 'Problems and Issues',
  ALL: 'Allergies and Adverse Reactions',
  MED: 'Medications',
  REF: 'Referrals',
  OBS: 'Observations',
  IMM: 'Immunisations',
  ADM: 'Administrative Items',
} as const

export type RecordSection = keyof typeof recordSections

export interface CareRecordQuery {
  readonly nhsNumber: string
  /** The practice at which the patient is registered. */
  readonly odsCode: string
  readonly section: RecordSection
  /** Partial dates are allowed. Sections ALL, IMM and SUM take no period. */
  readonly period?: { readonly start?: string; readonly end?: string }
  readonly format?: 'json' | 'xml'
}

export interface CareRecord {
  readonly title: string
  /** XHTML of the section, as it came. Remove whatever is active before a browser shows it. */
  readonly html: string
  /** The whole DSTU2 Bundle. */
  readonly bundle: Readonly<Record<string, unknown>>
  readonly traceId: string
  readonly ms: number
  readonly retries: number
  readonly endpoint: string
  readonly asid: string
}

const interaction = 'urn:nhs:names:services:gpconnect:fhir:operation:gpc.getcarerecord'
const ids = namingSystem.dstu2

export async function careRecord(line: ClientLine, query: CareRecordQuery): Promise<CareRecord> {
  const format = query.format ?? 'json'
  const parameters = {
    resourceType: 'Parameters',
    parameter: [
      { name: 'patientNHSNumber', valueIdentifier: { system: ids.nhsNumber, value: query.nhsNumber } },
      {
        name: 'recordSection',
        valueCodeableConcept: {
          coding: [{ system: 'http://fhir.nhs.net/ValueSet/gpconnect-record-section-1', code: query.section }],
        },
      },
      ...(query.period === undefined ? [] : [{ name: 'timePeriod', valuePeriod: query.period }]),
    ],
  }
  const answer = await askProvider(line, {
    interaction,
    odsCode: query.odsCode,
    method: 'POST',
    path: '/Patient/$gpc.getcarerecord',
    scope: 'patient/*.read',
    patient: query.nhsNumber,
    format,
    body: format === 'json' ? writeJson(parameters) : dstu2.toXml(parameters),
  })
  const bundle = answer.resource as {
    readonly entry?: readonly {
      readonly resource?: {
        readonly resourceType?: string
        readonly section?: readonly { title?: string; text?: { div?: string } }[]
      }
    }[]
  }
  const section = bundle.entry?.find(({ resource }) => resource?.resourceType === 'Composition')?.resource?.section?.[0]
  const html = section?.text?.div
  if (html === undefined) {
    throw new SpineError(
      'CLIENT_ANSWER',
      { traceId: answer.traceId },
      { explanation: `The provider answered 200 without a Composition that has a section (trace ${answer.traceId}).` },
    )
  }
  const { traceId, ms, retries, endpoint, asid } = answer
  return {
    title: section?.title ?? recordSections[query.section],
    html,
    bundle: answer.resource,
    traceId,
    ms,
    retries,
    endpoint,
    asid,
  }
}
