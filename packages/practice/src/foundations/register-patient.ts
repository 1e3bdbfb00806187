/** Registers a patient for a time, or takes up again somebody who is no longer active (§8.3). */
import type { Refused, Result } from '../endpoint.ts'
import { addDays, dayAt } from '../record/dates.ts'
import { type PatientRecord, patientRecord } from '../record/model.ts'
import { type Answering, found } from '../sheet.ts'
import { patientResource } from '../stu3/people.ts'
import type { RegisterSheet } from './register-checks.ts'
import { searchsetOf } from './searchset.ts'

/** A temporary resident is registered for three months at most (General Medical Services Contracts Regulations). */
const temporaryDays = 91

/** The record as it is after the registration. Clinical rows of a former registration stay. */
export function temporarily(sheet: RegisterSheet): PatientRecord {
  const { asked, traced, record, request } = sheet
  if (asked === undefined) throw new Error('the checks let a registration through without its patient')
  const { telecom = [], communications = [], ...said } = asked
  const today = dayAt(request.at)
  return patientRecord.parse({
    gender: traced?.gender ?? 'unknown',
    ...record?.patient,
    ...said,
    ...(telecom.length > 0 ? { telecom } : {}),
    ...(communications.length > 0 ? { communications } : {}),
    active: true,
    nhsNumberVerified: true,
    registration: { type: 'temporary', period: { start: today, end: addDays(today, temporaryDays) } },
  })
}

/** Of several requests for one patient that come at once, one registers and the others are duplicates. */
export async function registerPatient(sheet: RegisterSheet, { store }: Answering): Promise<Result | Refused> {
  const held = found(sheet, 'practice')
  const written = await store.writeIfUnchanged(held.practice.odsCode, temporarily(sheet), sheet.record?.version ?? 0)
  if (written === undefined)
    return {
      outcome: 'DUPLICATE_REJECTED',
      diagnostics: 'The patient is registered at this practice already.',
      check: 'not registered yet',
    }
  sheet.audited = { registered: written.id, reactivated: sheet.record !== undefined }
  sheet.record = written
  return { status: 200, resource: searchsetOf([patientResource(written, held, { versioned: true })]) }
}
