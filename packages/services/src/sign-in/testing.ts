import { mkdtemp, rm } from 'node:fs/promises'
import type { IncomingHttpHeaders } from 'node:http'
import { Agent, type RequestOptions, request as secureRequest } from 'node:https'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { systemClock } from '@openspine/platform/clock'
import { type Door, openDoor } from '@openspine/platform/doors'
import type { Platform } from '@openspine/platform/service'
import { silentLog, testPlatform } from '@openspine/platform/testing'
import { openTrust } from '@openspine/platform/trust'
import { type SignInConfig, signInConfig } from './config.ts'
import type { MockKeys, Patient, Patients, RelyingParty, SignIn, Worker, WorkerRole } from './contract.ts'
import { listedWorkers, signIn } from './service.ts'

/** Invented staff and patients, the providers on a door of their own, and a browser without scripts: for tests. */

export const roleOf = (roleId: string, odsCode: string, name: string): WorkerRole => ({
  roleId,
  orgPersonId: `9${roleId.slice(1)}`,
  odsCode,
  organisation: 'INVENTED SURGERY',
  roleName: `"Clinical":"Clinical Provision":"${name}"`,
  roleCode: 'S8000:G8000:R8001',
  activities: ['View Patient Demographics', 'Amend Patient Demographics'],
  activityCodes: ['B0820', 'B0825'],
  workgroups: [],
  workgroupCodes: [],
  areasOfWork: [],
  areaOfWorkCodes: [],
})

export const staff: readonly Worker[] = [
  { uid: '555000000001', familyName: 'Noroles', givenName: 'Nell', roles: [] },
  {
    uid: '555000000002',
    familyName: 'Onerole',
    givenName: 'Oona',
    title: 'Ms',
    email: 'oona.onerole@example.org',
    memberships: { nmc_id: '99A9999E' },
    roles: [roleOf('555000000020', 'A99968', 'Nurse Access Role')],
  },
  {
    uid: '555000000003',
    familyName: 'Tworoles',
    givenName: 'Ted',
    roles: [
      roleOf('555000000030', 'A99968', 'Nurse Access Role'),
      roleOf('555000000031', 'X26', 'Clinical Practitioner Access Role'),
    ],
  },
  {
    uid: '555000000006',
    familyName: 'Sixroles',
    givenName: 'Sid',
    roles: [0, 1, 2, 3, 4, 5].map((each) => roleOf(`55500000006${each}`, `A9997${each}`, `Role ${each}`)),
  },
]

const patientList: readonly Patient[] = [
  {
    nhsNumber: '9990548609',
    familyName: 'Testcase',
    givenName: 'Arlo',
    birthDate: '1980-02-29',
    email: 'arlo.testcase@example.com',
    phone: '07700900001',
    gpOdsCode: 'A20047',
  },
  { nhsNumber: '9990548617', familyName: 'Testcase', givenName: 'Brenna', birthDate: '1983-11-07' },
]

export const patients: Patients = {
  find: async (nhsNumber) => patientList.find((patient) => patient.nhsNumber === nhsNumber),
  offered: async () => patientList,
}

export async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address() as { port: number }
  await new Promise((resolve) => probe.close(resolve))
  return port
}

export interface Providers {
  readonly contract: SignIn
  readonly platform: Platform
  readonly door: Door
  readonly origin: string
  readonly service: ReturnType<typeof signIn>
}

