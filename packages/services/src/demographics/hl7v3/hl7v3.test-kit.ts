/** Requests as client systems write them, and a face to send them to. */
import assert from 'node:assert/strict'
import type { Peer } from '@openspine/platform/doors'
import { makeLog } from '@openspine/platform/log'
import {
  type Ivl,
  noParameters,
  noUpdate,
  oid,
  type PdsUpdate,
  type QueryParameters,
  readPdsRegistered,
  readPdsSubject,
  readPdsUpdated,
  readTransmission,
  type SenderStyle,
  writeCommunicationFunction,
  writePdsUpdate,
  writeQuery,
  writeTransmission,
} from '@openspine/standards/hl7v3'
import {
  noAddressing,
  readAddressing,
  readEnvelope,
  readErrorList,
  readFault,
  writeAddressing,
  writeEnvelope,
} from '@openspine/standards/soap'
import { elementsOf, parseXml, type XmlElement } from '@openspine/standards/xml'
import { fastify } from 'fastify'
import type { AccreditedSystem, Directory } from '../../directory/contract.ts'
import type { PersonRecord } from '../contract.ts'
import { peerFqdn, validPeer, workedCases } from '../worked.test-kit.ts'
import { structureFaults } from './answer-structure.test-kit.ts'
import { hl7v3Face, type SyncSettled } from './face.ts'
import { actionOf, changes, interactions, type QueryKind, registeredAs } from './interactions.ts'

export const consumer = '200000100000'
export const spine = '200000099999'
export const requestId = '0A1B2C3D-0000-4000-8000-000000000001'
export const messageRef = '0A1B2C3D-0000-4000-8000-00000000000A'

const everyInteraction = new Set([...interactions, ...changes].map(({ request }) => registeredAs(request)))
const system = (asid: string, about: Partial<AccreditedSystem> = {}): AccreditedSystem => ({
  asid,
  odsCode: 'X26',
  partyKey: 'X26-850000',
  interactions: everyInteraction,
  fqdns: new Set([peerFqdn]),
  ...about,
})

/** Systems of the directory: one that may nothing, one with another certificate. */
export const systems = new Map([
  [consumer, system(consumer)],
  [spine, system(spine, { odsCode: 'YES', fqdns: new Set(['spine.example']) })],
  ['200000100777', system('200000100777', { interactions: new Set() })],
  ['200000100888', system('200000100888', { fqdns: new Set(['other.example']) })],
])

/** What the services know of them. */
export const directory = {
  accreditedSystem: (asid: string) => systems.get(asid),
  organisation: () => undefined,
} as unknown as ReturnType<Directory['snapshot']>

export const at = (value: string): Ivl => ({ value, bounds: [] })
export const named = (family: string, ...given: string[]) => ({
  use: 'L',
  prefix: [],
  given,
  family: [family],
  suffix: [],
})
export const number = (extension: string, root: string = oid.nhsNumber) => ({ root, extension })
export const indicator = (code: string) => ({ code, codeSystem: oid.historicDataIndicator })

/** A query of each kind that keeps its rules and finds Arlo Testcase. */
export const sound: Readonly<Record<QueryKind, Partial<QueryParameters>>> = {
  'simple trace': { birthTime: [at('19800229')], personName: [named('Testcase')], gender: [{ code: '1' }] },
  'advanced trace': {
    historicDataIndicator: [indicator('0')],
    birthTime: [at('19800229')],
    personName: [named('Testcase', 'Arlo')],
    searchParameter: [{ code: '1', codeSystem: oid.searchParameter }],
  },
  'batch trace': { birthTime: [at('19800229')], personId: [number('9990548609')] },
  retrieval: {
    historicDataIndicator: [indicator('0')],
    personId: [number('9990548609')],
    retrievalItem: ['person.allData'],
  },
  'cross-check': { birthTime: [at('19800229')], personId: [number('9990548609')] },
  confirmation: { personId: [number('9990548609')] },
}

/** How a request differs from the usual one. */
export interface RequestOptions {
  readonly style?: SenderStyle
  readonly spoil?: (document: string) => string
  readonly sender?: string
  readonly receiver?: string
  /** UUID of the SOAP message. */
  readonly id?: string
}

/** A query that keeps every rule, as text; `spoil` changes the text. */
export const request = (interaction: string, parameters: Partial<QueryParameters>, options: RequestOptions = {}) =>
  message(interaction, writeQuery({ ...noParameters, ...parameters }, options.style ?? 'schema'), options)

/** An update of a version of a record, as text. */
export const updateRequest = (
  about: { readonly number: string; readonly version: string },
  updated: Partial<PdsUpdate>,
  options: RequestOptions & { readonly interaction?: string } = {},
) =>
  message(
    options.interaction ?? 'PRPA_IN000203UK03',
    writePdsUpdate(
      {
        ...noUpdate,
        modes: [{ code: '1', codeSystem: oid.updateMode }],
        serialChangeNumbers: [{ code: { code: '2', codeSystem: oid.pdsObservation }, value: about.version }],
        patients: 1,
        ids: [{ root: oid.nhsNumber, extension: about.number }],
        ...updated,
      },
      options.interaction?.startsWith('PRPA_IN000204') ? 'PdsNhaisUpdateRequest' : 'PdsUpdateRequest',
    ),
    options,
  )

