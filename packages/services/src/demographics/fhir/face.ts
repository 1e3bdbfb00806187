import type { Clock, Random } from '@openspine/platform/clock'
import type { Logger } from '@openspine/platform/log'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { Access, Authenticate } from '../access.ts'
import type { KeptAnswer } from '../changes/change.ts'
import {
  type Arrival,
  arrivalChecks,
  mustPass,
  type Operation,
  operationOf,
  retrieveChecks,
  searchChecks,
} from '../checks.ts'
import { type CoverageWrite, coverageNumber } from '../coverage.ts'
import type { Criteria } from '../criteria.ts'
import { criteriaOf, type SearchParameters, searchParameters, singleValue } from '../criteria.ts'
import { explainAnswer, type TraceExplanation } from '../explain.ts'
import { outcomes, refuse } from '../outcomes.ts'
import type { StoredPerson } from '../person.ts'
import type { BirthNotification } from '../register/birth.ts'
import type { Creation } from '../register/create.ts'
import type { Registered } from '../register/register.ts'
import type { Related } from '../related.ts'
import type { Traced } from '../trace.ts'
import type { Update } from '../update/update.ts'
import { retrieveView } from '../view.ts'
import { type Answer, header, publicBase, refused } from './answer.ts'
import { coverageAnswer, coverageWriteAnswer } from './coverage.ts'
import { explanationAsked, explanationEntry } from './explanation.ts'
import { type Judged, outcomeOf } from './outcome-of.ts'
import { birthAnswer, createAnswer } from './register.ts'
import { fhirJson, relatedBundle, searchBundle } from './render.ts'
import { keptAsAnswer, type SlowWrites } from './slow-writes.ts'
import { etagOf, requestKey, updateAnswer, type WriteRequest } from './update.ts'

/** What the PDS FHIR face stands on: use cases and what every request needs. */
export interface FaceDependencies {
  readonly basePath: string
  readonly publicUrl: string
  readonly asidRequired: boolean
  readonly waitSeconds: number
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly authenticate: Authenticate
  /** Whether pages of this origin may read answers: of anybody, or those to one app. Absent: any. */
  readonly opensOrigin?: ((origin: string, app?: string) => boolean) | undefined
  retrieve(nhsNumber: string): Promise<StoredPerson>
  related(nhsNumber: string): Promise<Related>
  search(criteria: Criteria): Promise<Traced>
  cascade(criteria: Criteria): Promise<Traced>
  update(asked: Update): Promise<KeptAnswer>
  writeCoverage(asked: CoverageWrite): Promise<KeptAnswer>
  create(asked: Creation): Promise<Registered>
  birth(asked: BirthNotification): Promise<Registered>
  /** Whether one more person may be registered at this time (§17). */
  mayRegister(now: number): boolean
  /** What becomes of writes that take longer than the caller waits. */
  readonly slow: SlowWrites
  /** Whether a patch may come as application/json, as in the public sandbox. */
  readonly plainJsonPatch: boolean
  /** Whether `_explain` is a parameter, and what it answers to healthcare workers; absent: it is unknown like any other. */
  readonly explain?: (criteria: Criteria, traced: Traced, also: string | undefined) => Promise<TraceExplanation>
  /** Called once for each request that was judged, before it is answered; a rejection fails the request. */
  settled(event: Settled): Promise<void>
  readonly operational: FastifyPluginAsync
}

/** One finished request, for audit and metrics. */
export interface Settled {
  readonly at: number
  readonly operation: string
  readonly method: string
  readonly requestId: string | undefined
  readonly correlationId: string | undefined
  readonly role: string | undefined
  readonly organisation: string | undefined
  readonly access: Access | undefined
  readonly status: number
  /** Spine error code, where there is one. */
  readonly code: string | undefined
  /** The number that was asked for, and those that were shown. */
  readonly asked: string | undefined
  readonly shown: readonly string[]
  /** Names of the search parameters, never their values. */
  readonly parameters: readonly string[] | undefined
  /** Why each person of a search result matched. */
  readonly reasons: readonly unknown[] | undefined
  readonly judged: Omit<Judged, 'outcome'>
}

/** Operations whose answers are kept, so that they can be asked for again. */
const writes: ReadonlySet<Operation> = new Set(['update', 'coverage-write', 'create', 'birth'])

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const
const corsMethods = 'GET, PUT, POST, PATCH, DELETE'
const corsHeaders =
  'origin, x-requested-with, accept, content-type, if-match, nhsd-session-urid, authorization, x-correlation-id, x-request-id, nhsd-end-user-organisation-ods'

/**
 * PDS FHIR R4 (§3). One route takes everything below the base path, because the order of checks (§6) puts
 * the token before the path: a router's own "not found" would answer out of order.
 */
