import type { Clock, Random } from '@openspine/platform/clock'
import { headerOf, queryPairs, rawHeader } from '@openspine/platform/doors'
import type { Logger } from '@openspine/platform/log'
import { auditedClaims } from '@openspine/standards/audit-token'
import { isSpineError } from '@openspine/standards/error'
import {
  bodyFormat,
  contentTypeOf,
  type FhirFormat,
  type FhirOutcome,
  negotiate,
  outcomeResource,
  type Resource,
} from '@openspine/standards/fhir'
import { stu3 } from '@openspine/standards/fhir/stu3'
import { readBearer } from '@openspine/standards/jwt'
import { namingSystem } from '@openspine/standards/nhs'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { Directory } from '../../directory/contract.ts'
import { type Admitted, type Caller, type Presented, roleIn } from '../../gateway/contract.ts'
import {
  directChecks,
  gatewayChecks,
  gatewayHeadChecks,
  parameterIn,
  type RaRequest,
  raOperationAt,
} from '../checks.ts'
import { profiles } from '../codes.ts'
import { gatewayOutcomes, refusal, refuse, spineOutcomes } from '../outcomes.ts'
import { type RaAnswer, type RaNeeds, raAnswer } from './operations.ts'
import { capabilities } from './render.ts'

/** One finished request, for audit and metrics. */
export interface Settled {
  readonly at: number
  readonly face: string
  readonly operation: string
  readonly trace: string | undefined
  readonly method: string
  readonly path: string
  readonly address: string
  readonly caller: Caller | undefined
  readonly claims: Readonly<Record<string, unknown>> | undefined
  readonly nhsNumber: string | undefined
  readonly touched: readonly string[]
  readonly status: number
  readonly code: string | undefined
  /** Name of the check that failed, and what it said. */
  readonly check: string | undefined
  readonly because: string | undefined
}

export interface RaFaceNeeds extends RaNeeds {
  /** `gateway`: behind the API platform; `direct`: over mutual TLS. */
  readonly door: 'gateway' | 'direct'
  readonly basePath: string
  readonly publicUrl: string
  readonly version: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly directory: Pick<Directory, 'snapshot'>
  /** The gateway's. */
  admit?(presented: Presented): Promise<Admitted>
  settled(event: Settled): Promise<void>
  messageId(): string
}

/** Most of one body: a list of some hundred conditions. */
const longestBody = 1 << 20
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const
/** So long an answer that nobody waited for is kept. */
const answerMs = 60 * 60 * 1000

interface Answer extends Partial<Omit<RaAnswer, 'resource' | 'status'>> {
  readonly status: number
  /** Text as it is sent; absent: `resource` in the format that was asked for. */
  readonly body?: string
  readonly resource?: Resource
  readonly outcome?: FhirOutcome
  readonly check?: string
  readonly because?: string
}

/** Reasonable Adjustments in STU3 (§23): the same operations on both doors, each with its own way of letting in. */
export function raFace(needs: RaFaceNeeds): FastifyPluginAsync {
  return async (app) => {
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: longestBody }, (_request, body, done) =>
      done(null, body),
    )
    const handler = (request: FastifyRequest, reply: FastifyReply) => serve(needs, request, reply)
    app.setErrorHandler((error, request, reply) => send(needs, request, reply, failed(needs, error)))
    for (const url of ['/', '/*']) app.route({ method: [...methods], url, exposeHeadRoute: false, handler })
    app.setNotFoundHandler(handler)
  }
}

async function serve(needs: RaFaceNeeds, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const at = needs.clock.now()
  const [path = '', ...rest] = request.originalUrl.split('?')
  const below = path.slice(needs.basePath.length)
  const found = raOperationAt(request.method, below)
  const asked: RaRequest = {
    method: request.method,
    operation: found?.operation,
    header: (name) => headerOf(request, name),
    query: queryPairs(rest.join('?')),
    body: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0),
  }
  let caller: Caller | undefined
  let answer: Answer
  try {
    caller =
      needs.door === 'gateway' ? await throughGateway(needs, request, asked, below) : direct(needs, request, asked, at)
    answer = await answerTo(needs, request, asked, found?.id, caller, at)
  } catch (error) {
    answer = failed(needs, error)
  }
  const token = needs.door === 'direct' ? readBearer(headerOf(request, 'authorization') ?? '') : undefined
  await needs.settled({
    at,
    face: needs.door === 'gateway' ? 'reasonable-adjustment-flag' : 'direct',
    operation: found === undefined ? 'none' : `${found.operation.name} ${found.operation.kind ?? ''}`.trim(),
    trace: brief(headerOf(request, needs.door === 'gateway' ? 'x-request-id' : 'traceid')),
    method: request.method,
    path: below.slice(0, 128),
    address: request.ip,
    caller,
    claims: token?.ok === true ? auditedClaims(token.claims) : undefined,
    nhsNumber: answer.nhsNumber ?? brief(parameterIn(asked, 'patient')),
    touched: answer.touched ?? [],
    status: answer.status,
    code: answer.outcome?.coding.code,
    check: answer.check,
    because: answer.because,
  })
  return send(needs, request, reply, answer)
}

