/** Whether a structured record of this patient may be given (§9.1). */
import type { Check } from '../checks/check.ts'
import type { OutcomeName } from '../outcome.ts'
import type { Sheet } from '../sheet.ts'

/** One sentence for all of them: the answer must not tell why a record is not to be had. */
const notFound = 'There is no record of this patient that can be shared.'

function patientRule(
  name: string,
  outcome: OutcomeName,
  explains: string,
  passes: (sheet: Sheet) => boolean,
  diagnostics = notFound,
): Check {
  return { name, clause: '9.1', outcome, explains, examine: (sheet) => (passes(sheet) ? undefined : diagnostics) }
}

const patientKnown: Check = {
  name: 'patient known',
  clause: '9.1',
  outcome: 'PATIENT_NOT_FOUND',
  explains: 'The practice has no record of this patient: trace the patient to find the practice.',
  async examine(sheet, { store }) {
    const { practice, nhsNumber } = sheet
    const record = practice && nhsNumber ? await store.patient(practice.practice.odsCode, nhsNumber) : undefined
    if (record === undefined) return notFound
    sheet.record = record
    return undefined
  },
}

const verified = patientRule(
  'NHS number verified',
  'PATIENT_NOT_FOUND',
  'The practice has not verified the NHS number of this patient.',
  ({ record }) => record?.patient.nhsNumberVerified === true,
)

const notSensitive = patientRule(
  'patient not sensitive',
  'PATIENT_NOT_FOUND',
  'The record is flagged as sensitive.',
  ({ record }) => record?.patient.sensitive === false,
)

const consented: readonly Check[] = [
  patientRule(
    'organisation consent',
    'NO_ORGANISATION_CONSENT',
    'The practice does not share this record.',
    ({ record, practice }) => practice?.practice.shareRecords === true && record?.patient.organisationDissent === false,
    'The organisation has not agreed to share this record.',
  ),
  patientRule(
    'patient consent',
    'NO_PATIENT_CONSENT',
    'The patient has dissented from sharing the record.',
    ({ record }) => record?.patient.consent === true,
    'The patient has not agreed to share this record.',
  ),
]

export const patientChecks: readonly Check[] = [
  patientKnown,
  verified,
  patientRule(
    'patient active',
    'PATIENT_NOT_FOUND',
    'The patient is no longer active at this practice.',
    ({ record }) => record?.patient.active === true,
  ),
  notSensitive,
  patientRule(
    'patient alive',
    'PATIENT_NOT_FOUND',
    'The patient has died: a structured record has no access period after a death.',
    ({ record }) => record?.patient.deceasedDate === undefined,
  ),
  patientRule(
    'regular patient',
    'PATIENT_NOT_FOUND',
    'The patient is not a regular patient of this practice.',
    ({ record, practice }) =>
      (record?.patient.registration?.type ?? 'regular') === 'regular' &&
      (record?.patient.registeredAt ?? practice?.practice.odsCode)?.toUpperCase() ===
        practice?.practice.odsCode.toUpperCase(),
  ),
  ...consented,
]

/** For a record that moves to the patient's new practice: whether the patient is still a patient here does not matter (§9.6). */
export const migrationChecks: readonly Check[] = [patientKnown, verified, notSensitive]
