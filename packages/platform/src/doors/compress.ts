import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'

const brotli = promisify(brotliCompress)
const gzipped = promisify(gzip)

/** Below this many octets the answer is one packet anyway. */
const worthIt = 2_048

/** The content coding that a caller asks for (RFC 9110 §12.5.3), of those that are worth their time here. */
export function codingFor(acceptEncoding: string | undefined): 'br' | 'gzip' | undefined {
  if (acceptEncoding === undefined) return undefined
  const weights = new Map<string, number>()
  for (const part of acceptEncoding.toLowerCase().split(',').slice(0, 20)) {
    const [coding = '', ...parameters] = part.split(';').map((each) => each.trim())
    const q = parameters.find((each) => each.startsWith('q='))
    weights.set(coding, q === undefined ? 1 : Number(q.slice(2)) || 0)
  }
  const weight = (coding: string) => weights.get(coding) ?? weights.get('*') ?? 0
  const [br, gz] = [weight('br'), weight('gzip')]
  if (br > 0 && br >= gz) return 'br'
  return gz > 0 ? 'gzip' : undefined
}

/** A body as it is sent, and the headers that go with it: compressed when the caller asks and it is large enough. */
export async function compressed(
  body: Buffer,
  acceptEncoding: string | undefined,
): Promise<{ readonly body: Buffer; readonly headers: Readonly<Record<string, string>> }> {
  if (body.length < worthIt) return { body, headers: {} }
  const coding = codingFor(acceptEncoding)
  const headers = { vary: 'accept-encoding' }
  if (coding === undefined) return { body, headers }
  const small =
    coding === 'br'
      ? await brotli(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } })
      : await gzipped(body, { level: 5 })
  return { body: small, headers: { ...headers, 'content-encoding': coding } }
}
