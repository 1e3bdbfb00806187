/** What tests of the service stand on: its faces without sockets, a real gateway, a directory and people in memory. */
import type { Peer } from '@openspine/platform/doors'
import { makeMetrics } from '@openspine/platform/metrics'
import type { Store } from '@openspine/platform/store'
import { manualClock, testPlatform } from '@openspine/platform/testing'
import { writeUnsecuredToken } from '@openspine/standards/jwt'
import { fastify } from 'fastify'
import type { ApplicationFacts, Grant } from '../gateway/contract.ts'
import { gateway, gatewayConfig } from '../gateway/service.ts'
import { accessToken, asids, fqdn, peopleInMemory, roleId, snapshotWith, workers } from '../testing.ts'
import { adjustments, adjustmentsConfig, raInteractions } from './service.ts'

export { asids, numbers, roleId } from '../testing.ts'

export const certificate = (fqdn: string): Peer => ({
  state: 'valid',
  authority: '',
  authoritySerial: '1',
  fqdn,
  names: [fqdn],
  serial: '2',
  issuer: 'CN=test',
  notBefore: 0,
  notAfter: 2 ** 52,
})

export type Headers = Readonly<Record<string, string | undefined>>
export interface Asked {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'PATCH'
  readonly url: string
  readonly headers?: Headers
  readonly body?: unknown
  readonly peer?: Peer
}

export const bases = {
  gateway: '/reasonable-adjustment-flag/FHIR/STU3',
  direct: '/STU3',
  flags: '/patient-flags/FHIR/R4',
} as const

