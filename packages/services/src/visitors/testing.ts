/** What tests of the service stand on: a door with mutual TLS, a directory and people in memory. */
import type { IncomingHttpHeaders } from 'node:http'
import { Agent, request } from 'node:https'
import { openDoor } from '@openspine/platform/doors'
import { makeMetrics } from '@openspine/platform/metrics'
import { manualClock, testPlatform } from '@openspine/platform/testing'
import { visitorsAudience } from '@openspine/standards/audit-token'
import { writeUnsecuredToken } from '@openspine/standards/jwt'
import { asids, fqdn, numbers as invented, peopleInMemory, snapshotWith } from '../testing.ts'
import { visitors, visitorsConfig, visitorsInteractions } from './service.ts'

export { asids, fqdn } from '../testing.ts'
/** Known with a status, twice; known without one; and the others. */
export const numbers = {
  ...invented,
  charged: invented.one,
  decided: '9990548668',
  unrecorded: invented.other,
} as const

/** The claims of a right token about this patient. */
export function rightClaims(nhsNumber: string, now: number) {
  return {
    iss: 'https://consumer.example/',
    sub: '555254240100',
    aud: visitorsAudience,
    exp: now + 300,
    iat: now,
    reason_for_request: 'directcare',
    requested_record: {
      resourceType: 'Patient',
      identifier: [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value: nhsNumber }],
    },
    requested_scopes: 'patient/Observation.read',
    requesting_device: {
      resourceType: 'Device',
      identifier: [{ system: 'https://consumer.example/Id/device', value: 'D1' }],
      model: 'Invented Records',
      version: '1',
    },
    requesting_organization: {
      resourceType: 'Organization',
      identifier: [{ system: 'https://fhir.nhs.uk/Id/ods-organization-code', value: 'X26' }],
      name: 'Invented Trust',
    },
    requesting_practitioner: {
      resourceType: 'Practitioner',
      id: 'u-17',
      identifier: [{ system: 'https://fhir.nhs.uk/sds-role-profile-id', value: '555254240100' }],
    },
  }
}

export const query = (nhsNumber: string) =>
  new URLSearchParams({
    'subject:Patient.identifier': `https://fhir.nhs.uk/Id/nhs-number|${nhsNumber}`,
    code: 'https://fhir.nhs.uk/fhir-observation-code-1|0001',
  }).toString()

export interface Asking {
  readonly method?: string
  readonly path?: string
  readonly query?: string
  readonly body?: string
  /** In place of the right ones, by name; undefined takes one away. */
  readonly headers?: Readonly<Record<string, string | undefined>>
  /** In place of the right ones; undefined takes one away. */
  readonly claims?: Readonly<Record<string, unknown>>
  readonly certificate?: 'own' | 'other' | 'none'
}

/** Seconds of the test's clock: certificates are of this day, whichever it is. */
export const noon = Math.floor(Date.now() / 1000)

/** A running service; `ask` sends a right request about a patient, with what is said to be otherwise. */
export async function startVisitors(settings: Readonly<Record<string, unknown>> = {}) {
  const clock = manualClock(new Date(noon * 1000).toISOString())
  const platform = await testPlatform({ clock })
  const { log, random, trust } = platform
  const service = visitors({
    platform,
    config: visitorsConfig.parse(settings),
    directory: { snapshot: () => snapshotWith([`${visitorsInteractions.search}:1`]) },
    demographics: peopleInMemory(numbers.decided),
  })
  await platform.store.migrate(service.name, service.migrations ?? {})
  const door = await openDoor({
    name: 'spine',
    host: '127.0.0.1',
    port: 0,
    trust,
    identity: { fqdn: 'localhost' },
    mutual: 'report',
    log,
    metrics: makeMetrics(),
    clock,
    random,
    routes: service.routes?.spine === undefined ? [] : [service.routes.spine],
  })
  const ca = [...trust.material().ca]
  const agentOf = async (host: string) => {
    const { certificate, chain, key } = await trust.identity(host)
    return new Agent({ keepAlive: true, ca, cert: certificate + chain, key })
  }
  const agents = { own: await agentOf(fqdn), other: await agentOf('other.example'), none: new Agent({ ca }) }

  function ask(nhsNumber: string, asking: Asking = {}): Promise<Answer> {
    const operation = asking.path === '/metadata' ? 'metadata' : 'search'
    const claims = { ...rightClaims(nhsNumber, Math.floor(clock.now() / 1000)), ...asking.claims }
    const all: Record<string, string | undefined> = {
      'Ssp-TraceID': random.uuid(),
      'Ssp-From': asids.consumer,
      'Ssp-To': asids.spine,
      'Ssp-InteractionID': visitorsInteractions[operation],
      Authorization: `Bearer ${writeUnsecuredToken(claims)}`,
      ...asking.headers,
    }
    const given = operation === 'metadata' ? '' : `?${query(nhsNumber)}`
    const path = `/visitorsandmigrants${asking.path ?? '/Observation'}${asking.query === undefined ? given : `?${asking.query}`}`
    const headers = Object.fromEntries(
      Object.entries({
        ...all,
        ...(asking.body === undefined ? {} : { 'content-length': String(asking.body.length) }),
      }).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
    )
    const { method = 'GET' } = asking
    const agent = agents[asking.certificate ?? 'own']
    return new Promise((resolve, reject) => {
      const asked = request({ host: 'localhost', port: door.port, path, method, headers, agent }, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          const { statusCode: status = 0, headers: sent } = response
          resolve({ status, headers: sent, text: Buffer.concat(chunks).toString(), trace: all['Ssp-TraceID'] ?? '' })
        })
      })
      asked.on('error', reject)
      asked.end(asking.body)
    })
  }
  return {
    ask,
    platform,
    contract: service.contract,
    async close() {
      for (const agent of Object.values(agents)) agent.destroy()
      await door.close(200)
      await platform.close()
    },
  }
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  readonly trace: string
}
