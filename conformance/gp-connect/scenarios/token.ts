/** §3: tokens of both lines, right and spoiled. */
import type { Asked } from '../ask.ts'
import type { ObligationId } from '../obligations.ts'
import { careRecord, metadataOf0x, migration, nhsNumber, organisation, reading, sdsUser, who } from '../requests.ts'
import type { Area, Scenario } from '../scenario.ts'

type Claims = Record<string, unknown>
type Change = (claims: Claims) => unknown

const now = () => Math.floor(Date.now() / 1000)
const put =
  (more: Claims): Change =>
  (claims) => ({ ...claims, ...more })
const without =
  (name: string): Change =>
  ({ [name]: _, ...claims }) =>
    claims
const inside =
  (claim: string, more: Claims): Change =>
  (claims) => ({ ...claims, [claim]: { ...(claims[claim] as Claims), ...more } })

const lines: readonly { readonly line: string; readonly asked: Asked }[] = [
  { line: '0.x', asked: careRecord('ENC') },
  { line: '1.x', asked: reading('Location', 'site-1') },
]

/** One of 0.x and one of 1.x. */
const ofBoth = (make: (asked: Asked) => Scenario): readonly Scenario[] =>
  lines.map(({ line, asked }) => {
    const scenario = make(asked)
    return { ...scenario, name: `${scenario.name} (${line})` }
  })

type Row = readonly [shows: ObligationId, name: string, change: Change]

const refused: readonly Row[] = [
  ['3.2-iss', 'without iss', without('iss')],
  ['3.2-sub', 'without sub', without('sub')],
  ['3.2-sub-same', 'with the sub of somebody else', put({ sub: 'another' })],
  ['3.2-aud', 'without aud', without('aud')],
  ['3.2-exp', 'without exp', without('exp')],
  ['3.2-exp', 'with exp as text', (claims) => ({ ...claims, exp: String(claims['exp']) })],
  ['3.2-life', 'that lives 301 seconds', (claims) => ({ ...claims, exp: Number(claims['iat']) + 301 })],
  ['3.2-life', 'that lives 299 seconds', (claims) => ({ ...claims, exp: Number(claims['iat']) + 299 })],
  ['3.2-past', 'that is over', put({ iat: 1, exp: 301 })],
  ['3.2-iat', 'without iat', without('iat')],
  ['3.2-reason', 'without a reason', without('reason_for_request')],
  ['3.2-reason', 'for another reason', put({ reason_for_request: 'secondaryuses' })],
  ['3.2-scope', 'without a scope', without('requested_scope')],
  ['3.2-scope', 'with an unknown scope', put({ requested_scope: 'patient/*.*' })],
  ['3.2-scope-fits', 'with the scope of something else', put({ requested_scope: 'patient/*.write' })],
  ['3.2-device', 'without requesting_device', without('requesting_device')],
  ['3.2-organization', 'without requesting_organization', without('requesting_organization')],
  [
    '3.2-organization-ods',
    'of an organisation without ODS code',
    inside('requesting_organization', { identifier: [] }),
  ],
  ['3.2-practitioner', 'without requesting_practitioner', without('requesting_practitioner')],
  ['3.2-null', 'whose device is null', put({ requesting_device: null })],
  ['3.2-null', 'whose times are null', put({ iat: null, exp: null })],
  [
    '3.4-variant',
    'of another Spine service',
    ({ iss, sub, aud, iat, exp, reason_for_request, requested_scope }) => ({
      ...{ iss, sub, aud, iat, exp, reason_for_request },
      scope: requested_scope,
      requesting_system: 'https://fhir.nhs.uk/Id/accredited-system|200000100000',
    }),
  ],
]

const members: readonly Row[] = [
  ['3.2-device-member', 'whose device', inside('requesting_device', { colour: 'red' })],
  ['3.2-organization-member', 'whose organisation', inside('requesting_organization', { colour: 'red' })],
  ['3.2-practitioner-member', 'whose practitioner', inside('requesting_practitioner', { colour: 'red' })],
]

const base64 = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
const claimsPart = (token: string) => token.split('.')[1] ?? ''
const headPart = (token: string) => token.split('.')[0] ?? ''

