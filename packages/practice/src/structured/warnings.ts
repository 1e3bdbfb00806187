/** What was asked for and is not served, as the warnings of a bundle (§9.1). */
import type { OperationOutcome } from '@openspine/standards/fhir'
import { replaceIllegal } from '@openspine/standards/xml'
import { definition } from '../stu3/systems.ts'
import { coded } from './elements.ts'

export interface Unserved {
  /** `includeDiaryEntries`, `includeMedication.someNewPart`, `DocumentReferences`. */
  readonly name: string
  readonly because: 'unrecognised' | 'disabled'
}

export function warningOutcome(unserved: readonly Unserved[]): OperationOutcome {
  return {
    resourceType: 'OperationOutcome',
    meta: { profile: [definition('GPConnect-OperationOutcome-1')] },
    issue: unserved.map(({ name, because }) => ({
      severity: 'warning',
      code: 'not-supported',
      details: {
        ...coded('Spine-ErrorOrWarningCode-1', 'NOT_IMPLEMENTED', 'Not implemented'),
        text: replaceIllegal(
          because === 'unrecognised' ? `${name} is an unrecognised parameter` : `${name} has been disabled`,
        ),
      },
      diagnostics: replaceIllegal(name),
    })),
  }
}
