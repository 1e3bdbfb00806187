import type { Clock, Random } from '@openspine/platform/clock'
import { headerOf, queryPairs, rawHeader } from '@openspine/platform/doors'
import type { Logger } from '@openspine/platform/log'
import { isSpineError } from '@openspine/standards/error'
import { bodyFormat, type FhirOutcome, outcomeResource, type Resource } from '@openspine/standards/fhir'
import { r4 } from '@openspine/standards/fhir/r4'
import { items, type Json, text } from '@openspine/standards/fhir/untrusted'
import { isNhsNumber, isUuid } from '@openspine/standards/nhs'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import {
  type Admitted,
  type Caller,
  callerKey,
  type Presented,
  type RequestKey,
  roleIn,
} from '../../gateway/contract.ts'
import { patientFlags } from '../codes.ts'
import { type Author, changedAt, type Item, type Kind, type Removal, shown, wireId } from '../item.ts'
import { refusal } from '../outcomes.ts'
import type { Patient, Patients } from '../patients.ts'
import type { Making } from '../rules.ts'
import type { ItemStore } from '../store.ts'
import { isOutcome, type Settled } from '../stu3/face.ts'
import { flagOutcomes, refuseFlag, translated } from './outcomes.ts'
import {
  flagResource,
  flagSearchset,
  flagWithDetails,
  referenceOf,
  topCodeOf,
  topFlags,
  transactionResponse,
} from './render.ts'
import { draftOf, type FlagDraft, flagResourceChecks, patientFlagOf } from './resources.ts'
import { addFlags, removeFlags, removeSupporting } from './rules.ts'

export interface FlagFaceNeeds {
  readonly basePath: string
  readonly publicUrl: string
  readonly version: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly store: ItemStore
  readonly patients: Patients
  authorOf(caller: Caller, at: number): Author
  newId(): string
  admit(presented: Presented): Promise<Admitted>
  settled(event: Settled): Promise<void>
  messageId(): string
}

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const
const mostEntries = 200

interface Answer {
  readonly status: number
  readonly resource?: Resource
  readonly headers?: Readonly<Record<string, string>>
  readonly nhsNumber?: string
  readonly touched?: readonly string[]
  readonly outcome?: FhirOutcome
  readonly check?: string
  readonly because?: string
  /** What the API platform says itself, as it says it. */
  readonly platform?: { readonly contentType: string; readonly body: string }
}

interface Call {
  readonly request: FastifyRequest
  readonly query: readonly (readonly [string, string])[]
  readonly caller: Caller
  readonly at: number
  readonly base: string
  readonly self: string
}

type Work = (needs: FlagFaceNeeds, call: Call, id: string) => Promise<Answer>

/** What can be asked for (§24): method and path below the base, with the verb of a refusal. */
const operations: readonly {
  readonly name: string
  readonly method: string
  readonly path: RegExp
  readonly verb: string
  readonly work: Work
}[] = [
  { name: 'search flags', method: 'GET', path: /^\/Flag$/, verb: 'GET', work: search },
  { name: 'add', method: 'POST', path: /^\/?$/, verb: 'create', work: transaction },
  { name: 'add flag', method: 'POST', path: /^\/Flag$/, verb: 'create', work: create('Flag') },
  { name: 'add condition', method: 'POST', path: /^\/Condition$/, verb: 'create', work: create('Condition') },
  { name: 'remove flags', method: 'DELETE', path: /^\/Flag$/, verb: 'delete', work: removeKinds },
  {
    name: 'remove flag',
    method: 'DELETE',
    path: /^\/Flag\/([A-Za-z0-9.-]{1,64})$/,
    verb: 'delete',
    work: removeOne(['adjustment']),
  },
  {
    name: 'remove condition',
    method: 'DELETE',
    path: /^\/Condition\/([A-Za-z0-9.-]{1,64})$/,
    verb: 'delete',
    work: removeOne(['impairment', 'condition']),
  },
]

