import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isSpineError } from '@openspine/standards/error'
import fc from 'fast-check'
import { pagedResults, readPage } from './controls.ts'
import type { Filter } from './filter.ts'
import type { Control, LdapMessage, LdapRequest, LdapResponse, Scope } from './message.ts'
import { decodeRequest, encodeRequest } from './request.ts'
import { decodeResponse, encodeResponse, noticeOfDisconnection, plainResult } from './response.ts'

/** Records with the prototype that everything else has. */
const record = <T>(shape: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record<T>(shape, { noNullPrototype: true } as never)

const octets = fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes))
const name = fc.stringMatching(/^[a-zA-Z][a-zA-Z0-9-]{0,10}$/)
const text = fc.string({ unit: 'grapheme', maxLength: 20 })

const filter = fc.letrec<{ filter: Filter }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    record({
      kind: fc.constantFrom('equal', 'greaterOrEqual', 'lessOrEqual', 'approximate'),
      attribute: name,
      value: octets,
    }),
    record({ kind: fc.constant('present'), attribute: name }),
    record({
      kind: fc.constant('substrings'),
      attribute: name,
      initial: fc.option(octets, { nil: undefined }),
      any: fc.array(octets, { maxLength: 3 }),
      final: fc.option(octets, { nil: undefined }),
    }).filter(({ initial, any, final }) => initial !== undefined || final !== undefined || any.length > 0),
    record({
      kind: fc.constant('extensible'),
      rule: fc.option(name, { nil: undefined }),
      attribute: fc.option(name, { nil: undefined }),
      value: octets,
      dnAttributes: fc.boolean(),
    }),
    record({ kind: fc.constantFrom('and', 'or'), of: fc.array(tie('filter'), { maxLength: 4 }) }),
    record({ kind: fc.constant('not'), of: tie('filter') }),
  ) as fc.Arbitrary<Filter>,
})).filter

const controls: fc.Arbitrary<Control[]> = fc.array(
  fc.oneof(
    record({ oid: fc.constantFrom('1.2.3', '1.2.840.113556.1.4.319'), critical: fc.boolean(), value: octets }),
    record({ oid: fc.constant('2.16.840.1.113730.3.4.2'), critical: fc.boolean() }),
  ),
  { maxLength: 3 },
)

type Sendable = Parameters<typeof encodeRequest>[0]['operation']

const request: fc.Arbitrary<Sendable> = fc.oneof(
  record({
    op: fc.constant('search' as const),
    base: text,
    scope: fc.constantFrom<Scope[]>(0, 1, 2, 3),
    derefAliases: fc.integer({ min: 0, max: 3 }),
    sizeLimit: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
    timeLimit: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
    typesOnly: fc.boolean(),
    filter,
    attributes: fc.array(name, { maxLength: 5 }),
  }),
  record({
    op: fc.constant('bind' as const),
    version: fc.integer({ min: 1, max: 127 }),
    name: text,
    authentication: fc.oneof(
      record({ kind: fc.constant('simple' as const), password: octets }),
      record({ kind: fc.constant('sasl' as const), mechanism: name, credentials: octets }),
      record({ kind: fc.constant('sasl' as const), mechanism: name }),
    ),
  }),
  fc.constant({ op: 'unbind' as const }),
  record({ op: fc.constant('compare' as const), entry: text, attribute: name, value: octets }),
  record({ op: fc.constant('abandon' as const), target: fc.integer({ min: 0, max: 2 ** 31 - 1 }) }),
  record({ op: fc.constant('extended' as const), oid: name, value: octets }),
)

const requestMessage: fc.Arbitrary<LdapMessage<Sendable>> = record({
  id: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
  operation: request,
  controls,
})

const result = record({
  code: fc.integer({ min: 0, max: 4096 }),
  matchedDn: text,
  diagnostic: text,
})

const response: fc.Arbitrary<LdapResponse> = fc.oneof(
  record({ op: fc.constantFrom('bind' as const, 'done' as const, 'compare' as const, 'add' as const), result }),
  record({
    op: fc.constant('entry' as const),
    dn: text,
    attributes: fc.array(record({ name, values: fc.array(octets, { maxLength: 3 }) }), { maxLength: 4 }),
  }),
  record({ op: fc.constant('reference' as const), urls: fc.array(text, { maxLength: 3 }) }),
  record({ op: fc.constant('extended' as const), result, oid: name, value: octets }),
  record({ op: fc.constant('intermediate' as const), oid: name, value: octets }),
)

