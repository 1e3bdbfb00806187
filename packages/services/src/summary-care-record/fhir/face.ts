import type { Clock } from '@openspine/platform/clock'
import { headerOf, queryPairs, rawHeader } from '@openspine/platform/doors'
import type { Logger } from '@openspine/platform/log'
import { isSpineError } from '@openspine/standards/error'
import type { Resource } from '@openspine/standards/fhir'
import { r4 } from '@openspine/standards/fhir/r4'
import type { Json } from '@openspine/standards/fhir/untrusted'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { type Admitted, type Caller, callerKey, type Presented } from '../../gateway/contract.ts'
import {
  allowed,
  arrivalChecks,
  numberIn,
  operationOf,
  retrieveChecks,
  type ScrOperation,
  type ScrRequest,
  searchChecks,
  shown,
  summaryIdIn,
} from '../checks.ts'
import type { Actor, SummaryVersion } from '../contract.ts'
import {
  alert,
  latestOf,
  mustPass,
  retrieved,
  type ScrNeeds,
  setPermission,
  upload,
  type Writing,
  type Written,
} from '../operations.ts'
import { platformOutcome, refuse, type ScrOutcome, scrOutcomes, unavailableText } from '../outcomes.ts'
import { latestSummary, noDocument, outcomeOf, type Rendering, summaryDocument } from './render.ts'

export interface ScrFaceNeeds extends ScrNeeds {
  readonly basePath: string
  readonly publicUrl: string
  readonly longestUploadBytes: number
  readonly clock: Clock
  readonly log: Logger
  admit(presented: Presented): Promise<Admitted>
  /** Organisation of an accredited system. */
  organisationOf(asid: string): string | undefined
  /** Called once for each request before it is answered; a rejection fails the request. */
  settled(event: Settled): Promise<void>
  messageId(): string
}

/** One finished request, for audit and metrics. */
export interface Settled {
  readonly at: number
  readonly trace: string | undefined
  readonly operation: string
  readonly method: string
  readonly path: string
  readonly address: string
  readonly mode: Caller['mode'] | undefined
  readonly actor: Actor | undefined
  /** The number that was asked for, and that of the record that was shown or written. */
  readonly asked: string | undefined
  readonly nhsNumber: string | undefined
  /** Id of the summary that was shown, and what was written. */
  readonly shown: string | undefined
  readonly touched: string | undefined
  readonly status: number
  readonly code: string | undefined
  /** Name of the check that failed, and what it said. */
  readonly check: string | undefined
  readonly because: string | undefined
}

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const

interface Answer {
  readonly status: number
  readonly resource?: Resource
  /** JSON that is no FHIR. */
  readonly plain?: object
  readonly headers?: Readonly<Record<string, string>>
  readonly nhsNumber?: string
  readonly shown?: SummaryVersion
  readonly touched?: string
  readonly outcome?: ScrOutcome
  readonly check?: string
  readonly because?: string
}

/** Summary Care Records (§26), behind the API platform. One route takes every path: an unknown one is answered in order. */
export function scrFace(needs: ScrFaceNeeds): FastifyPluginAsync {
  return async (app) => {
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: needs.longestUploadBytes }, (_request, body, done) =>
      done(null, body),
    )
    const handler = (request: FastifyRequest, reply: FastifyReply) => serve(needs, request, reply)
    app.setErrorHandler((error, request, reply) =>
      send(reply, failed(needs, error, rawHeader(request, 'content-type'))),
    )
    for (const url of ['/', '/*']) app.route({ method: [...methods], url, exposeHeadRoute: false, handler })
    app.setNotFoundHandler(handler)
  }
}

