import { isSpineError } from '@openspine/standards/error'
import type { PdsPerson, QueryParameters } from '@openspine/standards/hl7v3'
import type { Access } from '../access.ts'
import { rowCodes } from '../batch/columns.ts'
import { traceRow } from '../batch/trace-row.ts'
import type { CrossChecked } from '../cross-check.ts'
import type { Json, StoredPerson } from '../person.ts'
import type { Related } from '../related.ts'
import { pdsPerson } from '../spine-person.ts'
import { relatedOf } from '../spine-related.ts'
import type { Found } from '../trace.ts'
import type { UseCases } from '../use-cases.ts'
import { pastView, retrieveView, searchView } from '../view.ts'
import { batchRowOf, claimOf, criteriaOfSimpleTrace, criteriaOfTrace } from './criteria.ts'
import type { QueryKind } from './interactions.ts'
import { type Issue, issues } from './outcomes.ts'

/** Those of queries: also who is related to a person. */
export interface QueryCases extends UseCases {
  /** As {@link UseCases.retrieve}, with the related people as they may be shown. */
  related(nhsNumber: string): Promise<Related>
}

/** People and warnings, or nobody and why. */
export interface Ran {
  readonly people: readonly PdsPerson[]
  readonly issues: readonly Issue[]
}

const failed = (...why: readonly Issue[]): Ran => ({ people: [], issues: why })

function retrieved(
  person: StoredPerson,
  access: Access,
  more: { readonly history?: boolean; readonly related?: readonly Json[] } = {},
): PdsPerson {
  const { nhsNumber, version, sensitivity } = person
  const { history = false, related = [] } = more
  const shown = JSON.parse(retrieveView(person, access)) as Json
  return pdsPerson(shown, {
    nhsNumber,
    version,
    sensitivity,
    related: related.map((each) => relatedOf(each, nhsNumber)),
    ...(history ? { past: pastView(person, access) } : {}),
  })
}

function traced({ person, patient, match }: Found, access: Access, scored: boolean): PdsPerson {
  const { nhsNumber, version, sensitivity } = person
  return pdsPerson(searchView(sensitivity, patient, access), {
    nhsNumber,
    version,
    sensitivity,
    ...(scored ? { score: match.score } : {}),
  })
}

const matchIssue = (limited: boolean) => (limited ? issues.limitedMatch : issues.match)

async function byNumber(
  parameters: QueryParameters,
  access: Access,
  cases: QueryCases,
  about: { readonly whole: boolean; readonly unknown: Issue },
): Promise<Ran> {
  const asked = parameters.personId[0]?.extension ?? ''
  try {
    const { subject: person, shown: related } = about.whole
      ? await cases.related(asked)
      : { subject: await cases.retrieve(asked), shown: [] }
    const history = about.whole && parameters.historicDataIndicator[0]?.code === '1'
    return {
      people: [retrieved(person, access, { history, related })],
      issues: [
        ...(person.nhsNumber === asked ? [] : [issues.superseded]),
        ...(person.sensitivity === 'U' ? [] : [issues.limitedRetrieval]),
      ],
    }
  } catch (error) {
    if (isSpineError(error) && error.code === 'PDS_RESOURCE_NOT_FOUND') return failed(issues.noMatch, about.unknown)
    if (isSpineError(error) && error.code === 'PDS_INVALIDATED_RESOURCE') return failed(issues.invalidated)
    throw error
  }
}

async function simpleTrace(parameters: QueryParameters, access: Access, cases: UseCases): Promise<Ran> {
  const criteria = criteriaOfSimpleTrace(parameters)
  const found = criteria === undefined ? { found: [] } : await cases.search(criteria)
  if ('tooMany' in found) return failed(issues.several)
  const [only] = found.found
  if (only === undefined) return failed(issues.noMatch, issues.noMatchSimple)
  return { people: [traced(only, access, false)], issues: [matchIssue(only.person.sensitivity !== 'U')] }
}

async function advancedTrace(parameters: QueryParameters, access: Access, cases: UseCases): Promise<Ran> {
  const criteria = criteriaOfTrace(parameters)
  const result = criteria === undefined ? { found: [] } : await cases.search(criteria)
  if ('tooMany' in result) return failed(issues.several)
  const number = parameters.personId[0]?.extension
  const found = result.found.filter(({ person }) => number === undefined || person.nhsNumber === number)
  if (found.length === 0) return failed(issues.noMatch, issues.noMatchAdvanced)
  return {
    people: found.map((each) => traced(each, access, true)),
    issues: [matchIssue(found.some(({ person }) => person.sensitivity !== 'U'))],
  }
}

/** By number and date of birth, and else by what else is told: exactly one person or nobody, as a row of a file (§21). */
async function batchTrace(parameters: QueryParameters, access: Access, cases: UseCases): Promise<Ran> {
  const { code, person } = await traceRow(batchRowOf(parameters), cases)
  if (person === undefined)
    return failed(
      ...(code === rowCodes.several
        ? [issues.several]
        : code === rowCodes.invalidated
          ? [issues.invalidated]
          : [issues.noMatch]),
    )
  const { nhsNumber, version, sensitivity } = person
  const shown = searchView(sensitivity, JSON.parse(person.document) as Json, access)
  return {
    people: [pdsPerson(shown, { nhsNumber, version, sensitivity })],
    issues: [matchIssue(sensitivity !== 'U'), ...(code === rowCodes.superseded ? [issues.superseded] : [])],
  }
}

async function crossChecked(parameters: QueryParameters, access: Access, cases: UseCases): Promise<Ran> {
  const claim = claimOf(parameters)
  const result: CrossChecked = claim === undefined ? { found: 'disagrees' } : await cases.crossCheck(claim)
  switch (result.found) {
    case 'agrees':
      return { people: [retrieved(result.person, access)], issues: [matchIssue(result.person.sensitivity !== 'U')] }
    case 'superseded':
      return failed(issues.supersededRefused)
    case 'invalidated':
      return failed(issues.invalidated)
    case 'disagrees':
      return failed(issues.notVerified)
    case 'nobody':
      return failed(issues.noMatch, issues.numberNotFound)
  }
}

/** Runs a query that keeps its rules. */
export function run(kind: QueryKind, parameters: QueryParameters, access: Access, cases: QueryCases): Promise<Ran> {
  switch (kind) {
    case 'simple trace':
      return simpleTrace(parameters, access, cases)
    case 'advanced trace':
      return advancedTrace(parameters, access, cases)
    case 'batch trace':
      return batchTrace(parameters, access, cases)
    case 'retrieval':
      return byNumber(parameters, access, cases, {
        whole: true,
        unknown: issues.noMatchRetrieval,
      })
    case 'confirmation':
      return byNumber(parameters, access, cases, { whole: false, unknown: issues.numberNotFound })
    case 'cross-check':
      return crossChecked(parameters, access, cases)
  }
}
