/** Whom appointments are made and shown for: whoever a consumer of the 1.x line finds (§8.2). */
import { findable } from '../foundations/patients.ts'
import type { Surroundings } from '../sheet.ts'
import type { StoredPatient, StoredPractice } from '../store.ts'

/** One sentence for all of them: the answer must not tell why a patient is not to be found. */
export const patientNotFound = 'There is no such patient at this practice.'

export async function patientFor(
  held: StoredPractice,
  id: string,
  surroundings: Surroundings,
): Promise<StoredPatient | undefined> {
  return findable(await surroundings.store.patientById(held.practice.odsCode, id), held, surroundings)
}