async function serve(needs: ScrFaceNeeds, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const at = needs.clock.now()
  const [sent = '', ...rest] = request.originalUrl.split('?')
  const path = decoded(sent.slice(needs.basePath.length))
  const query = queryPairs(rest.join('?'))
  const trace = headerOf(request, 'x-request-id')
  const asked = { method: request.method, path, query, header: (name: string) => headerOf(request, name) }
  const operation = operationOf(asked)
  let mode: Caller['mode'] | undefined
  let actor: Actor | undefined
  let answer: Answer
  try {
    const admitted = await needs.admit({
      authorization: rawHeader(request, 'authorization'),
      requestId: trace,
      role: headerOf(request, 'nhsd-session-urid'),
      method: request.method,
      path,
      address: request.ip,
    })
    if (admitted.admitted) {
      const { caller } = admitted
      mode = caller.mode
      actor = actorOf(needs, caller, headerOf(request, 'nhsd-session-urid'), at)
      const arrived: ScrRequest = { ...asked, mode }
      mustPass(arrivalChecks, arrived)
      answer = await answerTo(needs, arrived, operation as ScrOperation, request, { caller, actor })
    } else {
      const { refusal } = admitted
      answer = said(platformOutcome(refusal), refusal.check, refusal.explanation)
    }
  } catch (error) {
    answer = failed(needs, error)
    if (answer.status === scrOutcomes.method.status) answer = { ...answer, headers: { allow: allowed(path) } }
  }
  await needs.settled({
    at,
    trace: brief(trace),
    operation: operation?.name ?? 'none',
    method: request.method,
    path: path.slice(0, 128),
    address: request.ip,
    mode,
    actor,
    asked: operation?.method === 'GET' ? brief(numberIn({ ...asked, mode: 'user-restricted' })) : undefined,
    nhsNumber: answer.nhsNumber,
    shown: answer.shown?.id,
    touched: answer.touched,
    status: answer.status,
    code: answer.outcome?.issue,
    check: answer.check,
    because: answer.because,
  })
  return send(reply, answer)
}

/** The role of the header counts where nobody could compare it: in the sandbox, without a token. */
function actorOf(needs: ScrFaceNeeds, caller: Caller, header: string | undefined, at: number): Actor {
  const { mode, user, asid, application } = caller
  const role =
    mode === 'user-restricted' ? (caller.role ?? (application === undefined ? brief(header) : undefined)) : undefined
  const odsCode = caller.odsCode ?? (asid === undefined ? undefined : needs.organisationOf(asid))
  return {
    at,
    ...(user === undefined ? {} : { user }),
    ...(role === undefined ? {} : { role }),
    ...(odsCode === undefined ? {} : { odsCode }),
    ...(asid === undefined ? {} : { asid }),
    ...(application === undefined ? {} : { application }),
  }
}

async function answerTo(
  needs: ScrFaceNeeds,
  asked: ScrRequest,
  operation: ScrOperation,
  request: FastifyRequest,
  by: { readonly caller: Caller; readonly actor: Actor },
): Promise<Answer> {
  const rendering: Rendering = {
    base: needs.publicUrl === '' ? `https://${request.host}${needs.basePath}` : needs.publicUrl,
    newId: needs.newId,
  }
  switch (operation.name) {
    case 'search': {
      mustPass(searchChecks, asked)
      const found = await latestOf(needs, numberIn(asked))
      const { nhsNumber, latest } = found
      return { status: 200, resource: latestSummary(found, rendering), nhsNumber, ...(latest && { shown: latest }) }
    }
    case 'retrieve': {
      mustPass(retrieveChecks, asked)
      const { nhsNumber, latest, document } = await retrieved(needs, numberIn(asked), summaryIdIn(asked))
      if (document === undefined) return { status: 200, resource: noDocument(rendering), nhsNumber }
      const resource = summaryDocument(document, nhsNumber, rendering)
      return { status: 200, resource, nhsNumber, ...(latest && { shown: latest }) }
    }
    case 'health':
      return { status: 200, plain: { status: 'UP' } }
    default:
      return { status: 201, ...(await written(needs, operation, request, by)) }
  }
}

