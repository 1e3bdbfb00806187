import { type Demographics, retainedPerson } from '../demographics/contract.ts'
import { refuse } from './outcomes.ts'

/** A patient about whom something is read or written. */
export interface Patient {
  /** Of the retained record. */
  readonly nhsNumber: string
  /** False of restricted people: nobody is told who recorded something, and where. */
  readonly withAuthors: boolean
}

export interface Patients {
  /** A number that was merged answers with the retained record. */
  toRead(nhsNumber: string): Promise<Patient>
  /** A number that was merged is not written to. */
  toWrite(nhsNumber: string): Promise<Patient>
}

/**
 * Asks demographics. Of very restricted people no service shows or takes anything but the number (§15). Rejects with
 * PATIENT_NOT_FOUND, PATIENT_SENSITIVE or, where a merged number is written to, INVALID_REQUEST_STATE.
 */
export function patients(demographics: Pick<Demographics, 'find'>): Patients {
  async function toRead(nhsNumber: string): Promise<Patient> {
    const person = await retainedPerson(demographics, nhsNumber)
    if (person === undefined)
      throw refuse('patientNotFound', 'No current person has this NHS number in this environment', 'Patient')
    if (person.sensitivity === 'V')
      throw refuse('sensitive', 'The record of this patient is very restricted', 'Patient is not very restricted')
    return { nhsNumber: person.nhsNumber, withAuthors: person.sensitivity !== 'R' }
  }
  return {
    toRead,
    async toWrite(nhsNumber) {
      const patient = await toRead(nhsNumber)
      if (patient.nhsNumber === nhsNumber) return patient
      throw refuse('state', 'The NHS number has been superseded in a merge', 'Patient was not merged')
    },
  }
}
