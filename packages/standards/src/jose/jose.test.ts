import assert from 'node:assert/strict'
import { createHmac, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  longestSignedToken,
  publicJwk,
  readKeySet,
  readSignedToken,
  type SignatureAlgorithm,
  signToken,
  thumbprint,
  verifies,
} from './jose.ts'

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 })
const pairs = {
  RS256: rsa,
  RS512: rsa,
  PS256: rsa,
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  ES512: generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  EdDSA: generateKeyPairSync('ed25519'),
}
const all = Object.keys(pairs) as (keyof typeof pairs)[]
const tokenOf = (text: string) => {
  const reading = readSignedToken(text)
  return reading.ok ? reading.token : assert.fail(reading.fault)
}

describe('signed tokens', () => {
  it('verify with their own key and algorithm, and with nothing else', () => {
    for (const algorithm of all) {
      const token = tokenOf(
        signToken({ sub: 'a' }, { key: pairs[algorithm].privateKey, algorithm, header: { kid: 'k' } }),
      )
      assert.deepEqual(token.header, { alg: algorithm, typ: 'JWT', kid: 'k' })
      for (const other of all) {
        const { publicKey } = pairs[other]
        assert.equal(verifies(token, publicKey, all), publicKey === pairs[algorithm].publicKey, `${algorithm} ${other}`)
        assert.equal(verifies(token, pairs[algorithm].publicKey, [other]), other === algorithm)
      }
      const changed = { ...token, signed: Buffer.from(`${token.signed}x`) }
      assert.equal(verifies(changed, pairs[algorithm].publicKey, all), false)
      assert.equal(verifies({ ...token, signature: Buffer.alloc(0) }, pairs[algorithm].publicKey, all), false)
    }
  })

  it('are not fooled by an HMAC with the public key, by none, or by an algorithm that is no own member', () => {
    const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' })
    for (const alg of ['HS256', 'none', 'RS512', '__proto__', 'constructor', 'toString']) {
      const signed = `${encode({ alg, typ: 'JWT' })}.${encode({ sub: 'a' })}`
      const mac = createHmac('sha256', pem).update(signed).digest('base64url')
      assert.equal(verifies(tokenOf(`${signed}.${mac}`), rsa.publicKey, all), false, alg)
      assert.equal(verifies(tokenOf(`${signed}.`), rsa.publicKey, [alg as SignatureAlgorithm]), false, alg)
    }
    const token = tokenOf(signToken({}, { key: rsa.privateKey, algorithm: 'RS256' }))
    assert.equal(verifies(token, rsa.privateKey, all), false, 'a private key verifies nothing')
  })

  it('name what is wrong with their form', () => {
    const cases: readonly (readonly [string, RegExp])[] = [
      ['', /three parts/],
      ['a.b', /three parts/],
      ['a.b.c.d', /three parts/],
      [`e30=.e30.`, /base64url/],
      [`e30.e31.`, /base64url/],
      [`e30.e30.a`, /signature/],
      [`${encode([])}.e30.`, /not a JSON object/],
      [`${encode({ crit: ['exp'] })}.e30.`, /crit/],
      [`e30.${Buffer.from([0x7b, 0xff]).toString('base64url')}.`, /UTF-8/],
      [`e30.${Buffer.from(`{"a":${'['.repeat(500)}${']'.repeat(500)}}`).toString('base64url')}.`, /nested/],
      ['x'.repeat(longestSignedToken + 1), /longer/],
    ]
    for (const [text, fault] of cases) {
      const reading = readSignedToken(text)
      assert.match(reading.ok ? '' : reading.fault, fault, text.slice(0, 40))
    }
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => void readSignedToken(text)))
  })
})

describe('key sets', () => {
  it('give the keys that can verify, and say why not the others', () => {
    const weak = generateKeyPairSync('rsa', { modulusLength: 1_024 })
    const set = {
      keys: [
        publicJwk(rsa.privateKey, { kid: 'good', alg: 'RS512' }),
        publicJwk(pairs.ES256.publicKey, { kid: 'curve', alg: 'ES256' }),
        publicJwk(weak.publicKey, { kid: 'weak', alg: 'RS512' }),
        { ...rsa.privateKey.export({ format: 'jwk' }), kid: 'private' },
        { kty: 'oct', k: 'c2VjcmV0', kid: 'secret' },
        { ...publicJwk(rsa.publicKey, { kid: 'use', alg: 'RS512' }), use: 'enc' },
        { kty: 'RSA', n: 'AQAB', e: 'AA', kid: 'unsound' },
        { kty: 'RSA', n: 7, kid: 'number' },
        null,
        { ...publicJwk(rsa.publicKey, { kid: 'x', alg: 'RS512' }), kid: 7 },
      ],
    }
    const reading = readKeySet(JSON.stringify(set))
    assert.ok(reading.ok)
    assert.deepEqual(
      reading.keys.map(({ kid }) => kid),
      ['good', 'curve', undefined],
    )
    assert.ok(reading.keys[0]?.key.equals(rsa.publicKey))
    assert.deepEqual(
      reading.unused.map(({ kid }) => kid),
      ['weak', 'private', 'secret', 'use', 'unsound', 'number', undefined],
    )
    assert.match(reading.unused[0]?.reason ?? '', /1024 bits are fewer than 2048/)
    assert.ok(!JSON.stringify(set.keys[0]).includes('"d"'))
  })

  it('that are none are named', () => {
    const key = publicJwk(rsa.publicKey, { kid: 'k', alg: 'RS512' })
    for (const text of ['', '[]', 'null', '{"keys":{}}', '<html>', JSON.stringify({ keys: Array(101).fill(key) })])
      assert.equal(readKeySet(text).ok, false, text.slice(0, 40))
    assert.equal(readKeySet(`{"keys":[],"pad":"${'x'.repeat(65_536)}"}`).ok, false)
  })
})

it('a thumbprint is that of RFC 7638 §3.1', () => {
  const key = createPublicKey({
    format: 'jwk',
    key: {
      kty: 'RSA',
      n: '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw',
      e: 'AQAB',
    },
  })
  assert.equal(thumbprint(key), 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs')
})