type Envelope = readonly [shows: ObligationId, name: string, token: (token: string) => string]

/** Some of these the proxy, which must read the token for its audit, refuses itself: the status is the same. */
const envelopes: readonly Envelope[] = [
  ['3.1-parts', 'without its last dot', (token) => token.slice(0, -1)],
  ['3.1-parts', 'of four parts', (token) => `${token}.`],
  ['3.1-unsigned', 'that is signed', (token) => `${token}c2lnbmVk`],
  ['3.1-header', 'of another algorithm', (token) => `${base64({ alg: 'HS256', typ: 'JWT' })}.${claimsPart(token)}.`],
  ['3.1-header', 'without a type', (token) => `${base64({ alg: 'none' })}.${claimsPart(token)}.`],
  ['3.1-base64url', 'with padding', (token) => `${headPart(token)}.${claimsPart(token)}==.`],
  ['3.1-base64url', 'that is plain JSON', (token) => `${headPart(token)}.{"iss":"x"}.`],
  ['3.1-json', 'whose claims are words', (token) => `${headPart(token)}.${base64('hello')}.`],
  ['3.1-json', 'whose claims are null', (token) => `${headPart(token)}.${base64('null')}.`],
]

const types = (claim: string, resourceType: string) => inside(claim, { resourceType })
const identifiers = (...values: readonly string[]) => ({
  identifier: values.map((value, i) => ({
    system: [sdsUser, 'https://fhir.nhs.uk/Id/sds-role-profile-id', 'https://consumer.openspine.example/user'][i],
    value,
  })),
})
const { claims: migrating = (claims: Claims): unknown => claims } = migration(false, 'patient/*.read conf/N')
const location = reading('Location', 'site-1')
const record = careRecord('ENC')

const ofBothLines: readonly Scenario[] = [
  ...refused.flatMap(([shows, name, claims]) =>
    ofBoth((asked) => ({
      ...asked,
      claims,
      shows: [shows],
      name: `a token ${name}`,
      status: 400,
      code: 'BAD_REQUEST',
    })),
  ),
  ...members.flatMap(([shows, name, claims]) =>
    ofBoth((asked) => ({
      ...asked,
      claims,
      shows: [shows],
      name: `a token ${name} has an unknown member`,
      status: 422,
      code: 'INVALID_RESOURCE',
    })),
  ),
  ...envelopes.flatMap(([shows, name, token]) =>
    ofBoth((asked) => ({
      ...asked,
      token,
      shows: [shows],
      name: `a token ${name}`,
      status: 400,
      byProxy: 400,
      code: 'BAD_REQUEST',
    })),
  ),
  ...(['Basic dXNlcjpwYXNz', 'Bearer', undefined] as const).flatMap((Authorization) =>
    ofBoth((asked) => ({
      ...asked,
      headers: { Authorization },
      shows: Authorization === undefined ? ['3.1-scheme', '4.2-authorization'] : ['3.1-scheme'],
      name: `Authorization: ${Authorization ?? 'none'}`,
      status: 400,
      byProxy: 400,
      code: 'BAD_REQUEST',
    })),
  ),
  ...ofBoth((asked) => ({
    ...asked,
    claims: (claims) => ({ ...claims, iat: now() + 200, exp: now() + 500 }),
    shows: ['3.2-iat-ahead'],
    name: 'a token of 200 seconds from now',
    status: 200,
  })),
]

