import { lookup as lookUp } from 'node:dns'
import { request as plainRequest } from 'node:http'
import { request as secureRequest } from 'node:https'
import { BlockList, isIP, isIPv6, type LookupFunction } from 'node:net'

/** One call to a server that somebody else named. */
export interface FetchRequest {
  readonly url: string
  readonly method?: 'GET' | 'POST'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

export interface FetchAnswer {
  readonly status: number
  readonly contentType: string | undefined
  readonly body: Buffer
}

/** Resolves with what the server said, whatever its status; throws `FetchFault`. */
export type Fetch = (request: FetchRequest) => Promise<FetchAnswer>

/** Why there is no answer, in a sentence for people. */
export class FetchFault extends Error {
  override readonly name = 'FetchFault'
}

export interface FetchOptions {
  /** Whole exchange, from the name's resolution to the last octet. */
  readonly timeoutMs: number
  readonly maxBytes: number
  /** Whether `http:` is allowed. */
  readonly plain: boolean
  /** Addresses (`10.0.0.0/8`, `::1`) and hosts (`keys.local`, `keys.local:8443`) that may be special-use ones. */
  readonly allow: readonly string[]
  /** Issuers to trust besides the system's, PEM. */
  readonly ca?: () => readonly string[]
}

const mostRedirects = 3

/*
 * Special-use addresses (RFC 6890 and its registries): nothing there is a server that a caller may have us ask. Two
 * lists, because one that holds ::ffff:0:0/96 holds every IPv4 address.
 */
const special4 = blockList([
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
])
const special6 = blockList([
  // Unspecified, loopback and the forms that carry an IPv4 address inside: mapped, translated, NAT64, Teredo, 6to4.
  '::/96',
  '::ffff:0:0/96',
  '::ffff:0:0:0/96',
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  '100::/64',
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  '3fff::/20',
  '5f00::/16',
  'fc00::/7',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
])

function blockList(ranges: readonly string[]): BlockList {
  const list = new BlockList()
  for (const range of ranges) {
    const [address = '', bits] = range.split('/')
    const family = isIPv6(address) ? 'ipv6' : 'ipv4'
    list.addSubnet(address, bits === undefined ? (family === 'ipv6' ? 128 : 32) : Number(bits), family)
  }
  return list
}

/** Whether the address is one of a public server. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address)
  return family === 4 ? !special4.check(address, 'ipv4') : family === 6 && !special6.check(address, 'ipv6')
}

/**
 * Fetches with bounds on time and size, and never from where a caller must not have this server ask: only `https:`
 * unless `plain`; no special-use address unless it is allowed, judged on the resolved address that is then connected
 * to, so that a name cannot change in between; redirects within the same origin alone.
 */
export function guardedFetch(options: FetchOptions): Fetch {
  const named = new Set(options.allow.filter((each) => !isRange(each)).map((each) => each.toLowerCase()))
  const ranges = blockList(options.allow.filter(isRange))
  const allowed = (address: string) =>
    isPublicAddress(address) || ranges.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')

  function guarded(url: URL): LookupFunction {
    const trusted = named.has(url.host.toLowerCase()) || named.has(url.hostname.toLowerCase())
    const literal = url.hostname.replace(/^\[|\]$/g, '')
    if (isIP(literal) !== 0 && !trusted && !allowed(literal)) throw new FetchFault(refusedAddress(url.host))
    return (hostname, how, done) => {
      lookUp(hostname, { ...how, all: true }, (error, found) => {
        if (error !== null) return done(error, '', 0)
        const usable = trusted ? found : found.filter(({ address }) => allowed(address))
        const [first] = usable
        if (first === undefined) return done(new FetchFault(refusedAddress(url.host)), '', 0)
        if (how.all === true) done(null, usable)
        else done(null, first.address, first.family)
      })
    }
  }

  return async (request) => {
    const stop = AbortSignal.timeout(options.timeoutMs)
    let url = parsed(request.url)
    const { origin } = url
    for (let redirects = 0; ; redirects++) {
      if (url.protocol !== 'https:' && !(options.plain && url.protocol === 'http:'))
        throw new FetchFault('The URL is not an https one.')
      if (url.username !== '' || url.password !== '') throw new FetchFault('The URL holds a user name or password.')
      const answer = await once(url, request, { ...options, lookup: guarded(url), stop })
      if (answer.location === undefined || request.method === 'POST') return answer
      if (redirects === mostRedirects) throw new FetchFault('The server redirects too often.')
      url = parsed(new URL(answer.location, url).href)
      if (url.origin !== origin) throw new FetchFault('The server redirects to another host, which is not followed.')
    }
  }
}

const isRange = (text: string) => isIP(text.split('/')[0] ?? '') !== 0

const refusedAddress = (host: string) =>
  `${host} has a loopback, private or other special-use address, which is not fetched from unless identity.fetchAllow names it.`

function parsed(text: string): URL {
  const url = URL.parse(text)
  if (url === null) throw new FetchFault('The URL cannot be read.')
  return url
}

function once(
  url: URL,
  { method = 'GET', headers = {}, body }: FetchRequest,
  how: FetchOptions & { readonly lookup: LookupFunction; readonly stop: AbortSignal },
): Promise<FetchAnswer & { readonly location: string | undefined }> {
  const { promise, resolve, reject } = Promise.withResolvers<FetchAnswer & { readonly location: string | undefined }>()
  const secure = url.protocol === 'https:'
  const ca = how.ca?.()
  const request = (secure ? secureRequest : plainRequest)(
    url,
    {
      method,
      headers: { 'accept-encoding': 'identity', ...headers },
      lookup: how.lookup,
      agent: false,
      signal: how.stop,
      maxHeaderSize: 16 * 1024,
      ...(secure ? { rejectUnauthorized: true, ...(ca === undefined ? {} : { ca: [...ca] }) } : {}),
    },
    (response) => {
      const { statusCode = 0, headers: received } = response
      const refuse = (why: string) => {
        reject(new FetchFault(why))
        request.destroy()
      }
      if ((received['content-encoding'] ?? 'identity') !== 'identity')
        return refuse('The answer is compressed, which was not asked for.')
      const chunks: Buffer[] = []
      let length = 0
      response.on('data', (chunk: Buffer) => {
        length += chunk.length
        if (length > how.maxBytes) refuse(`The answer is longer than ${how.maxBytes} octets.`)
        else chunks.push(chunk)
      })
      response.on('error', (error) => reject(faultOf(error, how)))
      response.on('end', () => {
        if (!response.complete) return refuse('The answer broke off.')
        resolve({
          status: statusCode,
          contentType: received['content-type'],
          body: Buffer.concat(chunks),
          location: statusCode >= 300 && statusCode < 400 ? received.location : undefined,
        })
      })
    },
  )
  request.on('error', (error) => reject(faultOf(error, how)))
  request.end(body)
  return promise
}

function faultOf(
  error: NodeJS.ErrnoException,
  { stop, timeoutMs }: { stop: AbortSignal; timeoutMs: number },
): FetchFault {
  if (error instanceof FetchFault) return error
  if (stop.aborted) return new FetchFault(`There was no whole answer within ${timeoutMs} ms.`)
  return new FetchFault(`The server cannot be reached (${error.code ?? 'no code'}).`, { cause: error })
}
