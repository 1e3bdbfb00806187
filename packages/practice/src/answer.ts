/** One request from its head to the bytes of its answer, without a socket. */
import { contentTypeOf, type FhirFormat, negotiate, type Resource } from '@openspine/standards/fhir'
import { dstu2 } from '@openspine/standards/fhir/dstu2'
import { stu3 } from '@openspine/standards/fhir/stu3'
import type { Check } from './checks/check.ts'
import { headChecks, tokenChecks, tokenVariantOf } from './checks/head.ts'
import { queryValues } from './checks/query.ts'
import type { Refused, Result } from './endpoint.ts'
import type { OutcomeName } from './outcome.ts'
import { outcomes } from './outcome.ts'
import { outcomeOf } from './outcome-resource.ts'
import { type Generation, isFrom } from './record/services.ts'
import type { Answering, ReceivedRequest, Sheet, Surroundings } from './sheet.ts'

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** In place of the body: its octets, where a long one was written elsewhere. */
  readonly octets?: Uint8Array
  /** What was learnt of the request: for the audit. */
  readonly sheet: Sheet
  /** The check that failed, if one did. */
  readonly failed?: { readonly check: string; readonly outcome: OutcomeName }
}

/** What arrived of a body; undefined: more than is accepted. */
export type BodyReader = () => Promise<Uint8Array | undefined>

const codecs = { dstu2, stu3 } as const

/** Makes every check in order, the body being read only when the head has passed, and answers. */
export async function answer(request: ReceivedRequest, readBody: BodyReader, answering: Answering): Promise<Answer> {
  const sheet = newSheet(request)
  const failedHead = await firstFailure(headChecks, sheet, answering)
  if (failedHead !== undefined) return failedHead
  const { endpoint, service } = sheet
  if (endpoint === undefined || service === undefined)
    throw new Error('the checks of the head let a request through without its endpoint')
  const failedToken = await firstFailure(tokenChecks[tokenVariantOf(service)], sheet, answering)
  if (failedToken !== undefined) return failedToken
  if (endpoint.body) {
    const body = await readBody()
    if (body === undefined)
      return refusal(sheet, 'TOO_LARGE', 'The body is longer than this server accepts.', 'body size')
    sheet.body = body
  }
  const failed = await firstFailure(endpoint.checks, sheet, answering)
  if (failed !== undefined) return failed
  const result: Result | Refused = await endpoint.respond(sheet, answering)
  return 'outcome' in result
    ? refusal(sheet, result.outcome, result.diagnostics, result.check)
    : result.octets === undefined
      ? written(sheet, result.status, sheet.format, result.resource, result.headers)
      : { ...headOf(sheet, result.status, sheet.format, result.headers), body: '', octets: result.octets }
}

/** The sheet of a request of which nothing is known yet; answers are in JSON until it says otherwise. */
export function newSheet(request: ReceivedRequest): Sheet {
  // An absolute target is as good as its path (RFC 9112 §3.2.2).
  const target = request.target.replace(/^https?:\/\/[^/?#]*/i, '')
  const mark = target.indexOf('?')
  const path = mark === -1 ? target : target.slice(0, mark)
  const query = mark === -1 ? '' : target.slice(mark + 1)
  const generation = probableGeneration(request, path)
  return { request, path, query, generation, format: preferredFormat(request, query, generation) }
}

/** Which line a request means whose service root is not known (yet): by its path, its interaction, its media types. */
function probableGeneration({ headers }: ReceivedRequest, path: string): Generation {
  if (/\/STU3(\/|$)/i.test(path)) return 'stu3'
  if (/\/DSTU2(\/|$)/i.test(path)) return 'dstu2'
  if (/-1$/.test(headers.get('ssp-interactionid') ?? '')) return 'stu3'
  return /application\/fhir\+/i.test(`${headers.get('accept')} ${headers.get('content-type')}`) ? 'stu3' : 'dstu2'
}

/** Refusals before the negotiation are written as the request seems to prefer. */
function preferredFormat({ peer, headers }: ReceivedRequest, query: string, version: Generation): FhirFormat {
  // Whoever is not the proxy gets JSON, whatever is asked for (§4.2).
  if (peer.state !== 'valid') return 'json'
  const [format] = queryValues(query, '_format')
  const wanted = negotiate({
    version,
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
  const version = sheet.service?.specificationVersion
  const resource = outcomeOf(name, diagnostics, sheet.generation, version !== undefined && isFrom(version, '1.5'))
  const format = name === 'CERTIFICATE_MISSING' || name === 'CERTIFICATE_INVALID' ? 'json' : sheet.format
  const verbs = [...new Set(sheet.candidates?.map(({ endpoint }) => endpoint.verb))]
  return {
    ...written(
      sheet,
      outcomes[name].status,
      format,
      resource,
      name === 'WRONG_VERB' && verbs.length > 0 ? { allow: verbs.join(', ') } : {},
    ),
    failed: { check, outcome: name },
  }
}

function written(
  sheet: Sheet,
  status: number,
  format: FhirFormat,
  resource: Resource | undefined,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  if (resource === undefined) return { status, headers: { ...unkept, ...headers }, body: '', sheet }
  return { ...headOf(sheet, status, format, headers), body: codecs[sheet.generation].write(format, resource) }
}

const unkept = { 'cache-control': 'no-store' } as const

/** What stands before a body. */
function headOf(sheet: Sheet, status: number, format: FhirFormat, headers: Readonly<Record<string, string>> = {}) {
  return {
    status,
    headers: { 'content-type': contentTypeOf(sheet.generation, format), ...unkept, ...headers },
    sheet,
  }
}
