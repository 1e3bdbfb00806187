import type { FastifyPluginAsync } from 'fastify'
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
