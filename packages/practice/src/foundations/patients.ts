/** Which patients a consumer of the 1.x line finds (§8.2), for every room that begins with a patient. */
import type { Check } from '../checks/check.ts'
import { vouchesFor } from '../demographics.ts'
import type { Sheet, Surroundings } from '../sheet.ts'
import type { StoredPatient, StoredPractice } from '../store.ts'

/**
 * The record, if its patient may be found: active, living, not sensitive, with a verified number. A number that was
 * never verified is traced first, and the record keeps what came of it. Dissent from sharing hides nobody.
 */
export async function findable(
  record: StoredPatient | undefined,
  { practice: { odsCode } }: StoredPractice,
  { store, demographics }: Pick<Surroundings, 'store' | 'demographics'>,
): Promise<StoredPatient | undefined> {
  if (record === undefined) return undefined
  const { patient, version } = record
  if (!patient.active || patient.sensitive || patient.deceasedDate !== undefined) return undefined
  if (patient.nhsNumberVerified) return record
  const { nhsNumber, name, birthDate } = patient
  if (!vouchesFor(await demographics?.(nhsNumber), { ...name, birthDate })) return undefined
  return store.writeIfUnchanged(odsCode, { ...patient, nhsNumberVerified: true }, version)
}

/** Puts the patient whose id stands in the path on the sheet, if it may be found. */
export async function findPatientOfPath(sheet: Sheet, surroundings: Surroundings): Promise<StoredPatient | undefined> {
  const { practice, id } = sheet
  if (practice === undefined || !id) return undefined
  const held = await surroundings.store.patientById(practice.practice.odsCode, id)
  const record = await findable(held, practice, surroundings)
  if (record === undefined) return undefined
  sheet.record = record
  sheet.nhsNumber = record.patient.nhsNumber
  return record
}

/** The answer is the same whatever keeps the record back. */
export const patientOfPath: Check = {
  name: 'patient of the path found',
  clause: '8.2',
  outcome: 'PATIENT_NOT_FOUND',
  explains: 'Take the id from a search of this practice; ids are case-sensitive and belong to one practice.',
  examine: async (sheet, surroundings) =>
    (await findPatientOfPath(sheet, surroundings)) === undefined ? 'There is no patient with this id.' : undefined,
}
