import type { KeptAnswer } from '../changes/change.ts'
import { type Arrival, mustPass } from '../checks.ts'
import {
  type CoverageWrite,
  cardOf,
  coverageBodyChecks,
  coverageChecks,
  coverageOwnerChecks,
  coverageRequestChecks,
} from '../coverage.ts'
import type { StoredPerson } from '../person.ts'
import { type Answer, resourceIn } from './answer.ts'
import { coverageBundle } from './render.ts'
import { authorOfRequest, etagOf, requestKey, versionIn, type WriteRequest } from './update.ts'

/** What the answers about health insurance cards stand on. */
export interface CoverageParts {
  readonly now: number
  readonly publicUrl: string
  retrieve(nhsNumber: string): Promise<StoredPerson>
  writeCoverage(asked: CoverageWrite): Promise<KeptAnswer>
}

const bundleOf = (person: StoredPerson, { now, publicUrl }: CoverageParts): string =>
  coverageBundle(person, cardOf(person), { now, publicUrl })

/** GET /Coverage (§14). */
export async function coverageAnswer(parts: CoverageParts, { number }: Arrival): Promise<Answer> {
  mustPass(coverageChecks, { number })
  const person = await parts.retrieve(number ?? '')
  return {
    status: 200,
    body: bundleOf(person, parts),
    headers: { etag: etagOf(person.version) },
    shown: [person.nhsNumber],
  }
}

/** POST /Coverage (§14): the answer is that of GET. */
export async function coverageWriteAnswer(
  parts: CoverageParts,
  arrival: Arrival,
  sent: WriteRequest,
): Promise<KeptAnswer> {
  const { ifMatch, contentType } = sent
  mustPass(coverageRequestChecks, { ifMatch, contentType })
  const value = resourceIn(sent.body)
  mustPass(coverageOwnerChecks, { value, access: arrival.access })
  mustPass(coverageBodyChecks, { value, prefix: '', today: new Date(parts.now).toISOString().slice(0, 10) })
  return parts.writeCoverage({
    value,
    version: versionIn(ifMatch),
    author: authorOfRequest(arrival, sent),
    request: requestKey(arrival),
    at: parts.now,
    answer: (after) => ({
      status: 201,
      body: bundleOf(after, parts),
      headers: { etag: etagOf(after.version) },
      shown: after.nhsNumber,
    }),
  })
}