/** Patient Flags (§24), under the conventions of PDS: the gateway's token, then path, headers and mode. */
export function patientFlagsFace(needs: FlagFaceNeeds): FastifyPluginAsync {
  return async (app) => {
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: 1 << 20 }, (_request, body, done) => done(null, body))
    const handler = (request: FastifyRequest, reply: FastifyReply) => serve(needs, request, reply)
    app.setErrorHandler((error, _request, reply) => send(reply, failed(needs, error, '')))
    for (const url of ['/', '/*']) app.route({ method: [...methods], url, exposeHeadRoute: false, handler })
    app.setNotFoundHandler(handler)
  }
}

async function serve(needs: FlagFaceNeeds, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const at = needs.clock.now()
  const [path = '', ...rest] = request.originalUrl.split('?')
  const below = path.slice(needs.basePath.length)
  const query = queryPairs(rest.join('?'))
  const operation = operations.find((each) => each.method === request.method && each.path.test(below))
  const number = query.find(([name]) => name === 'patient')?.[1]
  let caller: Caller | undefined
  let answer: Answer
  try {
    const role = rawHeader(request, 'nhsd-session-urid')
    const admitted = await needs.admit({
      authorization: rawHeader(request, 'authorization'),
      requestId: headerOf(request, 'x-request-id'),
      role,
      method: request.method,
      path: below,
      address: request.ip,
    })
    if (admitted.admitted) {
      caller = callerIn(admitted, role)
      mustBeLetIn(request, below, operation?.verb, admitted, caller, role)
      const base = needs.publicUrl === '' ? `https://${request.host}${needs.basePath}` : needs.publicUrl
      const self = base + request.originalUrl.slice(needs.basePath.length)
      const id = operation?.path.exec(below)?.[1] ?? ''
      answer = (await operation?.work(needs, { request, query, caller, at, base, self }, id)) as Answer
    } else {
      const { outcome, check, explanation, status, contentType, body, headers } = admitted.refusal
      answer = { status, headers, outcome, check, because: explanation, platform: { contentType, body } }
    }
  } catch (error) {
    answer = failed(needs, error, number ?? '')
  }
  await needs.settled({
    at,
    face: 'patient-flags',
    operation: operation?.name ?? 'none',
    trace: headerOf(request, 'x-request-id')?.slice(0, 128),
    method: request.method,
    path: below.slice(0, 128),
    address: request.ip,
    caller,
    claims: undefined,
    nhsNumber: answer.nhsNumber ?? number?.slice(0, 128),
    touched: answer.touched ?? [],
    status: answer.status,
    code: answer.outcome?.coding.code,
    check: answer.check,
    because: answer.because,
  })
  return send(reply, answer)
}

function callerIn(admitted: Admitted & { readonly admitted: true }, header: string | undefined): Caller {
  const { role: own, ...caller } = admitted.caller
  if (caller.mode === 'application-restricted') return caller
  const role = roleIn(header, admitted) ?? (header === undefined ? own : undefined)
  return { ...caller, ...(role === undefined ? {} : { role }) }
}

/** Path, request id, role, mode: in the order of PDS (§6). */
function mustBeLetIn(
  request: FastifyRequest,
  path: string,
  verb: string | undefined,
  admitted: Admitted & { readonly admitted: true },
  caller: Caller,
  role: string | undefined,
): void {
  if (verb === undefined) throw refuseFlag(flagOutcomes.unsupportedPath(path), 'Path')
  const requestId = headerOf(request, 'x-request-id')
  if (requestId !== undefined && !isUuid(requestId))
    throw refuseFlag(flagOutcomes.requestIdInvalid(String(requestId).slice(0, 128)), 'X-Request-ID')
  const several = (admitted.roles?.length ?? 0) !== 1 && admitted.roles !== undefined && admitted.selected === undefined
  if (caller.mode === 'user-restricted' && caller.role === undefined && (role !== undefined || several))
    throw refuseFlag(flagOutcomes.roleInvalid((role ?? '').slice(0, 128)), 'NHSD-Session-URID')
  if (caller.mode === 'application-restricted' && verb !== 'GET')
    throw refuseFlag(flagOutcomes.methodForbidden(verb, caller.mode), 'Mode')
  if (requestId === undefined) throw refuseFlag(flagOutcomes.requestIdMissing, 'X-Request-ID')
}

