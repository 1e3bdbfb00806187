import type { PatientInput, PracticeFile } from './record/model.ts'

/** A practice as it stands, without its patients. */
export interface PracticeSummary {
  readonly odsCode: string
  readonly asid: string
  readonly name: string
  /** Path of its service root; the URL is the listener's with this path. */
  readonly serviceRoot: string
  readonly gpConnect: boolean
  /** How many services it runs, that of the 0.x line among them. */
  readonly services: number
  readonly patients: number
}

/** What may be asked of the practice system beside its wire face. */
export interface PracticeContract {
  /**
   * Loads a practice file: its path, or its content. All of it or nothing; may be repeated at any time,
   * and what has not changed keeps its version. SpineError `PRACTICE_FILE_INVALID` names every fault by its path.
   */
  load(file: string | PracticeFile): Promise<{ readonly practices: number; readonly patients: number }>
  /**
   * Adds or replaces patients of a practice, in batches. SpineError `PRACTICE_UNKNOWN`, `PRACTICE_FILE_INVALID`.
   */
  addPatients(odsCode: string, patients: Iterable<PatientInput> | AsyncIterable<PatientInput>): Promise<number>
  /** In order of ODS code. */
  practices(): Promise<readonly PracticeSummary[]>
}
