import type { Clock, Random } from '@openspine/platform/clock'
import { compressed } from '@openspine/platform/doors'
import type { Logger } from '@openspine/platform/log'
import type { HealthReport } from '@openspine/platform/service'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { ApiCaller } from '../../gateway/contract.ts'
import type { Lookups } from '../lookup.ts'
import {
  isCorrelationId,
  mediaTypeFor,
  type Named,
  namedIn,
  parametersOf,
  type SdsRequest,
  type SdsResource,
  sdsChecks,
} from './checks.ts'
import { outcomeOfLookup, type SdsOutcome, sdsOutcomes } from './outcomes.ts'
import { deviceResource, endpointResources, type SdsResourceText, sdsBundle, sdsOutcome } from './render.ts'

export interface SdsFaceNeeds {
  readonly basePath: string
  /** URL of the base path; empty: as the client named it. */
  readonly publicUrl: string
  readonly lookups: Lookups
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  health(): Promise<HealthReport>
  /** Where the directory answers LDAP, for the deep health check. */
  readonly ldapUrl: string
  /** Called once for each judged request before it is answered; resolves when it may be. */
  settled(event: SdsSettled): Promise<void>
}

/** One finished request, for audit and metrics. */
export interface SdsSettled {
  readonly at: number
  readonly ms: number
  readonly method: string
  readonly path: string
  /** `Device`, `Endpoint` or `none`. */
  readonly operation: string
  readonly named: Named
  readonly status: number
  /** Resources in the answer. */
  readonly count: number | undefined
  readonly diagnostics: string | undefined
  readonly correlationId: string
  readonly address: string
  readonly caller: ApiCaller
}

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const
const fhirJson = 'application/fhir+json'

interface Answer {
  readonly status: number
  readonly type: string
  readonly body: string
  readonly count?: number
  readonly diagnostics?: string
  readonly headers?: Readonly<Record<string, string>>
}

/**
 * The SDS FHIR API (directory specification §7), with paths relative to its base, behind the gateway. One route takes
 * every path, because an unknown one and a wrong method are answered in the API's own words.
 */
export function sdsFace(needs: SdsFaceNeeds): FastifyPluginAsync {
  return async (app) => {
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: 1 << 20 }, (_request, body, done) => done(null, body))
    app.setErrorHandler((error, request, reply) =>
      send(request, reply, faulted(needs, error), correlationOf(needs, request)),
    )
    const handler = (request: FastifyRequest, reply: FastifyReply) => serve(needs, request, reply)
    for (const url of ['/', '/*']) app.route({ method: [...methods], url, exposeHeadRoute: false, handler })
    // Methods that the router has no table for.
    app.setNotFoundHandler(handler)
  }
}

async function serve(needs: SdsFaceNeeds, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const at = needs.clock.now()
  const began = performance.now()
  const { originalUrl, method } = request
  const question = originalUrl.indexOf('?')
  const path = (question === -1 ? originalUrl : originalUrl.slice(0, question)).slice(needs.basePath.length)
  const query = question === -1 ? '' : originalUrl.slice(question + 1)
  const correlationId = correlationOf(needs, request)
  const resource = path === '/Device' ? 'Device' : path === '/Endpoint' ? 'Endpoint' : undefined
  let answer: Answer
  let named: Named = {}
  if (resource === undefined && path !== '/healthcheck' && path !== '/healthcheck/deep')
    answer = refused(sdsOutcomes.unknownPath)
  else if (method !== 'GET') answer = { ...refused(sdsOutcomes.notSupported), headers: { allow: 'GET' } }
  else if (resource === undefined) return healthcheck(needs, path === '/healthcheck/deep', reply)
  else {
    const parameters = parametersOf(query)
    named = namedIn(parameters)
    const asked: SdsRequest = {
      resource,
      parameters,
      correlationId: header(request, 'x-correlation-id'),
      accept: header(request, 'accept'),
    }
    try {
      answer = answerTo(needs, asked, named, addressOf(needs, request, path, query))
    } catch (error) {
      answer = faulted(needs, error)
    }
  }
  await needs.settled({
    at,
    ms: Math.round((performance.now() - began) * 1000) / 1000,
    method,
    path,
    operation: resource ?? 'none',
    named,
    status: answer.status,
    count: answer.count,
    diagnostics: answer.diagnostics,
    correlationId,
    address: request.ip,
    caller: request.apiCaller,
  })
  return send(request, reply, answer, correlationId)
}

