/** The URL that a consumer wants, as the proxy's request target carries it (§2.2). */
export interface Target {
  /** As in the audit and in error texts: everything after the first slash, decoded once where it came encoded. */
  readonly url: string
  /** Host and, where written, port; in lower case. */
  readonly authority: string
  /** Path and query, byte for byte; empty when the URL ends with the authority. */
  readonly rest: string
}

export type TargetReading =
  | { readonly ok: true; readonly target: Target }
  /** `why` is a sentence that says what is wrong and what is expected; `url` what could be made out. */
  | { readonly ok: false; readonly why: string; readonly url: string }

const raw = 'https://'
const encoded = /^https%3a%2f%2f/i
/** A dot segment in any dress: plain, percent-encoded, with encoded or reversed separators, or with path parameters. */
const dotSegment = /(?:^|\/|%2f|%5c)(?:\.|%2e){1,2}(?:;|%3b|\/|%2f|%5c|$)/i
const encodedControl = /%(?:[01][0-9a-f]|7f)/i
const authorityShape = /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d{1,5})?$/

/**
 * Reads the raw request target. The path and query are checked but never normalised: what the provider
 * gets is what the consumer sent.
 */
export function readTarget(
  requestTarget: string,
  accept: { readonly encoded: boolean; readonly mergedSlashes: boolean },
): TargetReading {
  let url = requestTarget.slice(1)
  const no = (why: string): TargetReading => ({ ok: false, why, url })
  if (!requestTarget.startsWith('/') || url === '')
    return no('The path does not hold the URL of the provider: expected /https://host/base/request.')
  if (!url.startsWith(raw)) {
    if (accept.encoded && encoded.test(url)) {
      const query = url.indexOf('?')
      const decoded = decodeOnce(query < 0 ? url : url.slice(0, query))
      if (decoded === undefined) return no('The percent-encoding of the target URL is broken.')
      url = query < 0 ? decoded : decoded + url.slice(query)
      if (!url.startsWith(raw)) return no('The target URL does not begin with https:// in lower case.')
    } else if (accept.mergedSlashes && /^https:\/[^/]/.test(url)) {
      url = raw + url.slice(7)
    } else {
      return no(notHttps(url))
    }
  }
  for (let i = 0; i < url.length; i++) {
    const c = url.charCodeAt(i)
    if (c <= 0x20 || c >= 0x7f)
      return no('The target URL holds a space, a control character or a character beyond ASCII.')
    if (c === 0x5c) return no('The target URL holds a backslash.')
    if (c === 0x23) return no('The target URL holds a fragment (#); fragments are never sent.')
  }
  let end = url.indexOf('/', raw.length)
  const question = url.indexOf('?', raw.length)
  if (question >= 0 && (end < 0 || question < end)) end = question
  const authority = (end < 0 ? url.slice(raw.length) : url.slice(raw.length, end)).toLowerCase()
  if (authority.includes('@')) return no('The target URL holds user information (a name before @).')
  if (!authorityShape.test(authority)) return no('The target URL has no well-formed host name after https://.')
  const rest = end < 0 ? '' : url.slice(end)
  const query = rest.indexOf('?')
  const path = query < 0 ? rest : rest.slice(0, query)
  // A dot or a percent sign is rare in a path: look closer only then.
  if (path.includes('.') || path.includes('%')) {
    if (dotSegment.test(path)) return no('The path of the target URL holds a dot segment (. or .., plain or encoded).')
    if (encodedControl.test(path)) return no('The path of the target URL holds an encoded control character.')
  }
  return { ok: true, target: { url, authority, rest } }
}

function notHttps(url: string): string {
  if (/^https:\/[^/]/.test(url))
    return 'The two slashes of https:// arrived as one. The likely cause is a front end that normalises paths (nginx with merge_slashes, for one), otherwise the consumer’s HTTP library. The path must reach the proxy unchanged: let the front end pass TCP through, or accept merged slashes with proxy.mergedSlashes.'
  if (/^\/+https/i.test(url)) return 'There is more than one slash between the proxy’s address and the target URL.'
  if (/^http:/i.test(url)) return 'The target URL is not https.'
  if (/^https:\/\//i.test(url)) return 'The scheme of the target URL is not in lower case.'
  return 'The path does not hold the URL of the provider: expected /https://host/base/request.'
}

/** Percent-decoding to bytes, once; undefined when a % is not followed by two hexadecimal digits. */
function decodeOnce(text: string): string | undefined {
  if (/%(?![0-9a-f]{2})/i.test(text)) return undefined
  return text.replace(/%([0-9a-f]{2})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
}

/** A registered nhsMhsEndPoint, taken apart. */
export interface RegisteredEndpoint {
  /** As registered. */
  readonly value: string
  /** Host and, where written, port; in lower case. What the provider gets as Host. */
  readonly authority: string
  readonly hostname: string
  readonly port: number
  /** Path without a slash at its end. */
  readonly base: string
}

/** Undefined when the value is not an https URL that can be dialled. */
export function readEndpoint(value: string): RegisteredEndpoint | undefined {
  const reading = readTarget(`/${value}`, { encoded: false, mergedSlashes: false })
  if (!reading.ok || reading.target.rest.includes('?')) return undefined
  const { authority, rest } = reading.target
  const [hostname = '', port] = authority.split(':')
  const number = port === undefined ? 443 : Number(port)
  if (number < 1 || number > 65_535) return undefined
  return { value, authority, hostname, port: number, base: rest.replace(/\/+$/, '') }
}

/**
 * Whether the target lies under a registered endpoint: same scheme, host and port as written, path
 * character by character, and after the base only the end, a slash or a query.
 */
export function liesUnder(target: Target, endpoint: RegisteredEndpoint): boolean {
  if (target.authority !== endpoint.authority || !target.rest.startsWith(endpoint.base)) return false
  const { length } = endpoint.base
  if (target.rest.length === length) return true
  const next = target.rest.charCodeAt(length)
  return next === 0x2f || next === 0x3f
}

/** Endpoints taken apart, remembered: directory snapshots hold the same strings for a long time. */
export function endpointReader(limit = 20_000): (value: string) => RegisteredEndpoint | undefined {
  let known = new Map<string, RegisteredEndpoint | undefined>()
  return (value) => {
    const there = known.get(value)
    if (there !== undefined || known.has(value)) return there
    if (known.size >= limit) known = new Map()
    const endpoint = readEndpoint(value)
    known.set(value, endpoint)
    return endpoint
  }
}
