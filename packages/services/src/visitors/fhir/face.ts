import type { Clock, Random } from '@openspine/platform/clock'
import { headerOf } from '@openspine/platform/doors'
import type { Logger } from '@openspine/platform/log'
import { auditedClaims } from '@openspine/standards/audit-token'
import { isSpineError } from '@openspine/standards/error'
import {
  bodyFormat,
  contentTypeOf,
  type FhirFormat,
  type FhirOutcome,
  negotiate,
  type Resource,
} from '@openspine/standards/fhir'
import { dstu2 } from '@openspine/standards/fhir/dstu2'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { Directory } from '../../directory/contract.ts'
import {
  arrivalChecks,
  numberIn,
  searchChecks,
  tokenIn,
  type VisitorsCheck,
  type VisitorsOperation,
  type VisitorsRequest,
} from '../checks.ts'
import { nothingRecorded, refuse, visitorsOutcomes } from '../outcomes.ts'
import type { FoundStatus } from '../search.ts'
import { answerBundle, conformance, observation, outcomeEntry } from './render.ts'

export interface VisitorsFaceNeeds {
  readonly basePath: string
  readonly publicUrl: string
  readonly clockToleranceSeconds: number
  readonly version: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly directory: Pick<Directory, 'snapshot'>
  find(nhsNumber: string): Promise<FoundStatus>
  /** Called once for each request before it is answered; a rejection fails the request. */
  settled(event: VisitorsSettled): Promise<void>
}

/** One finished request, for audit and metrics. */
export interface VisitorsSettled {
  readonly at: number
  readonly trace: string | undefined
  readonly operation: string
  readonly method: string
  readonly address: string
  readonly peer: string | undefined
  readonly from: string | undefined
  readonly to: string | undefined
  readonly interaction: string | undefined
  readonly claims: Readonly<Record<string, unknown>> | undefined
  /** The number that was asked for, and the one whose status was shown. */
  readonly asked: string | undefined
  readonly shown: string | undefined
  readonly versionShown: number | undefined
  readonly status: number
  readonly code: string | undefined
  /** Name of the check that failed, and what it said. */
  readonly check: string | undefined
  readonly because: string | undefined
}

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const
const operations: Readonly<Record<string, VisitorsOperation>> = { '/Observation': 'search', '/metadata': 'metadata' }

interface Answer {
  readonly status: number
  readonly resource: Resource
  readonly found?: FoundStatus
  readonly outcome?: FhirOutcome
  readonly check?: string
}

/** Visitors & Migrants (§25). One route takes every path, because an unknown one is answered in the dialect's own words. */
export function visitorsFace(needs: VisitorsFaceNeeds): FastifyPluginAsync {
  return async (root) => {
    await root.register(
      async (app) => {
        app.removeAllContentTypeParsers()
        app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: 1 << 20 }, (_request, body, done) =>
          done(null, body),
        )
        const handler = (request: FastifyRequest, reply: FastifyReply) => serve(needs, request, reply)
        app.setErrorHandler((error, request, reply) => {
          const answer = failed(needs, error)
          return send(reply, formatOf(request).format, answer)
        })
        for (const url of ['/', '/*']) app.route({ method: [...methods], url, exposeHeadRoute: false, handler })
        app.setNotFoundHandler(handler)
      },
      { prefix: needs.basePath },
    )
  }
}

async function serve(needs: VisitorsFaceNeeds, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const at = needs.clock.now()
  const asked = requestOf(needs, request, at)
  const { format } = formatOf(request)
  let answer: Answer
  try {
    mustPass(arrivalChecks, asked)
    answer = asked.operation === 'metadata' ? metadata(needs, request, at) : await search(needs, asked, request)
  } catch (error) {
    answer = failed(needs, error)
  }
  const { token, operation } = asked
  await needs.settled({
    at,
    trace: brief(asked.header('Ssp-TraceID')),
    operation: operation ?? 'none',
    method: request.method,
    address: request.ip,
    peer: asked.peer.state === 'none' ? undefined : asked.peer.fqdn,
    from: brief(asked.header('Ssp-From')),
    to: brief(asked.header('Ssp-To')),
    interaction: brief(asked.header('Ssp-InteractionID')),
    claims: token.ok ? auditedClaims(token.claims) : undefined,
    asked: operation === 'search' ? brief(numberIn(asked)) : undefined,
    shown: answer.found?.status && answer.found.nhsNumber,
    versionShown: answer.found?.status?.version,
    status: answer.status,
    code: answer.outcome?.coding.code,
    check: answer.check,
    because: answer.outcome?.diagnostics,
  })
  return send(reply, format, answer)
}

async function search(needs: VisitorsFaceNeeds, asked: VisitorsRequest, request: FastifyRequest): Promise<Answer> {
  mustPass(searchChecks, asked)
  const found = await needs.find(numberIn(asked))
  const { status } = found
  const about = { id: needs.random.uuid(), base: baseOf(needs, request) }
  if (status !== undefined)
    return { status: 200, resource: answerBundle(observation(status, found.nhsNumber), about), found }
  const outcome = nothingRecorded
  return { status: 200, resource: answerBundle(outcomeEntry(outcome, needs.random.uuid()), about), found, outcome }
}