async function search(needs: FlagFaceNeeds, { query, base, self }: Call): Promise<Answer> {
  const patient = await patientIn(needs, query)
  const code = query.find(([name]) => name === 'code')?.[1]
  // `system|code` is a token as well.
  const flag = code === undefined ? undefined : patientFlagOf(code.split('|').at(-1))
  if (code !== undefined && flag === undefined) throw refuseFlag(flagOutcomes.noFlag, 'Code')
  const all = shown(await needs.store.all(patient.numbers))
  const resources = flag === undefined ? topFlags(all, patient) : flagWithDetails(all, flag, patient)
  return {
    status: 200,
    resource: flagSearchset(resources, { id: needs.newId(), base, self }),
    nhsNumber: patient.nhsNumber,
    touched: resources.map(({ resourceType, id }) => `${resourceType} ${id}`),
  }
}

async function patientIn({ patients }: FlagFaceNeeds, query: Call['query']): Promise<Patient> {
  const number = query.find(([name]) => name === 'patient')?.[1] ?? ''
  if (number === '') throw refuseFlag(flagOutcomes.missingValue('patient'), 'Patient is named')
  if (!isNhsNumber(number)) throw refuseFlag(flagOutcomes.noPatient(number.slice(0, 32)), 'NHS number')
  return patients.toRead(number)
}

function bodyOf(request: FastifyRequest): Json {
  if (bodyFormat(headerOf(request, 'content-type') ?? '', 'r4', { lenient: true }) !== 'json')
    throw refuseFlag(flagOutcomes.unsupportedService('Content-Type must be application/fhir+json'), 'Content-Type')
  const { body } = request
  if (!Buffer.isBuffer(body) || body.length === 0) throw refuseFlag(flagOutcomes.unreadable('There is no body'), 'Body')
  try {
    return r4.fromJson(body) as Json
  } catch (error) {
    if (!isSpineError(error)) throw error
    throw refuseFlag(flagOutcomes.unreadable(error.explanation ?? 'The body is no resource of R4'), 'Body')
  }
}

function draftIn(resource: Json, at: string): FlagDraft {
  for (const check of flagResourceChecks) {
    const outcome = check.refusal(resource, at)
    if (outcome !== undefined) throw refuseFlag(outcome, check.name, check.explains)
  }
  return draftOf(resource)
}

const makingOf = (needs: FlagFaceNeeds, { caller, at }: Call, nhsNumber: string): Making => ({
  nhsNumber,
  by: needs.authorOf(caller, at),
  newId: needs.newId,
})

async function added(needs: FlagFaceNeeds, call: Call, drafts: readonly FlagDraft[]) {
  const [first] = drafts
  const nhsNumber = first?.nhsNumber ?? ''
  if (drafts.some((draft) => draft.nhsNumber !== nhsNumber))
    throw refuseFlag(flagOutcomes.severalPatients, 'One patient')
  const patient = await needs.patients.toWrite(nhsNumber).catch((error: unknown) => {
    throw inWords(error, nhsNumber)
  })
  const made = await needs.store.change(
    patient.numbers,
    addFlags(makingOf(needs, call, nhsNumber), drafts),
    requestKey(call, 'add'),
  )
  return { patient, made, touched: made.map((item) => `${referenceOf(item)} version ${item.version}`) }
}

/** A repeat of a write is answered as the first one was (§17). */
const requestKey = ({ request, caller, at }: Call, operation: string): RequestKey => ({
  caller: callerKey(caller),
  operation,
  id: (headerOf(request, 'x-request-id') ?? '').toLowerCase(),
  at,
})

/** A refusal of the shared rules, in the words of this face. */
function inWords(error: unknown, number: string): unknown {
  if (!isSpineError(error) || !isOutcome(error.outcome) || !error.outcome.coding.system.includes('/STU3/')) return error
  return refusal(translated(error.outcome, number), error.explanation ?? '', error.detail ?? '')
}

