import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type ConnectionOptions, connect, createServer, type Server, type TLSSocket, type TlsOptions } from 'node:tls'
import { type Audit, type AuditRecord, WrittenFacts } from '@openspine/platform/audit'
import { systemClock, systemRandom } from '@openspine/platform/clock'
import { makeMetrics } from '@openspine/platform/metrics'
import type { Platform } from '@openspine/platform/service'
import { silentLog } from '@openspine/platform/testing'
import { type OpenTrust, openTrust } from '@openspine/platform/trust'
import { BodyReader, fieldNames, HeadReader } from '@openspine/standards/http1'
import { writeUnsecuredToken } from '@openspine/standards/jwt'
import type { AccreditedSystem, DirectorySnapshot, MessageHandlingSystem } from '../directory/contract.ts'
import type { SharingAgreement } from '../registration/contract.ts'
import { type ProxyConfig, proxyConfig } from './config.ts'
import { field, requestNames } from './relay/relay.ts'
import { proxy } from './service.ts'
import { type Credentials, tokenReader } from './tokens.ts'

/** For the tests of the proxy: a small world of invented systems around a real proxy on real sockets. */

export const interaction = 'urn:nhs:names:services:gpconnect:fhir:rest:search:patient-1'
export const consumerAsid = '200000000001'
export const providerAsid = '200000000002'
export const traceId = '09a01679-2564-0fb4-5129-aecc81ea2706'

export function bearer(claims: Readonly<Record<string, unknown>> = {}): string {
  const iat = Math.floor(Date.now() / 1000)
  return `Bearer ${writeUnsecuredToken({
    iss: 'https://consumer.example.test/',
    sub: 'u-17',
    aud: 'https://gp.example.test/A20047/STU3/1/gpconnect',
    exp: iat + 300,
    iat,
    reason_for_request: 'directcare',
    requested_scope: 'organization/*.read',
    requesting_device: {
      resourceType: 'Device',
      identifier: [{ system: 'https://consumer.example.test/Id/device', value: 'D-4' }],
      model: 'Cons',
      version: '5.3.0',
    },
    requesting_organization: {
      resourceType: 'Organization',
      identifier: [{ system: 'https://fhir.nhs.uk/Id/ods-organization-code', value: 'X26' }],
      name: 'Test Trust',
    },
    requesting_practitioner: {
      resourceType: 'Practitioner',
      id: 'u-17',
      identifier: [{ system: 'https://fhir.nhs.uk/Id/sds-user-id', value: '111222333444' }],
      name: [{ family: 'Jones', given: ['Claire'], prefix: ['Dr'] }],
    },
    ...claims,
  })}`
}

/** What a reader of tokens finds in a request with this Authorization header. */
export function credentials(authorization: string, read = tokenReader()): Credentials {
  const head = new HeadReader('request', requestNames)
  head.read(Buffer.from(`GET / HTTP/1.1\r\nHost: h\r\nAuthorization: ${authorization}\r\n\r\n`, 'latin1'))
  const found = read(head, field.authorization)
  if (found === undefined) throw new Error('The head has no Authorization')
  return found
}

/** A registry that a test may change from one request to the next. */
export class TestDirectory implements DirectorySnapshot {
  version = 1
  readonly systems = new Map<string, AccreditedSystem>()
  readonly handlers: MessageHandlingSystem[] = []

  /** Another one for every request, because this directory may have been changed in between. */
  snapshot(): DirectorySnapshot {
    return Object.create(this) as DirectorySnapshot
  }

  accreditedSystem(asid: string): AccreditedSystem | undefined {
    return this.systems.get(asid)
  }

  accreditedSystems(): readonly AccreditedSystem[] {
    return [...this.systems.values()]
  }

  messageHandlingSystems(wanted: { partyKey?: string; interaction?: string }): readonly MessageHandlingSystem[] {
    return this.handlers.filter((one) => one.partyKey === wanted.partyKey && one.interaction === wanted.interaction)
  }

  holdsService(uniqueIdentifier: string): boolean {
    return this.systems.has(uniqueIdentifier) || this.handlers.some(({ cpaId }) => cpaId === uniqueIdentifier)
  }

