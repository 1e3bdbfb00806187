import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { readBearer, writeUnsecuredToken } from '../jwt/jwt.ts'
import { gpConnectInteractions } from '../nhs/interactions.ts'
import { detectVariant, interactionToken, lintToken, type TokenLint, tokenRules, tokenVariants } from './audit-token.ts'
import { changed, rows } from './broken-tokens.test-kit.ts'
import { type Claims, endpoint, now, rightClaims } from './right-tokens.test-kit.ts'

const encode = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
const header = encode({ alg: 'none', typ: 'JWT' })
const good = (variant: (typeof tokenVariants)[number]) => writeUnsecuredToken(rightClaims(variant))
const errors = ({ findings }: TokenLint) => findings.filter(({ level }) => level === 'error').map(({ rule }) => rule)
const warnings = ({ findings }: TokenLint) =>
  findings.filter(({ level }) => level === 'warning').map(({ rule }) => rule)

describe('lint of the audit token', () => {
  for (const variant of tokenVariants)
    it(`finds nothing wrong with a right ${variant}, however it is held`, () => {
      const token = good(variant)
      for (const text of [
        token,
        `  ${token}\n`,
        `Bearer ${token}`,
        `bearer  ${token}`,
        `Authorization: Bearer ${token}\r\n`,
      ]) {
        const lint = lintToken(text, { now, ...(variant === 'nrl' ? { variant } : {}) })
        assert.deepEqual(lint.findings, [], text)
        assert.ok(lint.ok && lint.why.length > 0)
        assert.equal(lint.variant, variant)
      }
    })

  for (const variant of tokenVariants)
    it(`names what each broken ${variant} is refused for, and nothing else`, () => {
      for (const row of rows.filter(({ of }) => of.includes(variant))) {
        const { header: head, claims, signed, now: at, ...options } = changed(variant, row)
        const lint = lintToken(`${encode(head)}.${encode(claims)}.${signed ? 'c2ln' : ''}`, {
          migrate: false,
          ...options,
          variant,
          now: at,
        })
        assert.deepEqual(errors(lint), [`token: ${row.rule}`])
        assert.equal(lint.ok, false)
        for (const { says, remedy, found, clause } of lint.findings) assert.ok(says && remedy && found && clause)
      }
    })

  it('names a claim that is taken away from a right token, whichever it is', () => {
    // What a Spine token may leave out is not asked for, so long as somebody asks.
    const optional = new Set(['spine-core requesting_user'])
    const cases = tokenVariants.flatMap((variant) =>
      Object.keys(rightClaims(variant))
        .filter((claim) => !optional.has(`${variant} ${claim}`))
        .map((claim) => [variant, claim] as const),
    )
    assert.ok(cases.length > 45)
    fc.assert(
      fc.property(fc.constantFrom(...cases), fc.boolean(), ([variant, claim], whole) => {
        const { [claim]: _gone, ...rest } = rightClaims(variant)
        const token = writeUnsecuredToken(rest)
        const lint = lintToken(whole ? `Bearer ${token}` : token, { now, variant })
        assert.ok(
          lint.findings.some((it) => it.claim === claim),
          `${variant} ${claim}`,
        )
      }),
      { numRuns: 150 },
    )
  })

  it('names every claim that is wrong, not only the first', () => {
    const claims = { ...rightClaims('gpconnect-1.2'), exp: now + 60, reason_for_request: 'audit', iss: '' }
    assert.deepEqual(errors(lintToken(writeUnsecuredToken(claims), { now })), [
      'token: iss present',
      'token: life',
      'token: reason_for_request',
    ])
  })

  it('names every fault of the envelope, and reads the claims all the same', () => {
    const claims = { ...rightClaims('gpconnect-1.2'), iss: 'https://consumer.example.test/??>>~~ü' }
    const token = writeUnsecuredToken(claims)
    const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64')
    const [head = '', body = ''] = token.split('.')
    const padded = base64({ ...claims, iss: `${claims.iss}a`.padEnd(claims.iss.length + 1) })
    const cases: readonly (readonly [string, string, readonly string[]])[] = [
      ['no dot at its end', token.slice(0, -1), ['token: trailing dot']],
      ['a dot too many', `${token}.`, ['token: parts']],
      ['base64', `${head}.${base64(claims).replace(/=+$/, '')}.`, ['token: alphabet']],
      ['broken lines', `${head}.${body.slice(0, 76)}\n${body.slice(76)}.`, ['token: white space']],
      ['other scheme', `Basic ${token}`, ['token: scheme']],
      ['signed', `${encode({ alg: 'HS256', typ: 'JWT' })}.${body}.c2ln`, ['token: header', 'token: unsigned']],
      ['header with less', `${encode({ alg: 'none' })}.${body}.`, ['token: header']],
      ['header is no JSON', `${encode('{alg')}.${body}.`, ['token: JSON']],
      [
        'twice the same claim',
        `${head}.${encode(JSON.stringify(claims).replace('{', '{"sub":"u-18",'))}.`,
        ['token: member twice'],
      ],
    ]
    for (const [what, text, expected] of cases) {
      const lint = lintToken(text, { now })
      assert.deepEqual(errors(lint), expected, what)
      assert.equal(lint.claims?.['sub'], 'u-17', what)
      assert.equal(lint.variant, 'gpconnect-1.2', what)
    }
    const lint = lintToken(`${head}=.${padded}.`, { now })
    assert.ok(errors(lint).includes('token: padding'))
    assert.ok(lint.claims)
  })

  it('says plainly what no token is', () => {
    const cases: readonly (readonly [string, string])[] = [
      ['', 'token: readable'],
      ['Bearer ', 'token: readable'],
      [JSON.stringify(rightClaims('nrl'), undefined, 2), 'token: encoding'],
      ['hello', 'token: parts'],
      [`${header}.!!.`, 'token: base64url'],
      [`${header}..`, 'token: base64url'],
      [`${header}.${encode('null')}.`, 'token: JSON'],
      [`${header}.${encode('{"a":')}.`, 'token: JSON'],
      [`${header}.${Buffer.from([0x7b, 0xff]).toString('base64url')}.`, 'token: UTF-8'],
      ['a'.repeat(20_000), 'token: length'],
    ]
    for (const [text, rule] of cases) {
      const lint = lintToken(text, { now })
      assert.ok(errors(lint).includes(rule), `${text.slice(0, 20)}: ${errors(lint)}`)
      assert.equal(lint.variant, undefined)
      assert.equal(lint.ok, false)
    }
    for (const levels of [16, 40, 5000]) {
      const deep = `{"sub":1,"sub":${'['.repeat(levels)}${']'.repeat(levels)}}`
      assert.deepEqual(errors(lintToken(`${header}.${encode(deep)}.`, { now })), ['token: nesting'])
    }
  })

  it('never shows a signature', () => {
    const lint = lintToken(`${encode({ alg: 'RS256', typ: 'JWT' })}.${encode(rightClaims('nrl'))}.c2VjcmV0`, { now })
    assert.doesNotMatch(JSON.stringify(lint), /c2VjcmV0|secret/)
  })

  it('compares the scope with that of the interaction, and takes the variant from it', () => {
    const interaction = 'urn:nhs:names:services:gpconnect:fhir:rest:read:metadata'
    const lint = lintToken(good('gpconnect-1.2'), { now, interaction: `${interaction}-1` })
    assert.deepEqual(errors(lint), ['scope'])
    assert.match(lint.findings[0]?.remedy ?? '', /organization/)
    const early = lintToken(good('gpconnect-0'), { now, interaction })
    assert.deepEqual(errors(early), ['token: requested_record type', 'scope'])
    assert.equal(
      lintToken(good('nrl'), { now, interaction: 'urn:nhs:names:services:nrl:DocumentReference.content.read' }).variant,
      'nrl',
    )
    const migrate = 'urn:nhs:names:services:gpconnect:fhir:operation:gpc.migratestructuredrecord-1'
    const { requesting_practitioner: _nobody, ...rest } = rightClaims('gpconnect-1.6')
    const unnamed = lintToken(writeUnsecuredToken(rest), { now, interaction: migrate })
    assert.ok(unnamed.ok)
    assert.deepEqual(warnings(unnamed), ['token: practitioner named'])
  })

  it('knows the token of Visitors & Migrants by its interaction, and the names of its claims', () => {
    const interaction = 'urn:nhs:names:services:visitorsandmigrants:fhir:rest:search:observation'
    const lint = lintToken(good('visitors'), { now, interaction })
    assert.deepEqual([lint.variant, lint.findings], ['visitors', []])
    const { requested_scopes: scope, ...rest } = rightClaims('visitors')
    const wrong = lintToken(writeUnsecuredToken({ ...rest, requested_scope: scope }), { now, interaction })
    assert.deepEqual(errors(wrong), ['token: requested_scopes present'])
    assert.match(wrong.findings.at(-1)?.remedy ?? '', /requested_scopes/)
    const number = {
      ...(rest['requested_record'] as object),
      identifier: [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9990548608' }],
    }
    const mistyped = lintToken(writeUnsecuredToken({ ...rightClaims('visitors'), requested_record: number }), { now })
    assert.deepEqual(warnings(mistyped), ['token: NHS number'])
  })

  it('says where another variant was asked for than the claims look like', () => {
    const lint = lintToken(good('gpconnect-0'), { now, variant: 'gpconnect-1.2' })
    assert.match(lint.why.join(' '), /look like gpconnect-0: aud is/)
    assert.ok(errors(lint).includes('token: requested_record absent'))
    // A name that is an object is a fault of structure in 1.x, and is said to be just that.
    assert.ok(
      lint.findings.some(({ rule, found }) => rule.endsWith('practitioner structure') && found.includes('name')),
    )
  })

  it('warns of what tests accept and people regret', () => {
    const practitioner = rightClaims('gpconnect-1.2')['requesting_practitioner'] as { identifier: object[] }
    const cases: readonly (readonly [Claims, string])[] = [
      [{ iss: 'consumer' }, 'token: iss URL'],
      [{ iat: now + 5, exp: now + 305 }, 'token: iat ahead of time'],
      [{ aud: 'https://authorize.fhir.nhs.net/token' }, 'token: aud service root'],
      [{ aud: `${endpoint}/` }, 'token: aud service root'],
      [{ requesting_record: 1 }, 'token: claim known'],
      [
        { requesting_practitioner: { ...practitioner, identifier: practitioner.identifier.slice(0, 1) } },
        'token: role profile id,token: local user id',
      ],
    ]
    for (const [change, expected] of cases) {
      const lint = lintToken(writeUnsecuredToken({ ...rightClaims('gpconnect-1.2'), ...change }), { now })
      assert.ok(lint.ok)
      assert.equal(String(warnings(lint)), expected)
    }
    const early = {
      ...rightClaims('gpconnect-0'),
      requesting_device: { ...(rightClaims('gpconnect-0')['requesting_device'] as object), id: undefined },
    }
    assert.deepEqual(warnings(lintToken(writeUnsecuredToken(early), { now })), ['token: requesting_device id'])
  })

  it('finds nothing only where a service finds nothing, whatever is changed', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...tokenVariants),
        fc.nat(3000),
        fc.constantFrom('', '.', '=', ' ', 'A', '{', '+', '\n'),
        fc.nat(3),
        (variant, place, put, drop) => {
          const token = good(variant)
          const at = place % token.length
          const text = token.slice(0, at) + put + token.slice(at + drop)
          const lint = lintToken(text, { now, variant })
          const reading = readBearer(`Bearer ${text.trim()}`)
          if (lint.ok) assert.ok(reading.ok && tokenRules(variant).every((rule) => rule.passes({ ...reading, now })))
        },
      ),
      { numRuns: 200 },
    )
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => void lintToken(text, { now })))
  })
})

