import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  auditedClaims,
  requestedConfidentiality,
  requestedRecord,
  requestingOrganisation,
  scopeFault,
  tokenVariants,
} from './audit-token.ts'
import { rightClaims } from './right-tokens.test-kit.ts'

describe('scope', () => {
  const fault = (variant: (typeof tokenVariants)[number], scope: unknown) =>
    scopeFault(variant, { requested_scope: scope, requested_scopes: scope, scope }, 'patient/*.read')

  it('must be the one of the interaction, in every variant', () => {
    for (const variant of tokenVariants) {
      assert.equal(fault(variant, 'patient/*.read'), undefined)
      for (const wrong of [
        'patient/*.write',
        'organization/*.read',
        'encounter/*.read',
        'PATIENT/*.READ',
        '',
        undefined,
      ])
        assert.match(fault(variant, wrong) ?? '', /scopes? is (not patient|missing)/, `${variant} ${wrong}`)
    }
  })

  it('is a list with a confidentiality in 1.6 alone', () => {
    for (const listed of ['patient/*.read conf/N', 'patient/*.read conf/R', 'conf/R patient/*.read']) {
      assert.equal(fault('gpconnect-1.6', listed), undefined, listed)
      assert.ok(fault('gpconnect-1.2', listed))
      assert.ok(fault('gpconnect-0', listed))
      assert.ok(fault('nrl', listed))
    }
    for (const wrong of [
      'conf/R',
      'patient/*.read conf/N conf/R',
      'patient/*.read  conf/N',
      'patient/*.read,conf/N',
      'patient/*.read conf/V',
      'patient/*.read openid',
    ])
      assert.ok(fault('gpconnect-1.6', wrong), wrong)
  })

  it('must be a known one where none is wanted', () => {
    assert.equal(scopeFault('gpconnect-0', { requested_scope: 'patient/*.write' }), undefined)
    assert.match(scopeFault('gpconnect-0', { requested_scope: 'encounter/*.read' }) ?? '', /none of patient/)
    assert.match(scopeFault('gpconnect-1.6', { requested_scope: 'conf/R' }) ?? '', /none of patient/)
  })

  it('asks for what is sensitive only when it says so', () => {
    assert.equal(requestedConfidentiality({ requested_scope: 'patient/*.read conf/R' }), 'R')
    for (const scope of ['patient/*.read conf/N', 'patient/*.read', undefined, 7])
      assert.equal(requestedConfidentiality({ requested_scope: scope }), 'N')
  })
})

describe('claims', () => {
  it('name the record and the organisation', () => {
    assert.equal(requestedRecord(rightClaims('gpconnect-0'), 'Patient'), '9990548609')
    assert.equal(requestedRecord(rightClaims('gpconnect-0'), 'Organization'), undefined)
    for (const variant of tokenVariants) assert.equal(requestingOrganisation(rightClaims(variant)), 'X26', variant)
    for (const strange of [undefined, 'X26', 7, [], 'https://fhir.nhs.uk/Id/ods-organization-code|'])
      assert.equal(requestingOrganisation({ requesting_organization: strange }), undefined)
  })

  it('are kept for the audit in every variant', () => {
    assert.deepEqual(auditedClaims(rightClaims('gpconnect-1.6')), {
      iss: 'https://consumer.example.test/',
      sub: 'u-17',
      aud: 'https://gp.example.test/A20047/STU3/1/gpconnect',
      iat: 1_700_000_000,
      exp: 1_700_000_300,
      reasonForRequest: 'migration',
      scope: 'patient/*.read conf/R',
      device: {
        identifier: [{ system: 'https://consumer.example.test/Id/device', value: 'D-4' }],
        model: 'Consumer',
        version: '5.3.0',
      },
      organisation: {
        identifier: [{ system: 'https://fhir.nhs.uk/Id/ods-organization-code', value: 'X26' }],
        name: 'Invented Trust',
      },
      practitioner: {
        id: 'u-17',
        identifier: [
          { system: 'https://fhir.nhs.uk/Id/sds-user-id', value: '555000000901' },
          { system: 'https://fhir.nhs.uk/Id/sds-role-profile-id', value: '555000000902' },
          { system: 'https://consumer.example.test/Id/user-guid', value: 'u-17' },
        ],
        name: [{ family: 'Fixture', given: ['Claire'], prefix: ['Dr'] }],
      },
    })
    const early = auditedClaims(rightClaims('gpconnect-0'))
    assert.deepEqual(early['requestedRecord'], [{ system: 'http://fhir.nhs.net/Id/nhs-number', value: '9990548609' }])
    assert.match(JSON.stringify(early['practitioner']), /"role":\[\{"role"/)
    const core = auditedClaims(rightClaims('spine-core'))
    assert.equal(core['organisation'], 'https://fhir.nhs.uk/Id/ods-organization-code|X26')
    assert.equal(core['system'], 'https://fhir.nhs.uk/Id/accredited-system|200000100000')
    assert.equal(core['user'], 'https://fhir.nhs.uk/Id/sds-role-profile-id|555000000902')
    assert.equal(core['scope'], 'patient/*.read')
  })
})