  acceptsOrganisation(): boolean {
    return true
  }

  knowsInteraction(wanted: string): boolean {
    return this.accreditedSystems().some((one) => one.interactions.has(wanted))
  }

  organisation(): undefined {
    return undefined
  }
}

export class TestAgreements {
  readonly agreed: SharingAgreement[] = [{ id: 'agreement-1', from: 'X26', to: 'A20047', interaction: '*' }]

  permitting(call: {
    fromAsid: string
    fromOdsCode: string
    toAsid: string
    toOdsCode: string
  }): SharingAgreement | undefined {
    return this.agreed.find(
      (one) => [call.fromAsid, call.fromOdsCode].includes(one.from) && [call.toAsid, call.toOdsCode].includes(one.to),
    )
  }
}

/** Keeps what it is given; `fail` makes it refuse; `hold` makes it wait. */
/** A record as whoever finds it in the audit reads it. */
export function asRead(record: AuditRecord): AuditRecord {
  return record.facts instanceof WrittenFacts ? { ...record, facts: JSON.parse(record.facts.json) } : record
}

export class TestAudit implements Pick<Audit, 'append'> {
  readonly records: AuditRecord[] = []
  fail = false
  hold: Promise<void> | undefined = undefined
  readonly #waiting: { count: number; resolve(): void }[] = []