export function pdsFace(dependencies: FaceDependencies): FastifyPluginAsync {
  return async (root) => {
    await root.register(
      async (app) => {
        // Bodies are judged by the operation, after the checks that come first; here they are only bounded.
        app.removeAllContentTypeParsers()
        app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: 1 << 20 }, (_request, body, done) =>
          done(null, body),
        )
        app.setErrorHandler((error, request, reply) => {
          const { outcome } = outcomeOf(error, dependencies)
          return send(mirrored(dependencies, request, reply), refused(outcome))
        })
        await app.register(dependencies.operational)
        const route = (url: string) =>
          app.route({
            method: [...methods],
            url,
            exposeHeadRoute: false,
            handler: (request, reply) => serve(dependencies, request, reply),
          })
        route('/')
        route('/*')
        // Methods that the router has no table for.
        app.setNotFoundHandler((request, reply) => serve(dependencies, request, reply))
      },
      { prefix: dependencies.basePath },
    )
  }
}

async function serve(
  dependencies: FaceDependencies,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  mirrored(dependencies, request, reply)
  if (request.method === 'OPTIONS') return options(request, reply)
  const at = dependencies.clock.now()
  const requestId = header(request, 'x-request-id')
  const role = header(request, 'nhsd-session-urid')
  // As it was sent: the door mends what its router could not read.
  const { path, query } = targetOf(request.originalUrl, dependencies.basePath)
  const parameters = searchParameters(query)
  const asked = operationOf(request.method, path)
  const operation = asked?.operation ?? 'none'
  const number = numberOf(asked?.id, parameters)
  let access: Access | undefined
  let answer: Answer
  let judged: Omit<Judged, 'outcome'> = {}
  try {
    // The edge counts these before it looks at the token (§6.2).
    if ((operation === 'create' || operation === 'birth') && !dependencies.mayRegister(at))
      throw refuse(outcomes.tooManyCreates, 'More people were to be registered in this second than may be.')
    access = await dependencies.authenticate({
      authorization: header(request, 'authorization'),
      requestId,
      role,
      method: request.method,
      path,
      address: request.ip,
    })
    if (access.app !== undefined) mirrored(dependencies, request, reply, access.app.id)
    const arrival: Arrival = {
      method: request.method,
      path,
      operation,
      number,
      parameters,
      requestId,
      role,
      access,
      asidRequired: dependencies.asidRequired,
    }
    mustPass(arrivalChecks, arrival)
    const ms = waitMs(request, dependencies.waitSeconds)
    const work = answerTo(dependencies, arrival, request)
    answer = await (writes.has(operation) ? dependencies.slow.inTime(requestKey(arrival), ms, work) : within(ms, work))
  } catch (error) {
    const { outcome, ...why } = outcomeOf(error, dependencies)
    judged = why
    answer = refused(outcome)
  }
  await dependencies.settled({
    at,
    operation,
    method: request.method,
    requestId: brief(requestId),
    correlationId: brief(header(request, 'x-correlation-id')),
    role: brief(role ?? access?.user?.selectedRole),
    organisation: brief(header(request, 'nhsd-end-user-organisation-ods')),
    access,
    status: answer.status,
    code: answer.code,
    asked: operation === 'search' ? undefined : brief(number),
    shown: answer.shown ?? [],
    parameters:
      operation === 'search' ? [...new Set(parameters.map(([name]) => brief(name) ?? ''))].slice(0, 32) : undefined,
    reasons: answer.reasons,
    judged,
  })
  return send(reply, answer)
}

async function answerTo(dependencies: FaceDependencies, arrival: Arrival, request: FastifyRequest): Promise<Answer> {
  switch (arrival.operation) {
    case 'retrieve':
      return retrieveAnswer(dependencies, arrival)
    case 'search':
      return searchAnswer(dependencies, arrival, request)
    case 'update':
      return written(updateAnswer(dependencies, arrival, writeRequest(request)))
    case 'related':
      return relatedAnswer(dependencies, arrival, request)
    case 'coverage':
      return coverageAnswer(coverageParts(dependencies, request), arrival)
    case 'coverage-write':
      return written(coverageWriteAnswer(coverageParts(dependencies, request), arrival, writeRequest(request)))
    case 'create':
      return createAnswer(dependencies, arrival, writeRequest(request))
    case 'birth':
      return birthAnswer(
        { ...dependencies, notificationId: () => dependencies.random.uuid() },
        arrival,
        writeRequest(request),
      )
    case 'poll':
      return dependencies.slow.poll({ ...requestKey(arrival), id: (arrival.number ?? '').toLowerCase() })
    default:
      throw refuse(outcomes.unsupportedService, 'This operation is not part of this release.')
  }
}

const writeRequest = (request: FastifyRequest): WriteRequest => ({
  ifMatch: header(request, 'if-match'),
  contentType: header(request, 'content-type'),
  body: request.body,
  organisation: header(request, 'nhsd-end-user-organisation-ods'),
})

const coverageParts = (dependencies: FaceDependencies, request: FastifyRequest) => ({
  now: dependencies.clock.now(),
  publicUrl: publicBase(dependencies, request.host),
  retrieve: dependencies.retrieve,
  writeCoverage: dependencies.writeCoverage,
})

const written = async (answer: Promise<KeptAnswer>): Promise<Answer> => keptAsAnswer(await answer)