/** Lets a request in at the gateway, or throws what it is answered with. */
async function throughGateway(
  needs: RaFaceNeeds,
  request: FastifyRequest,
  asked: RaRequest,
  path: string,
): Promise<Caller> {
  for (const check of gatewayHeadChecks) {
    const because = check.fault(asked)
    if (because !== undefined) throw refusal(gatewayOutcomes[check.outcome], because, check.name)
  }
  const role = rawHeader(request, 'nhsd-session-urid')
  const admitted = await needs.admit?.({
    authorization: rawHeader(request, 'authorization'),
    requestId: headerOf(request, 'x-request-id'),
    role,
    method: request.method,
    path,
    address: request.ip,
  })
  if (admitted === undefined) throw refusal(gatewayOutcomes.token, 'There is no API platform', 'Token')
  if (!admitted.admitted) {
    const { outcome, explanation, check, status } = admitted.refusal
    // What is not about the token (rates) is said as the platform says it.
    throw refusal(status === 401 || status === 403 ? gatewayOutcomes.token : outcome, explanation, check)
  }
  const acting = roleIn(role, admitted)
  const { asid } = admitted.caller
  const odsCode = admitted.caller.odsCode ?? needs.directory.snapshot().accreditedSystem(asid ?? '')?.odsCode
  const anonymous = admitted.roles === undefined && role === undefined
  const knock = { ...asked, role: acting ?? (anonymous ? admitted.caller.role : undefined), asid, odsCode }
  for (const check of gatewayChecks) {
    const because = check.fault(knock)
    if (because === undefined) continue
    const outcome: FhirOutcome = gatewayOutcomes[check.outcome]
    const diagnostics = outcome.status === 500 ? `${outcome.diagnostics} ${needs.messageId()}` : outcome.diagnostics
    throw refusal({ ...outcome, ...(diagnostics && { diagnostics }) }, because, check.name)
  }
  return {
    ...admitted.caller,
    ...(knock.role === undefined ? {} : { role: knock.role }),
    ...(odsCode === undefined ? {} : { odsCode }),
  }
}

/** Lets a request in on the direct door, or throws what it is answered with. */
function direct(needs: RaFaceNeeds, request: FastifyRequest, asked: RaRequest, at: number): Caller {
  const knock = {
    ...asked,
    peer: request.peer,
    snapshot: needs.directory.snapshot(),
    now: Math.floor(at / 1000),
  }
  const metadata = asked.operation?.name === 'metadata'
  for (const check of metadata ? directChecks.slice(0, 2) : directChecks) {
    const diagnostics = check.fault(knock)
    if (diagnostics !== undefined) throw refuse(check.outcome, diagnostics, check.name)
  }
  const token = readBearer(headerOf(request, 'authorization') ?? '')
  const claims = token.ok ? token.claims : {}
  const { odsOrganisation, sdsRoleProfileId } = namingSystem.fhirNhsUk
  const role = valueIn(claims['requesting_user'], sdsRoleProfileId)
  const odsCode = valueIn(claims['requesting_organization'], odsOrganisation)
  const asid = headerOf(request, 'fromasid')
  return {
    mode: 'user-restricted',
    ...(role === undefined ? {} : { role }),
    ...(asid === undefined ? {} : { asid }),
    ...(odsCode === undefined ? {} : { odsCode }),
  }
}

const valueIn = (claim: unknown, system: string): string | undefined =>
  typeof claim === 'string' && claim.startsWith(`${system}|`) ? claim.slice(system.length + 1) : undefined

