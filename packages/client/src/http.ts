import { SpineError } from '@openspine/standards/error'
import { Agent, type Dispatcher } from 'undici'
import type { ClientTls } from './settings.ts'

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT'
  /** Scheme, host and port: where the connection goes. */
  readonly origin: string
  /** Sent as it stands: a path to the secure proxy holds a whole URL that nothing may normalise. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** May be asked twice without doing anything twice, so that a transient error is repeated. Default: a GET is, nothing else. */
  readonly safe?: boolean
  readonly body?: string | Buffer
}

export interface HttpAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
  /** Of the last try: from the request to the last byte. */
  readonly ms: number
  /** How many tries came before it. */
  readonly retries: number
}

export interface HttpClient {
  /** `make` is called before every try, because each needs a trace id and a token of its own. */
  send(make: () => HttpRequest | Promise<HttpRequest>): Promise<HttpAnswer>
  close(): Promise<void>
}

const transientStatus = new Set([429, 502, 503, 504])
const longestBody = 256 * 1024 * 1024
const longestWaitMs = 30_000

/** One pool of kept-alive connections per origin; at most `retries` repeats of a safe request, with doubling pauses or what Retry-After asks. */
export function httpClient(options: {
  readonly tls: ClientTls | undefined
  readonly timeoutMs: number
  readonly retries: number
  readonly sleep: (ms: number) => Promise<void>
}): HttpClient {
  const { tls } = options
  const agent = new Agent({
    connections: 64,
    keepAliveTimeout: 30_000,
    headersTimeout: options.timeoutMs,
    bodyTimeout: options.timeoutMs,
    maxResponseSize: longestBody,
    connect: {
      timeout: options.timeoutMs,
      // A server that cannot prove who it is gets no record and no token, whatever NODE_TLS_REJECT_UNAUTHORIZED says.
      rejectUnauthorized: true,
      ...(tls?.ca === undefined ? {} : { ca: typeof tls.ca === 'string' ? tls.ca : [...tls.ca] }),
      ...(tls?.cert === undefined ? {} : { cert: tls.cert }),
      ...(tls?.key === undefined ? {} : { key: tls.key }),
    },
  })
  return {
    async send(make) {
      for (let retries = 0; ; retries++) {
        const request = await make()
        const started = performance.now()
        let answer: HttpAnswer | undefined
        let failure: unknown
        try {
          const response: Dispatcher.ResponseData = await agent.request({
            origin: request.origin,
            path: request.path,
            method: request.method,
            headers: request.headers,
            ...(request.body === undefined ? {} : { body: request.body }),
          })
          const body = Buffer.from(await response.body.arrayBuffer())
          answer = {
            status: response.statusCode,
            headers: response.headers,
            body,
            ms: performance.now() - started,
            retries,
          }
        } catch (error) {
          failure = error
        }
        if (answer && !transientStatus.has(answer.status)) return answer
        const safe = request.safe ?? request.method === 'GET'
        if (!safe || retries >= options.retries || (failure !== undefined && !passing(failure))) {
          if (answer) return answer
          throw unreachable(request.origin, failure, safe)
        }
        await options.sleep(pause(retries, answer))
      }
    },
    close: () => agent.close(),
  }
}

/** A handshake that was refused will be refused again; a connection that broke may not break twice. */
function passing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code ?? ''
  return /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|EAI_AGAIN|UND_ERR_(SOCKET|CONNECT_TIMEOUT|HEADERS_TIMEOUT|BODY_TIMEOUT))$/.test(
    code,
  )
}

function pause(retries: number, answer: HttpAnswer | undefined): number {
  const asked = Number(answer?.headers['retry-after'])
  return Math.min(Number.isFinite(asked) && asked > 0 ? asked * 1000 : 200 * 2 ** retries, longestWaitMs)
}

/** What the caller of an unsafe request must know when the answer was lost on the way. */
export const outcomeUnknown =
  ' Whether the change was made is not known: read what is there before you ask again; it was not repeated.'

function unreachable(origin: string, cause: unknown, safe: boolean): SpineError {
  const code = (cause as NodeJS.ErrnoException)?.code ?? 'unknown'
  return new SpineError(
    'CLIENT_UNREACHABLE',
    { origin, reason: code },
    {
      cause,
      explanation: `${origin} could not be reached: ${code} (${(cause as Error)?.message ?? ''}).${advice(code)}${safe || neverSent.test(code) ? '' : outcomeUnknown}`,
    },
  )
}

/** Failures before the first byte of the request left. */
const neverSent = /^(ECONNREFUSED|EAI_AGAIN|ENOTFOUND|UND_ERR_CONNECT_TIMEOUT)$|CERT|SELF_SIGNED|ISSUER|ALTNAME/

function advice(code: string): string {
  if (code === 'ECONNREFUSED') return ' Nothing listens there: is the service running, and is the address right?'
  if (/CERT|SELF_SIGNED|ISSUER|ALTNAME/.test(code))
    return " The server's certificate is not trusted: give the environment's CA bundle."
  if (/SSL|ALERT|HANDSHAKE|ECONNRESET|SOCKET/.test(code))
    return ' If the door wants mutual TLS, check the client certificate: missing, expired, revoked or of another environment.'
  return ''
}
