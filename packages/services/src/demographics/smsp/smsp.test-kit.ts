/** Requests as clients of the Mini Services write them, and the services to send them to. */
import assert from 'node:assert/strict'
import type { Peer } from '@openspine/platform/doors'
import { makeLog } from '@openspine/platform/log'
import { hl7, oid, one, valueAt, writeIi } from '@openspine/standards/hl7v3'
import { readDistributionEnvelope, writeDistributionEnvelope } from '@openspine/standards/itk'
import {
  noAddressing,
  readAddressing,
  readEnvelope,
  writeAddressing,
  writeEnvelope,
  writeSecurity,
} from '@openspine/standards/soap'
import type { XmlElement } from '@openspine/standards/xml'
import { fastify } from 'fastify'
import { peerFqdn, validPeer, workedCases } from '../worked.test-kit.ts'
import { type MiniSettled, smspFace } from './face.ts'
import { actionOf, type Operation } from './operations.ts'

export const now = Date.parse('2026-11-26T01:02:03Z')
export const asid = '200000100000'

const text = (value: string) => hl7('semanticsText', {}, value)
const items: Readonly<Record<string, (value: string) => XmlElement>> = {
  DateOfBirth: (value) => hl7('Person.DateOfBirth', {}, hl7('value', { value }), text('Person.DateOfBirth')),
  Gender: (code) => hl7('Person.Gender', {}, hl7('value', { code, codeSystem: oid.sex }), text('Person.Gender')),
  NHSNumber: (extension) =>
    hl7('Person.NHSNumber', {}, writeIi('value', { root: oid.nhsNumber, extension }), text('Person.NHSNumber')),
  OldNumber: (extension) =>
    hl7(
      'Person.NHSNumber',
      {},
      writeIi('value', { root: '2.16.840.1.113883.2.1.3.2.4.1', extension }),
      text('Person.NHSNumber'),
    ),
  Family: (family) =>
    hl7('Person.Name', {}, hl7('value', {}, hl7('given', {}), hl7('family', {}, family)), text('Person.Name')),
  Postcode: (code) =>
    hl7('Person.Postcode', {}, hl7('value', {}, hl7('postalCode', {}, code)), text('Person.Postcode')),
}

export type Said = Partial<Record<'DateOfBirth' | 'Gender' | 'NHSNumber' | 'OldNumber' | 'Family' | 'Postcode', string>>

export interface Options {
  readonly spoil?: (document: string) => string
  readonly asid?: string
  readonly expires?: string
}

/** A request that keeps every rule, as text; `spoil` changes the text. */
export function request(operation: Operation, said: Said, options: Options = {}): string {
  const name = operation === 'getPatientDetails' ? 'getPatientDetails-v1-0' : `${operation}Request-v1-0`
  const payload = hl7(
    name,
    { moodCode: 'EVN', classCode: 'CACT' },
    writeIi('id', { root: '3E25ACE2-23F8-4A37-B446-6A37F31BF77C' }),
    hl7('code', { codeSystem: oid.miniServiceMessage, code: `${operation}Request-v1-0` }),
    hl7('queryEvent', {}, ...Object.entries(said).map(([item, value]) => (items[item] ?? assert.fail(item))(value))),
  )
  const document = writeEnvelope({
    headers: [
      ...writeAddressing(
        {
          ...noAddressing,
          messageId: ['B72F7785-534C-11E6-ADCA-29C651A3BE6F'],
          action: [actionOf(operation)],
          to: ['https://spine.example/smsp/pds'],
          from: ['10.1.2.3'],
        },
        '2005/08',
      ),
      writeSecurity({
        created: '2026-11-26T01:00:00Z',
        expires: options.expires ?? '2026-11-26T01:10:00Z',
        username: 'Invented client',
        timestampId: 'D6CD5232-14CF-11DF-9423-1F9A910D4703',
      }),
    ],
    body: [
      writeDistributionEnvelope({
        service: actionOf(operation),
        trackingId: 'B72F9E96-534C-11E6-ADCA-29C651A3BE6F',
        addresses: [],
        auditIdentities: [{ type: oid.asid, uri: options.asid ?? asid }],
        manifest: [
          {
            id: 'uuid_808A9678-49B2-498B-AD75-1D7A0F1262D7',
            mimetype: 'text/xml',
            profileid: `urn:nhs-en:profile:${operation}Request-v1-0`,
          },
        ],
        sender: { uri: 'urn:nhs-uk:addressing:ods:X26' },
        handling: [],
        payloads: [{ id: 'uuid_808A9678-49B2-498B-AD75-1D7A0F1262D7', content: [payload] }],
      }),
    ],
  })
  return options.spoil === undefined ? document : options.spoil(document)
}

/** The Mini Services over the worked people in memory. */
export function service(
  about: { readonly peer?: Peer; readonly broken?: boolean; readonly timestamps?: 'in-time' | 'ignored' } = {},
) {
  const events: MiniSettled[] = []
  const app = fastify()
  app.decorateRequest('peer', { getter: () => about.peer ?? validPeer })
  const system = (fqdn: string, interactions: readonly string[]) => ({
    asid,
    odsCode: 'X26',
    partyKey: 'X26-850000',
    interactions: new Set(interactions.map((name) => `urn:nhs:names:services:pds-simple:${name}`)),
    fqdns: new Set([fqdn]),
  })
  const registered = [
    'getNHSNumberRequest-v1-0',
    'getPatientDetails-v1-0',
    'getPatientDetailsByNHSNumberRequest-v1-0',
    'getPatientDetailsBySearchRequest-v1-0',
    'verifyNHSNumberRequest-v1',
  ]
  const systems = new Map([
    [asid, system(peerFqdn, registered)],
    ['200000100888', system('other.example', registered)],
    ['200000100777', system(peerFqdn, [])],
  ])
  let ids = 0
  void app.register(
    smspFace({
      ...workedCases(about),
      path: '/smsp/pds',
      timestamps: about.timestamps ?? 'in-time',
      diagnostics: true,
      clock: { now: () => now } as never,
      random: { uuid: () => `aaaaaaaa-0000-4000-8000-${String(ids++).padStart(12, '0')}` } as never,
      log: makeLog({ level: 'silent', environment: 'test' }),
      directory: () => ({
        accreditedSystem: (id) => systems.get(id),
        organisation: (odsCode) =>
          odsCode === 'A20047' ? { odsCode, name: 'TESTHAM SURGERY', open: true, type: 'PR' } : undefined,
      }),
      async settled(event) {
        events.push(event)
      },
    }),
  )
  return {
    events,
    async post(body: string, soapaction: string | undefined) {
      const response = await app.inject({
        method: 'POST',
        url: '/smsp/pds',
        headers: { 'content-type': 'text/xml', ...(soapaction === undefined ? {} : { soapaction }) },
        payload: body,
      })
      return { status: response.statusCode, headers: response.headers, body: response.body }
    },
    async ask(operation: Operation, said: Said, options?: Options) {
      return this.post(request(operation, said, options), actionOf(operation))
    },
  }
}

/** A reply taken apart. */
export function taken(body: string) {
  const { headers = [], body: entries } = readEnvelope(body)
  const [root] = entries
  assert.ok(root, body)
  const distribution = readDistributionEnvelope(root)
  const [payload] = distribution.payloads[0]?.content ?? []
  assert.ok(payload !== undefined && typeof payload !== 'string')
  return {
    addressing: readAddressing(headers, '2005/08'),
    distribution,
    payload,
    code: valueAt(one(payload, 'value'), 'code'),
    number: valueAt(one(payload, 'subject/patient/id'), 'extension'),
  }
}
