import { createHash, type KeyObject, sign, X509Certificate } from 'node:crypto'
import { promisify } from 'node:util'
import { isSpineError } from '@openspine/standards/error'
import {
  type CertificateId,
  type CertificateStatus,
  certificateId,
  type OcspFailure,
  type OcspOutcome,
  readOcspRequest,
  subjectAndKey,
  writeOcspFailure,
  writeOcspResponse,
  writeResponseData,
} from '@openspine/standards/ocsp'
import type { Clock } from '../clock.ts'
import type { Logger } from '../log.ts'

/** An OCSPResponse (DER); the times, in milliseconds, only where it may be kept by caches until then (RFC 5019 §6). */
export interface OcspAnswer {
  readonly der: Buffer
  readonly cache?: { readonly thisUpdate: number; readonly nextUpdate: number }
}

/** A CA about whose certificates we answer, in its own name. */
export interface OcspIssuer {
  /** PEM. */
  readonly certificate: string
  /** The CA's private key; undefined when it is not here. */
  key(): Promise<KeyObject | undefined>
  status(serial: string): CertificateStatus
}

const skew = 5 * 60_000
const keptMost = 10_000
const signingMost = 64
const signAsync = promisify(sign)

/** What CertIDs say of an issuer, by digest. */
function hashesOf(certificate: string) {
  const { subject, key } = subjectAndKey(new X509Certificate(certificate).raw)
  const made = (['sha1', 'sha256', 'sha384', 'sha512'] as const).map((digest) => {
    const hash = (bytes: Buffer) => createHash(digest).update(bytes).digest()
    return [digest, { name: hash(subject), key: hash(key) }] as const
  })
  return Object.fromEntries(made) as Record<(typeof made)[number][0], (typeof made)[number][1]>
}

/**
 * Answers OCSP (RFC 6960) for these issuers. Each answers for its own certificates, under its own key
 * (decision 8), so a request is answered by the issuer of the first certificate in it that is one of
 * ours; what it has not issued is `unknown`. Answers without a nonce are kept until half of their life
 * is gone or one of their certificates is revoked.
 */
export function ocspResponder(about: {
  readonly issuers: readonly [OcspIssuer, ...OcspIssuer[]]
  /** Life of an answer in milliseconds. */
  readonly life: number
  readonly clock: Clock
  readonly log: Logger
}) {
  const { clock, life, log } = about
  const issuers = about.issuers.map((issuer) => ({ ...issuer, hashes: hashesOf(issuer.certificate) }))
  type Issuer = (typeof issuers)[number]
  const kept = new Map<string, { readonly answer: OcspAnswer; readonly renewAt: number; readonly statuses: string }>()
  let signing = 0

  const has = ({ hashes }: Issuer, { digest, issuerNameHash, issuerKeyHash }: CertificateId) =>
    digest !== undefined && hashes[digest].name.equals(issuerNameHash) && hashes[digest].key.equals(issuerKeyHash)

  const failure = (status: OcspFailure): OcspAnswer => ({ der: writeOcspFailure(status) })

  async function answerTo(certificates: readonly CertificateId[], nonce?: Buffer): Promise<OcspAnswer> {
    const issuer = issuers.find((one) => certificates.some((id) => has(one, id))) ?? (issuers[0] as Issuer)
    const responses = certificates.map((id) =>
      has(issuer, id) ? { ...issuer.status(id.serial), id } : { status: 'unknown' as const, id },
    )
    const now = clock.now()
    const name = nonce === undefined ? certificates.map(({ der }) => der.toString('latin1')).join('') : ''
    const statuses = responses.map((one) => (one.status === 'revoked' ? one.at : one.status)).join()
    const found = nonce === undefined ? kept.get(name) : undefined
    if (found !== undefined && found.statuses === statuses && now < found.renewAt) return found.answer
    const key = await issuer.key()
    if (key === undefined) return failure('unauthorized')
    if (signing >= signingMost) return failure('tryLater')
    signing++
    try {
      const second = Math.floor(now / 1000) * 1000
      const times = { thisUpdate: second - skew, nextUpdate: second + life }
      const data = writeResponseData({
        responderKeyHash: issuer.hashes.sha1.key,
        producedAt: second,
        ...times,
        responses,
        ...(nonce === undefined ? {} : { nonce }),
      })
      const kind = key.asymmetricKeyType === 'ec' ? 'ec' : 'rsa'
      const der = writeOcspResponse(data, kind, await signAsync('sha256', data, key))
      if (nonce !== undefined) return { der }
      const answer = { der, cache: times }
      kept.delete(name)
      // The oldest goes: a flood of made-up serials costs signatures, not memory.
      if (kept.size >= keptMost) for (const oldest of kept.keys()) if (kept.delete(oldest)) break
      kept.set(name, { answer, renewAt: now + life / 2, statuses })
      return answer
    } finally {
      signing--
    }
  }

  return {
    /** Never throws: what is wrong is said in the answer, as OCSP says it. */
    async answer(bytes: Uint8Array): Promise<OcspAnswer> {
      try {
        const { certificates, nonce } = readOcspRequest(bytes)
        return await answerTo(certificates, nonce)
      } catch (error) {
        if (isSpineError(error) && error.code === 'OCSP_REQUEST_MALFORMED') {
          return failure((error.outcome as OcspOutcome).status)
        }
        log.error({ err: error }, 'an OCSP request could not be answered')
        return failure('internalError')
      }
    },
    /** The answer about one certificate of the first issuer, for a TLS server to staple (RFC 6066 §8). */
    async staple(serial: string): Promise<Buffer> {
      const { sha1 } = (issuers[0] as Issuer).hashes
      const id = certificateId({ digest: 'sha1', issuerNameHash: sha1.name, issuerKeyHash: sha1.key, serial })
      return (await answerTo([id])).der
    },
  }
}
