import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isSpineError } from '../error.ts'
import { certificateId, ocspLimits, readOcspRequest, writeOcspRequest } from './ocsp.ts'

const hash = fc.uint8Array({ minLength: 20, maxLength: 20 }).map((bytes) => Buffer.from(bytes))
const id = fc
  .record({
    digest: fc.constantFrom('sha1' as const, 'sha256' as const, 'sha384' as const, 'sha512' as const),
    issuerNameHash: hash,
    issuerKeyHash: hash,
    serial: fc.uint8Array({ minLength: 1, maxLength: 20 }).map((bytes) =>
      Buffer.from(bytes)
        .toString('hex')
        .toUpperCase()
        .replace(/^(00)+(?=..)/, ''),
    ),
  })
  .map(certificateId)
const request = fc.record(
  {
    certificates: fc.array(id, { minLength: 1, maxLength: 5 }),
    nonce: fc.uint8Array({ minLength: 1, maxLength: ocspLimits.nonce }).map((bytes) => Buffer.from(bytes)),
  },
  { requiredKeys: ['certificates'], noNullPrototype: true },
)

const malformed = (error: unknown) => isSpineError(error) && error.code === 'OCSP_REQUEST_MALFORMED'

test('what is written is read again', () => {
  fc.assert(fc.property(request, (one) => assert.deepEqual(readOcspRequest(writeOcspRequest(one)), one)))
})

test('octets of any kind, and requests cut short or changed, are read or refused as malformed, nothing else', () => {
  const refusedOrRead = (bytes: Uint8Array) => {
    try {
      readOcspRequest(bytes)
    } catch (error) {
      assert.ok(malformed(error), String(error))
    }
  }
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), refusedOrRead))
  fc.assert(
    fc.property(request, fc.nat(), fc.nat(255), (one, where, octet) => {
      const bytes = writeOcspRequest(one)
      assert.throws(() => readOcspRequest(bytes.subarray(0, where % bytes.length)), malformed)
      bytes[where % bytes.length] = octet
      refusedOrRead(bytes)
    }),
  )
})

test('nonces beyond RFC 8954, too many certificates, none, and too many octets are malformed', () => {
  const [certificate] = fc.sample(id, 1)
  assert.ok(certificate)
  const certificates = [certificate]
  const refused = [
    writeOcspRequest({ certificates, nonce: Buffer.alloc(0) }),
    writeOcspRequest({ certificates, nonce: Buffer.alloc(33) }),
    writeOcspRequest({ certificates: [] }),
    writeOcspRequest({ certificates: Array(ocspLimits.certificates + 1).fill(certificate) }),
    Buffer.concat([writeOcspRequest({ certificates }), Buffer.alloc(1)]),
    Buffer.alloc(ocspLimits.bytes + 1),
  ]
  for (const bytes of refused) assert.throws(() => readOcspRequest(bytes), malformed)
  readOcspRequest(writeOcspRequest({ certificates, nonce: Buffer.alloc(32) }))
})