async function retrieveAnswer(dependencies: FaceDependencies, { number, access }: Arrival): Promise<Answer> {
  mustPass(retrieveChecks, { number })
  const person = await dependencies.retrieve(number ?? '')
  return {
    status: 200,
    body: retrieveView(person, access),
    headers: { etag: etagOf(person.version) },
    shown: [person.nhsNumber],
  }
}

async function relatedAnswer(
  dependencies: FaceDependencies,
  { number }: Arrival,
  request: FastifyRequest,
): Promise<Answer> {
  mustPass(retrieveChecks, { number })
  const { subject, shown } = await dependencies.related(number ?? '')
  const publicUrl = publicBase(dependencies, request.host)
  return {
    status: 200,
    body: relatedBundle(subject.nhsNumber, shown, { publicUrl, now: dependencies.clock.now() }),
    shown: [subject.nhsNumber],
  }
}

async function searchAnswer(
  dependencies: FaceDependencies,
  { parameters: sent, access }: Arrival,
  request: FastifyRequest,
): Promise<Answer> {
  const { parameters, explain } = dependencies.explain ? explanationAsked(sent) : { parameters: sent }
  mustPass(searchChecks, parameters)
  const single = access.mode !== 'user-restricted'
  const criteria = criteriaOf(parameters, single ? 1 : Number(singleValue(parameters, '_max-results') ?? 50))
  if (!criteria) throw refuse(outcomes.minimumNotMet)
  const cascading = access.mode === 'application-restricted' && /\bversion=1\.1\b/.test(header(request, 'accept') ?? '')
  const traced = await (cascading ? dependencies.cascade(criteria) : dependencies.search(criteria))
  if ('tooMany' in traced) throw refuse(outcomes.tooManyMatches, 'More people match than may be returned.')
  const explanation =
    explain &&
    (access.mode === 'user-restricted'
      ? await dependencies.explain?.(criteria, traced, explain.also)
      : explainAnswer(traced))
  const publicUrl = publicBase(dependencies, request.host)
  return {
    status: 200,
    body: searchBundle(traced.found, {
      publicUrl,
      now: dependencies.clock.now(),
      access,
      ...(explanation && { more: [explanationEntry(explanation)] }),
    }),
    shown: [
      ...new Set([
        ...traced.found.map(({ person }) => person.nhsNumber),
        ...(explanation?.candidates.map(({ nhsNumber }) => nhsNumber) ?? []),
      ]),
    ],
    reasons: traced.found.map(({ match }) => match),
  }
}

function send(reply: FastifyReply, { status, body, headers }: Answer): FastifyReply {
  if (headers) reply.headers(headers)
  // As bytes: the framework would add a charset to the media type of a string.
  return reply.code(status).header('content-type', fhirJson).header('cache-control', 'no-store').send(Buffer.from(body))
}

/** Ids come back as they were sent, and only then; the caller's origin is echoed (§4) where its pages may read the answer. */
function mirrored(
  { opensOrigin }: FaceDependencies,
  request: FastifyRequest,
  reply: FastifyReply,
  app?: string,
): FastifyReply {
  for (const name of ['x-request-id', 'x-correlation-id']) {
    const value = header(request, name)
    if (value !== undefined) reply.header(name, value)
  }
  const origin = header(request, 'origin')
  if (origin === undefined) return reply
  reply.header('vary', 'origin')
  if (opensOrigin?.(origin, app) !== false) reply.header('access-control-allow-origin', origin)
  else reply.removeHeader('access-control-allow-origin')
  return reply
}

function options(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const preflight =
    header(request, 'origin') !== undefined && header(request, 'access-control-request-method') !== undefined
  if (!preflight) return send(reply, refused(outcomes.noTarget))
  return reply
    .code(200)
    .headers({
      'access-control-allow-methods': corsMethods,
      'access-control-allow-headers': corsHeaders,
      'access-control-max-age': '3628800',
    })
    .send()
}

/** Audit records stay small whatever is sent. */
const brief = (value: string | undefined) => value?.slice(0, 128)

/** X-Sync-Wait, where it is within its bounds (§4). */
function waitMs(request: FastifyRequest, otherwise: number): number {
  const asked = Number(header(request, 'x-sync-wait') ?? Number.NaN)
  return (asked >= 0.25 && asked <= 29 ? asked : otherwise) * 1000
}

/** What is not answered in time is answered 503; the work goes on, and nobody waits for it. */
function within<Value>(ms: number, work: Promise<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(refuse(outcomes.serviceUnavailable, `No answer within ${ms} ms.`)), ms)
    work.then(resolve, reject).finally(() => clearTimeout(late))
  })
}

/** Path below the base as it was sent, and the query string. */
function targetOf(url: string, basePath: string): { readonly path: string; readonly query: string } {
  const question = url.indexOf('?')
  const path = question === -1 ? url : url.slice(0, question)
  return { path: path.slice(basePath.length), query: question === -1 ? '' : url.slice(question + 1) }
}

function numberOf(id: string | undefined, parameters: SearchParameters): string | undefined {
  if (id === undefined) return coverageNumber(parameters)
  try {
    return decodeURIComponent(id)
  } catch {
    return id
  }
}
