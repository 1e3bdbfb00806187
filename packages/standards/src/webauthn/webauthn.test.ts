import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  type PasskeyAlgorithm,
  passkeySigned,
  readAttestation,
  readAuthenticatorData,
  readCbor,
  readClientData,
} from './webauthn.ts'

const hex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'))

describe('CBOR of CTAP2', () => {
  it('is read as RFC 8949 (Appendix A) shows it', () => {
    for (const [encoded, value] of [
      ['17', 23],
      ['1818', 24],
      ['1903e8', 1000],
      ['1a000f4240', 1_000_000],
      ['1b000000e8d4a51000', 1_000_000_000_000],
      ['20', -1],
      ['3903e7', -1000],
      ['f4', false],
      ['f5', true],
      ['f6', null],
      ['4401020304', hex('01020304')],
      ['6449455446', 'IETF'],
      ['62c3bc', 'ü'],
      ['8301820203820405', [1, [2, 3], [4, 5]]],
      [
        'a26161016162820203',
        new Map<string, unknown>([
          ['a', 1],
          ['b', [2, 3]],
        ]),
      ],
      [
        'a201020304',
        new Map([
          [1, 2],
          [3, 4],
        ]),
      ],
    ] as const)
      assert.deepEqual(readCbor(hex(encoded)), { value, end: encoded.length / 2 }, encoded)
  })

  it('is refused where it ends early, has no length, is of another kind, too deep, too big, or says a key twice', () => {
    for (const encoded of [
      '',
      '18',
      '42ff',
      '5f42010243030405ff',
      '9fff',
      'bf61610161629f0203ffff',
      'c074323031332d30332d32315432303a30343a30305a',
      'f93c00',
      'fb3ff199999999999a',
      'f7',
      '1bffffffffffffffff',
      '9b0020000000000000',
      '62c328',
      'a2010201',
      'a201020103',
      'a1800102',
      '81'.repeat(20) + '00',
      '1c',
    ])
      assert.equal(readCbor(hex(encoded)), undefined, encoded)
  })

  it('whatever the bytes, it is read or refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        const read = readCbor(bytes)
        assert.ok(read === undefined || (read.end > 0 && read.end <= bytes.length))
        readAttestation(bytes)
        readAuthenticatorData(bytes)
        readClientData(bytes)
      }),
      { numRuns: 2_000 },
    )
  })
})

/** Octets of a number in so many. */
const octets = (value: number, length: number) => {
  const bytes = Buffer.alloc(length)
  bytes.writeUIntBE(value, 0, length)
  return bytes
}
const byteString = (bytes: Uint8Array) => Buffer.concat([Buffer.from([0x59]), octets(bytes.length, 2), bytes])

const authenticatorData = (flags: number, counter: number, ...rest: readonly Uint8Array[]) =>
  new Uint8Array(Buffer.concat([Buffer.alloc(32, 7), Buffer.from([flags]), octets(counter, 4), ...rest]))

const pairs = {
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: generateKeyPairSync('ed25519'),
  RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  short: generateKeyPairSync('rsa', { modulusLength: 1024 }),
}

function coseKey(name: keyof typeof pairs): Buffer {
  const jwk = pairs[name].publicKey.export({ format: 'jwk' })
  const part = (text: string | undefined) => byteString(Buffer.from(text ?? '', 'base64url'))
  if (name === 'ES256') return Buffer.concat([hex('a5010203262001'), hex('21'), part(jwk.x), hex('22'), part(jwk.y)])
  if (name === 'EdDSA') return Buffer.concat([hex('a4010103272006'), hex('21'), part(jwk.x)])
  return Buffer.concat([hex('a401030339010020'), part(jwk.n), hex('21'), part(jwk.e)])
}

const attested = (key: Buffer, id = Buffer.from('the credential')) =>
  Buffer.concat([Buffer.alloc(16, 3), octets(id.length, 2), id, key])

describe('what an authenticator says', () => {
  it('is read with flags, counter, credential and extensions', () => {
    const data = authenticatorData(0b1100_1101, 258, attested(coseKey('ES256')), hex('a16161f5'))
    const read = readAuthenticatorData(data)
    assert.deepEqual(
      [read?.userPresent, read?.userVerified, read?.backupEligible, read?.backedUp, read?.counter],
      [true, true, true, false, 258],
    )
    assert.equal(Buffer.from(read?.credential?.id ?? []).toString(), 'the credential')
    assert.equal(read?.credential?.aaguid, '03'.repeat(16))
    assert.deepEqual(read?.credential?.key, {
      algorithm: -7,
      jwk: pairs.ES256.publicKey.export({ format: 'jwk' }),
    })
    assert.equal(readAuthenticatorData(authenticatorData(5, 0))?.credential, undefined)
  })

  it('is refused when something is missing, left over, or no key of a kind that is known', () => {
    const whole = authenticatorData(0b0100_0101, 1, attested(coseKey('ES256')))
    for (let length = 0; length < whole.length; length++)
      assert.equal(readAuthenticatorData(whole.subarray(0, length)), undefined, `${length}`)
    assert.equal(readAuthenticatorData(new Uint8Array([...whole, 0])), undefined)
    assert.equal(
      readAuthenticatorData(authenticatorData(0b0100_0101, 1, attested(coseKey('ES256'), Buffer.alloc(0)))),
      undefined,
    )
    const keyOf = (key: Buffer) => readAuthenticatorData(authenticatorData(0b0100_0101, 1, attested(key)))?.credential
    assert.equal(keyOf(coseKey('short'))?.key, undefined, 'RSA of 1024 bits')
    const offCurve = coseKey('ES256')
    offCurve.fill(9, offCurve.length - 30)
    assert.equal(keyOf(offCurve)?.key, undefined, 'a point that is not on the curve')
    assert.equal(keyOf(Buffer.from(hex('a0')))?.key, undefined)
  })

  it('is believed with the signature of its own key alone', () => {
    const hash = createHash('sha256').update('{}').digest()
    const data = authenticatorData(5, 1)
    for (const [name, algorithm] of [
      ['ES256', -7],
      ['EdDSA', -8],
      ['RS256', -257],
    ] as const) {
      const { privateKey, publicKey } = pairs[name]
      const key = { algorithm: algorithm as PasskeyAlgorithm, jwk: publicKey.export({ format: 'jwk' }) }
      const signature = sign(algorithm === -8 ? null : 'sha256', Buffer.concat([data, hash]), privateKey)
      assert.equal(passkeySigned(key, signature, data, hash), true, name)
      assert.equal(passkeySigned(key, signature, authenticatorData(5, 2), hash), false, name)
      assert.equal(passkeySigned(key, new Uint8Array(), data, hash), false, name)
      assert.equal(passkeySigned({ ...key, jwk: {} }, signature, data, hash), false, name)
    }
  })
})

it('client data are a JSON object with type, challenge and origin', () => {
  const read = (value: unknown) => readClientData(new TextEncoder().encode(JSON.stringify(value)))
  const good = { type: 'webauthn.get', challenge: 'AAAA', origin: 'https://localhost' }
  assert.deepEqual(read(good), { ...good, crossOrigin: false })
  assert.equal(read({ ...good, crossOrigin: true })?.crossOrigin, true)
  for (const bad of [
    null,
    [],
    'x',
    { ...good, type: 1 },
    { ...good, origin: undefined },
    { ...good, crossOrigin: 'no' },
  ])
    assert.equal(read(bad), undefined)
  assert.equal(read({ ...good, more: 'x'.repeat(5_000) }), undefined)
  assert.equal(readClientData(hex('ff')), undefined)
})
