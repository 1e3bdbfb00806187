import type { BundleEntry } from '@openspine/standards/fhir'
import { isTrue, type SearchParameters, singleValue, valuesOf } from '../criteria.ts'
import { candidateLine, type ExplainedCandidate, type ExplainedField, type TraceExplanation } from '../explain.ts'
import { outcomes, refuse } from '../outcomes.ts'

/** The parameter of developers, known only where `demographics.explainSearches` is on. */
const explainParameter = '_explain'
const coding = 'urn:openspine:trace-explanation'

export interface ExplanationAsked {
  /** What remains to be searched for. */
  readonly parameters: SearchParameters
  /** Absent where no explanation is asked for; a number asks about that person too. */
  readonly explain?: { readonly also?: string }
}

/** Takes `_explain` (`true`, `false` or an NHS number) out of a search. INVALID_VALUE for other values. */
export function explanationAsked(parameters: SearchParameters): ExplanationAsked {
  const values = valuesOf(parameters, explainParameter)
  if (values.length === 0) return { parameters }
  const value = singleValue(parameters, explainParameter) ?? ''
  const number = /^\d{10}$/.test(value)
  if (values.length > 1 || !(number || /^(true|false)$/i.test(value)))
    throw refuse(outcomes.invalidField(value, explainParameter), '_explain is true, false or an NHS number, once.')
  const rest = parameters.filter(([name]) => name !== explainParameter)
  if (!number && !isTrue(parameters, explainParameter)) return { parameters: rest }
  return { parameters: rest, explain: number ? { also: value } : {} }
}

const answers: Readonly<Record<TraceExplanation['answer'], string>> = {
  none: 'Nobody matches.',
  one: 'One person matches.',
  several: 'Several people match.',
  'too many': 'More people match than may be returned.',
}

/** The explanation as the entry that FHIR has for it: an OperationOutcome about the search, one issue a candidate. */
export function explanationEntry({ answer, candidates, more }: TraceExplanation): BundleEntry {
  const near = more > 0 ? ` ${more} more people came near and are not listed.` : ''
  const issues = candidates.map((candidate) => ({
    ...issue(verdict(candidate), candidateLine(candidate)),
    extension: [{ url: 'nhsNumber', valueString: candidate.nhsNumber }, ...candidate.fields.map(fieldExtension)].map(
      ({ url, ...rest }) => ({ url: `${coding}:${url}`, ...rest }),
    ),
  }))
  return {
    search: { mode: 'outcome' },
    resource: { resourceType: 'OperationOutcome', issue: [issue(answer, `${answers[answer]}${near}`), ...issues] },
  } as BundleEntry
}

const verdict = ({ rejected, possible }: ExplainedCandidate): string =>
  rejected ? `not matched: ${rejected.rule}` : possible ? `possible match: ${possible.rule}` : 'matched'

const issue = (code: string, diagnostics: string) => ({
  severity: 'information',
  code: 'informational',
  details: { coding: [{ system: coding, code }] },
  diagnostics,
})

function fieldExtension({ field, how, worth, weight, snippet, swapped, later }: ExplainedCandidate['fields'][number]) {
  const part = (url: keyof ExplainedField | 'use' | 'standing', value: Readonly<Record<string, unknown>>) => ({
    url,
    ...value,
  })
  return {
    url: 'field',
    extension: [
      part('field', { valueString: field }),
      part('how', { valueString: how }),
      part('worth', { valueDecimal: Math.round(worth * 10_000) / 10_000 }),
      part('weight', { valueDecimal: weight }),
      ...(swapped ? [part('swapped', { valueBoolean: true })] : []),
      ...(later ? [part('later', { valueBoolean: true })] : []),
      ...(snippet
        ? [part('use', { valueString: snippet.use }), part('standing', { valueString: snippet.standing })]
        : []),
    ],
  }
}
