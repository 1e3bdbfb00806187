/**
 * Load generator of the token benchmark, a process of its own: it signs a batch of assertions first and then sends them on
 * keep-alive connections over TLS, one request at a time on each. Rounds come as messages.
 */
import { createPrivateKey, type KeyObject, randomUUID } from 'node:crypto'
import { Agent, request } from 'node:https'
import { signToken } from '@openspine/standards/jose'

export interface TokenRound {
  readonly url: string
  readonly ca: string
  readonly clientId: string
  /** PEM. */
  readonly key: string
  readonly kid: string
  readonly connections: number
  readonly requests: number
}

export interface TokenLoad {
  readonly requests: number
  readonly seconds: number
  /** Milliseconds. */
  readonly p50: number
  readonly failed: number
  /** The first answer that was no token. */
  readonly fault?: string
}

async function round(load: TokenRound): Promise<TokenLoad> {
  const key = createPrivateKey(load.key)
  const forms = Array.from({ length: load.requests }, () => formOf(load, key))
  const agent = new Agent({ keepAlive: true, maxSockets: load.connections, ca: load.ca })
  const latencies: number[] = []
  let failed = 0
  let fault: string | undefined
  const began = performance.now()
  await Promise.all(
    Array.from({ length: load.connections }, async () => {
      for (let form = forms.pop(); form !== undefined; form = forms.pop()) {
        const sent = performance.now()
        const answer = await post(load.url, agent, form)
        latencies.push(performance.now() - sent)
        if (answer.includes('"access_token"')) continue
        failed++
        fault ??= answer
      }
    }),
  )
  const seconds = (performance.now() - began) / 1000
  agent.destroy()
  latencies.sort((a, b) => a - b)
  const p50 = latencies[latencies.length >> 1] ?? Number.NaN
  return { requests: load.requests, seconds, p50, failed, ...(fault === undefined ? {} : { fault }) }
}

function formOf({ url, clientId, kid }: TokenRound, key: KeyObject): string {
  const now = Math.floor(Date.now() / 1000)
  const claims = { iss: clientId, sub: clientId, aud: url, jti: randomUUID(), iat: now, exp: now + 290 }
  return new URLSearchParams({
    grant_type: 'client_credentials',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: signToken(claims, { key, algorithm: 'RS512', header: { kid } }),
  }).toString()
}

function post(url: string, agent: Agent, form: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded', 'content-length': Buffer.byteLength(form) }
    const sent = request(url, { method: 'POST', agent, headers }, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (piece: string) => {
        text += piece
      })
      answer.on('end', () => resolve(text))
    })
    sent.on('error', reject)
    sent.end(form)
  })
}

process.on('message', (load: TokenRound) => {
  round(load).then(
    (result) => process.send?.(result),
    (error: unknown) => {
      process.stderr.write(`${error}\n`)
      process.exit(1)
    },
  )
})