/** Both providers over TLS on a free port; `fetch` of this process trusts it. */
export async function openProviders(
  t: { after(close: () => Promise<void>): void },
  options: {
    readonly platform?: Partial<Platform>
    readonly config?: Partial<SignInConfig>
    readonly relyingParties?: readonly RelyingParty[]
    readonly mockKeys?: MockKeys
    readonly port?: number
    readonly sweepMs?: number
    /** Of another process whose providers these are too. */
    readonly origin?: string
  } = {},
): Promise<Providers> {
  const closers: (() => Promise<unknown>)[] = []
  t.after(async () => {
    for (const close of closers.reverse()) await close()
  })
  const clock = options.platform?.clock ?? systemClock
  const folder = await mkdtemp(join(tmpdir(), 'openspine-sign-in-'))
  closers.push(() => rm(folder, { recursive: true, force: true }))
  // Elliptic keys are made at once.
  const trust = await openTrust({
    environment: 'test',
    clock,
    log: silentLog(),
    authorityKeys: 'ec',
    keyType: 'ec',
    directory: folder,
  })
  closers.push(() => trust.close())
  const platform = await testPlatform({ trust, ...options.platform })
  closers.push(() => platform.close())
  const port = options.port ?? (await freePort())
  const origin = options.origin ?? `https://localhost:${port}`
  const service = signIn({
    platform,
    config: { ...signInConfig.parse({}), ...options.config },
    workers: listedWorkers(staff),
    patients,
    origin,
    ...(options.sweepMs === undefined ? {} : { sweepMs: options.sweepMs }),
    ...(options.mockKeys === undefined ? {} : { mockKeys: options.mockKeys }),
    ...(options.relyingParties === undefined ? {} : { relyingParties: options.relyingParties }),
  })
  await platform.store.migrate(service.name, service.migrations ?? {})
  await service.start?.()
  closers.push(async () => service.stop?.(100))
  for (const handler of service.jobs ?? []) {
    const worker = platform.jobs.work(handler)
    closers.push(() => worker.stop())
  }
  const { api } = service.routes ?? {}
  const door = await openDoor({
    name: 'api',
    host: '127.0.0.1',
    port,
    trust: platform.trust,
    identity: { fqdn: 'localhost' },
    mutual: 'none',
    log: platform.log,
    metrics: platform.metrics,
    clock: platform.clock,
    random: platform.random,
    routes: api === undefined ? [] : [api],
  })
  closers.push(() => door.close(0))
  setDefaultCACertificates([...getCACertificates('bundled'), ...platform.trust.material().ca])
  return { contract: service.contract, platform, door, origin, service }
}

export interface Shown {
  readonly status: number
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** A browser without scripts: cookies by path, redirects within the host followed, those to elsewhere answered. */
export function browser() {
  const cookies = new Map<string, { readonly value: string; readonly path: string }>()
  const agent = new Agent({ keepAlive: false })

  function once(url: string, method: string, body: string | undefined, more: IncomingHttpHeaders): Promise<Shown> {
    const target = new URL(url)
    const sent = [...cookies]
      .filter(([, { path }]) => target.pathname.startsWith(path))
      .map(([name, { value }]) => `${name}=${value}`)
    const options: RequestOptions = {
      method,
      agent,
      headers: {
        accept: 'text/html',
        ...(sent.length === 0 ? {} : { cookie: sent.join('; ') }),
        ...(body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded', origin: target.origin }),
        ...more,
      },
    }
    return new Promise((resolve, reject) => {
      const request = secureRequest(target, options, (response) => {
        for (const line of response.headers['set-cookie'] ?? []) {
          const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
          const path = /;\s*path=([^;]+)/i.exec(line)?.[1] ?? '/'
          if (value === '') cookies.delete(name)
          else cookies.set(name, { value, path })
        }
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            url,
            headers: response.headers,
            body: Buffer.concat(chunks).toString('utf8'),
          }),
        )
      })
      request.on('error', reject)
      request.end(body)
    })
  }

  async function go(url: string, method = 'GET', body?: string, more: IncomingHttpHeaders = {}): Promise<Shown> {
    let shown = await once(url, method, body, more)
    for (let hops = 0; hops < 10; hops++) {
      const { location } = shown.headers
      if (location === undefined) return shown
      const next = new URL(location, shown.url)
      if (next.origin !== new URL(url).origin) return { ...shown, url: next.href }
      shown = await once(next.href, 'GET', undefined, more)
    }
    throw new Error(`too many redirects from ${url}`)
  }

  return {
    open: (url: string | URL, more: IncomingHttpHeaders = {}) => go(String(url), 'GET', undefined, more),
    /** Sends the form of the page; it posts to its own address. */
    submit: (page: Shown, fields: Readonly<Record<string, string>>, more: IncomingHttpHeaders = {}) =>
      go(page.url, 'POST', new URLSearchParams({ answer: 'yes', ...fields }).toString(), more),
    cookies,
  }
}

/** What a file's tests share: opened in its `before`, closed in its `after`. */
export function lifetime() {
  const closers: (() => Promise<void>)[] = []
  return {
    after: (close: () => Promise<void>) => void closers.push(close),
    async close() {
      for (const close of closers.splice(0).reverse()) await close()
    },
  }
}