  async append(record: AuditRecord): Promise<void> {
    if (this.fail) throw new Error('the disk is full')
    await this.hold
    await new Promise((resolve) => setImmediate(resolve))
    this.records.push(asRead(record))
    for (const one of this.#waiting) if (this.records.length >= one.count) one.resolve()
  }

  /** Resolves when so many records are there. */
  async reached(count: number): Promise<void> {
    if (this.records.length < count) await new Promise<void>((resolve) => this.#waiting.push({ count, resolve }))
  }

  last(): Record<string, unknown> {
    return (this.records.at(-1)?.facts ?? {}) as Record<string, unknown>
  }
}

export type Handler = (
  request: { method: string; target: string; fields: [string, string][]; body: Buffer },
  socket: TLSSocket,
) => void

/** A provider of the lowest kind: reads requests, and lets the test write whatever bytes it likes. */
export async function testProvider(
  t: TestContext,
  trust: OpenTrust,
  handler: Handler,
  options: { fqdn?: string; tls?: TlsOptions; onHead?: (head: HeadReader, socket: TLSSocket) => void } = {},
): Promise<{ port: number; server: Server; sockets: Set<TLSSocket>; close(): void }> {
  const fqdn = options.fqdn ?? 'gp.example.test'
  const leaf = await trust.issue({ fqdn })
  const sockets = new Set<TLSSocket>()
  const server = createServer(
    {
      cert: `${leaf.certificate}\n${leaf.chain}`,
      key: leaf.key,
      ca: [...trust.material().ca],
      requestCert: true,
      rejectUnauthorized: true,
      ...options.tls,
    },
    (socket) => {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => sockets.delete(socket))
      const head = new HeadReader('request', fieldNames())
      const body = new BodyReader()
      let chunks: Buffer[] = []
      let inBody = false
      socket.on('data', (chunk: Buffer) => {
        let rest: Buffer = chunk
        for (;;) {
          if (!inBody) {
            if (!head.read(rest)) return
            if (head.fault) throw new Error(`The proxy sent an unsound request: ${head.fault.code}`)
            rest = head.rest
            body.begin(head.body, head.contentLength)
            inBody = true
            options.onHead?.(head, socket)
          }
          const end = body.read(rest, 0)
          chunks.push(rest.subarray(0, end))
          rest = rest.subarray(end)
          if (!body.done) return
          const { method, target } = head
          const fields = head.fields()
          const whole = Buffer.concat(chunks)
          chunks = []
          inBody = false
          head.begin()
          handler({ method, target, fields, body: whole }, socket)
          if (rest.length === 0) return
        }
      })
    },
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = () => {
    server.close()
    for (const socket of sockets) socket.destroy()
  }
  t.after(close)
  const address = server.address()
  return { port: typeof address === 'object' && address ? address.port : 0, server, sockets, close }
}

export interface World {
  readonly trust: OpenTrust
  readonly directory: TestDirectory
  readonly agreements: TestAgreements
  readonly audit: TestAudit
  readonly config: ProxyConfig
  readonly port: number
  /** `https://gp.example.test:PORT/A20047/STU3/1/gpconnect`. */
  readonly endpoint: string
  readonly provider: Awaited<ReturnType<typeof testProvider>>
  /** TLS options of the registered consumer. */
  readonly client: ConnectionOptions
  readonly clientFiles: { certificate: string; key: string; ca: string }
  readonly folder: string
  open(options?: ConnectionOptions): Promise<TLSSocket>
  close(deadlineMs: number): Promise<void>
}

/** Answers `body` with 200 and a length. */
export function answering(body: string | Buffer, more = ''): Handler {
  return (_request, socket) => {
    const bytes = Buffer.from(body)
    socket.write(
      Buffer.concat([
        Buffer.from(
          `HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nContent-Length: ${bytes.length}\r\n${more}\r\n`,
        ),
        bytes,
      ]),
    )
  }
}

export async function testWorld(
  t: TestContext,
  handler: Handler,
  options: {
    config?: Partial<ProxyConfig>
    keyType?: 'ec' | 'rsa'
    provider?: Parameters<typeof testProvider>[3]
    platform?: Partial<Platform>
  } = {},
): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'openspine-proxy-'))
  const log = silentLog()
  const trust = await openTrust({
    directory: join(folder, 'trust'),
    environment: 'test',
    clock: systemClock,
    log,
    authorityKeys: options.keyType === 'rsa' ? 'rsa' : 'ec',
    keyType: options.keyType ?? 'ec',
  } as Parameters<typeof openTrust>[0])
  const provider = await testProvider(t, trust, handler, options.provider)
  const endpoint = `https://gp.example.test:${provider.port}/A20047/STU3/1/gpconnect`
  const directory = new TestDirectory()
  directory.systems.set(consumerAsid, {
    asid: consumerAsid,
    odsCode: 'X26',
    partyKey: 'X26-123456',
    interactions: new Set([interaction]),
    fqdns: new Set(['consumer.example.test']),
  })
  directory.systems.set(providerAsid, {
    asid: providerAsid,
    odsCode: 'A20047',
    partyKey: 'A20047-123457',
    interactions: new Set([interaction]),
    fqdns: new Set(['gp.example.test']),
  })
  directory.handlers.push({
    cpaId: 'S000000000001',
    odsCode: 'A20047',
    partyKey: 'A20047-123457',
    interaction,
    endpoints: [endpoint],
    fqdn: 'gp.example.test',
  })
  const agreements = new TestAgreements()
  const audit = new TestAudit()
  const config = {
    ...proxyConfig.parse({ port: 0, hosts: ['gp.example.test=127.0.0.1', 'other.example.test=127.0.0.1'] }),
    ...options.config,
  }
  const platform = {
    environment: 'test',
    profile: 'sandbox',
    dataDir: folder,
    clock: systemClock,
    random: systemRandom,
    log,
    metrics: makeMetrics(),
    trust,
    audit,
    ...options.platform,
  } as unknown as Platform
  const service = proxy({ platform, config, directory, agreements })
  await service.start?.()
  const [listener] = service.listeners ?? []
  if (listener === undefined) throw new Error('The proxy has no listener')
  const { port } = await listener.listen()
  const leaf = await trust.issue({ fqdn: 'consumer.example.test' })
  const client: ConnectionOptions = {
    host: '127.0.0.1',
    port,
    servername: 'localhost',
    ca: [...trust.material().ca],
    cert: `${leaf.certificate}\n${leaf.chain}`,
    ...(leaf.key === undefined ? {} : { key: leaf.key }),
  }
  const opened = new Set<TLSSocket>()
  let closed: Promise<void> | undefined
  const close = (deadlineMs: number) => {
    closed ??= (async () => {
      await listener.close(deadlineMs)
      await service.stop?.(deadlineMs)
    })()
    return closed
  }
  t.after(async () => {
    for (const socket of opened) socket.destroy()
    await close(0)
    await trust.close()
    await rm(folder, { recursive: true, force: true })
  })
  return {
    trust,
    directory,
    agreements,
    audit,
    config,
    port,
    endpoint,
    provider,
    client,
    clientFiles: { certificate: leaf.files.fullChain, key: leaf.files.key ?? '', ca: trust.files.bundle },
    folder,
    close,
    async open(more = {}) {
      const socket = connect({ ...client, ...more })
      opened.add(socket)
      socket.on('error', () => {})
      await new Promise<void>((resolve, reject) => {
        socket.once('secureConnect', resolve)
        socket.once('error', reject)
        socket.once('close', () => reject(new Error('closed')))
      })
      return socket
    },
  }
}

