/** What tests of the service stand on: its face without sockets, a real gateway, a directory and people in memory. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { makeMetrics } from '@openspine/platform/metrics'
import type { Store } from '@openspine/platform/store'
import { manualClock, testPlatform } from '@openspine/platform/testing'
import { describing, readDescription } from '@openspine/platform/testing/openapi'
import { r4 } from '@openspine/standards/fhir/r4'
import { fastify, type InjectOptions } from 'fastify'
import type { AccessControl } from '../access-control/contract.ts'
import type { ApplicationFacts, Grant } from '../gateway/contract.ts'
import { gateway, gatewayConfig } from '../gateway/service.ts'
import { accessToken, peopleInMemory, snapshotWith } from '../testing.ts'
import { summaryCareRecord, summaryCareRecordConfig } from './service.ts'

export { numbers, nurse, roleId } from '../testing.ts'

export const base = '/summary-care-record/FHIR/R4'
export const description = readDescription(new URL('./openapi.yaml', import.meta.url))
const { describedAs } = describing(description)
const fhir = { 'content-type': 'application/fhir+json' }

export interface Asked {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD' | 'OPTIONS'
  /** Below the base. */
  readonly url: string
  readonly headers?: Readonly<Record<string, string | undefined>>
  readonly body?: unknown
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came
  json(): any
}

/** A running service, whose every answer is held against `openapi.yaml`. `store` stays the caller's to close. */
export async function startScr(
  about: {
    readonly store?: Store
    readonly profile?: 'sandbox' | 'strict'
    readonly config?: Readonly<Record<string, unknown>>
    /** Access rules; absent: nobody is asked. */
    readonly access?: Pick<AccessControl, 'decide'>
  } = {},
) {
  const { profile = 'sandbox' } = about
  const clock = manualClock('2026-11-26T12:00:00Z')
  const platform = await testPlatform({ clock, profile, ...(about.store && { store: about.store }) })
  const theGateway = gateway({
    platform: { ...platform, metrics: makeMetrics() },
    config: gatewayConfig.parse({ spikePerSecond: 1000, quotaPerMinute: 10_000 }),
    ...(about.access && { access: about.access }),
  })
  const people = peopleInMemory()
  const service = summaryCareRecord({
    platform,
    config: summaryCareRecordConfig.parse({ ...about.config }),
    directory: { snapshot: () => snapshotWith([]) },
    demographics: people,
    gateway: theGateway.contract,
  })
  for (const each of [theGateway, service]) await platform.store.migrate(each.name, each.migrations ?? {})
  await theGateway.start?.()
  const app = fastify()
  if (service.routes?.api) await app.register(service.routes.api)

  async function ask(asked: Asked): Promise<Answer> {
    const { method = 'GET', url, headers = {}, body } = asked
    const sent = Object.fromEntries(
      Object.entries({ 'x-request-id': randomUUID(), ...(body === undefined ? {} : fhir), ...headers }).flatMap(
        ([name, value]) => (value === undefined ? [] : [[name, value]]),
      ),
    )
    const payload = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body)
    const response = await app.inject({
      method,
      url: base + url,
      headers: sent,
      ...(body === undefined ? {} : { payload }),
    } as InjectOptions)
    const answer = {
      status: response.statusCode,
      headers: response.headers,
      text: response.body,
      json: () => JSON.parse(response.body),
    }
    describedAs({ method, path: url }, { ...answer, body: answer.text })
    return answer
  }

  return {
    ask,
    /** A worker's token, of an application with these facts. */
    token: (facts: Pick<ApplicationFacts, 'asid' | 'settings'> = {}, more: Partial<Grant> = {}) =>
      accessToken(theGateway.contract, { api: 'summary-care-record', profile, facts }, more),
    clock,
    people,
    platform,
    contract: service.contract,
    async close() {
      await app.close()
      await theGateway.stop?.(100)
      await platform.close()
    },
  }
}

const nhsNumberSystem = 'https://fhir.nhs.uk/Id/nhs-number'
export const patient = (nhsNumber: string) => `${nhsNumberSystem}|${nhsNumber}`
/** Query of the search for the latest summary, and of its retrieval. */
export const searching = (nhsNumber: string) =>
  `/DocumentReference?patient=${patient(nhsNumber)}&type=http://snomed.info/sct|196981000000101&_sort=date&_count=1`
export const retrieving = (nhsNumber: string, id: string) =>
  `/Bundle?composition.identifier=${id}&composition.subject:Patient.identifier=${patient(nhsNumber)}`

