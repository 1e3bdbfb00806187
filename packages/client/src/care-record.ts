import { namingSystem } from '@openspine/standards/nhs'
import { type Banner, bannersIn } from './banners.ts'
import { readBundle, type Shortcoming } from './bundle.ts'
import { type Comparison, compareDemographics, demographicsOf, insistOnPatient, practiceIn } from './demographics.ts'
import { first, object, present, text } from './json.ts'
import type { ClientLine } from './line.ts'
import { askProvider, type Exchange, exchangeOf, unexpected } from './provider.ts'
import { type SafeHtml, sanitiseHtml } from './sanitise.ts'

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

export interface CareRecord extends Exchange {
  readonly title: string
  /** XHTML of the section, as it came: for the record, not for a browser. */
  readonly html: string
  /** The same made safe to show, and what had to be removed for it. */
  readonly safe: SafeHtml
  /** What the practice says about the section, unchanged, in order: record in transfer, items left out, the period shown. Show them. */
  readonly banners: readonly Banner[]
  /** Beside the traced person; absent when this session has not traced them. */
  readonly comparison?: Comparison
  /** Warnings that the practice put into the bundle: when there is one, the section is incomplete. */
  readonly incomplete: readonly Shortcoming[]
  /** The whole DSTU2 Bundle. */
  readonly bundle: Readonly<Record<string, unknown>>
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
    generation: 'dstu2',
    interaction,
    odsCode: query.odsCode,
    method: 'POST',
    path: '/Patient/$gpc.getcarerecord',
    scope: 'patient/*.read',
    patient: query.nhsNumber,
    format,
    body: parameters,
    safe: true,
  })
  const bundle = readBundle(answer.resource)
  const section = first(bundle.ofType('Composition')[0]?.['section'])
  const html = text(object(section['text'])['div'])
  if (html === undefined) throw unexpected(answer.traceId, 'no Composition that has a section')
  const [patient] = bundle.ofType('Patient')
  if (patient) insistOnPatient(answer.traceId, patient, query.nhsNumber)
  const local = line.traced.get(query.nhsNumber)
  return present({
    title: text(section['title']) ?? recordSections[query.section],
    html,
    safe: sanitiseHtml(html),
    banners: bannersIn(html),
    comparison: local && patient && compareDemographics(local, demographicsOf(patient, practiceIn(bundle, patient))),
    incomplete: bundle.incomplete,
    bundle: answer.resource,
    ...exchangeOf(answer),
  })
}