/** The head of a good request; `change` replaces or (with undefined) removes header lines. */
export function requestHead(
  world: Pick<World, 'endpoint'>,
  options: { method?: string; target?: string; fields?: Readonly<Record<string, string | undefined>> } = {},
): string {
  const fields: Record<string, string | undefined> = {
    Host: 'localhost',
    'Ssp-TraceID': traceId,
    'Ssp-From': consumerAsid,
    'Ssp-To': providerAsid,
    'Ssp-InteractionID': interaction,
    Authorization: bearer(),
    Accept: 'application/fhir+json',
    ...options.fields,
  }
  const lines = Object.entries(fields).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${value}\r\n`],
  )
  return `${options.method ?? 'GET'} ${options.target ?? `/${world.endpoint}/Patient?identifier=a%7Cb`} HTTP/1.1\r\n${lines.join('')}\r\n`
}

export interface Answer {
  readonly status: number
  readonly reason: string
  readonly fields: [string, string][]
  field(name: string): string | undefined
  readonly body: Buffer
  /** The body ended as its head promised. */
  readonly complete: boolean
  /** The connection was closed by the time the answer was read, or with it. */
  readonly closed: boolean
}

/** Reads the next answer on a connection, or what there is when it closes. */
export function readAnswer(socket: TLSSocket, method = 'GET'): Promise<Answer> {
  const head = new HeadReader('response', fieldNames())
  const body = new BodyReader()
  const chunks: Buffer[] = []
  let inBody = false
  return new Promise((resolve, reject) => {
    const done = (closed: boolean) => {
      socket.off('data', onData)
      socket.off('close', onClose)
      if (!inBody && head.received === 0 && closed) {
        reject(new Error('closed without an answer'))
        return
      }
      const fields = head.fields()
      resolve({
        status: head.status,
        reason: head.reason,
        fields,
        field: (name) => fields.find(([one]) => one.toLowerCase() === name.toLowerCase())?.[1],
        body: Buffer.concat(chunks),
        complete: inBody && body.done,
        closed,
      })
    }
    const onClose = () => {
      if (inBody) body.close()
      done(true)
    }
    const onData = (chunk: Buffer) => {
      let rest = chunk
      if (!inBody) {
        if (!head.read(rest)) return
        if (head.fault) {
          reject(new Error(head.fault.code))
          return
        }
        rest = head.rest
        inBody = true
        body.begin(head.responseBody(method), head.contentLength)
      }
      const end = body.read(rest, 0)
      chunks.push(rest.subarray(0, end))
      if (end < rest.length) socket.unshift(rest.subarray(end))
      if (body.done && body.kind !== 'close') done(false)
    }
    socket.on('data', onData)
    socket.on('close', onClose)
    if (socket.destroyed) onClose()
    socket.resume()
  })
}

/** One request on a connection of its own. */
export async function ask(
  world: World,
  bytes: string | Buffer,
  options: ConnectionOptions = {},
  method = 'GET',
): Promise<Answer> {
  const socket = await world.open(options)
  const answer = readAnswer(socket, method)
  socket.write(bytes)
  try {
    return await answer
  } finally {
    socket.destroy()
  }
}

/** De-chunked. */
export function payload(body: Buffer): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; ; ) {
    const line = body.indexOf('\r\n', at)
    const size = Number.parseInt(body.toString('latin1', at, line), 16)
    if (!(size > 0)) return Buffer.concat(parts)
    parts.push(body.subarray(line + 2, line + 2 + size))
    at = line + 2 + size + 2
  }
}
