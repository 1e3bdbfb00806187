import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { lintToken, type TokenVariant } from '@openspine/standards/audit-token'
import { isSpineError } from '@openspine/standards/error'
import { readToken } from '@openspine/standards/jwt'
import fc from 'fast-check'
import type { Practitioner } from './settings.ts'
import { gpConnectToken, spineToken, type TokenSubject } from './token.ts'

const issuedAt = 1_700_000_000
const own = {
  asid: '200000100000',
  organisation: { odsCode: 'X26', name: 'Invented Trust' },
  system: { url: 'https://consumer.example.test/', deviceId: 'D-4', model: 'Consumer', version: '5.3.0' },
}
const audience = 'https://gp.example.test/A20047/STU3/1/gpconnect'
const practitioner: Practitioner = { id: 'u-17', family: 'Fixture' }

const findings = (token: string, variant: TokenVariant) => lintToken(token, { now: issuedAt, variant }).findings

const text = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
  .filter((it) => it.trim() !== '' && !/\p{Cc}/u.test(it))
const anyPractitioner: fc.Arbitrary<Practitioner> = fc.record(
  {
    id: text.map((it) => `u-${it}`),
    family: text,
    given: text,
    prefix: text,
    sdsUserId: fc.stringMatching(/^\d{12}$/),
    sdsRoleProfileId: fc.stringMatching(/^\d{12}$/),
    jobRole: fc.constant('R0260'),
  },
  { requiredKeys: ['id', 'family'] },
)

describe('token of the client', () => {
  it('is without a fault in either line of GP Connect, whoever asks', () => {
    fc.assert(
      fc.property(anyPractitioner, fc.boolean(), (who, metadata) => {
        const early: TokenSubject = metadata
          ? { practitioner: who, organisation: 'A20047', scope: 'organization/*.read', issuedAt }
          : { practitioner: who, patient: '9990548609', scope: 'patient/*.read', issuedAt }
        assert.deepEqual(findings(gpConnectToken(own, early), 'gpconnect-0'), [])
        const later = gpConnectToken(own, { ...early, generation: 'stu3', audience })
        assert.deepEqual(findings(later, 'gpconnect-1.2'), [])
        assert.deepEqual(findings(later, 'gpconnect-1.6'), [])
      }),
      { numRuns: 50 },
    )
  })

  it('says in 1.x who is called, with names as lists and nothing of the record', () => {
    const token = gpConnectToken(own, {
      practitioner: { ...practitioner, given: 'Claire', sdsRoleProfileId: '555000000902' },
      generation: 'stu3',
      audience: `${audience}/`,
      patient: '9990548609',
      scope: 'patient/*.write',
      issuedAt,
    })
    const { claims } = readToken(token) as { claims: Record<string, unknown> }
    assert.equal(claims['aud'], audience)
    assert.equal(claims['requested_record'], undefined)
    assert.doesNotMatch(JSON.stringify(claims), /9990548609/)
    assert.deepEqual(claims['requesting_practitioner'], {
      resourceType: 'Practitioner',
      id: 'u-17',
      identifier: [
        { system: 'https://fhir.nhs.uk/Id/sds-user-id', value: 'UNK' },
        { system: 'https://fhir.nhs.uk/Id/sds-role-profile-id', value: '555000000902' },
        { system: 'https://consumer.example.test/Id/local-user', value: 'u-17' },
      ],
      name: [{ family: 'Fixture', given: ['Claire'] }],
    })
  })

  it('names the organisation and the user that it was given, and no other', () => {
    for (const subject of [
      { practitioner, patient: '9990548609', scope: 'patient/*.read', issuedAt },
      { practitioner, generation: 'stu3', audience, scope: 'patient/*.read', issuedAt },
    ] as const) {
      const { claims } = readToken(gpConnectToken(own, subject)) as { claims: Record<string, unknown> }
      const organisation = claims['requesting_organization'] as { identifier: readonly { value: string }[] }
      const user = claims['requesting_practitioner'] as { id: string }
      assert.deepEqual(
        organisation.identifier.map(({ value }) => value),
        ['X26'],
      )
      assert.deepEqual([user.id, claims['sub']], [practitioner.id, practitioner.id])
    }
  })

  it('asks for a migration in 1.6', () => {
    const token = gpConnectToken(own, {
      practitioner,
      generation: 'stu3',
      audience,
      scope: 'patient/*.read',
      confidentiality: 'R',
      reason: 'migration',
      issuedAt,
    })
    const lint = lintToken(token, { now: issuedAt })
    assert.deepEqual([lint.variant, lint.findings], ['gpconnect-1.6', []])
    assert.equal(lint.claims?.['requested_scope'], 'patient/*.read conf/R')
  })

  it('is not made for 1.x without an audience', () => {
    assert.throws(
      () => gpConnectToken(own, { practitioner, generation: 'stu3', scope: 'patient/*.read', issuedAt }),
      (error) => isSpineError(error) && error.code === 'CLIENT_SETTING_MISSING',
    )
  })

  it("is without a fault for the Spine's other services", () => {
    const subject = {
      audience: 'https://provider.example.test/documents/1',
      scope: 'patient/*.read',
      issuedAt,
    } as const
    const named = spineToken(own, { ...subject, roleProfileId: '555000000902' })
    assert.deepEqual(findings(named, 'spine-core'), [])
    assert.deepEqual(findings(named, 'nrl'), [])
    const unattended = spineToken(own, subject)
    assert.deepEqual(findings(unattended, 'spine-core'), [])
    assert.deepEqual(
      findings(unattended, 'nrl').map(({ rule }) => rule),
      ['token: requesting_user present'],
    )
  })
})
