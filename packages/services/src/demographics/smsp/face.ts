import type { Clock, Random } from '@openspine/platform/clock'
import type { Logger } from '@openspine/platform/log'
import { toolkitErrors, writeToolkitError } from '@openspine/standards/itk'
import { noAddressing, readSoapAction, writeAddressing, writeFault } from '@openspine/standards/soap'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { DirectorySnapshot } from '../../directory/contract.ts'
import type { Access } from '../access.ts'
import { bodyOf, brief, headerOf, logFault, type SoapAnswer, soapRoutes } from '../spine-http.ts'
import type { UseCases } from '../use-cases.ts'
import { faultChecks, MiniCall, type MiniCheck, requestChecks } from './checks.ts'
import type { MiniCode } from './outcomes.ts'
import { miniStyle, writeMiniReply } from './reply.ts'
import { type MiniResult, runMini } from './run.ts'

/** What the Mini Services stand on. */
export interface SmspDependencies extends UseCases {
  readonly path: string
  /** Whether a time stamp that has expired is refused. */
  readonly timestamps: 'in-time' | 'ignored'
  /** Whether replies name the check that failed in a header of ours. */
  readonly diagnostics: boolean
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  directory(): Pick<DirectorySnapshot, 'accreditedSystem' | 'organisation'>
  /** Called once for each request, before it is answered; a rejection fails the request. */
  settled(event: MiniSettled): Promise<void>
}

/** One finished request, for audit and metrics. */
export interface MiniSettled {
  readonly at: number
  readonly operation: string
  readonly messageId: string | undefined
  readonly sender: string | undefined
  readonly odsCode: string | undefined
  readonly peer: string | undefined
  readonly user: string | undefined
  readonly identity: string | undefined
  readonly status: number
  readonly code: string
  readonly asked: string | undefined
  readonly shown: readonly string[]
}

interface Answer extends SoapAnswer {
  readonly code: string
  readonly check?: { readonly name: string; readonly path?: string }
  readonly shown?: readonly string[]
}

/** The demographics Mini Services (§20), on the door `spine`. */
export const smspFace = (dependencies: SmspDependencies): FastifyPluginAsync =>
  soapRoutes({
    paths: [dependencies.path],
    log: dependencies.log,
    serve: (request, reply) => serve(dependencies, request, reply),
    unreadable: (status) =>
      faultAnswer(status >= 500 ? '2100' : '1000', dependencies.random.uuid().toUpperCase(), undefined, status),
  })

async function serve(dependencies: SmspDependencies, request: FastifyRequest, reply: FastifyReply): Promise<Answer> {
  const at = dependencies.clock.now()
  const call = new MiniCall({
    peer: request.peer,
    soapAction: readSoapAction(headerOf(request, 'soapaction')),
    body: bodyOf(request),
    directory: dependencies.directory(),
    now: at,
    timestamps: dependencies.timestamps,
  })
  const answer = await answerTo(dependencies, call)
  const { addressing, asid, system, peer, security, distribution } = call
  await dependencies.settled({
    at,
    operation: call.operation ?? 'none',
    messageId: brief(addressing.messageId[0]),
    sender: brief(asid),
    odsCode: system?.odsCode,
    peer: peer.state === 'none' ? undefined : peer.fqdn,
    user: brief(security?.username),
    identity: brief(distribution?.auditIdentities[0]?.uri),
    status: answer.status,
    code: answer.code,
    asked: brief(call.request?.number?.extension),
    shown: answer.shown ?? [],
  })
  const { check } = answer
  if (check !== undefined && dependencies.diagnostics)
    reply.header('x-openspine-rule', check.path === undefined ? check.name : `${check.name}; path=${check.path}`)
  return answer
}

async function answerTo(dependencies: SmspDependencies, call: MiniCall): Promise<Answer> {
  const uuid = () => dependencies.random.uuid().toUpperCase()
  const broken = faultChecks.find((check) => !check.holds(call))
  if (broken !== undefined) return faultAnswer(broken.outcome, uuid(), broken)
  const { operation, request } = call
  if (operation === undefined || request === undefined) throw new Error('the checks let through what they must not')
  const wrong = requestChecks.find((check) => check.of.has(operation) && !check.holds(request, operation))
  const result: MiniResult =
    wrong === undefined ? await resultOf(dependencies, call) : { code: wrong.outcome as Exclude<MiniCode, 'SMSP-0000'> }
  const directory = dependencies.directory()
  return {
    status: 200,
    code: result.code,
    body: writeMiniReply(result, {
      operation,
      messageId: uuid(),
      trackingId: uuid(),
      payloadId: uuid(),
      practiceName: (odsCode) => directory.organisation(odsCode)?.name,
    }),
    shown: result.code === 'SMSP-0000' ? [result.person.nhsNumber] : [],
    ...(wrong && { check: wrong }),
  }
}

/** What goes wrong with us is a code too: the store's connection 0003, anything else 9999. */
async function resultOf(dependencies: SmspDependencies, { operation, request, asid }: MiniCall): Promise<MiniResult> {
  if (operation === undefined || request === undefined) return { code: 'SMSP-0001' }
  const access: Access = {
    mode: 'application-restricted',
    app: { id: asid ?? 'smsp', ...(asid === undefined ? {} : { asid }), attributes: { emptyAddressLines: true } },
  }
  try {
    return await runMini(request, operation, access, dependencies)
  } catch (error) {
    logFault(dependencies.log, error)
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    return { code: /^(STORE_|ECONN|EPIPE|ETIMEDOUT|57P|08)/.test(code) ? 'SMSP-0003' : 'SMSP-9999' }
  }
}

function faultAnswer(code: keyof typeof toolkitErrors, id: string, check?: MiniCheck, status = 500): Answer {
  const ours = code.startsWith('2')
  const headers = writeAddressing(
    { ...noAddressing, messageId: [id], action: ['http://www.w3.org/2005/08/addressing/soap/fault'] },
    '2005/08',
  )
  const error = { id, code, text: toolkitErrors[code], ...(check === undefined ? {} : { diagnostic: check.explains }) }
  const fault = {
    code: ours ? 'Server' : 'Client',
    string: `A ${ours ? 'server' : 'client'} related error has occurred, see detail element for further information`,
    detail: [writeToolkitError(error)],
  }
  return { status, code, body: writeFault(fault, miniStyle, headers), ...(check && { check }) }
}