/** A running service. `store` stays the caller's to close. */
export async function startAdjustments(
  about: {
    readonly store?: Store
    readonly profile?: 'sandbox' | 'strict'
    readonly config?: Readonly<Record<string, unknown>>
  } = {},
) {
  const clock = manualClock('2026-11-26T12:00:00Z')
  const profile = about.profile ?? 'sandbox'
  const people = peopleInMemory()
  const platform = await testPlatform({ clock, profile, ...(about.store && { store: about.store }) })
  const theGateway = gateway({
    platform: { ...platform, metrics: makeMetrics() },
    config: gatewayConfig.parse({ spikePerSecond: 1000, quotaPerMinute: 10_000 }),
  })
  const service = adjustments({
    platform,
    config: adjustmentsConfig.parse({ ...about.config }),
    directory: { snapshot: () => snapshotWith(raInteractions) },
    demographics: people,
    gateway: theGateway.contract,
    people: workers,
  })
  for (const each of [theGateway, service]) await platform.store.migrate(each.name, each.migrations ?? {})
  await theGateway.start?.()
  // As the doors do with an address that cannot be decoded.
  const rewriteUrl = ({ url = '/' }: { readonly url?: string | undefined }) => {
    try {
      decodeURIComponent(url)
      return url
    } catch {
      return url.replaceAll('%', '%25')
    }
  }
  const app = fastify({ rewriteUrl })
  let peer: Peer = { state: 'none' }
  app.decorateRequest('peer', { getter: () => peer })
  if (service.routes?.api) await app.register(service.routes.api)
  if (service.routes?.spine) await app.register(service.routes.spine)

  async function ask({ method = 'GET', url, headers = {}, body, peer: bearer = certificate(fqdn) }: Asked) {
    peer = bearer
    const sent = Object.fromEntries(
      Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
    )
    const payload = body === undefined || typeof body === 'string' ? body : JSON.stringify(body)
    const response = await app.inject({ method, url, headers: sent, ...(payload === undefined ? {} : { payload }) })
    return { status: response.statusCode, headers: response.headers, text: response.body }
  }

  /** A user's token for an API, of an application with these facts. */
  const token = (api: string, facts: Pick<ApplicationFacts, 'asid' | 'settings'> = {}, more: Partial<Grant> = {}) =>
    accessToken(theGateway.contract, { api, profile, facts }, more)

  return {
    ask,
    token,
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

/** Headers of a right request on the direct door. */
export function directHeaders(
  interaction: string,
  scope: string,
  now: number,
  claims: Readonly<Record<string, unknown>> = {},
): Headers {
  const user = `https://fhir.nhs.uk/Id/sds-role-profile-id|${roleId}`
  const token = writeUnsecuredToken({
    iss: 'https://consumer.example/',
    sub: user,
    aud: 'https://clinicals.spineservices.nhs.uk/STU3',
    iat: now,
    exp: now + 300,
    reason_for_request: 'directcare',
    scope,
    requesting_system: `https://fhir.nhs.uk/Id/accredited-system|${asids.consumer}`,
    requesting_organization: 'https://fhir.nhs.uk/Id/ods-organization-code|X26',
    requesting_user: user,
    ...claims,
  })
  return {
    authorization: `Bearer ${token}`,
    fromasid: asids.consumer,
    toasid: asids.spine,
    traceid: 'c5b7b7a5-6a8a-4b2c-8a44-0f8dbe2f5c11',
    interactionid: `urn:nhs:names:services:raflags:${interaction}:1`,
  }
}

const subject = (nhsNumber: string) => ({
  reference: `https://demographics.spineservices.nhs.uk/STU3/Patient/${nhsNumber}`,
})
const stu3 = 'https://fhir.nhs.uk/STU3/'
const nraf = { coding: [{ system: `${stu3}CodeSystem/RARecord-FlagCategory-1`, code: 'NRAF' }] }
const removal = (code = 'DoesntApply') => ({
  url: `${stu3}StructureDefinition/Extension-RARecord-RemovalReason-1`,
  extension: [
    {
      url: 'removalReason',
      valueCodeableConcept: { coding: [{ system: `${stu3}CodeSystem/RARecord-RemovalReason-1`, code }] },
    },
    { url: 'supportingComment', valueString: 'No longer needed' },
  ],
})

/** Resources as published examples have them. */
export const sent = {
  removal,
  consent: (nhsNumber: string, more: object = {}) => ({
    resourceType: 'Consent',
    extension: [
      {
        url: `${stu3}StructureDefinition/Extension-RARecord-ProxyRole-1`,
        valueCodeableConcept: { coding: [{ system: `${stu3}CodeSystem/RARecord-ProxyRole-1`, code: '001' }] },
      },
    ],
    status: 'active',
    category: [nraf],
    patient: subject(nhsNumber),
    policy: [{ authority: 'https://www.gov.uk/', uri: 'https://www.gov.uk/policy' }],
    purpose: [{ system: `${stu3}CodeSystem/RARecord-ConsentPurpose-1`, code: 'RACONSENT' }],
    ...more,
  }),
  flag: (nhsNumber: string, more: object = {}) => ({
    resourceType: 'Flag',
    extension: [
      {
        url: `${stu3}StructureDefinition/Extension-RARecord-AdjustmentCategory-1`,
        valueCodeableConcept: {
          coding: [
            {
              system: `${stu3}CodeSystem/RARecord-AdjustmentCategory-1`,
              code: '001',
              display: 'Communication support',
            },
          ],
        },
      },
    ],
    status: 'active',
    category: nraf,
    code: { coding: [{ system: 'http://snomed.info/sct', code: '796161000000101', display: 'Does lip read' }] },
    // Without scheme, as published examples have it.
    subject: { reference: `demographics.spineservices.nhs.uk/STU3/Patient/${nhsNumber}` },
    ...more,
  }),
  condition: (nhsNumber: string, id: string, more: object = {}) => ({
    resourceType: 'Condition',
    id,
    clinicalStatus: 'active',
    category: [
      {
        coding: [{ system: 'https://fhir.hl7.org.uk/STU3/CodeSystem/CareConnect-ConditionCategory-1', code: 'issue' }],
      },
    ],
    code: { coding: [{ system: `${stu3}CodeSystem/RARecord-ConditionCode-1`, code: '05' }] },
    subject: subject(nhsNumber),
    note: [{ text: 'Some notes' }],
    ...more,
  }),
  provenance: (target: string) => ({
    resourceType: 'Provenance',
    id: `p-${target}`,
    target: [{ reference: `Condition/${target}` }],
    recorded: '2026-11-25T11:00:00+00:00',
    agent: [{ whoReference: { reference: 'https://sds.spineservices.nhs.uk/STU3/Practitioner/093895563513' } }],
  }),
  list: (nhsNumber: string, contained: readonly { readonly id: string }[], more: object = {}) => ({
    resourceType: 'List',
    contained,
    status: 'current',
    mode: 'changes',
    title: 'Reasonable Adjustment List',
    code: { coding: [{ system: 'http://snomed.info/sct', code: '1094391000000102' }] },
    subject: subject(nhsNumber),
    entry: contained.map(({ id }) => ({
      deleted: false,
      date: '2026-11-25T11:00:00+00:00',
      item: { reference: `#${id}` },
    })),
    ...more,
  }),
  removeRecord: (nhsNumber: string, more: object = {}) => ({
    resourceType: 'Parameters',
    parameter: [
      {
        name: 'removeRARecord',
        part: [
          { name: 'nhsNumber', valueString: nhsNumber },
          {
            name: 'removalReason',
            valueCodeableConcept: {
              coding: [{ system: `${stu3}CodeSystem/RARecord-RemovalReason-1`, code: 'DoesntApply' }],
            },
          },
          { name: 'supportingComment', valueString: 'No longer needed' },
        ],
      },
    ],
    ...more,
  }),
}

/** The query of a read. */
export const query = (nhsNumber: string, of: 'category' | 'code' = 'category') =>
  new URLSearchParams({
    patient: nhsNumber,
    status: 'active',
    [of]:
      of === 'category' ? `${stu3}CodeSystem/RARecord-FlagCategory-1|NRAF` : 'http://snomed.info/sct|1094391000000102',
  }).toString()