function create(type: 'Flag' | 'Condition'): Work {
  return async (needs, call) => {
    const resource = bodyOf(call.request)
    if (resource['resourceType'] !== type)
      throw refuseFlag(flagOutcomes.invalidField(text(resource['resourceType']) ?? '', 'resourceType'), 'Resource type')
    const { patient, made, touched } = await added(needs, call, [draftIn(resource, '')])
    const item = made[0] as Item
    return {
      status: 201,
      resource: flagResource(item, patient),
      headers: {
        location: `${call.base}/${referenceOf(item)}`,
        etag: `W/"${item.version}"`,
        'last-modified': new Date(changedAt(item)).toUTCString(),
      },
      nhsNumber: patient.nhsNumber,
      touched,
    }
  }
}

async function transaction(needs: FlagFaceNeeds, call: Call): Promise<Answer> {
  const body = bodyOf(call.request)
  if (body['resourceType'] !== 'Bundle')
    throw refuseFlag(flagOutcomes.invalidField(text(body['resourceType']) ?? '', 'resourceType'), 'Bundle')
  if (body['type'] !== 'transaction')
    throw refuseFlag(flagOutcomes.invalidField(text(body['type']) ?? '', 'type'), 'Transaction')
  const entries = items(body['entry'])
  if (entries.length === 0) throw refuseFlag(flagOutcomes.missingValue('entry'), 'Entries')
  if (entries.length > mostEntries)
    throw refuseFlag(flagOutcomes.unreadable(`A transaction has at most ${mostEntries} entries`), 'Entries')
  const drafts = entries.map(({ resource, request }, at) => {
    const [asked] = items(request)
    const [given] = items(resource)
    if (given === undefined) throw refuseFlag(flagOutcomes.missingValue(`entry/${at}/resource`), 'Entries')
    const method = text(asked?.['method'])
    if (method === undefined) throw refuseFlag(flagOutcomes.missingValue(`entry/${at}/request/method`), 'Entries')
    if (method !== 'POST') throw refuseFlag(flagOutcomes.invalidField(method, `entry/${at}/request/method`), 'Entries')
    const url = text(asked?.['url']) ?? ''
    if (!url.split('/').includes(String(given['resourceType'])))
      throw refuseFlag(flagOutcomes.invalidField(url, `entry/${at}/request/url`), 'Entries')
    return draftIn(given, `entry/${at}/resource`)
  })
  const { patient, made, touched } = await added(needs, call, drafts)
  return { status: 200, resource: transactionResponse(made, needs.newId()), nhsNumber: patient.nhsNumber, touched }
}

const done = {
  resourceType: 'OperationOutcome',
  issue: [{ severity: 'information', code: 'informational', details: { text: 'OK' } }],
} as unknown as Resource

const removalBy = (request: FastifyRequest): Removal | undefined => {
  const reason = headerOf(request, 'x-removal')
  return reason === undefined ? undefined : { reason: reason.slice(0, 255) }
}

async function removeKinds(needs: FlagFaceNeeds, call: Call): Promise<Answer> {
  const { request, query } = call
  const code = query.find(([name]) => name === 'code')?.[1]
  const flag = code === undefined ? undefined : patientFlagOf(code.split('|').at(-1))
  const { nhsNumber, numbers } = await patientIn(needs, query)
  if (code !== undefined && flag === undefined) throw refuseFlag(flagOutcomes.noFlag, 'Code')
  if (flag === 'child-protection-information-system-flag') throw refuseFlag(flagOutcomes.readOnly, 'Child protection')
  const removal = removalBy(request)
  if (removal === undefined) throw refuseFlag(flagOutcomes.missingHeader('x-removal'), 'Reason for removal')
  const asked = query.find(([name]) => name === 'patient')?.[1]
  if (asked !== nhsNumber) throw refuseFlag(flagOutcomes.superseded, 'Patient was not merged')
  // All of them but what is read only.
  const kinds: readonly Kind[] = flag === undefined ? ['record', 'fgm'] : [patientFlags[flag].kind]
  const count = await needs.store.change(
    numbers,
    removeFlags(makingOf(needs, call, nhsNumber), kinds, removal),
    requestKey(call, `remove ${kinds.join()}`),
  )
  return { status: 200, resource: done, nhsNumber, touched: [`${count} resources removed`] }
}

