import { lookup as systemLookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { hostname } from 'node:os'
import { createSecureContext, type SecureContext, type TlsOptions } from 'node:tls'
import { peerNow, peerOf, serverTls } from '@openspine/platform/doors'
import type { Platform, Service } from '@openspine/platform/service'
import type { Directory } from '../directory/contract.ts'
import type { SharingAgreements } from '../registration/contract.ts'
import type { ProxyConfig } from './config.ts'
import { Door } from './door.ts'
import { explainFace } from './http/explain.ts'
import { Deadlines } from './relay/deadlines.ts'
import { recordBytes, Turn } from './relay/gathering.ts'
import { type Relay, timesOf } from './relay/relay.ts'
import { answerBytes, Slabs, writeBytes } from './relay/slabs.ts'
import { Tally } from './relay/tally.ts'
import { Upstreams } from './relay/upstream.ts'
import { Vigil } from './relay/vigil.ts'
import { endpointReader } from './target.ts'
import { throttle } from './throttle.ts'
import { tokenReader } from './tokens.ts'

export { type Check, checks } from './checks.ts'
export { type ProxyConfig, proxyConfig } from './config.ts'
export { explainProxyRecord } from './explain.ts'
export { dimensions, ProxyReport, type ReportDimension, type ReportRow } from './report.ts'

/** What other services may ask of the proxy. */
export interface ProxyContract {
  /** Where it listens; undefined before. */
  address(): { readonly port: number; readonly url: string } | undefined
}

/**
 * The Spine Secure Proxy: authenticates both ends, checks in the directory that sender, receiver,
 * interaction and URL belong together, checks the sharing agreement, audits, and relays.
 */
export function proxy(needs: {
  readonly platform: Platform
  readonly config: ProxyConfig
  readonly directory: Pick<Directory, 'snapshot'>
  readonly agreements: Pick<SharingAgreements, 'permitting'>
}): Service<ProxyContract> {
  const { platform, config, directory, agreements } = needs
  const { trust, log } = platform
  const times = timesOf(config)
  const deadlines = new Deadlines(platform.clock, tickOf(Object.values(times)))
  const headLimits = { maxBytes: config.headBytes, maxFields: config.headFields }
  let closing = false
  let clientContext: SecureContext | undefined
  let door: Door | undefined
  let address: { port: number; url: string } | undefined
  let stopListening: (() => void) | undefined
  let renewalFault: string | undefined

  const upstreams = new Upstreams({
    times,
    providerBytes: Buffer.allocUnsafeSlow(recordBytes),
    slabs: new Slabs(answerBytes),
    deadlines,
    headLimits,
    limits: { connections: config.upstreamConnections, waiting: config.upstreamQueue },
    ownLimits: new Map(
      config.providerLimits
        .filter(({ connections, waiting }) => connections !== undefined || waiting !== undefined)
        .map(({ asid, connections = config.upstreamConnections, waiting = config.upstreamQueue }) => [
          asid,
          { connections, waiting },
        ]),
    ),
    secureContext: () => {
      if (clientContext === undefined) throw new Error('The proxy has not been started')
      return clientContext
    },
    peerOf: (socket) => peerOf(socket, trust, platform.clock),
    peerNow: (peer) => peerNow(peer, trust, platform.clock),
    lookup: staticHosts(config.hosts),
  })
  const awakeMs = config.awakeMicroseconds / 1000
  const relay: Relay = {
    config,
    times,
    headLimits,
    clock: platform.clock,
    random: platform.random,
    log,
    audit: platform.audit,
    directory,
    agreements,
    deadlines,
    upstreams,
    drafts: new Slabs(writeBytes),
    turn: new Turn(),
    vigils: { answer: new Vigil(awakeMs), request: new Vigil(awakeMs) },
    consumerBytes: Buffer.allocUnsafeSlow(recordBytes),
    tally: new Tally(platform.metrics),
    node: config.nodeName || hostname(),
    rules: {
      peerNow: (peer) => peerNow(peer, trust, platform.clock),
      readEndpoint: endpointReader(),
      allow: throttle(config),
    },
    readToken: tokenReader(),
    closing: () => closing,
  }

  const protocol = {
    // Suites of TLS 1.3 are named apart; without one of them Node falls back to 1.2.
    ciphers: config.tls13 ? `TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:${config.ciphers}` : config.ciphers,
    honorCipherOrder: true,
    minVersion: 'TLSv1.2',
    maxVersion: config.tls13 ? 'TLSv1.3' : 'TLSv1.2',
    dhparam: 'auto',
  } as const

  const serverOptions = async (): Promise<TlsOptions> => ({
    // Refused certificates are answered 495 and 496 instead of with a bare close (§2.3).
    ...serverTls(trust, await trust.identity(config.fqdn, config.alternativeNames), { mutual: 'report' }),
    ...protocol,
    handshakeTimeout: config.handshakeSeconds * 1000,
    ALPNProtocols: ['http/1.1'],
  })

  const renewClient = async (): Promise<void> => {
    const own = await trust.identity(config.clientFqdn)
    const { ca, crl } = trust.material()
    clientContext = createSecureContext({
      ...protocol,
      key: own.key,
      cert: `${own.certificate}\n${own.chain}`,
      ca: [...ca],
      crl: [...crl],
    })
    upstreams.renew()
  }

  /** One renewal at a time; a change during one starts another. */
  let renewing: Promise<void> | undefined
  let again = false
  const renew = (): Promise<void> => {
    again = true
    renewing ??= (async () => {
      while (again) {
        again = false
        try {
          await renewClient()
          door?.renew(await serverOptions())
          renewalFault = undefined
        } catch (error) {
          renewalFault = error instanceof Error ? error.message : String(error)
          log.error(
            { err: error },
            'certificates, authorities or revocations could not be renewed; the last ones stay in force',
          )
        }
      }
      renewing = undefined
    })()
    return renewing
  }

  return {
    name: 'proxy',
    contract: { address: () => address },
    async start() {
      await renewClient()
      stopListening = trust.onChange(() => {
        // At once: a revoked provider must not be reached over a kept connection.
        upstreams.renew()
        void renew()
      })
    },
    routes: { api: explainFace({ audit: platform.audit, explain: config.explain }) },
    listeners: [
      {
        name: 'proxy',
        async listen() {
          closing = false
          const made = new Door(relay, trust, await serverOptions())
          door = made
          deadlines.start(() => relay.tally.flush(made.connections, upstreams.open))
          address = await made.listen()
          return address
        },
        async close(deadlineMs) {
          closing = true
          await door?.close(deadlineMs)
          address = undefined
        },
      },
    ],
    async stop() {
      closing = true
      stopListening?.()
      await renewing
      upstreams.destroy()
      deadlines.stop()
      relay.tally.flush(door?.connections ?? 0, upstreams.open)
    },
    async health() {
      if (renewalFault !== undefined)
        return { status: 'warn', note: `Certificates or revocations could not be renewed: ${renewalFault}` }
      return address === undefined ? { status: 'fail', note: 'The proxy does not listen.' } : { status: 'pass' }
    },
  }
}

/** A tick short enough that no deadline is more than a quarter late, and long enough to cost nothing. */
function tickOf(limits: readonly number[]): number {
  return Math.max(5, Math.min(250, Math.floor(Math.min(...limits) / 4)))
}

/** Addresses from the settings first, the system's resolver for other names. */
function staticHosts(entries: readonly string[]): LookupFunction | undefined {
  if (entries.length === 0) return undefined
  const known = new Map(
    entries.map((entry) => {
      const at = entry.indexOf('=')
      return [entry.slice(0, at).toLowerCase(), entry.slice(at + 1)] as const
    }),
  )
  return (name, options, callback) => {
    const address = known.get(name.toLowerCase())
    if (address === undefined) {
      systemLookup(name, { ...options, all: true }, (error, addresses) => {
        const [first] = addresses ?? []
        if (error !== null || first === undefined) callback(error, '', 0)
        else if (options.all) callback(null, addresses)
        else callback(null, first.address, first.family)
      })
      return
    }
    const family = isIP(address)
    if (options.all) callback(null, [{ address, family }])
    else callback(null, address, family)
  }
}
