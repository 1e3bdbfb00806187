import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type TokenSubject, type TokenVariant, tokenRules, tokenVariants } from './audit-token.ts'
import { changed, rows } from './broken-tokens.test-kit.ts'
import { type Claims, endpoint, now, rightClaims, rightSubject } from './right-tokens.test-kit.ts'

function failing(variant: TokenVariant, subject: TokenSubject) {
  return tokenRules(variant).filter((rule) => !rule.passes(subject))
}

describe('rules of the audit token', () => {
  for (const variant of tokenVariants)
    describe(variant, () => {
      it('pass for a right token', () => {
        assert.deepEqual(failing(variant, rightSubject(variant)), [])
      })

      for (const row of rows.filter(({ of }) => of.includes(variant)))
        it(`${row.rule} fails alone for ${row.claims?.(rightClaims(variant)) ? JSON.stringify(row.claims(rightClaims(variant))).slice(0, 90) : JSON.stringify(row.subject)}`, () => {
          const failed = failing(variant, changed(variant, row))
          assert.deepEqual(
            failed.map(({ name, outcome }) => [name, outcome]),
            [[`token: ${row.rule}`, row.outcome ?? 'BAD_REQUEST']],
          )
        })

      it('are each failed by some row, and say what is wrong and what to do', () => {
        const rules = tokenRules(variant)
        assert.ok(rules.length > 15)
        assert.equal(new Set(rules.map(({ name }) => name)).size, rules.length)
        for (const { name, claim, clause, explains, remedy } of rules) {
          assert.ok(
            rows.some((row) => row.of.includes(variant) && `token: ${row.rule}` === name),
            `no row fails "${name}"`,
          )
          assert.ok(claim && explains.endsWith('.') && remedy.length > 15)
          assert.match(clause, /^(2\.13|3\.[1-4]|25)$/)
        }
      })
    })

  it('accept what the published tests accept of 1.x', () => {
    const practitioner = rightClaims('gpconnect-1.2')['requesting_practitioner'] as Claims
    const unknown = ['sds-user-id', 'sds-role-profile-id'].map((it) => ({
      system: `https://fhir.nhs.uk/Id/${it}`,
      value: 'UNK',
    }))
    const accepted: Partial<TokenSubject>[] = [
      { claims: { requesting_practitioner: { ...practitioner, identifier: unknown } } },
      { claims: { requesting_practitioner: { ...practitioner, identifier: unknown.slice(0, 1) } } },
      { claims: { iat: now + 200, exp: now + 500 } },
      { claims: { aud: 'https://authorize.fhir.nhs.net/token' } },
      { expectedAudience: `${endpoint}/` },
    ]
    for (const { claims, ...subject } of accepted) {
      const right = rightSubject('gpconnect-1.2')
      assert.deepEqual(
        failing('gpconnect-1.2', { ...right, ...subject, claims: { ...right.claims, ...claims } }),
        [],
        JSON.stringify(claims),
      )
    }
  })

  it('let a migration name nobody, and only a migration', () => {
    const subject = rightSubject('gpconnect-1.6')
    subject.claims['requesting_practitioner'] = undefined
    assert.deepEqual(failing('gpconnect-1.6', { ...subject, migrate: true }), [])
    assert.equal(failing('gpconnect-1.6', subject).length, 1)
    assert.equal(
      failing('gpconnect-1.2', {
        ...rightSubject('gpconnect-1.2'),
        claims: { ...rightClaims('gpconnect-1.2'), requesting_practitioner: undefined },
        migrate: true,
      }).length,
      1,
    )
    const strange = { resourceType: 'Practitioner', colour: 'red' }
    const failed = failing('gpconnect-1.6', {
      ...subject,
      migrate: true,
      claims: { ...subject.claims, requesting_practitioner: strange },
    })
    assert.deepEqual(
      failed.map(({ name }) => name),
      ['token: requesting_practitioner structure'],
    )
  })

  it('take for the subject of a Spine token the user, the patient, or the system where nobody attends', () => {
    const { requesting_system: system, requesting_user: user, ...rest } = rightClaims('spine-core')
    const patient = 'https://fhir.nhs.uk/Id/nhs-number|9990548609'
    const failed = (claims: Claims) =>
      failing('spine-core', {
        ...rightSubject('spine-core'),
        claims: { ...rest, requesting_system: system, ...claims },
      }).map(({ name }) => name)
    assert.deepEqual(failed({ requesting_user: user, requesting_patient: patient, sub: patient }), [])
    assert.deepEqual(failed({ requesting_patient: patient, sub: patient }), [])
    assert.deepEqual(failed({ sub: system }), [])
    assert.deepEqual(failed({ requesting_patient: patient, sub: system }), ['token: sub'])
    assert.deepEqual(failed({ sub: user }), ['token: sub'])
  })

  it('never throw, whatever the claims are', () => {
    const names = [...new Set(tokenVariants.flatMap((it) => Object.keys(rightClaims(it))))]
    fc.assert(
      fc.property(
        fc.constantFrom(...tokenVariants),
        fc.dictionary(fc.constantFrom(...names), fc.jsonValue({ maxDepth: 3 })),
        (variant, claims) => void failing(variant, { ...rightSubject(variant), claims }),
      ),
    )
  })
})
