/** Real clients of the practice system: curl, and node's own on one connection that is kept. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { Agent, request as httpsRequest } from 'node:https'
import { promisify } from 'node:util'
import type { Trust } from '@openspine/platform/trust'
import { dstu2 } from '@openspine/standards/fhir/dstu2'
import { headersToSend, type TestRequest } from './requests.ts'

export const run = promisify(execFile)

export interface Reply {
  readonly status: number
  readonly reason: string
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
}

/** PEM files as curl takes them. */
export interface ClientFiles {
  readonly fullChain: string
  readonly key?: string
}

/** One request with curl, its path as it stands; without files it shows no certificate. */
export async function curl(
  to: { readonly url: string; readonly trust: Pick<Trust, 'files'> },
  it: TestRequest,
  client: ClientFiles | undefined,
  more: readonly string[] = [],
): Promise<Reply> {
  const sent = run(
    'curl',
    [
      ...['--silent', '--show-error', '--include', '--raw', '--path-as-is', '--max-time', '10', '-4'],
      ...['--cacert', to.trust.files.bundle, '--request', it.method],
      ...(client?.key ? ['--cert', client.fullChain, '--key', client.key] : []),
      ...headersToSend(it).flatMap(([name, value]) => ['--header', `${name}: ${value}`]),
      ...(it.body === '' ? [] : ['--data-binary', '@-']),
      ...more,
      to.url + it.target,
    ],
    { encoding: 'latin1', maxBuffer: 10_000_000 },
  )
  sent.child.stdin?.end(it.body)
  return readReply((await sent).stdout)
}

/** Reads a response as it came over the wire, octets as Latin-1. */
export function readReply(text: string): Reply {
  let rest = text
  for (;;) {
    const end = rest.indexOf('\r\n\r\n')
    const [first = '', ...lines] = rest.slice(0, end).split('\r\n')
    rest = rest.slice(end + 4)
    const [, status = '', reason = ''] = /^HTTP\/1\.1 (\d{3}) ?(.*)$/.exec(first) ?? []
    if (status === '100') continue
    const headers = new Map(
      lines.map((line) => {
        const colon = line.indexOf(':')
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
      }),
    )
    const body = headers.get('transfer-encoding') === 'chunked' ? unchunk(rest) : rest
    return { status: Number(status), reason, headers, body: Buffer.from(body, 'latin1').toString('utf8') }
  }
}

function unchunk(text: string): string {
  let body = ''
  let at = 0
  for (;;) {
    const line = text.indexOf('\r\n', at)
    const size = Number.parseInt(text.slice(at, line), 16)
    if (!(size > 0)) return body
    body += text.slice(line + 2, line + 2 + size)
    at = line + 2 + size + 2
  }
}

/** The code of a refusal, which must be an OperationOutcome that is never stored. */
export function outcomeCode({ body, headers }: Reply): string | undefined {
  assert.equal(headers.get('cache-control'), 'no-store')
  const outcome = dstu2.read(headers.get('content-type')?.includes('xml') ? 'xml' : 'json', body)
  assert.equal(outcome.resourceType, 'OperationOutcome')
  return (outcome['issue'] as { details: { coding: { code: string }[] } }[])[0]?.details.coding[0]?.code
}

/** What a TLS client shows and trusts. */
export interface ClientIdentity {
  readonly certificate: string
  readonly chain: string
  readonly key?: string
}

export interface KeptConnection {
  send(
    asked: TestRequest,
  ): Promise<{ readonly status: number; readonly text: string; readonly connection: string | undefined }>
  /** How many sockets were used. */
  sockets(): number
  end(): void
}

/** Requests one after another on one connection that is kept. */
export function keptConnection(port: number, trust: Pick<Trust, 'material'>, client: ClientIdentity): KeptConnection {
  const agent = new Agent({
    keepAlive: true,
    maxSockets: 1,
    ca: trust.material().ca.join('\n'),
    cert: client.certificate + client.chain,
    key: client.key,
  })
  const sockets = new Set<unknown>()
  return {
    send: (asked) =>
      new Promise((resolve, reject) => {
        const outgoing = httpsRequest(
          { host: '127.0.0.1', port, servername: 'localhost', path: asked.target, method: asked.method, agent },
          (response) => {
            let text = ''
            response.setEncoding('utf8')
            response.on('data', (portion: string) => {
              text += portion
            })
            response.on('end', () =>
              resolve({ status: response.statusCode ?? 0, text, connection: response.headers.connection }),
            )
            response.on('error', reject)
          },
        )
        outgoing.on('socket', (socket) => sockets.add(socket))
        outgoing.on('error', reject)
        for (const [name, value] of headersToSend(asked)) outgoing.setHeader(name, value)
        outgoing.end(asked.body)
      }),
    sockets: () => sockets.size,
    end: () => agent.destroy(),
  }
}
