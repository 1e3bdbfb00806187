import { namingSystem } from '@openspine/standards/nhs'
import { readBundle, type Shortcoming } from './bundle.ts'
import { type Comparison, insistOnPatient } from './demographics.ts'
import { comparisonFor, gpConnect, type PatientQuery } from './foundations.ts'
import { type Json, present } from './json.ts'
import type { ClientLine } from './line.ts'
import { askProvider, type Exchange, exchangeOf, unexpected } from './provider.ts'
import { type RecordList, recordLists } from './record-lists.ts'

/** Whole dates, not after today; either end may be absent. */
export interface SearchPeriod {
  readonly start?: string
  readonly end?: string
}

/** Which areas of the record are asked for, each with what narrows it (§9.1). An empty object asks for the whole area. */
export interface StructuredInclude {
  /** Resolved allergies come as a list of their own. */
  readonly allergies?: { readonly resolved: boolean }
  /** Issues are included unless refused; `fromDate` leaves out what ended before. */
  readonly medication?: { readonly prescriptionIssues?: boolean; readonly fromDate?: string }
  /** A period or so many of the latest, not both. */
  readonly consultations?: { readonly period?: SearchPeriod; readonly mostRecent?: number }
  /** Each pair is asked for; an empty list asks for all. */
  readonly problems?: readonly {
    readonly status?: 'active' | 'inactive'
    readonly significance?: 'major' | 'minor'
  }[]
  readonly immunisations?: { readonly notGiven?: boolean; readonly status?: boolean }
  readonly uncategorised?: { readonly period?: SearchPeriod }
  readonly investigations?: { readonly period?: SearchPeriod }
  readonly referrals?: { readonly period?: SearchPeriod }
  /** Entries due until this day, which is today or later. */
  readonly diary?: { readonly until?: string }
}

export interface StructuredRecordQuery extends PatientQuery {
  /** Nothing asks for demographics alone. */
  readonly include?: StructuredInclude
}

export interface StructuredRecord extends Exchange {
  /** The STU3 Patient. */
  readonly patient: Json
  /** Beside the traced person; absent when this session has not traced them. */
  readonly comparison?: Comparison
  /** Every list of the answer: one for each area, and the secondary ones. */
  readonly lists: readonly RecordList[]
  /** False when the provider warns that something that was asked for is not in it; `incomplete` says what. */
  readonly complete: boolean
  readonly incomplete: readonly Shortcoming[]
  /** The whole STU3 Bundle. */
  readonly bundle: Json
}

type Part = Readonly<Record<string, unknown>> & { readonly name: string }

/** A parameter and its parts that were given; without any it stands alone, which is legal (§9.1). */
function parameter(name: string, ...parts: readonly (Part | undefined)[]): Part {
  const given = parts.filter((part) => part !== undefined)
  return given.length === 0 ? { name } : { name, part: given }
}

function part(name: string, type: string, value: unknown): Part | undefined {
  return value === undefined ? undefined : { name, [`value${type}`]: value }
}

/** The areas, as parameters of `$gpc.getstructuredrecord`. */
function areaParameters(include: StructuredInclude): readonly Part[] {
  const { allergies, medication, consultations, problems, immunisations, diary } = include
  const period = (name: string, search: string, area: { readonly period?: SearchPeriod } | undefined) =>
    area === undefined ? [] : [parameter(name, part(search, 'Period', area.period))]
  return [
    ...(allergies === undefined
      ? []
      : [parameter('includeAllergies', part('includeResolvedAllergies', 'Boolean', allergies.resolved))]),
    ...(medication === undefined
      ? []
      : [
          parameter(
            'includeMedication',
            // Said even where it is the default: the first 1.2 providers want it.
            part('includePrescriptionIssues', 'Boolean', medication.prescriptionIssues ?? true),
            part('medicationSearchFromDate', 'Date', medication.fromDate),
          ),
        ]),
    ...(consultations === undefined
      ? []
      : [
          parameter(
            'includeConsultations',
            part('consultationSearchPeriod', 'Period', consultations.period),
            part('includeNumberOfMostRecent', 'PositiveInt', consultations.mostRecent),
          ),
        ]),
    ...(problems === undefined
      ? []
      : (problems.length === 0 ? [{}] : problems).map(
          ({ status, significance }: { readonly status?: string; readonly significance?: string }) =>
            parameter(
              'includeProblems',
              part('filterStatus', 'Code', status),
              part('filterSignificance', 'Code', significance),
            ),
        )),
    ...(immunisations === undefined
      ? []
      : [
          parameter(
            'includeImmunisations',
            part('includeNotGiven', 'Boolean', immunisations.notGiven),
            part('includeStatus', 'Boolean', immunisations.status),
          ),
        ]),
    ...period('includeUncategorisedData', 'uncategorisedDataSearchPeriod', include.uncategorised),
    ...period('includeInvestigations', 'investigationSearchPeriod', include.investigations),
    ...period('includeReferrals', 'referralSearchPeriod', include.referrals),
    ...(diary === undefined
      ? []
      : [parameter('includeDiaryEntries', part('diaryEntriesSearchDate', 'Date', diary.until))]),
  ]
}

/** GP Connect 1.x `$gpc.getstructuredrecord`: a record as data, area by area, through the secure proxy. */
export async function structuredRecord(line: ClientLine, query: StructuredRecordQuery): Promise<StructuredRecord> {
  const answer = await askProvider(line, {
    generation: 'stu3',
    interaction: gpConnect('fhir:operation:gpc.getstructuredrecord-1'),
    odsCode: query.odsCode,
    method: 'POST',
    path: '/Patient/$gpc.getstructuredrecord',
    scope: 'patient/*.read',
    format: query.format ?? 'json',
    safe: true,
    body: {
      resourceType: 'Parameters',
      parameter: [
        {
          name: 'patientNHSNumber',
          valueIdentifier: { system: namingSystem.fhirNhsUk.nhsNumber, value: query.nhsNumber },
        },
        ...areaParameters(query.include ?? {}),
      ],
    },
  })
  const bundle = readBundle(answer.resource)
  const [patient] = bundle.ofType('Patient')
  if (!patient) throw unexpected(answer.traceId, 'a record without its patient')
  insistOnPatient(answer.traceId, patient, query.nhsNumber)
  return present({
    patient,
    comparison: await comparisonFor(line, query, bundle, patient),
    lists: recordLists(bundle),
    complete: bundle.incomplete.length === 0,
    incomplete: bundle.incomplete,
    bundle: answer.resource,
    ...exchangeOf(answer),
  })
}
