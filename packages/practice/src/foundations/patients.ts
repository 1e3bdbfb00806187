/** Which patients a consumer of the 1.x line finds (§8.2), for every room that begins with a patient. */
import { vouchesFor } from '../demographics.ts'
import type { Sheet, Surroundings } from '../sheet.ts'
import type { StoredPatient, StoredPractice } from '../store.ts'

/**
 * The record, if its patient may be found: active, living, not sensitive, with a verified number. A number that was
 * never verified is traced first, and the record keeps what came of it. Dissent from sharing hides nobody.
 */
export async function findable(
  record: StoredPatient | undefined,
  held: StoredPractice,
  surroundings: Pick<Surroundings, 'store' | 'demographics'>,
): Promise<StoredPatient | undefined> {
  if (record === undefined) return undefined
  const { patient, version } = record
  if (!patient.active || patient.sensitive || patient.deceasedDate !== undefined) return undefined
  if (patient.nhsNumberVerified) return record
  const { store, demographics } = surroundings
  const { odsCode } = held.practice
  const { nhsNumber, name, birthDate } = patient
  if (!vouchesFor(await demographics?.(nhsNumber), { ...name, birthDate })) return undefined
  const written = await store.writeIfUnchanged(odsCode, { ...patient, nhsNumberVerified: true }, version)
  // Somebody else changed the record meanwhile: what they made of it is judged anew.
  return written ?? findable(await store.patient(odsCode, nhsNumber), held, surroundings)
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
