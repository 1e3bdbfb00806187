/** A practice to load populations into, for tests. */

import { readPracticeFile } from '../record/file.ts'
import type { PatientRecord, PracticeRecord } from '../record/model.ts'
import {
  type PopulationReading,
  type PracticePopulation,
  type ReadPopulation,
  readPopulation,
} from '../record/population/load.ts'
import type { PopulationSource } from '../record/population/population.ts'
import { workedExample } from '../sandbox/worked-example.ts'
import { systems } from '../stu3/systems.ts'
import { exampleAnswers } from './example-answers.ts'
import { within } from './refusals.ts'
import { structuredRequest } from './structured.ts'

export function first(patients: readonly PatientRecord[]): PatientRecord {
  const [patient] = patients
  if (patient === undefined) throw new Error('no patient was read')
  return patient
}

const [read] = readPracticeFile(workedExample({ asid: '200000100001', today: '2026-11-20' })).practices
if (read === undefined) throw new Error('the worked example has no practice')
const { patients: _, complete: __, ...settings } = read

export const examplePractice: PracticeRecord = settings

/** Reads a population into that practice, which gets all of it. */
export async function readInto(
  sources: readonly PopulationSource[],
  more: Partial<PopulationReading> = {},
): Promise<PracticePopulation & Omit<ReadPopulation, 'practices'>> {
  const read = await readPopulation(sources, { odsCode: 'A20047', practiceOf: async () => examplePractice, ...more })
  const [practice] = read.practices
  if (practice === undefined) throw new Error('no practice got anything')
  return { ...read, ...practice }
}

/** The whole structured record of a patient of the worked example, as JSON. */
export async function exampleRecord(nhsNumber: string): Promise<string> {
  const parameter = { name: 'includeFullRecord', part: [{ name: 'includeSensitiveInformation', valueBoolean: false }] }
  const request = structuredRequest([parameter], { nhsNumber, migrate: true })
  Object.assign(request.claims, { reason_for_request: 'migration', requested_scope: 'patient/*.read conf/N' })
  within('requesting_organization', { identifier: [{ system: systems.odsOrganisation, value: 'A20047' }] })(request)
  const answer = await exampleAnswers()(request)
  if (answer.status !== 200) throw new Error(answer.body)
  return answer.body
}