const of1x: readonly Scenario[] = [
  ...(
    [
      ['requesting_device', 'Patient'],
      ['requesting_organization', 'Device'],
      ['requesting_practitioner', 'Patient'],
    ] as const
  ).map(
    ([claim, type]): Scenario => ({
      ...location,
      claims: types(claim, type),
      shows: ['3.2-resource-type'],
      name: `a token whose ${claim} is a ${type} (1.x)`,
      status: 422,
      code: 'INVALID_RESOURCE',
    }),
  ),
  {
    ...location,
    claims: put({ requested_record: { resourceType: 'Patient' } }),
    shows: ['3.2-no-record'],
    name: 'a token with a requested_record (1.x)',
    status: 400,
    code: 'BAD_REQUEST',
  },
  {
    ...location,
    claims: inside('requesting_practitioner', identifiers('UNK', 'UNK', 'u-17')),
    shows: ['3.2-unk'],
    name: 'a practitioner whose ids are UNK (1.x)',
    status: 200,
  },
  {
    ...location,
    claims: inside('requesting_practitioner', identifiers('111222333444')),
    shows: ['3.2-user-id-alone'],
    name: 'a practitioner with a user id alone (1.x)',
    status: 200,
  },
  ...(['patient/*.read conf/N', 'patient/*.read conf/R'] as const).map(
    (scope): Scenario => ({
      ...migration(false, scope),
      shows: ['3.2-conf', '3.2-migration'],
      name: `a migration with the scope ${scope} (1.x)`,
      status: 200,
    }),
  ),
  {
    ...location,
    claims: put({ reason_for_request: 'migration' }),
    shows: ['3.2-reason'],
    name: 'migration as a reason before 1.6 (1.x)',
    status: 400,
    code: 'BAD_REQUEST',
  },
  {
    ...migration(false, 'patient/*.read conf/N'),
    claims: (claims) => without('requesting_practitioner')(migrating(claims) as Claims),
    shows: ['3.2-migrating-system'],
    name: 'a migration that no practitioner asks for (1.x)',
    status: 200,
  },
]

const of0x: readonly Scenario[] = [
  ...(
    [
      ['3.3-aud', 'for another audience', put({ aud: 'https://gp.example/A20047/DSTU2/1' })],
      ['3.3-record', 'without requested_record', without('requested_record')],
      [
        '3.3-record-same',
        'about another patient',
        inside('requested_record', {
          identifier: [{ system: 'http://fhir.nhs.net/Id/nhs-number', value: '9990548617' }],
        }),
      ],
      ['3.3-record-patient', 'about an organisation', types('requested_record', 'Organization')],
      [
        '3.3-record-patient',
        'about a patient by the system of 1.x',
        inside('requested_record', { identifier: [{ system: nhsNumber, value: who }] }),
      ],
      ['3.3-scope', 'with the scope of metadata', put({ requested_scope: organisation })],
      ['3.3-resource-type', 'whose device is a Patient', types('requesting_device', 'Patient')],
      ['3.3-resource-type', 'whose practitioner is a Device', types('requesting_practitioner', 'Device')],
      ['3.3-reason', 'for a migration', put({ reason_for_request: 'migration' })],
    ] as readonly Row[]
  ).map(
    ([shows, name, claims]): Scenario => ({
      ...record,
      claims,
      shows: [shows],
      name: `a token ${name} (0.x)`,
      status: 400,
      code: 'BAD_REQUEST',
    }),
  ),
  ...(
    [
      ['3.3-record-member', 'requested_record has an unknown member', inside('requested_record', { colour: 'red' })],
      ['3.3-name', 'practitioner has a list of names', inside('requesting_practitioner', { name: [{ family: 'J' }] })],
    ] as readonly Row[]
  ).map(
    ([shows, name, claims]): Scenario => ({
      ...record,
      claims,
      shows: [shows],
      name: `a token whose ${name} (0.x)`,
      status: 422,
      code: 'INVALID_RESOURCE',
    }),
  ),
  {
    ...record,
    claims: (claims) =>
      inside('requesting_organization', { id: 'o-1' })(inside('requesting_device', { id: 'd-1' })(claims) as Claims),
    shows: ['3.3-ids', '3.3-name', '3.3-record-patient', '3.3-scope'],
    name: 'device and organisation with ids (0.x)',
    status: 200,
  },
  {
    ...metadataOf0x,
    shows: ['3.3-record-organization', '3.3-scope'],
    name: 'metadata with the organisation as requested_record (0.x)',
    status: 200,
  },
  {
    ...metadataOf0x,
    patient: who,
    shows: ['3.3-record-organization'],
    name: 'metadata with a patient as requested_record (0.x)',
    status: 400,
    code: 'BAD_REQUEST',
  },
]

export const token: Area = { scenarios: [...ofBothLines, ...of1x, ...of0x], stories: [] }
