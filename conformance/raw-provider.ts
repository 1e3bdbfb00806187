import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import type { Server as NetServer } from 'node:net'
import { createServer as createTlsServer, type TLSSocket, type TlsOptions } from 'node:tls'
import type { DirectoryEntry } from '@openspine/services/directory/contract'
import { consumer, metadataInteraction, type Sandbox, sspHeaders } from './sandbox.ts'

const approved = {
  nhsRequestorURP: ['System'],
  nhsDateRequested: ['20260101090000'],
  nhsApproverURP: ['System'],
  nhsDateApproved: ['20260101090000'],
  nhsProductKey: ['1'],
  nhsProductName: ['Provider of a test'],
  nhsProductVersion: ['1'],
  nhsMhsManufacturerOrg: ['YY001'],
}

/** A provider that is registered, at whatever answers there. */
export interface RegisteredProvider {
  readonly asid: string
  /** nhsMhsEndPoint. */
  readonly endpoint: string
  readonly interaction: string
  /** Name of the entry that carries the endpoint. */
  readonly dn: string
}

let registered = 0

/** Registers organisation, systems, endpoint and agreement of one more provider, as a real one would be. */
export async function register(
  { spine }: Sandbox,
  endpoint: string,
  interaction: string = metadataInteraction,
): Promise<RegisteredProvider> {
  const service = interaction.slice(0, interaction.indexOf(':', 'urn:nhs:names:services:'.length))
  const number = ++registered
  const odsCode = `Z${String(number).padStart(5, '0')}`
  const asid = String(200000200000 + number)
  const partyKey = `${odsCode}-${860000 + number}`
  const cpaId = `${partyKey}:${interaction}`
  const fqdn = new URL(endpoint).hostname
  const services = (id: string) => `uniqueIdentifier=${id},ou=Services,o=nhs`
  const entries: readonly DirectoryEntry[] = [
    {
      dn: `uniqueIdentifier=${odsCode},ou=Organisations,o=nhs`,
      attributes: {
        objectClass: ['top', 'organization', 'nhsGPPractice'],
        uniqueIdentifier: [odsCode],
        nhsIDCode: [odsCode],
        o: [`INVENTED PRACTICE ${number}`],
        nhsOrgType: ['GP PRACTICE'],
        nhsOrgTypeCode: ['PR'],
        postalAddress: ['1 Test Way$$$TESTHAM'],
        postalCode: ['ZZ99 4AA'],
        l: ['TESTHAM'],
        nhsOrgOpenDate: ['20260101'],
        nhsPCTCode: [consumer.organisation.odsCode],
      },
    },
    {
      dn: services(asid),
      registeredFqdn: fqdn,
      attributes: {
        objectClass: ['top', 'nhsAs'],
        uniqueIdentifier: [asid],
        nhsIDCode: [odsCode],
        nhsAsClient: [odsCode],
        nhsMHSPartyKey: [partyKey],
        nhsAsSvcIA: [interaction],
        ...approved,
      },
    },
    {
      dn: services(cpaId),
      attributes: {
        objectClass: ['top', 'nhsMhs'],
        uniqueIdentifier: [cpaId],
        nhsIDCode: [odsCode],
        nhsMHSPartyKey: [partyKey],
        nhsMhsSvcIA: [interaction],
        nhsMHsSN: [service],
        nhsMHsIN: [interaction.slice(service.length + 1)],
        nhsMHSEndPoint: [endpoint],
        nhsMhsFQDN: [fqdn],
        nhsMHSIsAuthenticated: ['none'],
        nhsMhsCPAId: [cpaId],
        nhsDNSApprover: ['System'],
        nhsDateDNSApproved: ['20260101090000'],
        nhsEPInteractionType: ['FHIR'],
        nhsContractPropertyTemplateKey: ['14'],
        ...approved,
      },
    },
  ]
  await spine.contracts.directory.apply(
    entries.map((entry) => ({ kind: 'put', entry })),
    'test',
  )
  await spine.contracts.registration.agreements.agree(
    { from: consumer.organisation.odsCode, to: odsCode, interaction },
    'test',
  )
  return { asid, endpoint, interaction, dn: services(cpaId) }
}

/** A good request through the proxy for `path` below the provider's endpoint. */
export function through(
  { asid, endpoint, interaction }: Omit<RegisteredProvider, 'dn'>,
  path: string,
  change: {
    readonly method?: string
    readonly headers?: string
    readonly body?: string
    /** Sent in place of the target as it stands. */
    readonly written?: string
  } = {},
): { readonly trace: string; readonly bytes: string; readonly target: string } {
  const trace = randomUUID()
  const ssp = sspHeaders({ interaction, to: asid, traceId: trace })
  const lines = Object.entries(ssp).map(([name, value]) => `${name}: ${value}\r\n`)
  const target = `${endpoint}${path}`
  const { method = 'GET', headers = '', body = '', written = target } = change
  return {
    trace,
    target,
    bytes: `${method} /${written} HTTP/1.1\r\nHost: localhost\r\n${lines.join('')}${headers}\r\n${body}`,
  }
}

/** What a fake provider does with one request, told by its path below the endpoint. */
export type Behaviour = (socket: TLSSocket, path: string, head: string) => void

export interface FakeProvider {
  readonly port: number
  /** Connections, and requests whose head has come. */
  readonly seen: { connections: number; requests: string[] }
  close(): void
}

/** A TLS server with a certificate of this environment that asks for the proxy's; answers as `behave` wants. */
export async function fakeProvider(
  { spine }: Sandbox,
  fqdn: string,
  behave: Behaviour,
  tls: TlsOptions = {},
): Promise<FakeProvider> {
  const issued = tls.cert === undefined ? await spine.platform.trust.issue({ fqdn }) : undefined
  const seen = { connections: 0, requests: [] as string[] }
  const sockets = new Set<TLSSocket>()
  const server = createTlsServer(
    {
      ...(issued === undefined ? {} : { cert: issued.certificate + issued.chain, key: String(issued.key) }),
      ca: [...spine.platform.trust.material().ca],
      requestCert: true,
      rejectUnauthorized: true,
      ...tls,
    },
    (socket) => {
      seen.connections++
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => {})
      socket.on('close', () => sockets.delete(socket))
      let text = ''
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1')
        for (let end = text.indexOf('\r\n\r\n'); end >= 0; end = text.indexOf('\r\n\r\n')) {
          const head = text.slice(0, end)
          text = text.slice(end + 4)
          const path = head.split(' ')[1] ?? ''
          seen.requests.push(path)
          behave(socket, path.slice(path.lastIndexOf('/')), head)
        }
      })
    },
  )
  server.on('tlsClientError', () => {})
  const port = await listening(server)
  return {
    port,
    seen,
    close() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

/** Listens on a free port of the loopback. */
export async function listening(server: NetServer): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}
