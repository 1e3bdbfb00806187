/** Reads a practice file; every fault is named by its path, for example `practices[0].patients[3].allergies[1].note`. */
import { SpineError } from '@openspine/standards/error'
import type { z } from 'zod'
import { linkFaults } from './links.ts'
import {
  type PatientRecord,
  type PracticeRecord,
  patientRecord,
  practiceFile,
  practiceRecord,
  type ReadPracticeFile,
} from './model.ts'
import { scheduleProblems } from './scheduling.ts'
import { servicesOf } from './services.ts'

/** A value in a file may hold an NHS number: messages name paths and rules, never values. */
function refused(problems: readonly string[]): SpineError {
  const shown = problems.slice(0, 20)
  if (problems.length > shown.length) shown.push(`… and ${problems.length - shown.length} more`)
  return new SpineError(
    'PRACTICE_FILE_INVALID',
    { problems: shown },
    { explanation: `The practice file cannot be loaded:\n  ${shown.join('\n  ')}` },
  )
}

function pathOf(path: readonly PropertyKey[]): string {
  let text = ''
  for (const step of path)
    text += typeof step === 'number' ? `[${step}]` : text === '' ? String(step) : `.${String(step)}`
  return text === '' ? 'the file' : text
}

function problemsOf(issues: readonly z.core.$ZodIssue[]): string[] {
  return issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => `${pathOf([...issue.path, key])} is not a key of this format`)
      : [`${pathOf(issue.path)}: ${issue.message}`],
  )
}

/**
 * Checks a file's content (JSON text, or the object it stands for) and fills in defaults.
 * SpineError `PRACTICE_FILE_INVALID` lists what is wrong; nothing of a faulty file is used.
 */
export function readPracticeFile(content: unknown): ReadPracticeFile {
  let value = content
  if (typeof content === 'string') {
    try {
      value = JSON.parse(content)
    } catch {
      throw refused(['the file is not JSON'])
    }
  }
  const read = practiceFile.safeParse(value)
  if (!read.success) throw refused(problemsOf(read.error.issues))
  const problems = read.data.practices.flatMap((practice, i) => [
    ...practice.patients.flatMap((patient, j) =>
      relations(patient, practice).map((problem) => `practices[${i}].patients[${j}].${problem}`),
    ),
    ...twice(practice.patients.map((patient) => patient.nhsNumber)).map(
      (j) => `practices[${i}].patients[${j}].nhsNumber stands twice in this practice`,
    ),
    ...(['practitioners', 'locations', 'healthcareServices', 'schedules'] as const).flatMap((name) =>
      twice(practice[name].map(({ id }) => id)).map(
        (j) => `practices[${i}].${name}[${j}].id stands twice in this practice`,
      ),
    ),
    ...[...places(practice), ...scheduleProblems(practice)].map((problem) => `practices[${i}].${problem}`),
  ])
  for (const i of twice(read.data.practices.map(({ odsCode }) => odsCode)))
    problems.push(`practices[${i}].odsCode stands twice in this file`)
  const roots = read.data.practices.flatMap((practice, i) =>
    servicesOf(practice).map(({ serviceRoot }, j) => ({
      serviceRoot,
      place: j === 0 ? `practices[${i}].serviceRoot` : `practices[${i}].services[${j - 1}].serviceRoot`,
    })),
  )
  for (const k of twice(roots.map(({ serviceRoot }) => serviceRoot)))
    problems.push(`${roots[k]?.place} stands twice in this file`)
  if (problems.length > 0) throw refused(problems)
  return read.data
}

/** What the records of patients point at. */
interface Relatives {
  readonly practitioners: readonly { readonly id: string }[]
  readonly locations: readonly { readonly id: string }[]
}

/** Checks one patient's record against the practitioners and locations of its practice and fills in defaults. */
export function readPatient(content: unknown, practice: Relatives): PatientRecord {
  const read = patientRecord.safeParse(content)
  if (!read.success) throw refused(problemsOf(read.error.issues))
  const problems = relations(read.data, practice)
  if (problems.length > 0) throw refused(problems)
  return read.data
}

/** Checks a practice without its patients, as `readPracticeFile` does, and fills in defaults. */
export function readPractice(content: unknown): PracticeRecord {
  const read = practiceRecord.safeParse(content)
  if (!read.success) throw refused(problemsOf(read.error.issues))
  const problems = [...places(read.data), ...scheduleProblems(read.data)]
  if (problems.length > 0) throw refused(problems)
  return read.data
}

/** Locations that are pointed at and are not there. */
function places(practice: PracticeRecord): string[] {
  const known = new Set(practice.locations.map(({ id }) => id))
  const problems: string[] = []
  if (practice.mainLocation !== undefined && !known.has(practice.mainLocation))
    problems.push('mainLocation is not the id of a location of this practice')
  practice.locations.forEach(({ partOf }, j) => {
    if (partOf !== undefined && !known.has(partOf))
      problems.push(`locations[${j}].partOf is not the id of a location of this practice`)
  })
  practice.healthcareServices.forEach(({ locations }, j) => {
    locations.forEach((location, k) => {
      if (!known.has(location))
        problems.push(`healthcareServices[${j}].locations[${k}] is not the id of a location of this practice`)
    })
  })
  if (practice.partOf?.odsCode === practice.odsCode) problems.push('partOf.odsCode is that of the practice itself')
  return problems
}

function relations(patient: PatientRecord, { practitioners, locations }: Relatives): string[] {
  const problems: string[] = []
  if (patient.inTransit && patient.registrationDate === undefined)
    problems.push('registrationDate is needed by a record in transit')
  if (patient.usualGp !== undefined && !practitioners.some((one) => one.id === patient.usualGp))
    problems.push('usualGp is not the id of a practitioner of this practice')
  if (patient.preferredBranch !== undefined && !locations.some((one) => one.id === patient.preferredBranch))
    problems.push('preferredBranch is not the id of a location of this practice')
  patient.problems.forEach((problem, i) => {
    if (problem.status === 'active' && problem.endDate !== undefined)
      problems.push(`problems[${i}].endDate stands on an active problem`)
  })
  patient.medications.forEach((medication, i) => {
    if (medication.postDate !== undefined && medication.type !== 'acute')
      problems.push(`medications[${i}].postDate stands on a medication that is not acute`)
  })
  patient.documents.forEach((document, i) => {
    if (document.content === undefined && document.sha256 === undefined && document.absentReason === undefined)
      problems.push(`documents[${i}].content is missing, and absentReason does not say why`)
    const { author } = document
    if (
      author !== undefined &&
      'practitioner' in author &&
      !practitioners.some((one) => one.id === author.practitioner)
    )
      problems.push(`documents[${i}].author.practitioner is not the id of a practitioner of this practice`)
  })
  problems.push(...linkFaults(patient, { practitioners, locations }))
  return problems
}

/** Indexes of values that came before. */
function twice(values: readonly string[]): number[] {
  const seen = new Set<string>()
  const repeated: number[] = []
  values.forEach((value, i) => {
    if (seen.has(value)) repeated.push(i)
    seen.add(value)
  })
  return repeated
}
