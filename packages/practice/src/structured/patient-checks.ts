/** Whether a structured record of this patient may be given (§9.1). */
import type { Check } from '../checks/check.ts'
import { notSensitive, numberVerified, patientKnown, patientRule, recordRules } from '../checks/sharing.ts'

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
export const movingPatientChecks: readonly Check[] = [patientKnown, numberVerified, notSensitive]
