import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { lintToken } from '@openspine/standards/audit-token'
import { isSpineError } from '@openspine/standards/error'
import { writeUnsecuredToken } from '@openspine/standards/jwt'
import { readSettings } from '../settings.ts'
import { lintLines, type MakeOptions, makeToken, secondsOf, tokenIn } from './token.ts'

const now = 1_700_000_000
const endpoint = 'https://gp.example.test/A20047/STU3/1/gpconnect'

describe('openspine token', () => {
  it('finds the token in whatever holds it', () => {
    const request = [
      'GET /metadata HTTP/1.1',
      'Host: gp.example.test',
      'authorization: Bearer e30.e30.',
      'Accept: application/fhir+json',
      '',
    ].join('\r\n')
    assert.equal(tokenIn(request), 'Bearer e30.e30.')
    assert.equal(tokenIn('> POST /x HTTP/1.1\n> Authorization: Bearer e30.e30.\n> Host: x\n'), 'Bearer e30.e30.')
    assert.equal(tokenIn(' e30.e30. \n'), 'e30.e30.')
    assert.equal(tokenIn('Bearer e30.e30.'), 'Bearer e30.e30.')
  })

  it('judges at the time that is given', () => {
    const token = writeUnsecuredToken({ iat: 1_600_000_000 })
    assert.equal(secondsOf(undefined, token, now), now)
    assert.equal(secondsOf('1650000000', token, now), 1_650_000_000)
    assert.equal(secondsOf('2023-11-14T22:13:20Z', token, now), now)
    assert.equal(secondsOf('issued', token, now), 1_600_000_000)
    assert.equal(secondsOf('issued', `Bearer ${token}`, now), 1_600_000_000)
    assert.equal(secondsOf('issued', 'nonsense', now), now)
    assert.throws(
      () => secondsOf('yesterday', token, now),
      (error) => isSpineError(error) && error.code === 'USAGE',
    )
  })

  it('says in plain words what is wrong, what was found and what to do', () => {
    const lines = lintLines(lintToken(writeUnsecuredToken({ iss: 'https://x.test', iat: now, exp: now + 60 }), { now }))
    const text = lines.join('\n')
    assert.match(text, /✖ exp {2}The claim exp is not exactly 300 seconds after iat\. {2}\[token: life\]/)
    assert.match(text, /found {2}60 seconds\n {4}do {5}Set exp to iat plus 300\./)
    assert.match(text, /✖ aud {2}The claim aud is missing/)
    assert.match(lines.at(-1) ?? '', /^\d+ errors.*: a service refuses this token\.$/)
    assert.deepEqual(lintLines(lintToken('', { now })).length, 4)
  })

  const made: readonly (readonly [string, MakeOptions])[] = [
    ['gpconnect-0', { interaction: 'gpconnect:fhir:operation:gpc.getcarerecord', patient: '999 054 8609' }],
    [
      'gpconnect-0',
      { interaction: 'gpconnect:fhir:rest:read:metadata', endpoint: 'https://gp.example.test/A20047/DSTU2/1' },
    ],
    ['gpconnect-1.2', { interaction: 'gpconnect:fhir:rest:search:slot-1', endpoint, org: 'A9X17' }],
    [
      'gpconnect-1.6',
      { interaction: 'gpconnect:fhir:operation:gpc.migratestructuredrecord-1', endpoint, sensitive: true },
    ],
    ['gpconnect-1.6', { variant: 'gpconnect-1.6', scope: 'patient/*.write', endpoint }],
    ['spine-core', { variant: 'spine-core', endpoint: 'https://provider.example.test/1', reason: 'secondaryuses' }],
    ['nrl', { variant: 'nrl', endpoint: 'https://provider.example.test/1', roleProfile: '555000000902' }],
  ]
  for (const [variant, options] of made)
    it(`makes a ${variant} without a fault for ${options.interaction ?? options.scope ?? options.reason ?? 'a user'}`, () => {
      const token = makeToken(readSettings({ env: {} }), { ...options, issued: String(now) })
      assert.equal(token.variant, variant)
      const { interaction, scope } = options
      const lint = lintToken(token.token, {
        now,
        ...(interaction === undefined
          ? { variant: token.variant }
          : { interaction: `urn:nhs:names:services:${interaction}` }),
        ...(scope === undefined ? {} : { scope }),
      })
      // One that 1.6 shares with 1.2 is told from it by the interaction alone.
      assert.deepEqual([lint.variant, lint.findings], [variant, []])
      if (variant === 'gpconnect-0' && options.patient === undefined)
        assert.match(JSON.stringify(lint.claims?.['requested_record']), /"value":"A20047"/)
    })

  it('makes none from options that do not go together', () => {
    const wrong: readonly MakeOptions[] = [
      { variant: 'gpconnect-0' },
      { variant: 'gpconnect-0', patient: '9990548608' },
      { variant: 'gpconnect-1.2' },
      { variant: 'gpconnect-0', interaction: 'gpconnect:fhir:rest:search:slot-1', endpoint },
      { variant: 'nrl', endpoint },
      { variant: 'spine-core', endpoint, reason: 'migration' },
      { variant: 'gpconnect-1.2', endpoint, reason: 'patientaccess' },
      { interaction: 'pds:QUPA_IN000008UK02', endpoint },
    ]
    for (const options of wrong)
      assert.throws(
        () => makeToken(readSettings({ env: {} }), options),
        (error) => isSpineError(error) && error.code === 'USAGE' && (error.explanation ?? '').length > 20,
        JSON.stringify(options),
      )
  })
})
