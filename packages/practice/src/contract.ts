import type { PatientInput, PracticeFile } from './record/model.ts'
import type { MissingPractice } from './record/population/load.ts'
import type { LeftOut, PopulationFault, PopulationSource } from './record/population/population.ts'

/** A practice as it stands, without its patients. */
export interface PracticeSummary {
  readonly odsCode: string
  readonly asid: string
  readonly name: string
  /** Path of its service root; the URL is the listener's with this path. */
  readonly serviceRoot: string
  readonly gpConnect: boolean
  /** When its last planned slot ends, in milliseconds since the epoch; undefined where it has no appointment book. */
  readonly plannedUntil: number | undefined
  /** How many services it runs, that of the 0.x line among them. */
  readonly services: number
  readonly patients: number
}

export interface PopulationOptions {
  /** The practice that gets every patient; absent: each goes to the practice that the sources name. */
  readonly odsCode?: string
  /** Remove the patients of these practices that the population does not have. Faults stop it, whatever `keepGoing` says. */
  readonly complete?: boolean
  /** Write what is right in spite of faults: rows with a fault and patients who cannot be read are left out. */
  readonly keepGoing?: boolean
  /** Read and check alone. */
  readonly dryRun?: boolean
  /** Pass over columns of CSV files that are not known. */
  readonly ignoreUnknown?: boolean
  /** Told now and then how many patients were checked. */
  readonly progress?: (patients: number) => void
}

/** What became of a population. */
export interface PopulationReport {
  /** The practices that got patients, or would get them, in order of ODS code. */
  readonly practices: readonly { readonly odsCode: string; readonly patients: number }[]
  /** Practices that the sources name and that are not there: each is a fault. */
  readonly missingPractices: readonly MissingPractice[]
  readonly written: boolean
  /** Patients that were written, or would be. */
  readonly patients: number
  /** Rows of CSV files and FHIR resources that were used, by kind. */
  readonly resources: Readonly<Record<string, number>>
  /** What a record has no place for, by kind. */
  readonly unmapped: Readonly<Record<string, number>>
  /** The first thousand of these: where each stands, and why it was left out. */
  readonly leftOut: readonly LeftOut[]
  /** The first thousand, by source, line and path; never with a value. */
  readonly faults: readonly PopulationFault[]
  /** How many there are. */
  readonly faultCount: number
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
  /**
   * Loads a population (CSV files, FHIR bundles) into practices that are there. Each patient's record is replaced as a
   * whole, in one transaction; a fault anywhere leaves everything as it was. Unchanged records keep their version.
   * SpineError `PRACTICE_UNKNOWN`, `PRACTICE_DOCUMENT_TAKEN`, `PRACTICE_SLOT_TAKEN`.
   */
  loadPopulation(sources: readonly PopulationSource[], options: PopulationOptions): Promise<PopulationReport>
  /** In order of ODS code. */
  practices(): Promise<readonly PracticeSummary[]>
}
