/** OperationOutcomes of each line of the specification (§5.1). */
import { type OperationOutcome, operationOutcome } from '@openspine/standards/fhir'
import { systems as dstu2, profileOf } from './dstu2/systems.ts'
import { type OutcomeName, outcomes } from './outcome.ts'
import type { Generation } from './record/services.ts'
import { definition, systems as stu3 } from './stu3/systems.ts'

const dialects = {
  dstu2: { system: dstu2.errorCode, profile: profileOf('operationoutcome') },
  stu3: { system: stu3.errorCode, profile: definition('GPConnect-OperationOutcome-1') },
} as const

/** `spacedAccessDenied`: from 1.5 the code ACCESS_DENIED is written with a space (§5.2). */
export function outcomeOf(
  name: OutcomeName,
  diagnostics: string,
  generation: Generation,
  spacedAccessDenied = false,
): OperationOutcome {
  const { issue, code, display } = outcomes[name]
  return operationOutcome({
    severity: 'error',
    issue,
    ...dialects[generation],
    code: spacedAccessDenied && code === 'ACCESS_DENIED' ? 'ACCESS DENIED' : code,
    display,
    diagnostics,
  })
}
