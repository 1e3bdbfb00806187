import type { Access } from '../access.ts'
import { criteriaFor } from '../asked.ts'
import type { Json, StoredPerson } from '../person.ts'
import type { UseCases } from '../use-cases.ts'
import { retrieveView, searchView } from '../view.ts'
import { goesByNumber } from './checks.ts'
import type { Operation } from './operations.ts'
import type { MiniCode } from './outcomes.ts'
import { birthOf, familyOf, genderOf, givenOf, type MiniRequest } from './request.ts'

/** How a request comes out: a person and what may be shown of them, or a code. */
export type MiniResult =
  | { readonly code: 'SMSP-0000'; readonly person: StoredPerson; readonly shown: Json }
  | { readonly code: Exclude<MiniCode, 'SMSP-0000'> }

async function number(request: MiniRequest, access: Access, cases: UseCases): Promise<MiniResult> {
  const birth = birthOf(request)
  const family = familyOf(request)
  if (birth === undefined) return { code: 'SMSP-0001' }
  const result = await cases.crossCheck({
    nhsNumber: request.number?.extension ?? '',
    birth,
    ...(family === undefined ? {} : { family }),
    given: givenOf(request),
  })
  switch (result.found) {
    case 'agrees': {
      const { person } = result
      return { code: 'SMSP-0000', person, shown: JSON.parse(retrieveView(person, access)) as Json }
    }
    case 'superseded':
      return { code: 'DEMOG-0017' }
    case 'invalidated':
      return { code: 'DEMOG-0022' }
    case 'disagrees':
      return { code: 'DEMOG-0040' }
    case 'nobody':
      return { code: 'DEMOG-0001' }
  }
}

async function search(
  request: MiniRequest,
  operation: Operation,
  access: Access,
  cases: UseCases,
): Promise<MiniResult> {
  const birth = birthOf(request)
  const gender = genderOf(request)
  const family = familyOf(request)
  const criteria = criteriaFor({
    ...(birth && { birth }),
    ...(gender === undefined ? {} : { gender }),
    ...(family === undefined ? {} : { family }),
    given: givenOf(request),
    ...(request.postcode === undefined ? {} : { postcode: request.postcode }),
    // A number is found by a simple trace, details by an alphanumeric one (§18).
    wildcards: operation !== 'getNHSNumber',
    max: 1,
  })
  if (criteria === undefined || birth === undefined) return { code: 'SMSP-0001' }
  const traced = await cases.search(criteria)
  if ('tooMany' in traced) return { code: 'DEMOG-0007' }
  const [only] = traced.found
  if (only === undefined) return { code: 'DEMOG-0001' }
  const { person, patient } = only
  return { code: 'SMSP-0000', person, shown: searchView(person.sensitivity, patient, access) }
}

/** Runs a request that keeps its rules. */
export const runMini = (
  request: MiniRequest,
  operation: Operation,
  access: Access,
  cases: UseCases,
): Promise<MiniResult> =>
  goesByNumber(request, operation) ? number(request, access, cases) : search(request, operation, access, cases)
