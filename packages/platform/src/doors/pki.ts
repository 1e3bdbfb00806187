import { createHash } from 'node:crypto'
import { ocspLimits } from '@openspine/standards/ocsp'
import type { FastifyPluginAsync, FastifyReply } from 'fastify'
import type { Clock } from '../clock.ts'
import type { Trust } from '../trust/trust.ts'

/**
 * Publishes what everyone may know of the environment's own PKI, for clients on other machines and
 * for the CRL distribution point and issuer address that leaves may carry (RFC 5280 §4.2.1.13: DER):
 * `/pki/ca-bundle.pem`, `/pki/crl.pem`, `/pki/root.cer`, `/pki/issuing.cer`, `/pki/root.crl`, `/pki/issuing.crl`.
 */
export function pki(trust: Pick<Trust, 'material'>): FastifyPluginAsync {
  const text = (blocks: readonly string[]) => Buffer.from(blocks.join(''))
  const documents: Readonly<Record<string, readonly [string, () => Buffer | undefined]>> = {
    '/pki/ca-bundle.pem': ['application/x-pem-file', () => text(trust.material().ca)],
    '/pki/crl.pem': ['application/x-pem-file', () => text(trust.material().crl)],
    '/pki/issuing.cer': ['application/pkix-cert', () => der(trust.material().ca[0])],
    '/pki/root.cer': ['application/pkix-cert', () => der(trust.material().ca.at(-1))],
    '/pki/issuing.crl': ['application/pkix-crl', () => der(trust.material().crl[0])],
    '/pki/root.crl': ['application/pkix-crl', () => der(trust.material().crl.at(-1))],
  }
  return async (app) => {
    for (const [path, [type, read]] of Object.entries(documents)) {
      app.get(path, async (_request, reply) => {
        const document = read()
        if (document === undefined) return reply.callNotFound()
        return reply.header('cache-control', 'no-cache').type(type).send(document)
      })
    }
  }
}

function der(pem: string | undefined): Buffer | undefined {
  return pem === undefined ? undefined : Buffer.from(pem.replace(/-----[^-]+-----/g, ''), 'base64')
}

const requestType = 'application/ocsp-request'
const responseType = 'application/ocsp-response'

/**
 * The OCSP responder (RFC 6960 appendix A, RFC 5019 §5): `POST /ocsp` with the request as its body, `GET /ocsp/<base64>`
 * with the request in the path, with `/`, `+` and `=` as they are or percent-encoded. What is wrong with a request is
 * said in OCSP, under status 200.
 */
export function ocsp(trust: Pick<Trust, 'ocsp'>, clock: Clock): FastifyPluginAsync {
  return async (app) => {
    const send = async (reply: FastifyReply, request: Uint8Array, cached: boolean) => {
      const { der, cache } = await trust.ocsp(request)
      reply.type(responseType)
      if (!cached || cache === undefined) return reply.header('cache-control', 'no-store').send(der)
      const left = Math.max(0, Math.floor((cache.nextUpdate - clock.now()) / 1000))
      return reply
        .header('cache-control', `max-age=${left}, public, no-transform, must-revalidate`)
        .header('last-modified', new Date(cache.thisUpdate).toUTCString())
        .header('expires', new Date(cache.nextUpdate).toUTCString())
        .header('etag', `"${createHash('sha1').update(der).digest('hex')}"`)
        .send(der)
    }
    app.post('/ocsp', { bodyLimit: ocspLimits.bytes }, async (request, reply) => {
      const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase()
      const body = type === requestType && Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
      return send(reply, body, false)
    })
    app.get('/ocsp/*', async (request, reply) => send(reply, pathRequest(request.raw.url ?? ''), true))
  }
}

/** The request in the path, read from the address as it came: a router would change it. Nothing where it is no base64. */
function pathRequest(url: string): Buffer {
  const path = /^\/ocsp\/+(.*)$/.exec(url.split('?')[0] ?? '')?.[1] ?? ''
  const text = path.replace(/%(2[bf]|3d)/gi, (_, octet: string) => String.fromCharCode(Number.parseInt(octet, 16)))
  return Buffer.from(/^[A-Za-z0-9+/]+={0,2}$/.test(text) ? text : '', 'base64')
}