function removeOne(kinds: readonly Kind[]): Work {
  return async (needs, call, id) => {
    const [nhsNumber = '', uuid = ''] = id.split('.')
    if (!isNhsNumber(nhsNumber) || !isUuid(uuid)) throw refuseFlag(flagOutcomes.noResource, 'Resource is there')
    const { numbers } = await needs.patients.toWrite(nhsNumber)
    const all = await needs.store.all(numbers)
    const top = all.find((item) => item.id === uuid && item.active && topCodeOf(item) !== undefined)
    if (top?.kind === 'child-protection') throw refuseFlag(flagOutcomes.readOnly, 'Child protection')
    const making = makingOf(needs, call, nhsNumber)
    const removal = removalBy(call.request)
    if (top !== undefined && kinds.includes('adjustment')) {
      if (removal === undefined) throw refuseFlag(flagOutcomes.missingHeader('x-removal'), 'Reason for removal')
      await needs.store.change(numbers, removeFlags(making, [top.kind], removal), requestKey(call, `remove ${id}`))
      return { status: 200, resource: done, nhsNumber, touched: [`Flag ${wireId(top)} removed`] }
    }
    const gone = await needs.store.change(
      numbers,
      removeSupporting(making, kinds, uuid.toLowerCase(), removal),
      requestKey(call, `remove ${id}`),
    )
    return { status: 200, resource: done, nhsNumber, touched: [`${referenceOf(gone)} removed`] }
  }
}

/** The answer to whatever was thrown. */
function failed(needs: FlagFaceNeeds, thrown: unknown, number: string): Answer {
  const error = inWords(thrown, number)
  const said = (outcome: FhirOutcome): Answer => ({
    status: outcome.status,
    resource: outcomeResource(outcome),
    outcome,
  })
  if (isSpineError(error) && error.code.startsWith('ADJUSTMENTS_') && isOutcome(error.outcome))
    return {
      ...said(error.outcome),
      ...(error.detail && { check: error.detail }),
      ...(error.explanation && { because: error.explanation }),
    }
  if (isSpineError(error) && error.code === 'GATEWAY_BUSY') {
    const outcome = flagOutcomes.unsupportedService('Try again in a moment')
    return { ...said({ ...outcome, status: 503 }), headers: { 'retry-after': '5' } }
  }
  if (error instanceof Error && 'statusCode' in error && Number(error.statusCode) < 500) {
    const outcome = flagOutcomes.unreadable('The request cannot be read within the limits of this server')
    return said({ ...outcome, status: Number(error.statusCode) })
  }
  const id = needs.messageId()
  needs.log.error({ err: error, messageId: id }, 'Patient Flags: a request failed')
  const diagnostics = `An unknown error occurred processing this request. Contact us for assistance diagnosing this issue: https://digital.nhs.uk/developer/help-and-support. (Message ID: ${id})`
  const { coding } = flagOutcomes.noFlag
  return said({
    status: 500,
    severity: 'error',
    issue: 'unknown',
    coding: { ...coding, code: 'UNKNOWN_ERROR', display: 'Unknown Error' },
    diagnostics,
  })
}

function send(reply: FastifyReply, { status, resource, headers = {}, platform }: Answer): FastifyReply {
  reply.code(status).headers(headers).header('cache-control', 'no-store')
  if (platform !== undefined) return reply.header('content-type', platform.contentType).send(Buffer.from(platform.body))
  // As bytes: the framework would add a charset to the media type of a text.
  return reply
    .header('content-type', 'application/fhir+json')
    .send(Buffer.from(resource === undefined ? '' : r4.toJson(resource)))
}
