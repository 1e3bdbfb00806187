import type { Clock, Random } from '@openspine/platform/clock'
import type { Logger } from '@openspine/platform/log'
import { readSoapAction, writeFault } from '@openspine/standards/soap'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { DirectorySnapshot } from '../../directory/contract.ts'
import type { Access } from '../access.ts'
import { bodyOf, brief, headerOf, logFault, type SoapAnswer, soapRoutes } from '../spine-http.ts'
import { Call } from './call.ts'
import {
  changeWrapperChecks,
  firstFailed,
  type SyncCheck,
  transportChecks,
  usableRef,
  wrapperChecks,
} from './checks.ts'
import type { ChangeInteraction, QueryInteraction } from './interactions.ts'
import { findings } from './message-check.ts'
import { type FaultNumber, faultOf, type Issue } from './outcomes.ts'
import { queryChecks } from './query-checks.ts'
import { answerWith, changedWith, failWith, type ReplyTo, rejectWith } from './reply.ts'
import { type QueryCases, run } from './run.ts'
import { type ChangeCases, runChange } from './run-change.ts'

/** What the HL7 V3 face of PDS stands on. */
export interface Hl7V3Dependencies extends QueryCases, ChangeCases {
  /** Paths on the door `spine`. */
  readonly paths: readonly string[]
  /** wsa:From of replies. */
  readonly from: string
  /** Whether replies name the rule that failed in a header of ours. */
  readonly diagnostics: boolean
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  directory(): Pick<DirectorySnapshot, 'accreditedSystem'>
  /** Whether one more person may be registered now (§17). */
  mayRegister(now: number): boolean
  /** Called once for each request, before it is answered; a rejection fails the request. */
  settled(event: SyncSettled): Promise<void>
}

/** One finished request, for audit and metrics. */
export interface SyncSettled {
  readonly at: number
  /** Kind of query or of change, or `none`. */
  readonly operation: string
  readonly interaction: string | undefined
  readonly messageId: string | undefined
  readonly sender: string | undefined
  readonly receiver: string | undefined
  readonly odsCode: string | undefined
  readonly peer: string | undefined
  readonly user: string | undefined
  readonly role: string | undefined
  readonly status: number
  /** `AA`, `AE`, `AR` or `fault`. */
  readonly outcome: string
  /** Names of rules, or codes of issues. */
  readonly codes: readonly string[]
  readonly asked: string | undefined
  readonly shown: readonly string[]
}

interface Answer extends SoapAnswer {
  readonly outcome: SyncSettled['outcome']
  readonly codes: readonly string[]
  readonly check?: SyncCheck
  readonly shown?: readonly string[]
  readonly headers?: Readonly<Record<string, string>>
}

const fault = (number: FaultNumber, location: string, check?: SyncCheck, status = 500): Answer => ({
  status,
  outcome: 'fault',
  codes: [check?.name ?? String(number)],
  body: writeFault(faultOf(number, location, check?.name)),
  ...(check && { check }),
})

/** The synchronous queries, updates and registrations of PDS in HL7 V3 (§19), on the door `spine`. */
export const hl7v3Face = (dependencies: Hl7V3Dependencies): FastifyPluginAsync =>
  soapRoutes({
    paths: dependencies.paths,
    log: dependencies.log,
    serve: (request, reply) => serve(dependencies, request, reply),
    unreadable: (status) => (status >= 500 ? fault(200, 'Not Supported') : fault(201, 'Envelope', undefined, status)),
  })

async function serve(dependencies: Hl7V3Dependencies, request: FastifyRequest, reply: FastifyReply): Promise<Answer> {
  const at = dependencies.clock.now()
  const call = new Call({
    peer: request.peer,
    soapAction: readSoapAction(headerOf(request, 'soapaction')),
    body: bodyOf(request),
    directory: dependencies.directory(),
  })
  let answer: Answer
  try {
    answer = await answerTo(dependencies, call)
  } catch (error) {
    logFault(dependencies.log, error)
    answer = fault(200, 'Not Supported')
  }
  const { author, interaction, peer, addressing, sender, receiver, senderSystem } = call
  await dependencies.settled({
    at,
    operation: interaction?.kind ?? 'none',
    interaction: interaction?.request,
    messageId: brief(addressing.messageId[0]),
    sender: brief(sender),
    receiver: brief(receiver),
    odsCode: senderSystem?.odsCode,
    peer: peer.state === 'none' ? undefined : peer.fqdn,
    user: brief(author?.user),
    role: brief(author?.roleProfile),
    status: answer.status,
    outcome: answer.outcome,
    codes: answer.codes,
    asked: brief((call.parameters.personId[0] ?? call.update.ids[0])?.extension),
    shown: answer.shown ?? [],
  })
  const { check } = answer
  if (answer.headers) reply.headers(answer.headers)
  if (check !== undefined && dependencies.diagnostics)
    reply.header('x-openspine-rule', `${check.name}; path=${check.path}`)
  return answer
}

