/** Whether this practice may share this patient's record (§7.2, §5.2). */
import type { OutcomeName } from '../outcome.ts'
import { dayAt, daysBetween } from '../record/dates.ts'
import type { Sheet, Surroundings } from '../sheet.ts'
import type { Check } from './check.ts'

export const switchedOn: Check = {
  name: 'GP Connect switched on',
  clause: '5.2',
  outcome: 'ACCESS_DENIED',
  explains: 'The practice has switched GP Connect, or this capability, off.',
  examine: ({ practice, service, endpoint }) =>
    practice?.practice.gpConnect &&
    endpoint !== undefined &&
    (endpoint.capability === 'metadata' || service?.on.includes(endpoint.capability))
      ? undefined
      : 'This capability is switched off at this practice.',
}

/** One sentence for all of them: the answer must not tell why a record is not to be had. */
const notFound = 'There is no record of this patient that can be shared.'

/** A rule about the patient whose record stands on the sheet. */
export function patientRule(
  name: string,
  outcome: OutcomeName,
  explains: string,
  passes: (sheet: Sheet, surroundings: Surroundings) => boolean,
  diagnostics = notFound,
): Check {
  return {
    name,
    clause: '7.2',
    outcome,
    explains,
    examine: (sheet, surroundings) => (passes(sheet, surroundings) ? undefined : diagnostics),
  }
}

/** Finds the record by the NHS number that was asked for. */
export const patientKnown: Check = {
  name: 'patient known',
  clause: '7.2',
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

export const numberVerified = patientRule(
  'NHS number verified',
  'PATIENT_NOT_FOUND',
  'The practice has not verified the NHS number of this patient.',
  ({ record }) => record?.patient.nhsNumberVerified === true,
)

const active = patientRule(
  'patient active',
  'PATIENT_NOT_FOUND',
  'The patient is no longer active at this practice.',
  ({ record }) => record?.patient.active === true,
)

export const notSensitive = patientRule(
  'patient not sensitive',
  'PATIENT_NOT_FOUND',
  'The record is flagged as sensitive.',
  ({ record }) => record?.patient.sensitive === false,
)

const whoMayBeShown: readonly Check[] = [numberVerified, active, notSensitive]

const consents: readonly Check[] = [
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

/** Of the 1.x line, once the patient is known: it shows nobody who has died, however lately (§8.2, §9.1). */
export const recordRules: readonly Check[] = [
  ...whoMayBeShown,
  patientRule(
    'patient alive',
    'PATIENT_NOT_FOUND',
    'The patient has died.',
    ({ record }) => record?.patient.deceasedDate === undefined,
  ),
  ...consents,
]

/** Of the 0.x line: everything from the switches to the nominated practice. */
export const sharingChecks: readonly Check[] = [
  switchedOn,
  patientKnown,
  ...whoMayBeShown,
  patientRule(
    'access period after death',
    'PATIENT_NOT_FOUND',
    'The patient died longer ago than records stay open.',
    ({ record, practice }, { clock }) => {
      const died = record?.patient.deceasedDate
      return died === undefined || daysBetween(died, dayAt(clock.now())) <= (practice?.practice.deceasedAccessDays ?? 0)
    },
  ),
  ...consents,
  patientRule(
    'nominated practice',
    'NON_AUTHORITATIVE',
    'Another practice is the nominated one: trace the patient and ask there.',
    ({ record, practice }) =>
      (record?.patient.registeredAt ?? practice?.practice.odsCode)?.toUpperCase() ===
      practice?.practice.odsCode.toUpperCase(),
    "This practice is not the patient's nominated practice.",
  ),
]
