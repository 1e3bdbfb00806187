/** One request from its head to the bytes of its answer, without a socket. */
import type { Clock, Random } from '@openspine/platform/clock'
import { contentTypeOf, type FhirFormat, negotiate, operationOutcome, type Resource } from '@openspine/standards/fhir'
import { dstu2 } from '@openspine/standards/fhir/dstu2'
import { verbOf } from './checks/endpoints.ts'
import { queryValues } from './checks/head.ts'
import { type Check, careRecordChecks, headChecks, metadataChecks } from './checks.ts'
import { careRecordBundle } from './fhir/care-record.ts'
import { conformance } from './fhir/conformance.ts'
import { profileOf, systems } from './fhir/systems.ts'
import { renderSection } from './html/section.ts'
import { type OutcomeName, outcomes } from './outcome.ts'
import { dayAt } from './record/dates.ts'
import type { ReceivedRequest, Sheet, Surroundings } from './sheet.ts'

export interface Answering extends Surroundings {
  readonly clock: Clock
  readonly random: Random
  readonly quoteSingleDates: boolean
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** What was learnt of the request: for the audit. */
  readonly sheet: Sheet
  /** The check that failed, if one did. */
  readonly failed?: { readonly check: string; readonly outcome: OutcomeName }
}

/** What arrived of a body; undefined: more than is accepted. */
export type BodyReader = () => Promise<Uint8Array | undefined>

/** Makes every check in order, the body being read only when the head has passed, and answers. */
export async function answer(request: ReceivedRequest, readBody: BodyReader, answering: Answering): Promise<Answer> {
  const sheet = newSheet(request)
  const failedHead = await firstFailure(headChecks, sheet, answering)
  if (failedHead !== undefined) return failedHead
  if (sheet.action === 'metadata') {
    return (await firstFailure(metadataChecks, sheet, answering)) ?? found(sheet, metadata(sheet))
  }
  const body = await readBody()
  if (body === undefined)
    return refusal(sheet, 'TOO_LARGE', 'The body is longer than this server accepts.', 'body size')
  sheet.body = body
  return (await firstFailure(careRecordChecks, sheet, answering)) ?? found(sheet, careRecord(sheet, answering))
}

/** The sheet of a request of which nothing is known yet; answers are in JSON until it says otherwise. */
export function newSheet(request: ReceivedRequest): Sheet {
  // An absolute target is as good as its path (RFC 9112 §3.2.2).
  const target = request.target.replace(/^https?:\/\/[^/?#]*/i, '')
  const mark = target.indexOf('?')
  const path = mark === -1 ? target : target.slice(0, mark)
  const query = mark === -1 ? '' : target.slice(mark + 1)
  return { request, path, query, format: preferredFormat(request, query) }
}

/** Refusals before the negotiation are written as the request seems to prefer. */
function preferredFormat({ peer, headers }: ReceivedRequest, query: string): FhirFormat {
  // Whoever is not the proxy gets JSON, whatever is asked for (§4.2).
  if (peer.state !== 'valid') return 'json'
  const [format] = queryValues(query, '_format')
  const wanted = negotiate({
    version: 'dstu2',
    format,
    accept: headers.get('accept'),
    contentType: headers.get('content-type'),
  })
  return wanted ?? 'json'
}

async function firstFailure(
  checks: readonly Check[],
  sheet: Sheet,
  surroundings: Surroundings,
): Promise<Answer | undefined> {
  for (const check of checks) {
    const diagnostics = await check.examine(sheet, surroundings)
    if (diagnostics !== undefined) return refusal(sheet, check.outcome, diagnostics, check.name)
  }
  return undefined
}

/** An OperationOutcome with the exact code of the outcome (§5). */
export function refusal(sheet: Sheet, name: OutcomeName, diagnostics: string, check: string): Answer {
  const { status, issue, code, display } = outcomes[name]
  const resource = operationOutcome({
    severity: 'error',
    issue,
    system: systems.errorCode,
    code,
    display,
    diagnostics,
    profile: profileOf('operationoutcome'),
  })
  const format = name === 'CERTIFICATE_MISSING' || name === 'CERTIFICATE_INVALID' ? 'json' : sheet.format
  const verb = verbOf(sheet)
  return {
    ...written(sheet, status, format, resource, name === 'WRONG_VERB' && verb !== undefined ? { allow: verb } : {}),
    failed: { check, outcome: name },
  }
}

function found(sheet: Sheet, resource: Resource): Answer {
  return written(sheet, 200, sheet.format, resource)
}

function written(
  sheet: Sheet,
  status: number,
  format: FhirFormat,
  resource: Resource,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return {
    status,
    headers: { 'content-type': contentTypeOf('dstu2', format), 'cache-control': 'no-store', ...headers },
    body: dstu2.write(format, resource),
    sheet,
  }
}

function metadata({ practice }: Sheet): Resource {
  if (practice === undefined) throw new Error('metadata without a practice')
  return conformance(practice.practice)
}

function careRecord({ practice, record, section, period, request }: Sheet, answering: Answering): Resource {
  if (practice === undefined || record === undefined || section === undefined)
    throw new Error('a care record without practice, record or section')
  const { random, quoteSingleDates } = answering
  const div = renderSection({
    practice: practice.practice,
    patient: record.patient,
    section,
    period,
    today: dayAt(request.at),
    quoteSingleDates,
  })
  return careRecordBundle({
    held: practice,
    record,
    section,
    div,
    at: request.at,
    bundleId: random.uuid(),
    compositionId: random.uuid(),
  })
}
