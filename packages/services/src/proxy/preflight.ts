import type { ProxyConfig } from './config.ts'
import { dateLine, hstsLine } from './outcome.ts'

/** The verbs that a resource takes, told from the path alone (§2.5). */
export function verbsOf(requestTarget: string): string {
  const path = (readable(requestTarget).split('?')[0] ?? '').replace(/\/+$/, '')
  if (/\/Appointment\/[^/]+$/.test(path) && !/\/Patient\/[^/]+\/Appointment$/.test(path)) return 'GET, PUT'
  if (/\/Patient\/[^/]+\/Appointment$/.test(path)) return 'GET'
  return /\/Appointment$/.test(path) || /\/(?:\$|%24)[^/]+$/.test(path) ? 'POST' : 'GET'
}

/** A target that is percent-encoded as a whole (§2.2), as far as it takes to find its resource. */
function readable(requestTarget: string): string {
  if (!/^\/https%3a/i.test(requestTarget)) return requestTarget
  return requestTarget.replaceAll(/%2f/gi, '/').replaceAll(/%3f/gi, '?')
}

/** All verbs that are answered. */
export function allowedVerbs({ verbs, cors }: Pick<ProxyConfig, 'verbs' | 'cors'>): readonly string[] {
  return cors ? [...new Set([...verbs, 'OPTIONS'])] : verbs
}

/** The answer to OPTIONS, which the proxy gives itself and never relays (§2.5). */
export function preflightAnswer(
  requestTarget: string,
  config: Pick<ProxyConfig, 'corsOrigin' | 'corsRequestMethodHeader'>,
  close: boolean,
  at: number,
): Buffer {
  const verbs = verbsOf(requestTarget)
  return Buffer.from(
    `HTTP/1.1 200 OK\r\n${dateLine(at)}` +
      `Access-Control-Allow-Origin: ${config.corsOrigin.replaceAll(/[\r\n]/g, '')}\r\n` +
      `Access-Control-Allow-Methods: ${verbs}\r\n` +
      'Access-Control-Allow-Headers: Accept, Authorization, Content-Type, If-Match, If-None-Match, Prefer, Ssp-From, Ssp-InteractionID, Ssp-To, Ssp-TraceID\r\n' +
      'Access-Control-Max-Age: 600\r\n' +
      (config.corsRequestMethodHeader ? `Access-Control-Request-Method: ${verbs}\r\n` : '') +
      `Allow: ${verbs}, OPTIONS\r\nCache-Control: no-store\r\n${hstsLine}Content-Length: 0\r\n` +
      `${close ? 'Connection: close\r\n' : ''}\r\n`,
    'latin1',
  )
}
