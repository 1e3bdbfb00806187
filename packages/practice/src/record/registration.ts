/** Registrations end by themselves: nothing has to run on the day. */
import { dayAt } from './dates.ts'
import type { PatientRecord } from './model.ts'

/**
 * The record as it is at that moment (milliseconds since the epoch): a patient whose registration is over is no longer
 * active, and is found, read and registered as such (§8). The last day of a registration belongs to it.
 */
export function recordAt(patient: PatientRecord, at: number): PatientRecord {
  const end = patient.registration?.period.end
  if (!patient.active || end === undefined) return patient
  const over = end.length === 10 ? end < dayAt(at) : Date.parse(end) < at
  return over ? { ...patient, active: false } : patient
}
