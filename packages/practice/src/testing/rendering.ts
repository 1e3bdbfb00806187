/** Sections of the worked example, with parts of it replaced. */
import assert from 'node:assert/strict'
import { renderSection } from '../access-record/html/section.ts'
import type { DayRange } from '../record/dates.ts'
import { readPracticeFile } from '../record/file.ts'
import type { PatientInput, PracticeFile, ReadPracticeFile } from '../record/model.ts'
import type { SectionCode } from '../record/sections.ts'
import { workedExample, workedExamplePatients } from '../sandbox/worked-example.ts'

const today = '2026-11-20'
const example = workedExample({ asid: '200000100001', today })

type PracticeInput = PracticeFile['practices'][number]

/** Tables show no links: without them, rows may be replaced that others would name. */
function unlinked(patient: PatientInput): PatientInput {
  return {
    ...patient,
    encounters: patient.encounters?.map(({ topics: _, ...row }) => row),
    problems: patient.problems?.map(({ related: _, relatedProblems: __, actualProblem: ___, ...row }) => row),
  }
}

/** The section as HTML; 20 November 2026 is today. */
export function render(
  section: SectionCode,
  options: {
    readonly nhsNumber?: string
    readonly period?: DayRange
    readonly practice?: Partial<PracticeInput>
    readonly patient?: Partial<PatientInput>
    readonly quoteSingleDates?: boolean
  } = {},
): string {
  const [base] = example.practices
  assert.ok(base)
  const nhsNumber = options.nhsNumber ?? workedExamplePatients.everySection
  const read: ReadPracticeFile = readPracticeFile({
    format: example.format,
    practices: [
      {
        ...base,
        ...options.practice,
        patients: base.patients
          ?.filter((patient) => patient.nhsNumber === nhsNumber)
          .map((patient) => ({ ...unlinked(patient), ...options.patient })),
      },
    ],
  })
  const practice = read.practices[0]
  const patient = practice?.patients[0]
  assert.ok(practice && patient)
  return renderSection({
    practice,
    patient,
    section,
    period: options.period,
    today,
    quoteSingleDates: options.quoteSingleDates ?? true,
  })
}