describe('variant of a token', () => {
  it('is told from its claims, with what speaks for it', () => {
    for (const variant of tokenVariants) {
      const { variant: detected, why } = detectVariant(rightClaims(variant))
      assert.equal(detected, variant === 'nrl' ? 'spine-core' : variant)
      assert.ok(why.length > 1, variant)
    }
    assert.equal(detectVariant({}).variant, 'gpconnect-1.2')
    // One claim from the other line does not sway the rest.
    assert.equal(
      detectVariant({ ...rightClaims('gpconnect-1.2'), aud: 'https://authorize.fhir.nhs.net/token' }).variant,
      'gpconnect-1.2',
    )
    assert.equal(detectVariant({ ...rightClaims('gpconnect-0'), aud: endpoint }).variant, 'gpconnect-0')
  })

  it('is known for every interaction of GP Connect', () => {
    for (const interaction of Object.values(gpConnectInteractions).flat()) {
      const wanted = interactionToken(interaction)
      assert.ok(wanted?.scope, interaction)
      assert.equal(wanted.variants.includes('gpconnect-0'), !interaction.endsWith('-1'), interaction)
      assert.equal(wanted.migrate, interaction.includes('migrate'), interaction)
    }
    assert.equal(
      interactionToken('urn:nhs:names:services:gpconnect:fhir:rest:create:appointment-1')?.scope,
      'patient/*.write',
    )
    assert.equal(
      interactionToken('urn:nhs:names:services:gpconnect:fhir:rest:search:slot-1')?.scope,
      'organization/*.read',
    )
    assert.equal(interactionToken('urn:nhs:names:services:pds:QUPA_IN000008UK02'), undefined)
  })
})
