/** Which patients appointments are made and shown for (§8.2). */
import type { Surroundings } from '../sheet.ts'
import type { StoredPatient, StoredPractice } from '../store.ts'

/** One sentence for all of them: the answer must not tell why a patient is not to be found. */
export const patientNotFound = 'There is no such patient at this practice.'

/** The patient with that id, unless inactive, sensitive, dead or not verified; dissent to sharing a record is no matter here. */
export async function patientFor(
  { practice }: StoredPractice,
  id: string,
  { store }: Surroundings,
): Promise<StoredPatient | undefined> {
  const record = await store.patientById(practice.odsCode, id)
  if (record === undefined) return undefined
  const { active, sensitive, deceasedDate, nhsNumberVerified } = record.patient
  return active && !sensitive && deceasedDate === undefined && nhsNumberVerified ? record : undefined
}