/** A message of any kind around its content, as text. */
export function message(interaction: string, content: XmlElement, options: RequestOptions = {}): string {
  const { sender = consumer, receiver = spine } = options
  const payload = writeTransmission({
    interaction,
    id: messageRef,
    creationTime: '20240201093000',
    versionCode: 'V3NPfIT4.2.00',
    processingCode: 'P',
    processingModeCode: 'T',
    acceptAckCode: 'NE',
    receiver,
    sender,
    controlAct: {
      author: { roleProfile: '555000000001', user: '555000000002', jobRole: 'S0030:G0100:R0570' },
      systems: [{ root: oid.asid, extension: sender }],
      reasons: [],
      content: [content],
    },
  })
  const addressing = writeAddressing(
    {
      ...noAddressing,
      messageId: [`uuid:${options.id ?? requestId}`],
      action: [actionOf(interaction)],
      to: ['https://spine.example/sync-service'],
      from: ['10.1.2.3'],
    },
    '2004/08',
  )
  const document = writeEnvelope({
    headers: [...addressing, writeCommunicationFunction('Rcv', receiver), writeCommunicationFunction('Snd', sender)],
    body: [payload],
  })
  return options.spoil === undefined ? document : options.spoil(document)
}

/** Registering is tested on a store: nobody is registered in memory. */
const registersNobody = () => {
  throw new Error('nobody is registered here')
}

/** The face over the worked people in memory. */
export function face(
  about: {
    readonly peer?: () => Peer
    readonly broken?: boolean
    /** Beside the worked people. */
    readonly people?: readonly PersonRecord[]
    /** No more people may be registered in this second. */
    readonly full?: boolean
  } = {},
) {
  const cases = workedCases(about)
  const events: SyncSettled[] = []
  const app = fastify()
  app.decorateRequest('peer', {
    getter: () => about.peer?.() ?? validPeer,
  })
  void app.register(
    hl7v3Face({
      paths: ['/sync-service'],
      from: 'https://pdsquery.national.ncrs.nhs.uk/syncservice',
      diagnostics: true,
      clock: { now: () => Date.parse('2026-11-26T01:02:03Z') } as never,
      random: { uuid: () => 'aaaaaaaa-0000-4000-8000-00000000000b' } as never,
      log: makeLog({ level: 'silent', environment: 'test' }),
      directory: () => ({ accreditedSystem: (asid) => systems.get(asid) }),
      ...cases,
      create: registersNobody,
      birth: registersNobody,
      mayRegister: () => about.full !== true,
      async settled(event) {
        events.push(event)
      },
    }),
  )
  return {
    app,
    events,
    async post(body: string, headers: Readonly<Record<string, string>> = {}) {
      const response = await app.inject({
        method: 'POST',
        url: '/sync-service',
        headers: { 'content-type': 'text/xml', ...headers },
        payload: body,
      })
      return { status: response.statusCode, headers: response.headers, body: response.body }
    },
    /** Sends a query under its own SOAPAction. */
    async ask(interaction: string, parameters: Partial<QueryParameters>, options?: RequestOptions) {
      return this.post(request(interaction, parameters, options), { soapaction: `"${actionOf(interaction)}"` })
    },
    /** Sends an update. */
    async change(...[about, updated, options]: Parameters<typeof updateRequest>) {
      const action = actionOf(options?.interaction ?? 'PRPA_IN000203UK03')
      return this.post(updateRequest(about, updated, options), { soapaction: `"${action}"` })
    },
    retrieve: cases.retrieve,
  }
}

/** A reply taken apart; it must keep the rules of its structure, whatever it is. */
export function reply(body: string) {
  assert.deepEqual(structureFaults(parseXml(body)), [], body)
  const envelope = readEnvelope(body)
  const fault = readFault(envelope)
  if (fault !== undefined) return { fault, errors: readErrorList(fault) }
  const [first] = envelope.body
  if (first === undefined) throw new Error('an empty body')
  // Replies to updates stand in the body itself.
  const wrapped = !/_IN\d/.test(first.name)
  const [payload, ...more] = wrapped ? elementsOf(first) : [first]
  if (payload === undefined || more.length > 0) throw new Error('the wrapper holds one message')
  const transmission = readTransmission(payload)
  const subject = transmission.controlAct.content.find(({ name }) => name === 'subject')
  return {
    envelope,
    addressing: readAddressing(envelope.headers ?? [], '2004/08'),
    wrapper: wrapped ? first.name : undefined,
    transmission,
    version: subject && readPdsUpdated(subject),
    registered: subject && readPdsRegistered(subject),
    people: subject === undefined ? [] : readPdsSubject(subject),
    reasons: transmission.controlAct.reasons.map(({ code, displayName, qualifiers }) => [
      code,
      displayName,
      qualifiers?.[0]?.code,
    ]),
  }
}
