import { lookup } from 'node:dns'
import { request as plainRequest } from 'node:http'
import { request as secureRequest } from 'node:https'
import { BlockList, isIP, type LookupFunction } from 'node:net'

/** Addresses that are nobody's on the internet: this host, private networks, link-local ones (§12.2). */
const special = new BlockList()
for (const [net, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['224.0.0.0', 3],
] as const)
  special.addSubnet(net, bits, 'ipv4')
for (const [net, bits] of [
  ['::', 127],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const)
  special.addSubnet(net, bits, 'ipv6')

// An IPv4-mapped IPv6 address is looked up among both families by BlockList itself.
const isSpecial = (address: string) => special.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')

const guarded: LookupFunction = (host, options, done) =>
  lookup(host, options, (error, address, family) => {
    const all = typeof address === 'string' ? [address] : (address ?? []).map((each) => each.address)
    if (error === null && all.some(isSpecial)) done(new Error(`${host} is at a private address`), '', 0)
    else done(error, address, family)
  })

const mostOctets = 256 * 1024
const timeoutMs = 5_000

/** One request to a relying party: bounded in time and size, no redirects, and to private addresses only where that is allowed. */
export function outgoing(options: {
  readonly privateAddresses: boolean
  readonly authorities: () => readonly string[]
}) {
  return (
    url: string,
    asked: { readonly method: string; readonly headers: Readonly<Record<string, string>>; readonly body?: string },
  ): Promise<Response> => {
    const target = new URL(url)
    const host = target.hostname.replace(/^\[|\]$/g, '')
    if (!options.privateAddresses && isIP(host) !== 0 && isSpecial(host))
      return Promise.reject(new Error(`${host} is a private address`))
    if (target.protocol !== 'https:' && target.protocol !== 'http:')
      return Promise.reject(new Error(`${target.protocol} is not an address of the web`))
    return new Promise((resolve, reject) => {
      const settings = {
        method: asked.method,
        headers: asked.headers,
        agent: false as const,
        signal: AbortSignal.timeout(timeoutMs),
        ...(options.privateAddresses ? {} : { lookup: guarded }),
      }
      const sent =
        target.protocol === 'https:'
          ? secureRequest(target, { ...settings, ca: [...options.authorities()] })
          : plainRequest(target, settings)
      sent.on('error', reject)
      sent.on('response', (response) => {
        const chunks: Buffer[] = []
        let octets = 0
        response.on('data', (chunk: Buffer) => {
          octets += chunk.length
          if (octets > mostOctets) sent.destroy(new Error(`more than ${mostOctets} octets`))
          else chunks.push(chunk)
        })
        response.on('error', reject)
        response.on('end', () => {
          const headers = Object.entries(response.headers).flatMap(([name, value]): [string, string][] =>
            typeof value === 'string' ? [[name, value]] : [],
          )
          const status = response.statusCode ?? 0
          const empty = status === 204 || status === 205 || status === 304
          resolve(new Response(empty ? null : Buffer.concat(chunks), { status, headers }))
        })
      })
      sent.end(asked.body)
    })
  }
}
