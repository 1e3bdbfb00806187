import { type Demographics, type KnownAs, knownAs } from '../demographics/contract.ts'
import { refuse } from './outcomes.ts'

/** A patient about whom something is read or written. */
export interface Patient {
  /** Of the retained record. */
  readonly nhsNumber: string
  /** All under which something may be kept. */
  readonly numbers: KnownAs['numbers']
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
export function patients(demographics: Pick<Demographics, 'find' | 'mergedInto'>): Patients {
  async function toRead(nhsNumber: string): Promise<Patient> {
    const known = await knownAs(demographics, nhsNumber)
    if (known === undefined)
      throw refuse('patientNotFound', 'No current person has this NHS number in this environment', 'Patient')
    const { person, numbers } = known
    if (person.sensitivity === 'V')
      throw refuse('sensitive', 'The record of this patient is very restricted', 'Patient is not very restricted')
    return { nhsNumber: person.nhsNumber, numbers, withAuthors: person.sensitivity !== 'R' }
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
