import type { Check } from '../checks.ts'
import { isJsonType } from '../coverage.ts'
import { type SearchParameters, valuesOf } from '../criteria.ts'
import { outcomes } from '../outcomes.ts'

/** POST /Patient and POST /Patient/$process-birth-details, before the body is read. */
export const registerRequestChecks: readonly Check<{ readonly contentType: string | undefined }>[] = [
  {
    name: 'Content-Type is JSON',
    clause: '§4',
    explanation: 'The body is a resource: Content-Type: application/json or application/fhir+json.',
    refusal: ({ contentType }) => (isJsonType(contentType) ? undefined : outcomes.unsupportedService),
  },
]

/** The query of POST /Patient/$process-birth-details. */
export const birthQueryChecks: readonly Check<SearchParameters>[] = [
  {
    name: 'ignore_potential_matches is a boolean',
    clause: '§13',
    explanation: 'ignore_potential_matches is true or false.',
    refusal(parameters) {
      const wrong = valuesOf(parameters, 'ignore_potential_matches').find((value) => !/^(true|false)$/.test(value))
      return wrong === undefined ? undefined : outcomes.invalidField(wrong, 'ignore_potential_matches')
    },
  },
]