const writes = { upload, 'set permission': setPermission, alert } as const

function written(
  needs: ScrFaceNeeds,
  { name }: ScrOperation,
  request: FastifyRequest,
  { caller, actor }: { readonly caller: Caller; readonly actor: Actor },
): Promise<Written> {
  const id = headerOf(request, 'x-request-id')?.toLowerCase()
  const writing: Writing = {
    by: actor,
    ...(id === undefined ? {} : { request: { caller: callerKey(caller), operation: name, id, at: actor.at } }),
  }
  return writes[name as keyof typeof writes](needs, bodyOf(request), writing)
}

function bodyOf({ body }: FastifyRequest): Json {
  if (!Buffer.isBuffer(body) || body.length === 0) throw refuse('value', 'Required request body is missing', 'Body')
  try {
    return r4.fromJson(body) as Json
  } catch (error) {
    if (!isSpineError(error)) throw error
    throw refuse('value', error.explanation ?? 'The body is no resource of R4', 'Body')
  }
}

const said = (outcome: ScrOutcome, check?: string, because?: string): Answer => ({
  status: outcome.status,
  resource: outcomeOf(outcome),
  outcome,
  ...(outcome.headers && { headers: outcome.headers }),
  ...(check === undefined ? {} : { check }),
  ...(because === undefined ? {} : { because }),
})

/** The answer to whatever was thrown; what nobody foresaw is told of in the log alone. */
function failed(needs: ScrFaceNeeds, error: unknown, contentType = ''): Answer {
  if (isSpineError(error) && error.code.startsWith('SCR_'))
    return said(error.outcome as ScrOutcome, error.detail as string, error.explanation)
  if (isSpineError(error) && error.code === 'GATEWAY_BUSY')
    return said({ ...scrOutcomes.unavailable, text: unavailableText, headers: { 'retry-after': '5' } })
  if (error instanceof Error && 'statusCode' in error && Number(error.statusCode) < 500)
    return said(unreadable(needs, Number(error.statusCode), contentType))
  const id = needs.messageId()
  needs.log.error({ err: error, messageId: id }, 'Summary Care Record: a request failed')
  const text = 'Unknown Error'
  return said({
    ...scrOutcomes.internal,
    text,
    coding: {
      system: 'https://fhir.nhs.uk/CodeSystem/Spine-ErrorOrWarningCode',
      version: '1',
      code: 'UNKNOWN_ERROR',
      display: text,
    },
    diagnostics: `An unknown error occurred processing this request. Contact us for assistance diagnosing this issue: https://digital.nhs.uk/developer/help-and-support. (Message ID: ${id})`,
  })
}

/** What the framework does not read: a body that is too long, a media type that is none. */
function unreadable({ longestUploadBytes }: ScrFaceNeeds, status: number, contentType: string): ScrOutcome {
  if (status === scrOutcomes.tooLarge.status)
    return { ...scrOutcomes.tooLarge, text: `The body is longer than ${longestUploadBytes} bytes` }
  if (status === scrOutcomes.mediaType.status)
    return { ...scrOutcomes.mediaType, text: `Content type '${shown(contentType)}' not supported` }
  return { ...scrOutcomes.value, status, text: 'The request cannot be read within the limits of this server' }
}

function send(reply: FastifyReply, { status, resource, plain, headers = {} }: Answer): FastifyReply {
  reply.code(status).headers(headers).header('cache-control', 'no-store')
  if (plain !== undefined)
    return reply.header('content-type', 'application/json').send(Buffer.from(JSON.stringify(plain)))
  if (resource === undefined) return reply.send()
  // As bytes: the framework would add a charset to the media type of a text.
  return reply.header('content-type', 'application/fhir+json').send(Buffer.from(r4.toJson(resource)))
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

/** Audit records stay small whatever is sent. */
const brief = (value: string | undefined) => (value === '' ? undefined : value?.slice(0, 128))
