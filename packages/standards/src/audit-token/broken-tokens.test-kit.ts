/** Each rule of each variant, failed by some change of a right token. */

import { type Claims, endpoint, now, rightClaims, rightSubject } from './right-tokens.test-kit.ts'
import type { TokenSubject, TokenVariant } from './rule.ts'
import { tokenVariants } from './rule.ts'

const gpConnect = ['gpconnect-0', 'gpconnect-1.2', 'gpconnect-1.6'] as const
const later = ['gpconnect-1.2', 'gpconnect-1.6'] as const
const spine = ['spine-core', 'nrl'] as const

export interface Row {
  readonly of: readonly TokenVariant[]
  readonly rule: string
  /** Changes claims; a member that becomes undefined is not there. */
  readonly claims?: (claims: Claims) => Claims
  readonly subject?: Partial<TokenSubject>
  readonly outcome?: 'INVALID_RESOURCE'
}

const put = (claim: string, value: unknown) => (): Claims => ({ [claim]: value })
const within = (claim: string, change: Claims) => (claims: Claims) => ({
  [claim]: { ...(claims[claim] as Claims), ...change },
})
const resources = ['requesting_device', 'requesting_organization', 'requesting_practitioner']

/** What fails one rule, and no other. */
export const rows: readonly Row[] = [
  { of: tokenVariants, rule: 'header', subject: { header: { alg: 'HS256', typ: 'JWT' } } },
  { of: tokenVariants, rule: 'header', subject: { header: { alg: 'none', typ: 'JWT', kid: '1' } } },
  { of: tokenVariants, rule: 'header', subject: { header: { alg: 'none' } } },
  { of: tokenVariants, rule: 'unsigned', subject: { signed: true } },
  ...['iss', 'sub', 'aud', 'iat', 'exp'].flatMap((claim): Row[] => [
    { of: tokenVariants, rule: `${claim} present`, claims: put(claim, undefined) },
    { of: tokenVariants, rule: `${claim} present`, claims: put(claim, '') },
  ]),
  { of: tokenVariants, rule: 'iat present', claims: put('iat', String(now)) },
  { of: tokenVariants, rule: 'exp present', claims: put('exp', now + 300.5) },
  { of: ['gpconnect-0'], rule: 'aud', claims: put('aud', endpoint) },
  { of: later, rule: 'aud', subject: { expectedAudience: `${endpoint}/structured` } },
  { of: gpConnect, rule: 'life', claims: put('exp', now + 301) },
  { of: gpConnect, rule: 'life', claims: put('exp', now + 299) },
  { of: ['spine-core'], rule: 'life', claims: put('exp', now + 301) },
  { of: spine, rule: 'order', claims: () => ({ iat: now + 20, exp: now + 10 }) },
  { of: ['visitors'], rule: 'aud', claims: put('aud', endpoint) },
  { of: ['visitors'], rule: 'life', claims: put('exp', now + 301) },
  {
    of: ['visitors'],
    rule: 'iat ahead',
    claims: () => ({ iat: now + 601, exp: now + 901 }),
    subject: { longestAheadSeconds: 600 },
  },
  { of: ['visitors'], rule: 'reason_for_request', claims: put('reason_for_request', 'migration') },
  { of: ['visitors'], rule: 'requested_scopes present', claims: put('requested_scopes', undefined) },
  { of: ['visitors'], rule: 'scope', claims: put('requested_scopes', 'patient/*.write') },
  ...[...resources, 'requested_record'].flatMap((claim): Row[] => [
    { of: ['visitors'], rule: `${claim} present`, claims: put(claim, undefined) },
    { of: ['visitors'], rule: `${claim} type`, claims: within(claim, { resourceType: 'Group' }) },
    {
      of: ['visitors'],
      rule: `${claim} structure`,
      claims: within(claim, { colour: 'red' }),
      outcome: 'INVALID_RESOURCE',
    },
    { of: ['visitors'], rule: `${claim} identifier`, claims: within(claim, { identifier: [] }) },
  ]),
  { of: ['visitors'], rule: 'sub', claims: put('sub', 'somebody else') },
  { of: tokenVariants, rule: 'expiry', claims: () => ({ iat: now - 300, exp: now }) },
  {
    of: gpConnect,
    rule: 'iat ahead',
    claims: () => ({ iat: now + 601, exp: now + 901 }),
    subject: { longestAheadSeconds: 600 },
  },
  { of: ['nrl'], rule: 'iat ahead', claims: put('iat', now + 31) },
  { of: ['nrl'], rule: 'exp ahead', claims: put('exp', now + 331) },
  {
    of: ['gpconnect-0', 'gpconnect-1.2', ...spine],
    rule: 'reason_for_request',
    claims: put('reason_for_request', 'migration'),
  },
  { of: tokenVariants, rule: 'reason_for_request', claims: put('reason_for_request', undefined) },
  { of: ['gpconnect-1.6', 'nrl'], rule: 'reason_for_request', claims: put('reason_for_request', 'secondaryuses') },
  { of: gpConnect, rule: 'requested_scope present', claims: put('requested_scope', undefined) },
  { of: spine, rule: 'scope present', claims: put('scope', undefined) },
  { of: spine, rule: 'scope', claims: put('scope', 'patient/*.*') },
  { of: ['nrl'], rule: 'scope', claims: put('scope', 'patient/*.write') },
  ...resources.flatMap((claim): Row[] => [
    { of: gpConnect, rule: `${claim} present`, claims: put(claim, undefined) },
    { of: gpConnect, rule: `${claim} present`, claims: put(claim, null) },
    { of: ['gpconnect-0'], rule: `${claim} type`, claims: within(claim, { resourceType: 'Patient' }) },
    {
      of: later,
      rule: `${claim} type`,
      claims: within(claim, { resourceType: 'Patient' }),
      outcome: 'INVALID_RESOURCE',
    },
    {
      of: gpConnect,
      rule: `${claim} structure`,
      claims: within(claim, { colour: 'red' }),
      outcome: 'INVALID_RESOURCE',
    },
  ]),
  { of: gpConnect, rule: 'requesting_device identifier', claims: within('requesting_device', { identifier: [] }) },
  { of: gpConnect, rule: 'requesting_device product', claims: within('requesting_device', { model: undefined }) },
  { of: gpConnect, rule: 'requesting_device product', claims: within('requesting_device', { version: ' ' }) },
  {
    of: gpConnect,
    rule: 'requesting_organization identifier',
    claims: within('requesting_organization', { identifier: [{ system: 'https://example.test', value: 'X26' }] }),
  },
  {
    of: ['gpconnect-0'],
    rule: 'requesting_organization identifier',
    claims: () => ({ requesting_organization: rightClaims('gpconnect-1.2')['requesting_organization'] }),
  },
  {
    of: later,
    rule: 'requesting_organization identifier',
    claims: () => ({ requesting_organization: rightClaims('gpconnect-0')['requesting_organization'] }),
  },
  {
    of: gpConnect,
    rule: 'requesting_organization name',
    claims: within('requesting_organization', { name: undefined }),
  },
  { of: gpConnect, rule: 'requesting_practitioner id', claims: within('requesting_practitioner', { id: undefined }) },
  { of: gpConnect, rule: 'sub', claims: put('sub', 'u-18') },
  {
    of: gpConnect,
    rule: 'requesting_practitioner identifier',
    claims: within('requesting_practitioner', { identifier: [{ system: 'https://example.test', value: '1' }] }),
  },
  {
    of: ['gpconnect-0'],
    rule: 'requesting_practitioner name',
    claims: within('requesting_practitioner', { name: { given: ['Claire'] } }),
  },
  {
    of: ['gpconnect-0'],
    rule: 'requesting_practitioner structure',
    claims: within('requesting_practitioner', { name: [{ family: 'Fixture' }] }),
    outcome: 'INVALID_RESOURCE',
  },
  {
    of: later,
    rule: 'requesting_practitioner name',
    claims: within('requesting_practitioner', { name: [{ given: ['Claire'] }] }),
  },
  {
    of: later,
    rule: 'requesting_practitioner structure',
    claims: within('requesting_practitioner', { name: { family: ['Fixture'] } }),
    outcome: 'INVALID_RESOURCE',
  },
  { of: ['gpconnect-0'], rule: 'requested_record present', claims: put('requested_record', undefined) },
  { of: ['gpconnect-0'], rule: 'requested_record type', subject: { recordType: 'Organization' } },
  {
    of: ['gpconnect-0'],
    rule: 'requested_record type',
    claims: within('requested_record', { resourceType: 'Device' }),
  },
  {
    of: ['gpconnect-0'],
    rule: 'requested_record structure',
    claims: within('requested_record', { nhsNumber: '9990548609' }),
    outcome: 'INVALID_RESOURCE',
  },
  {
    of: ['gpconnect-0'],
    rule: 'requested_record identifier',
    claims: within('requested_record', {
      identifier: [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9990548609' }],
    }),
  },
  {
    of: later,
    rule: 'requested_record absent',
    claims: () => ({ requested_record: rightClaims('gpconnect-0')['requested_record'] }),
  },
  { of: spine, rule: 'requesting_system present', claims: put('requesting_system', undefined) },
  { of: spine, rule: 'requesting_system', claims: put('requesting_system', '200000100000') },
  {
    of: spine,
    rule: 'requesting_system',
    claims: put('requesting_system', 'https://fhir.nhs.uk/Id/accredited-system|2000'),
  },
  { of: ['nrl'], rule: 'requesting_organization present', claims: put('requesting_organization', undefined) },
  { of: spine, rule: 'requesting_organization', claims: put('requesting_organization', 'X26') },
  { of: ['nrl'], rule: 'requesting_user present', claims: put('requesting_user', undefined) },
  {
    of: ['spine-core'],
    rule: 'requesting_user',
    claims: () => ({ requesting_user: '555000000902', sub: '555000000902' }),
  },
  {
    of: ['spine-core'],
    rule: 'requesting_patient',
    claims: put('requesting_patient', 'https://fhir.nhs.uk/Id/nhs-number|9990548608'),
  },
  { of: spine, rule: 'sub', claims: put('sub', 'https://fhir.nhs.uk/Id/accredited-system|200000100000') },
]

/** The right token of that variant with what the row changes. */
export function changed(variant: TokenVariant, row: Row): TokenSubject {
  const right = rightSubject(variant)
  // Through JSON, as a token goes: what is undefined is not there.
  const claims = JSON.parse(JSON.stringify({ ...right.claims, ...row.claims?.(right.claims) }))
  return { ...right, ...row.subject, claims }
}
