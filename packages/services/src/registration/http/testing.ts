import type { IncomingHttpHeaders } from 'node:http'
import { Agent, request } from 'node:https'
import { openDoor } from '@openspine/platform/doors'
import type { testPlatform } from '@openspine/platform/testing'
import type { DirectoryChange } from '../../directory/contract.ts'
import { startDirectory, type TestDirectory } from '../../directory/testing.ts'
import type { Registration } from '../contract.ts'
import { registration, registrationConfig } from '../service.ts'
import { organisations } from '../testing.ts'
import type { Admit } from './face.ts'
import { describedAs } from './openapi.test-kit.ts'

export const base = '/connecting-party-manager'

/** What an answer said, its JSON read. */
export interface Told {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came
  readonly json: any
}

/** The API on a door of its own, with a directory that listens and a registration on one store. */
export interface TestApi {
  readonly directory: TestDirectory
  readonly contract: Registration
  /** Asks, and checks the answer against `openapi.yaml`. `path` below the base of the registration API, or a whole path from `/registration/` on. */
  call(
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string | undefined>>,
  ): Promise<Told>
  close(): Promise<void>
}

export async function startApi(
  options: {
    readonly platform?: Parameters<typeof testPlatform>[0]
    readonly settings?: Readonly<Record<string, unknown>>
    readonly admit?: Admit
    readonly more?: readonly DirectoryChange[]
  } = {},
): Promise<TestApi> {
  const directory = await startDirectory({ plainPort: 0 }, options.platform)
  const { platform } = directory
  const service = registration({
    platform,
    config: registrationConfig.parse(options.settings ?? {}),
    directory: directory.service.contract,
    ...(options.admit === undefined ? {} : { admit: options.admit }),
  })
  await platform.store.migrate('registration', service.migrations ?? {})
  await service.start?.()
  await directory.service.contract.apply([...organisations, ...(options.more ?? [])], 'tester')
  const { log, metrics, clock, random, trust } = platform
  const routes = service.routes?.api
  const door = await openDoor({
    name: 'api',
    host: '127.0.0.1',
    port: 0,
    identity: { fqdn: 'localhost' },
    mutual: 'none',
    routes: routes === undefined ? [] : [routes],
    ...{ log, metrics, clock, random, trust },
  })
  const agent = new Agent({ keepAlive: true, ca: [...trust.material().ca] })
  return {
    directory,
    contract: service.contract,
    async call(method, path, body, headers = {}) {
      const sent = typeof body === 'string' || Buffer.isBuffer(body) || body === undefined ? body : JSON.stringify(body)
      const all = {
        version: '1',
        authorization: 'letmein',
        ...(sent === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      }
      const url = door.url + (path.startsWith('/registration/') ? path : base + path)
      const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
      const answer = await ask(url, { agent, method, headers: given as IncomingHttpHeaders }, sent)
      const told = { ...answer, json: answer.body === '' ? undefined : JSON.parse(answer.body) }
      const asked = typeof body === 'string' && told.status < 300 ? JSON.parse(body) : body
      if (method !== 'HEAD') describedAs({ method, path: url.slice(door.url.length), body: asked }, told)
      return told
    },
    async close() {
      agent.destroy()
      await door.close(500)
      await service.stop?.(500)
      await directory.close()
    },
  }
}

function ask(url: string, options: object, body: string | Buffer | undefined): Promise<Omit<Told, 'json'>> {
  return new Promise((resolve, reject) => {
    const sent = request(url, options, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString('utf8'),
        }),
      )
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

export const service = 'urn:nhs:names:services:ers'
export const served = 'READ_PRACTITIONER_ROLE_R4_V001'
export const additional = `${service}:READ_PRACTITIONER_ROLE_R4_V002`

/** Responses that keep every rule. */
export const answers = {
  messages: { spine_mhs_message_sets: [{ 'MHS SN': service, 'MHS IN': served }] },
  additional: { spine_as_additional_interactions: [{ 'Interaction ID': additional }] },
  handler: {
    'MHS FQDN': 'mhs.supplier.example',
    'MHS Service Description': 'Invented Description',
    'MHS Manufacturer Organisation': 'X26',
    'Product Name': 'Invented Product',
    'Product Version': '1',
    'Approver URP': 'the-approver-urp',
    'DNS Approver': 'the-dns-approver',
    'Requestor URP': 'the-requestor-urp',
  },
  system: {
    'ODS Code': 'A99968',
    'Product Name': 'My SPINE Product',
    'Product Version': '2000.01',
    'Requestor URP': 'the-requestor-urp',
    'Approver URP': 'the-approver-urp',
  },
} as const

export const responses = (of: object) => ({ questionnaire_responses: of })
export const handler = (more: object = {}) => responses({ spine_mhs: [{ ...answers.handler, ...more }] })
export const system = (more: object = {}) => responses({ spine_as: [{ ...answers.system, ...more }] })
export const message = (more: object = {}) =>
  responses({ spine_mhs_message_sets: [{ 'MHS SN': service, 'MHS IN': served, ...more }] })

/** A team and its EPR product. `path` is that of the product in the environment `dev`. */
export async function eprProduct({ call }: TestApi, odsCode = 'X26') {
  const existing = await call('GET', `/ProductTeamEpr/EPR-${odsCode}`)
  const team =
    existing.status === 200
      ? existing
      : await call('POST', '/ProductTeamEpr', { name: 'My Great Product Team', ods_code: odsCode })
  const product = await call('POST', `/ProductTeamEpr/${team.json.id}/ProductEpr`, { name: 'My Great Product' })
  return {
    team: team.json,
    product: product.json,
    partyKey: product.json.keys[0].key_value as string,
    path: `/ProductTeamEpr/${team.json.id}/ProductEpr/${product.json.id}/dev`,
  }
}

/** The same with its sets, and with its message handling system where one is wanted. */
export async function readyProduct(api: TestApi, about: { readonly handler?: boolean } = {}) {
  const epr = await eprProduct(api)
  const { call } = api
  const reference = `${epr.path}/DeviceReferenceData`
  await call('POST', `${reference}/MhsMessageSet`, { questionnaire_responses: answers.messages })
  await call('POST', `${reference}/AccreditedSystemsAdditionalInteractions`, {
    questionnaire_responses: answers.additional,
  })
  if (about.handler) {
    await call('POST', `${epr.path}/Device/MessageHandlingSystem`, {
      questionnaire_responses: { spine_mhs: [answers.handler] },
    })
  }
  return epr
}
