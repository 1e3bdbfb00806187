/** A practice to load populations into, for tests. */

import { readPracticeFile } from '../record/file.ts'
import type { PatientRecord, PracticeRecord } from '../record/model.ts'
import { workedExample } from '../sandbox/worked-example.ts'

export function first(patients: readonly PatientRecord[]): PatientRecord {
  const [patient] = patients
  if (patient === undefined) throw new Error('no patient was read')
  return patient
}

const [read] = readPracticeFile(workedExample({ asid: '200000100001', today: '2026-11-20' })).practices
if (read === undefined) throw new Error('the worked example has no practice')
const { patients: _, complete: __, ...settings } = read

export const examplePractice: PracticeRecord = settings