/** Resources as published examples have them. */
export const sent = {
  summary(nhsNumber: string, { id = randomUUID().toUpperCase(), replaces }: { id?: string; replaces?: string } = {}) {
    const subject = '565B3BEF-9A19-4763-8887-9F7CB75995E3'
    const uuid = (value: string) => ({ system: 'https://tools.ietf.org/html/rfc4122', value })
    const snomed = (code: string, display: string) => ({
      coding: [{ system: 'http://snomed.info/sct', code, display }],
    })
    const entry = (resource: { resourceType: string; id: string }) => ({
      fullUrl: `https://api.service.nhs.uk/summary-care-record/FHIR/R4/${resource.resourceType}/${resource.id}`,
      resource,
    })
    const composition = {
      resourceType: 'Composition',
      id,
      meta: { lastUpdated: '2026-11-26T11:00:00+00:00' },
      identifier: uuid(id),
      status: 'final',
      type: snomed('196981000000101', 'General Practice Summary'),
      category: [snomed('163171000000105', 'Care Professional Documentation')],
      subject: { reference: `Patient/${subject}` },
      date: '2026-11-26T11:00:00+00:00',
      author: [{ reference: 'PractitionerRole/C89A53D3-E063-4023-B89C-1A105ABAABB7' }],
      title: 'General Practice Summary',
      ...(replaces === undefined ? {} : { relatesTo: [{ code: 'replaces', targetIdentifier: { value: replaces } }] }),
      section: [
        {
          title: 'Allergies and Adverse Reactions',
          code: { coding: [{ code: 'AllergiesHeader' }] },
          text: {
            status: 'generated',
            div: '<div xmlns="http://www.w3.org/1999/xhtml"><p>Invented: none known</p></div>',
          },
        },
      ],
    }
    return {
      resourceType: 'Bundle',
      id: randomUUID().toUpperCase(),
      identifier: uuid(randomUUID().toUpperCase()),
      type: 'document',
      timestamp: '2026-11-26T11:00:00+00:00',
      entry: [
        entry(composition),
        entry({
          resourceType: 'PractitionerRole',
          id: 'C89A53D3-E063-4023-B89C-1A105ABAABB7',
          ...{ identifier: [{ system: 'https://fhir.nhs.uk/Id/sds-role-profile-id', value: '555110000001' }] },
        }),
        entry({
          resourceType: 'Patient',
          id: subject,
          ...{ identifier: [{ system: nhsNumberSystem, value: nhsNumber }] },
        }),
      ],
    }
  },
  permission: (nhsNumber: string, code: string) => ({
    resourceType: 'Parameters',
    parameter: [
      {
        name: 'setPermissions',
        part: [
          { name: 'nhsNumber', valueString: nhsNumber },
          {
            name: 'permissionCode',
            valueCoding: { system: 'https://fhir.nhs.uk/CodeSystem/SCR-ACSPermission', code },
          },
        ],
      },
    ],
  }),
  alert(nhsNumber: string, more: object = {}) {
    const who = (system: string, value: string) => ({
      who: { identifier: { system: `https://fhir.nhs.uk/Id/${system}`, value } },
      requestor: false,
    })
    return {
      resourceType: 'AuditEvent',
      id: 'example',
      extension: [
        {
          url: 'https://fhir.nhs.uk/StructureDefinition/Extension-SCR-NotificationMessage',
          valueString: 'Viewed without permission: the patient was unconscious',
        },
      ],
      type: {
        system: 'http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle',
        code: 'access',
        display: 'Access/View Record Lifecycle Event',
      },
      subtype: [
        {
          system: 'https://fhir.nhs.uk/CodeSystem/SCR-AlertReason',
          code: '1',
          display: 'Access made in the public interest',
        },
      ],
      recorded: '2026-11-26T11:30:00+00:00',
      agent: [
        who('nhs-number', nhsNumber),
        who('ods-organization-code', 'X26'),
        { ...who('sds-user-id', '555100000001'), role: [{ text: 'Nurse' }] },
      ],
      source: {
        observer: { identifier: { system: 'https://fhir.nhs.uk/Id/nhsSpineASID', value: '200000100000' } },
      },
      entity: [{ what: { identifier: { value: '1C03CF4F-D404-4D76-B192-4F81727059F6' } } }],
      ...more,
    }
  },
}

/** Asserts a refusal: status, code of the one issue, `details.text`. */
export function isRefusal(answer: Answer, status: number, issue: string, text?: string | RegExp): void {
  assert.equal(answer.status, status, answer.text)
  assert.equal(answer.headers['content-type'], 'application/fhir+json')
  const outcome = answer.json()
  assert.deepEqual([outcome.resourceType, outcome.issue.length], ['OperationOutcome', 1])
  const [{ severity, code, details }] = outcome.issue
  assert.deepEqual([severity, code], ['error', issue])
  if (typeof text === 'string') assert.equal(details.text, text)
  else if (text !== undefined) assert.match(details.text, text)
  assert.deepEqual(r4.check(outcome), [])
}