async function answerTo(
  needs: RaFaceNeeds,
  request: FastifyRequest,
  asked: RaRequest,
  id: string | undefined,
  caller: Caller,
  at: number,
): Promise<Answer> {
  const { operation } = asked
  if (operation === undefined) throw refusal(gatewayOutcomes.unknownPath, 'There is nothing at this path', 'Path')
  if (operation.name === 'metadata') {
    const resource = capabilities({ date: new Date(at).toISOString().slice(0, 10), version: needs.version })
    return { status: 200, resource }
  }
  if (operation.name === 'poll') return polled(needs, id ?? '', caller, at)
  const base = needs.publicUrl === '' ? `https://${request.host}${needs.basePath}` : needs.publicUrl
  const self = base + request.originalUrl.slice(needs.basePath.length)
  const format = bodyFormat(headerOf(request, 'content-type') ?? '', 'stu3', { lenient: true }) ?? 'json'
  const requestId = needs.door === 'gateway' ? headerOf(request, 'x-request-id') : undefined
  const work = () => raAnswer(needs, { request: asked, operation, id, caller, at, format, requestId, base, self })
  const prefer = headerOf(request, 'prefer') ?? ''
  if (needs.door === 'gateway' && asked.method !== 'GET' && /\brespond-async\b/.test(prefer))
    return promised(needs, work, caller, at)
  const answer = await work()
  return /\breturn=minimal\b/.test(prefer) && asked.method !== 'GET' ? { ...answer, body: '' } : answer
}

/** Does what is asked, and keeps what came of it for whoever comes back for it. */
async function promised(
  needs: RaFaceNeeds,
  work: () => Promise<Answer>,
  { application = '' }: Caller,
  at: number,
): Promise<Answer> {
  const done = await work().catch((error: unknown) => failed(needs, error))
  const { status, headers, resource } = done
  const id = needs.random.uuid()
  const content = JSON.stringify({ application, status, headers, body: resource ? stu3.toJson(resource) : '' })
  await needs.store.keepAnswer(id, content, at + answerMs)
  const { resource: _resource, ...about } = done
  const told = { 'content-location': `${needs.basePath}/_poll/${id}`, 'retry-after': '1' }
  return { ...about, status: 202, headers: told, body: '' }
}

async function polled({ store }: RaFaceNeeds, id: string, { application = '' }: Caller, at: number): Promise<Answer> {
  const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)
  const content = uuid ? await store.answer(id, at) : undefined
  const kept = content === undefined ? undefined : (JSON.parse(content) as Answer & { readonly application: string })
  if (kept?.application !== application)
    throw refusal(gatewayOutcomes.poll, 'There is no such answer', 'Answer is there')
  const { application: _application, ...answer } = kept
  return answer
}

/** The answer to whatever was thrown; what nobody foresaw is told of in the log alone. */
function failed(needs: RaFaceNeeds, error: unknown): Answer {
  const said = (outcome: FhirOutcome, check?: string, because?: string): Answer => ({
    status: outcome.status,
    resource: outcomeResource(outcome, outcome.coding.system.includes('/STU3/') ? { profile: profiles.outcome } : {}),
    outcome,
    ...(check === undefined ? {} : { check }),
    ...(because === undefined ? {} : { because }),
  })
  if (isSpineError(error) && error.code.startsWith('ADJUSTMENTS_') && isOutcome(error.outcome))
    return said(error.outcome, error.detail, error.explanation)
  if (error instanceof Error && 'statusCode' in error && Number(error.statusCode) < 500) {
    const diagnostics = 'The request cannot be read within the limits of this server'
    return said({ ...spineOutcomes.notWellFormed, status: Number(error.statusCode), diagnostics })
  }
  const id = needs.messageId()
  needs.log.error({ err: error, messageId: id }, 'adjustments: a request failed')
  return said({ ...spineOutcomes.internal, diagnostics: `The log of the server tells of it under ${id}` })
}

export const isOutcome = (outcome: unknown): outcome is FhirOutcome =>
  typeof outcome === 'object' && outcome !== null && 'status' in outcome && 'coding' in outcome

function send(needs: RaFaceNeeds, request: FastifyRequest, reply: FastifyReply, answer: Answer): FastifyReply {
  const { status, resource, headers = {}, body } = answer
  const format = needs.door === 'gateway' ? 'json' : formatOf(request)
  const content = body ?? (resource === undefined ? '' : stu3.write(format, resource))
  reply.code(status).headers(headers).header('cache-control', 'no-store')
  if (content === '') return reply.send()
  const type = needs.door === 'gateway' ? 'application/fhir+json' : contentTypeOf('stu3', format)
  // As bytes: the framework would change the media type of a text.
  return reply.header('content-type', type).send(Buffer.from(content))
}

function formatOf(request: FastifyRequest): FhirFormat {
  const format = queryPairs(request.originalUrl.split('?').slice(1).join('?')).find(([name]) => name === '_format')?.[1]
  const [accept, contentType] = [headerOf(request, 'accept'), headerOf(request, 'content-type')]
  return negotiate({ version: 'stu3', format, accept, contentType, lenient: true }) ?? 'json'
}

/** Audit records stay small whatever is sent. */
const brief = (value: string | undefined) => value?.slice(0, 128)