function answerTo(
  { lookups, random }: SdsFaceNeeds,
  asked: SdsRequest,
  named: Named,
  address: { readonly self: string; readonly base: string },
): Answer {
  for (const check of sdsChecks) {
    const outcome = check.refusal(asked)
    if (outcome !== undefined) return refused(outcome)
  }
  const resources = find[asked.resource](lookups, named)
  return {
    status: 200,
    type: mediaTypeFor(asked.accept) ?? fhirJson,
    body: sdsBundle(resources, { ...address, id: random.uuid() }),
    count: resources.length,
  }
}

const find: Readonly<Record<SdsResource, (lookups: Lookups, named: Named) => readonly SdsResourceText[]>> = {
  Device: (lookups, named) => lookups.devices(named).map(deviceResource),
  Endpoint: (lookups, named) => lookups.endpoints(named).flatMap(endpointResources),
}

function refused(outcome: SdsOutcome): Answer & { readonly outcome: SdsOutcome } {
  return { status: outcome.status, type: fhirJson, body: '', diagnostics: outcome.diagnostics ?? '', outcome }
}

/** The outcome of whatever was thrown; what nobody foresaw is told of in the log, and nothing of it on the wire. */
function faulted({ log }: SdsFaceNeeds, error: unknown): Answer {
  const known = outcomeOfLookup(error)
  if (known !== undefined) return refused(known)
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500
  if (status >= 400 && status < 500)
    return refused(sdsOutcomes.otherClient(status, 'The request cannot be read within the limits of this server'))
  log.error({ err: error }, 'SDS FHIR: a request failed')
  return refused(sdsOutcomes.internal('An unexpected error occurred: the log of the server tells of it'))
}

async function healthcheck(needs: SdsFaceNeeds, deep: boolean, reply: FastifyReply): Promise<FastifyReply> {
  reply.header('cache-control', 'no-store')
  if (!deep) return reply.code(200).send()
  const { status: health, note = '' } = await needs.health()
  const status = health === 'fail' ? 'fail' : 'pass'
  const details = { ldap: { status, links: { ldap: needs.ldapUrl }, output: note } }
  return reply
    .code(status === 'fail' ? 503 : 200)
    .header('content-type', 'application/json')
    .send(Buffer.from(JSON.stringify({ status, details })))
}

async function send(
  request: FastifyRequest,
  reply: FastifyReply,
  answer: Answer & { readonly outcome?: SdsOutcome },
  correlationId: string,
): Promise<FastifyReply> {
  const text = answer.outcome === undefined ? answer.body : sdsOutcome(answer.outcome, correlationId)
  const { body, headers } = await compressed(Buffer.from(text), header(request, 'accept-encoding'))
  const requestId = header(request, 'x-request-id')
  if (requestId !== undefined) reply.header('x-request-id', requestId)
  if (answer.headers !== undefined) reply.headers(answer.headers)
  if (headers['vary'] !== undefined && reply.hasHeader('vary'))
    reply.header('vary', `${reply.getHeader('vary')}, ${headers['vary']}`)
  else reply.headers(headers)
  if (headers['content-encoding'] !== undefined) reply.header('content-encoding', headers['content-encoding'])
  // As octets: to a text the framework would add a charset.
  return reply
    .code(answer.status)
    .header('content-type', answer.type)
    .header('x-correlation-id', correlationId)
    .send(body)
}

/** As it was sent, where it is one; otherwise a new one in upper case. */
function correlationOf({ random }: SdsFaceNeeds, request: FastifyRequest): string {
  const given = header(request, 'x-correlation-id')
  return given !== undefined && isCorrelationId(given) ? given : random.uuid().toUpperCase()
}

function addressOf(
  { publicUrl, basePath }: SdsFaceNeeds,
  request: FastifyRequest,
  path: string,
  query: string,
): { readonly self: string; readonly base: string } {
  const base = publicUrl === '' ? `https://${request.host}${basePath}` : publicUrl
  return { base, self: base + path + (query === '' ? '' : `?${percentDecoded(query)}`) }
}

/** What cannot be decoded stays as it was sent. */
function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text.replaceAll(/(?:%[0-9a-f]{2})+/gi, (run) => {
      try {
        return decodeURIComponent(run)
      } catch {
        return run
      }
    })
  }
}

function header({ headers }: FastifyRequest, name: string): string | undefined {
  const value = headers[name]
  const text = Array.isArray(value) ? value.join(', ') : value
  return text === '' ? undefined : text
}
