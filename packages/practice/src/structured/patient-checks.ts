/** Whether a structured record of this patient may be given (§9.1). */
import type { Check } from '../checks/check.ts'
import { recordRules } from '../checks/sharing.ts'
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

const regular = patientRule(
  'regular patient',
  'PATIENT_NOT_FOUND',
  'The patient is not a regular patient of this practice.',
  ({ record, practice }) =>
    (record?.patient.registration?.type ?? 'regular') === 'regular' &&
    (record?.patient.registeredAt ?? practice?.practice.odsCode)?.toUpperCase() ===
      practice?.practice.odsCode.toUpperCase(),
)

export const patientChecks: readonly Check[] = [patientKnown, regular, ...recordRules]

/** A record that moves follows its patient, who may be inactive here, or dead (§9.6). */
export const movingPatientChecks: readonly Check[] = [
  patientKnown,
  patientRule(
    'NHS number verified',
    'PATIENT_NOT_FOUND',
    'The practice has not verified the NHS number of this patient.',
    ({ record }) => record?.patient.nhsNumberVerified === true,
  ),
  patientRule(
    'patient not sensitive',
    'PATIENT_NOT_FOUND',
    'The record is flagged as sensitive.',
    ({ record }) => record?.patient.sensitive === false,
  ),
]
