import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type DistinguishedName, normaliseDn, parseDn, renderDn } from './dn.ts'
import { nameKey } from './entry.ts'
import { spineSchema } from './schema.ts'

/** Records with the prototype that everything else has. */
const record = <T>(shape: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record<T>(shape, { noNullPrototype: true } as never)

const value = fc.string({ unit: 'grapheme', minLength: 0, maxLength: 12 }).filter((text) => !text.includes('\ufffd'))
const type = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/)
const name: fc.Arbitrary<DistinguishedName> = fc.array(
  fc.array(record({ type, value }), { minLength: 1, maxLength: 3 }),
  { maxLength: 4 },
)

test('names survive the way to text and back', () => {
  fc.assert(fc.property(name, (parsed) => assert.deepEqual(parseDn(renderDn(parsed)), parsed)))
})

test('any text is a name or is refused', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'ab=,+;\\"<># 41é') }), (text) => {
      try {
        parseDn(text)
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'LDAP_DN_INVALID')
      }
    }),
    { numRuns: 3000 },
  )
})

test('parses what RFC 4514 and older clients write', () => {
  const cases: readonly (readonly [string, DistinguishedName])[] = [
    ['', []],
    ['o=nhs', [[{ type: 'o', value: 'nhs' }]]],
    ['ou = services ; o = nhs', [[{ type: 'ou', value: 'services' }], [{ type: 'o', value: 'nhs' }]]],
    ['cn="a, b",o=nhs', [[{ type: 'cn', value: 'a, b' }], [{ type: 'o', value: 'nhs' }]]],
    ['cn=a\\, b\\2c\\C3\\A9 \\ ', [[{ type: 'cn', value: 'a, b,é  ' }]]],
    [
      'cn=a+sn=b',
      [
        [
          { type: 'cn', value: 'a' },
          { type: 'sn', value: 'b' },
        ],
      ],
    ],
    ['2.5.4.10=nhs', [[{ type: '2.5.4.10', value: 'nhs' }]]],
    ['OID.2.5.4.10=nhs', [[{ type: '2.5.4.10', value: 'nhs' }]]],
    ['o=#04036e6873', [[{ type: 'o', value: 'nhs' }]]],
    ['o=', [[{ type: 'o', value: '' }]]],
    ['cn=a=b', [[{ type: 'cn', value: 'a=b' }]]],
  ]
  for (const [text, parsed] of cases) assert.deepEqual(parseDn(text), parsed, text)
})

test('refuses what is no name', () => {
  for (const text of [
    'nhs',
    '=nhs',
    'o=nhs,',
    ',o=nhs',
    'o=n\\',
    'o=n\\zz',
    'o=a<b',
    'o="nhs',
    'o=#0',
    'o=#zz',
    '1o=nhs',
    'o=nhs,,o=x',
    'o ou=nhs',
    `o=${'x'.repeat(9000)}`,
  ]) {
    assert.throws(() => parseDn(text), { code: 'LDAP_DN_INVALID', outcome: { resultCode: 34 } }, text)
    assert.equal(normaliseDn(text), undefined)
  }
})

test('names compare without case, insignificant spaces and aliases of types', () => {
  const schema = spineSchema()
  const key = (text: string) => nameKey(schema, text)?.key
  const wanted = 'uniqueidentifier=200000000001,ou=services,o=nhs'
  for (const text of [
    'uniqueIdentifier=200000000001,ou=Services,o=nhs',
    'UNIQUEIDENTIFIER=200000000001, OU=SERVICES, O=NHS',
    'uniqueIdentifier= 200000000001 ,organizationalUnitName=services,organizationName=nhs',
    '0.9.2342.19200300.100.1.44=200000000001,2.5.4.11=services,2.5.4.10=nhs',
  ]) {
    assert.equal(key(text), wanted, text)
  }
  assert.equal(key('cn=A  B,o=nhs'), key('CN=a b,O=nhs'))
  assert.equal(key('cn=b+sn=a,o=nhs'), key('sn=A+cn=B,o=nhs'))
  assert.notEqual(key('cn=a\\,b,o=nhs'), key('cn=a,b=o,o=nhs'))
})
