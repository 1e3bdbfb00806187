/** What each edition of the access record shows in which section (§7.3, §7.5, §7.9). */
import type { SectionCode } from '../../record/sections.ts'
import { isFrom } from '../../record/services.ts'
import * as clinical from './clinical-tables.ts'
import { unmarked } from './markup.ts'
import * as medication from './medication-tables.ts'
import * as before from './medication-tables-0-5.ts'
import type { TableDefinition } from './table-definition.ts'

export interface Edition {
  /** The tables of each section, in order. A section of one table has the table under its own title. */
  readonly tables: Readonly<Record<SectionCode, readonly TableDefinition[]>>
  /** Level of the section's own heading. */
  readonly heading: 1 | 2
  readonly bundleType: 'searchset' | 'document'
  /** Whether there are emergency codes at all. */
  readonly emergencyCodes: boolean
  /** The last touch on the finished division. */
  finish(html: string): string
}

const present: Edition['tables'] = {
  ADM: [clinical.administrativeItems],
  ALL: [clinical.currentAllergies, clinical.historicalAllergies],
  CLI: [clinical.clinicalItems],
  ENC: [clinical.encounters],
  IMM: [clinical.immunisations],
  MED: [
    medication.acuteMedication,
    medication.currentRepeatMedication,
    medication.discontinuedRepeatMedication,
    medication.allMedication,
    medication.allMedicationIssues,
  ],
  OBS: [clinical.observations],
  PRB: [clinical.activeProblems, clinical.majorInactiveProblems, clinical.otherInactiveProblems],
  REF: [clinical.referrals],
  SUM: [
    clinical.emergencyCodes,
    clinical.lastEncounters,
    clinical.activeProblems,
    clinical.majorInactiveProblems,
    clinical.currentAllergies,
    medication.acuteMedication,
    medication.currentRepeatMedication,
  ],
}

const first: Edition['tables'] = {
  ...present,
  MED: [before.currentMedicationIssues, before.currentRepeatMedications, before.pastMedications],
  OBS: [clinical.observationsWithoutRange],
  PRB: [clinical.activeProblems, clinical.inactiveProblems],
  SUM: [
    clinical.emergencyCodes,
    clinical.activeProblems,
    before.currentMedicationIssues,
    before.currentRepeatMedications,
    clinical.currentAllergies,
    clinical.lastEncounters,
  ],
}

/**
 * The edition of a version. The published 0.5.2 tests look for `h2` and a `document` where the documentation
 * (0.5.3) has `h1` and a `searchset`: each version gets its own.
 */
export function editionOf(version: string): Edition {
  if (isFrom(version, '0.6'))
    return {
      tables: present,
      heading: 1,
      bundleType: 'searchset',
      emergencyCodes: isFrom(version, '0.7.4'),
      finish: (html) => html,
    }
  const documented = isFrom(version, '0.5.3')
  return {
    tables: first,
    heading: documented ? 1 : 2,
    bundleType: documented ? 'searchset' : 'document',
    emergencyCodes: documented,
    finish: unmarked,
  }
}