test('requests survive the way there and back', () => {
  fc.assert(fc.property(requestMessage, (message) => assert.deepEqual(decodeRequest(encodeRequest(message)), message)))
})

test('responses survive the way there and back', () => {
  fc.assert(
    fc.property(record({ id: fc.nat(), operation: response, controls }), (message) =>
      assert.deepEqual(decodeResponse(encodeResponse(message)), message),
    ),
  )
})

/** Only errors of the family may leave a decoder. */
function decodes(decode: () => unknown): void {
  try {
    decode()
  } catch (error) {
    assert.ok(isSpineError(error) && error.code.startsWith('LDAP_'), String(error))
    assert.equal(typeof (error.outcome as { resultCode?: unknown }).resultCode, 'number')
  }
}

test('cut at every byte, a message is refused and nothing else', () => {
  fc.assert(
    fc.property(requestMessage, response, (message, operation) => {
      const asked = encodeRequest(message)
      const answered = encodeResponse({ id: 1, operation, controls: [] })
      for (let at = 0; at < asked.length; at++)
        assert.throws(() => decodeRequest(asked.subarray(0, at)), { code: /^LDAP_/ })
      for (let at = 0; at < answered.length; at++) {
        assert.throws(() => decodeResponse(answered.subarray(0, at)), { code: 'LDAP_BER_INVALID' })
      }
    }),
    { numRuns: 30 },
  )
})

test('with bytes changed at random, a decoder answers or refuses', () => {
  fc.assert(
    fc.property(
      requestMessage,
      response,
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 }),
      (message, operation, changes) => {
        const asked = encodeRequest(message)
        const answered = encodeResponse({ id: 1, operation, controls: [] })
        for (const [at, value] of changes) {
          asked[at % asked.length] = value
          answered[at % answered.length] = value
        }
        decodes(() => decodeRequest(asked))
        decodes(() => decodeResponse(answered))
      },
    ),
    { numRuns: 2000 },
  )
})

test('noise is refused', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => decodes(() => decodeRequest(bytes))))
})

test('requests out of bounds say which request they are', () => {
  const search: LdapRequest & { op: 'search' } = {
    op: 'search',
    base: '',
    scope: 0,
    derefAliases: 0,
    sizeLimit: 0,
    timeLimit: 0,
    typesOnly: false,
    filter: { kind: 'present', attribute: 'objectClass' },
    attributes: [],
  }
  const nested = (depth: number): Filter => {
    let filter: Filter = search.filter
    for (let i = 0; i < depth; i++) filter = { kind: 'not', of: filter }
    return filter
  }
  for (const [change, resultCode] of [
    [{ scope: 4 as Scope }, 2],
    [{ derefAliases: 4 }, 2],
    [{ sizeLimit: -1 }, 2],
    [{ filter: nested(2000) }, 11],
    [{ filter: { kind: 'or', of: Array.from({ length: 30_000 }, () => search.filter) } as Filter }, 11],
    [{ attributes: Array.from({ length: 3000 }, () => 'o') }, 11],
  ] as const) {
    const message = { id: 77, operation: { ...search, ...change }, controls: [] }
    assert.throws(() => decodeRequest(encodeRequest(message)), {
      code: 'LDAP_REQUEST_REFUSED',
      outcome: { id: 77, operation: 'search', resultCode },
    })
  }
  const wide = { kind: 'or', of: Array.from({ length: 3000 }, () => search.filter) } as Filter
  const decoded = decodeRequest(encodeRequest({ id: 1, operation: { ...search, filter: wide }, controls: [] }))
  assert.equal(
    decoded.operation.op === 'search' && decoded.operation.filter.kind === 'or' && decoded.operation.filter.of.length,
    3000,
  )
})

test('the notice of disconnection is an unsolicited extended response', () => {
  assert.deepEqual(decodeResponse(noticeOfDisconnection(2, 'no')), {
    id: 0,
    operation: { op: 'extended', result: plainResult(2, 'no'), oid: '1.3.6.1.4.1.1466.20036' },
    controls: [],
  })
})

test('pages survive the way there and back, and nothing else passes for one', () => {
  const cookie = Buffer.from('abc')
  assert.deepEqual(readPage(pagedResults({ size: 500, cookie }).value), { size: 500, cookie })
  for (const value of [
    undefined,
    Buffer.alloc(0),
    Buffer.from('300502010104', 'hex'),
    Buffer.from('30050201ff0400', 'hex'),
  ]) {
    assert.throws(() => readPage(value), { code: 'LDAP_BER_INVALID' })
  }
})