async function answerTo(dependencies: Hl7V3Dependencies, call: Call): Promise<Answer> {
  const broken = firstFailed(transportChecks, call)
  if (broken !== undefined) return refusal(broken)
  const { interaction, sender, receiver, addressing } = call
  if (interaction === undefined || sender === undefined || receiver === undefined)
    throw new Error('the checks of the transport let through what they must not')
  const to = {
    relatesTo: addressing.messageId[0] ?? '',
    replyTo: addressing.replyTo[0] || addressing.from[0] || '',
    messageRef: usableRef(call),
    requester: sender,
    spine: receiver,
    id: dependencies.random.uuid().toUpperCase(),
    now: dependencies.clock.now(),
    from: dependencies.from,
  }
  return interaction.wrapper === undefined
    ? changed(dependencies, call, { ...to, interaction })
    : queried(dependencies, call, { ...to, interaction })
}

const rejected = (to: ReplyTo, check: SyncCheck): Answer => ({
  status: 200,
  outcome: 'AR',
  codes: [check.name],
  body: rejectWith(to, check),
  check,
})

async function queried(dependencies: Hl7V3Dependencies, call: Call, to: ReplyTo<QueryInteraction>): Promise<Answer> {
  const unsound = firstFailed(wrapperChecks, call)
  if (unsound !== undefined) return rejected(to, unsound)
  const { kind } = to.interaction
  const { parameters } = call
  const { errors, warnings: remarks } = findings(queryChecks[kind], parameters)
  if (errors.length > 0) return failure(to, errors)
  const { people, issues } = await run(kind, parameters, accessOf(call), dependencies)
  if (people.length === 0) return failure(to, issues)
  const warnings = [...remarks, ...issues]
  return {
    status: 200,
    outcome: 'AA',
    codes: warnings.map(({ code }) => code),
    body: answerWith(to, people, warnings),
    shown: people.map(({ id }) => id.extension ?? ''),
  }
}

async function changed(dependencies: Hl7V3Dependencies, call: Call, to: ReplyTo<ChangeInteraction>): Promise<Answer> {
  const { kind } = to.interaction
  if ((kind === 'allocation' || kind === 'birth notification') && !dependencies.mayRegister(to.now))
    return {
      ...fault(200, 'Not Supported', undefined, 503),
      codes: ['TOO_MANY_REQUESTS'],
      headers: { 'retry-after': '1' },
    }
  const unsound = firstFailed(changeWrapperChecks, call)
  if (unsound !== undefined) return rejected(to, unsound)
  const { author, senderSystem } = call
  const result = await runChange(dependencies, kind, call, {
    access: accessOf(call),
    author: {
      mode: 'hl7v3',
      asid: to.requester,
      ...(senderSystem === undefined ? {} : { organisation: senderSystem.odsCode }),
      ...(author === undefined ? {} : { user: author.user, role: author.roleProfile }),
    },
    // A message that is sent again under its MessageID is the same one, and gets the same reply (§17).
    request: { caller: `hl7v3 ${to.requester}`, id: to.relatesTo.toLowerCase() },
    answer: (person, warnings) => ({
      status: 200,
      headers: {},
      body: changedWith(to, person, warnings),
      shown: person.nhsNumber,
    }),
  })
  if ('issues' in result) return { ...failure(to, result.issues), shown: result.matched }
  const { status, body, shown } = result.answer
  return { status, outcome: 'AA', codes: codesOf(result.warnings), body, shown: [shown ?? ''] }
}

/** Issues as the audit keeps them: names of rules, never values. */
const codesOf = (found: readonly Issue[]) => found.map(({ code, text, rule }) => rule ?? (code === '0' ? text : code))

const failure = (to: ReplyTo, issues: readonly Issue[]): Answer => ({
  status: 200,
  outcome: 'AE',
  codes: codesOf(issues),
  body: failWith(to, issues),
})

function refusal(check: SyncCheck): Answer {
  if (check.outcome === 'http')
    return { status: 400, outcome: 'fault', codes: [check.name], body: writeFault(faultOf(101, check.path)), check }
  if (check.outcome === 'rejected') throw new Error(`${check.name} is no check of the transport`)
  return fault(check.outcome, check.outcome === 101 ? 'HTTP Header - SOAPAction' : check.path, check)
}

/** Who asks: the person behind the message, or the system alone. What is withheld is the same for both. */
function accessOf({ author, sender, interaction }: Call): Access {
  const app = {
    id: sender ?? '',
    ...(sender === undefined ? {} : { asid: sender }),
    attributes: {
      emptyAddressLines: true,
      recordSharingConsent: true,
      // Who may send this message is NHAIS: the directory says so of each system (§10.3).
      ...(interaction?.kind === 'NHAIS update' ? { source: 'nhais' as const } : {}),
    },
  }
  return author === undefined
    ? { mode: 'application-restricted', app }
    : { mode: 'user-restricted', user: { id: author.user, selectedRole: author.roleProfile }, app }
}
