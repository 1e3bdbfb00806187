import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { writeUnsecuredToken } from '../jwt/jwt.ts'
import { asidHeaderDiagnostics, judgeSpineToken, type SpineTokenQuestion, spineTokenChecks } from './audit-token.ts'
import { type Claims, now, rightClaims } from './right-tokens.test-kit.ts'

const system = 'https://fhir.nhs.uk/Id/accredited-system|'
const organisation = 'https://fhir.nhs.uk/Id/ods-organization-code|'
const user = 'https://fhir.nhs.uk/Id/sds-role-profile-id|'

function judge(claims: Claims, question: Partial<SpineTokenQuestion> = {}) {
  const { api = 'nrl-pointers' } = question
  const right = {
    ...rightClaims('nrl'),
    ...(api === 'nrl-pointers' ? { scope: 'patient/DocumentReference.read' } : {}),
    ...claims,
  }
  return judgeSpineToken({
    api,
    now,
    authorization: `Bearer ${writeUnsecuredToken(right)}`,
    organisationOf: (asid) => ({ '200000100000': 'X26', '200000100001': 'A20047' })[asid],
    isKnownOrganisation: (odsCode) => ['X26', 'A20047'].includes(odsCode.toUpperCase()),
    ...question,
  })
}

describe('what the wire says of a Spine token', () => {
  it('is nothing for a right one', () => {
    for (const api of ['spine', 'nrl-pointers', 'nrl-records'] as const) assert.equal(judge({}, { api }).ok, true, api)
    const none = { requesting_user: undefined, sub: `${system}200000100000` }
    assert.equal(judge(none).ok, true)
    assert.equal(judge({ ...none, requesting_organization: undefined }, { api: 'spine' }).ok, true)
    const patient = 'http://fhir.nhs.net/Id/nhs-number|9990548609'
    assert.equal(judge({ ...none, sub: patient, requesting_patient: patient }, { api: 'spine' }).ok, true)
    assert.equal(judge({ scope: 'patient/DocumentReference.write' }).ok, true)
    assert.equal(judge({ requesting_organization: `${organisation}x26` }).ok, true)
  })

  const missing = (claim: string) =>
    `The mandatory claim ${claim} from the JWT associated with the Authorisation header is missing`
  const empty = { authorization: `Bearer ${writeUnsecuredToken({})}` }
  const signed = `Bearer ${writeUnsecuredToken(rightClaims('nrl'))}c2ln`
  const hs256 = `Bearer ${Buffer.from('{"alg":"HS256","typ":"JWT"}').toString('base64url')}.e30.`
  const none: Claims = { requesting_user: undefined, sub: `${system}200000100000` }

  /** What is changed in the claims and the question → diagnostics. */
  const rows: readonly [Claims, Partial<SpineTokenQuestion>, string][] = [
    [{}, { authorization: undefined as never }, 'The Authorisation header must be supplied'],
    [{}, { authorization: ' ' }, 'The Authorisation header must be supplied'],
    [{}, { authorization: 'Bearer a.b' }, 'The JWT associated with the Authorisation header must have the 3 sections'],
    [
      {},
      { authorization: 'Bearer a.b.c.d' },
      'The JWT associated with the Authorisation header must have the 3 sections',
    ],
    [{}, { authorization: 'Bearer' }, 'The JWT associated with the Authorisation header must have the 3 sections'],
    [{}, { authorization: 'Bearer a.b.' }, 'The Authorisation header must be supplied as a valid JWT.'],
    [{}, { authorization: 'Basic a.b.' }, 'The Authorisation header must be supplied as a valid JWT.'],
    [{}, { authorization: hs256 }, 'The Authorisation header must be supplied as a valid JWT.'],
    [{}, { authorization: signed }, 'The JWT associated with the Authorisation header must have an empty signature.'],
    [{}, empty, missing('iss')],
    ...[
      'iss',
      'sub',
      'aud',
      'exp',
      'iat',
      'reason_for_request',
      'scope',
      'requesting_system',
      'requesting_organization',
    ].map((claim): [Claims, Partial<SpineTokenQuestion>, string] => [{ [claim]: undefined }, {}, missing(claim)]),
    [{ exp: String(now + 300) }, {}, missing('exp')],
    [none, { consumer: true }, missing('requesting_user')],
    [none, { api: 'nrl-records' }, missing('requesting_user')],
    [none, { api: 'spine', mandatory: ['requesting_user'] }, missing('requesting_user')],
    [
      { ...none, requesting_organization: undefined },
      { api: 'spine', mandatory: ['requesting_organization', 'requesting_user'] },
      missing('requesting_organization'),
    ],
    [
      { reason_for_request: 'secondaryuses' },
      { api: 'spine', reasons: ['directcare'] },
      "reason_for_request must be 'directcare'.",
    ],
    [{ requesting_user: undefined }, {}, "requesting_system and sub claim's values must match."],
    [{ ...none, sub: 'x', requesting_patient: 'x' }, {}, "requesting_system and sub claim's values must match."],
    [{ sub: `${user}1` }, {}, "requesting_user and sub claim's values must match."],
    [{ reason_for_request: 'secondaryuses' }, {}, "reason_for_request must be 'directcare'."],
    [
      { reason_for_request: 'fun' },
      { api: 'spine' },
      "reason_for_request (fun) must be one of 'directcare,secondaryuses,patientaccess'",
    ],
    [
      { scope: 'patient/*.read' },
      {},
      "scope must match either 'patient/DocumentReference.read' or 'patient/DocumentReference.write'.",
    ],
    [{ scope: 'patient/*.write' }, { api: 'nrl-records' }, "scope must match 'patient/*.read'."],
    [
      { scope: 'user/Flag.read' },
      { api: 'spine', scopes: ['user/Consent.read'] },
      "scope must match 'user/Consent.read'.",
    ],
    [{ requesting_system: '200000100000' }, {}, `requesting_system must be of the form [${system}[ASID]]`],
    [{ requesting_system: `${system}200000100009` }, {}, 'The ASID must be known to Spine.'],
    [{ requesting_organization: 'X26' }, {}, `requesting_organisation must be of the form [${organisation}[ODSCode]]`],
    [
      { requesting_organization: `${organisation}Z99` },
      {},
      'The ODS code of the requesting_organisation must be known to Spine.',
    ],
    [
      { requesting_organization: `${organisation}A20047` },
      {},
      'requesting_system ASID (200000100000) is not associated with the requesting_organisation ODS code (A20047)',
    ],
    [{ requesting_user: '5', sub: '5' }, {}, `requesting_user (5) must be of the form [${user}[SDSRoleProfileID]]`],
    [
      { requesting_patient: '9990548609' },
      { api: 'spine' },
      'requesting_patient must be of the form [https://fhir.nhs.uk/Id/nhs-number|[NHSNumber]]',
    ],
    [{ iat: now + 31 }, {}, 'The JWT iat (issued at) claim is in the future'],
    [{ exp: now + 331 }, {}, 'The JWT exp (expiration time) claim is more than 5 minutes in the future'],
    [{ iat: now + 20, exp: now + 10 }, {}, 'The JWT iat (issued at) time is after the exp (expiration time) time'],
    [{ iat: now - 300, exp: now }, {}, 'The JWT exp (expiration time) claim is in the past'],
  ]
  for (const [claims, question, diagnostics] of rows)
    it(`${JSON.stringify(claims).slice(0, 70)} ${JSON.stringify(question).slice(0, 50)}: ${diagnostics}`, () => {
      const verdict = judge(claims, question)
      assert.equal(verdict.ok ? undefined : verdict.diagnostics, diagnostics)
    })

  it('has every check failed by some row', () => {
    const failed = new Set(
      rows.map(([claims, question]) => judge(claims, question)).flatMap((it) => (it.ok ? [] : [it.check])),
    )
    for (const { name } of spineTokenChecks) assert.ok(failed.has(name), name)
  })

  it('is of the first fault in the order of §7.1, whatever else is wrong', () => {
    const right = rightClaims('nrl') as Record<string, unknown>
    const wrong: Record<string, unknown> = {
      ...right,
      iss: undefined,
      sub: 'x',
      reason_for_request: 'fun',
      scope: 'x',
      requesting_system: 'x',
      requesting_organization: 'x',
      requesting_user: 'y',
      iat: now + 900,
      exp: now + 800,
    }
    const seen: string[] = []
    // Mended one by one, in the order in which they are named.
    const mends: readonly Record<string, unknown>[] = [
      { iss: right['iss'] },
      { sub: 'y' },
      { reason_for_request: 'directcare' },
      { scope: 'patient/DocumentReference.read' },
      { requesting_system: `${system}200000100009` },
      { requesting_system: `${system}200000100000` },
      { requesting_organization: `${organisation}Z99` },
      { requesting_organization: `${organisation}A20047` },
      { requesting_organization: `${organisation}X26` },
      { requesting_user: `${user}1`, sub: `${user}1` },
      { iat: now + 20 },
      { exp: now + 10 },
      { iat: now - 300, exp: now },
      { iat: now, exp: now + 300 },
    ]
    for (const mend of mends) {
      const verdict = judge(wrong as Claims)
      seen.push(verdict.ok ? 'ok' : verdict.check)
      Object.assign(wrong, mend)
    }
    assert.deepEqual(seen, [
      'mandatory claims',
      'subject is the user',
      'reason',
      'scope',
      'system form',
      'system known',
      'organisation form',
      'organisation known',
      'system of the organisation',
      'user form',
      'issue not ahead',
      'expiry not far ahead',
      'issue before expiry',
      'not expired',
    ])
    assert.equal(judge(wrong as Claims).ok, true)
  })

  it('names the header that is missing', () => {
    assert.equal(asidHeaderDiagnostics('fromASID'), 'fromASID HTTP Header is missing')
  })

  it('is bounded, and never thrown', () => {
    const names = Object.keys(rightClaims('nrl'))
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom(...names), fc.jsonValue({ maxDepth: 3 })),
        fc.string(),
        (claims, header) => {
          const long = { ...claims, requesting_user: 'x'.repeat(5000), sub: 'x'.repeat(5000) }
          for (const it of [
            judge(claims),
            judge(claims, { api: 'spine' }),
            judge({}, { authorization: header }),
            judge(long),
          ])
            assert.ok(it.ok || it.diagnostics.length < 600)
        },
      ),
    )
  })
})