const metadata = (needs: VisitorsFaceNeeds, request: FastifyRequest, at: number): Answer => ({
  status: 200,
  resource: conformance({
    date: new Date(at).toISOString().slice(0, 10),
    version: needs.version,
    base: baseOf(needs, request),
  }),
})

/** Throws the outcome of the first check that fails. */
function mustPass(checks: readonly VisitorsCheck[], request: VisitorsRequest): void {
  for (const check of checks) {
    const diagnostics = check.fault(request)
    if (diagnostics !== undefined) throw refuse(check.outcome, diagnostics, check.name)
  }
}

/** The answer to whatever was thrown; what nobody foresaw is told of in the log alone, under the id of the bundle. */
function failed(needs: VisitorsFaceNeeds, error: unknown): Answer {
  const id = needs.random.uuid()
  const about = { id, base: '' }
  const render = (outcome: FhirOutcome) => answerBundle(outcomeEntry(outcome, needs.random.uuid()), about)
  if (isSpineError(error) && error.code.startsWith('VISITORS_') && isOutcome(error.outcome)) {
    const { outcome, detail } = error
    return { status: outcome.status, resource: render(outcome), outcome, ...(detail && { check: detail }) }
  }
  if (error instanceof Error && 'statusCode' in error && Number(error.statusCode) < 500) {
    const diagnostics = 'The request cannot be read within the limits of this server'
    const outcome = { ...visitorsOutcomes.notWellFormed, diagnostics }
    return { status: Number(error.statusCode), resource: render(outcome), outcome }
  }
  needs.log.error({ err: error, bundle: id }, 'visitors: a request failed')
  const outcome = { ...visitorsOutcomes.internal, diagnostics: `The log of the server tells of it under ${id}` }
  return { status: outcome.status, resource: render(outcome), outcome }
}

const isOutcome = (outcome: unknown): outcome is FhirOutcome =>
  typeof outcome === 'object' && outcome !== null && 'status' in outcome && 'coding' in outcome

function requestOf(needs: VisitorsFaceNeeds, request: FastifyRequest, at: number): VisitorsRequest {
  const { originalUrl, method, peer } = request
  const [path = '', ...rest] = originalUrl.split('?')
  const { parameter, accept } = formatOf(request)
  return {
    method,
    operation: operations[path.slice(needs.basePath.length)],
    peer,
    header: (name) => headerOf(request, name),
    query: pairsOf(rest.join('?')),
    hasBody:
      Number(headerOf(request, 'Content-Length') ?? 0) > 0 || headerOf(request, 'Transfer-Encoding') !== undefined,
    format: { parameter, header: accept },
    token: tokenIn(headerOf(request, 'Authorization')),
    snapshot: needs.directory.snapshot(),
    now: Math.floor(at / 1000),
    toleranceSeconds: needs.clockToleranceSeconds,
  }
}

/** The format of the answer (JSON where what is asked for is not spoken), and which of the two places asks for one that is. */
function formatOf(request: FastifyRequest) {
  const query = request.originalUrl.split('?').slice(1).join('?')
  const format = pairsOf(query)?.find(([name]) => name === '_format')?.[1]
  const parameter = format === undefined ? undefined : negotiate({ version: 'dstu2', format, lenient: true })
  const contentType = headerOf(request, 'Content-Type')
  const byHeader = negotiate({ version: 'dstu2', accept: headerOf(request, 'Accept'), contentType, lenient: true })
  const chosen: FhirFormat | undefined = parameter ?? byHeader
  return {
    format: chosen ?? 'json',
    parameter: format === undefined || parameter !== undefined,
    accept: byHeader !== undefined || parameter !== undefined || bodyFormat(contentType ?? '', 'dstu2') !== undefined,
  }
}

function send(reply: FastifyReply, format: FhirFormat, { status, resource }: Answer): FastifyReply {
  // As bytes: the framework would change the media type of a text.
  return reply
    .code(status)
    .header('content-type', contentTypeOf('dstu2', format))
    .header('cache-control', 'no-store')
    .send(Buffer.from(dstu2.write(format, resource)))
}

function pairsOf(query: string): readonly (readonly [string, string])[] | undefined {
  try {
    return query
      .split('&')
      .filter((pair) => pair !== '')
      .map((pair) => {
        const [name = '', ...value] = pair.replaceAll('+', '%20').split('=')
        return [decodeURIComponent(name), decodeURIComponent(value.join('='))] as const
      })
  } catch {
    return undefined
  }
}

const baseOf = ({ publicUrl, basePath }: VisitorsFaceNeeds, request: FastifyRequest) =>
  publicUrl === '' ? `https://${request.host}${basePath}` : publicUrl

/** Audit records stay small whatever is sent. */
const brief = (value: string | undefined) => (value === '' ? undefined : value?.slice(0, 128))
