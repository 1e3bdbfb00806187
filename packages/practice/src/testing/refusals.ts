/** Every check of the provider failed by some request, and what must come of it. */
import { writeUnsecuredToken } from '@openspine/standards/jwt'
import { interactions } from '../dstu2/systems.ts'
import type { PracticeFile } from '../record/model.ts'
import { workedExamplePatients as people } from '../sandbox/worked-example.ts'
import type { ReceivedRequest } from '../sheet.ts'
import { now } from './example-answers.ts'
import { type Claims, careRecordParameters, proxyPeer, type TestRequest } from './requests.ts'

export interface Refusal {
  readonly check: string
  readonly status: number
  readonly code: string
  readonly issue: string
  readonly case?: string
  readonly nhsNumber?: string
  readonly peer?: ReceivedRequest['peer']
  readonly practice?: Partial<PracticeFile['practices'][number]>
  change?(request: TestRequest): void
}

export const claim =
  (name: string, value: unknown) =>
  (request: TestRequest): void => {
    request.claims[name] = value
  }

/** Replaces one part of the request by what is made of it. */
export const set =
  (part: 'target' | 'body' | 'method' | 'authorization', make: (request: TestRequest) => string) =>
  (request: TestRequest): void => {
    request[part] = make(request)
  }

/** Changes one embedded resource of the token. */
export const within =
  (name: string, change: Claims) =>
  (request: TestRequest): void => {
    request.claims[name] = { ...(request.claims[name] as Claims), ...change }
  }

export const header =
  (name: string, value: string | undefined) =>
  (request: TestRequest): void => {
    request.headers[name] = value
  }

/** Changes the parameter at that place; undefined takes it away. */
const parameter =
  (index: number, change: Record<string, unknown> | undefined) =>
  (request: TestRequest): void => {
    const parameters = careRecordParameters(people.everySection, 'ENC', { start: '2014' })
    const [it] = parameters.parameter.splice(index, 1)
    if (change !== undefined) parameters.parameter.splice(index, 0, { name: it?.['name'], ...change })
    request.body = JSON.stringify(parameters)
  }

export const period =
  (value: Record<string, unknown>, section = 'ENC') =>
  (request: TestRequest): void => {
    request.body = JSON.stringify(careRecordParameters(people.everySection, section, value))
  }

const bad = { status: 400, code: 'BAD_REQUEST', issue: 'invalid' } as const
const certificate = { status: 495, code: 'ACCESS_DENIED_SSL', issue: 'forbidden' } as const
const invalidResource = { status: 422, code: 'INVALID_RESOURCE', issue: 'invalid' } as const
const invalidParameter = { status: 422, code: 'INVALID_PARAMETER', issue: 'invalid' } as const
const wrongSystem = { status: 400, code: 'INVALID_IDENTIFIER_SYSTEM', issue: 'value' } as const
const wrongNumber = { status: 400, code: 'INVALID_NHS_NUMBER', issue: 'value' } as const
const unsupported = { status: 415, code: 'BAD_REQUEST', issue: 'invalid' } as const
const noPath = { status: 404, code: 'NO_RECORD_FOUND', issue: 'not-found' } as const
const noPatient = { status: 404, code: 'PATIENT_NOT_FOUND', issue: 'not-found' } as const
const forbidden = { status: 403, issue: 'forbidden' } as const

const { authority: _a, authoritySerial: _s, ...certified } = proxyPeer as Extract<typeof proxyPeer, { state: 'valid' }>
const identifier = (system: string, value: string) => ({ valueIdentifier: { system, value } })
const nhs = 'http://fhir.nhs.net/Id/nhs-number'
const section = (...coding: object[]) => ({ valueCodeableConcept: { coding } })
const sectionSystem = 'http://fhir.nhs.net/ValueSet/gpconnect-record-section-1'
const seconds = Math.floor(now / 1000)

export const refusals: readonly Refusal[] = [
  { check: 'client certificate present', ...certificate, status: 496, peer: { state: 'none' } },
  {
    check: 'client certificate trusted',
    ...certificate,
    peer: { ...certified, state: 'invalid', reason: 'CERT_REVOKED' },
  },
  {
    check: 'client certificate of the secure proxy',
    ...certificate,
    peer: { ...proxyPeer, fqdn: 'consumer.openspine.test', names: ['consumer.openspine.test'] } as Refusal['peer'] &
      object,
  },
  { check: 'service root', ...noPath, change: set('target', (it) => it.target.replace('A20047', 'A20048')) },
  {
    check: 'service root',
    case: 'case',
    ...noPath,
    change: set('target', (it) => it.target.replace('DSTU2', 'dstu2')),
  },
  { check: 'service root', case: 'root path alone', ...noPath, change: set('target', () => '/') },
  { check: 'service root', case: 'double slash', ...noPath, change: set('target', (it) => `/${it.target}`) },
  { check: 'known path', ...noPath, change: set('target', (it) => it.target.replace('getcarerecord', 'other')) },
  { check: 'known path', case: 'case', ...noPath, change: set('target', () => '/A20047/DSTU2/1/Metadata') },
  { check: 'known path', case: 'slash at the end', ...noPath, change: set('target', (it) => it.target + '/') },
  {
    check: 'known path',
    case: 'encoded twice',
    ...noPath,
    change: set('target', (it) => it.target.replace('$', '%2524')),
  },
  { check: 'verb', status: 405, code: 'BAD_REQUEST', issue: 'not-supported', change: set('method', () => 'GET') },
  { check: 'Ssp-TraceID', ...bad, change: header('Ssp-TraceID', undefined) },
  { check: 'Ssp-TraceID', case: 'empty', ...bad, change: header('Ssp-TraceID', '') },
  { check: 'Ssp-TraceID', case: 'malformed', ...bad, change: header('Ssp-TraceID', '42') },
  { check: 'Ssp-From', ...bad, change: header('Ssp-From', undefined) },
  { check: 'Ssp-From', case: 'twice', ...bad, change: header('Ssp-From', '200000100000, 200000100000') },
  { check: 'Ssp-To present', ...bad, change: header('Ssp-To', undefined) },
  { check: 'Ssp-To is this practice', ...bad, change: header('Ssp-To', '200000100002') },
  { check: 'Ssp-InteractionID present', ...bad, change: header('Ssp-InteractionID', undefined) },
  { check: 'Ssp-InteractionID known', ...bad, change: header('Ssp-InteractionID', `${interactions.getCareRecord}-1`) },
  { check: 'Ssp-InteractionID fits the request', ...bad, change: header('Ssp-InteractionID', interactions.metadata) },
  { check: 'Authorization', ...bad, change: header('Authorization', undefined) },
  { check: 'Authorization', case: 'other scheme', ...bad, change: header('Authorization', 'Basic dTpw') },
  { check: 'Authorization', case: 'no token', ...bad, change: header('Authorization', 'Bearer ') },
  { check: 'Content-Type', ...unsupported, change: header('Content-Type', 'application/json') },
  {
    check: 'Content-Type',
    case: 'later line',
    ...unsupported,
    change: header('Content-Type', 'application/fhir+json'),
  },
  { check: 'Content-Type', case: 'missing', ...unsupported, change: header('Content-Type', undefined) },
  { check: 'Content-Encoding', ...unsupported, change: header('Content-Encoding', 'gzip') },
  { check: 'Accept and _format', ...unsupported, change: header('Accept', 'text/html') },
  {
    check: 'Accept and _format',
    case: '_format',
    ...unsupported,
    change: set('target', (it) => it.target + '?_format=text/xml'),
  },
  { check: 'token: readable', ...bad, change: set('authorization', () => 'Bearer not.a-token.') },
  { check: 'token: readable', case: 'two parts', ...bad, change: set('authorization', () => 'Bearer e30.e30') },
  {
    check: 'token: readable',
    case: 'null claims',
    ...bad,
    change: set('authorization', () => 'Bearer e30.bnVsbA.'),
  },
  {
    check: 'token: header',
    ...bad,
    change: set('authorization', (it) => `Bearer ${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(it.claims)}.`),
  },
  {
    check: 'token: header',
    case: 'more in it',
    ...bad,
    change: set(
      'authorization',
      (it) => `Bearer ${encode({ alg: 'none', typ: 'JWT', kid: '1' })}.${encode(it.claims)}.`,
    ),
  },
  {
    check: 'token: unsigned',
    ...bad,
    change: set('authorization', (it) => `Bearer ${writeUnsecuredToken(it.claims)}c2ln`),
  },
  { check: 'token: iss present', ...bad, change: claim('iss', undefined) },
  { check: 'token: sub present', ...bad, change: claim('sub', undefined) },
  { check: 'token: aud present', ...bad, change: claim('aud', undefined) },
  { check: 'token: aud', ...bad, change: claim('aud', 'https://authorize.fhir.nhs.net/token/') },
  { check: 'token: iat present', ...bad, change: claim('iat', undefined) },
  { check: 'token: iat present', case: 'text', ...bad, change: claim('iat', String(seconds)) },
  { check: 'token: exp present', ...bad, change: claim('exp', undefined) },
  { check: 'token: life', ...bad, change: claim('exp', seconds + 301) },
  { check: 'token: life', case: 'shorter', ...bad, change: claim('exp', seconds + 299) },
  {
    check: 'token: expiry',
    ...bad,
    change: (it) => void Object.assign(it.claims, { iat: seconds - 300, exp: seconds }),
  },
  {
    check: 'token: iat ahead',
    ...bad,
    change: (it) => void Object.assign(it.claims, { iat: seconds + 601, exp: seconds + 901 }),
  },
  { check: 'token: reason_for_request', ...bad, change: claim('reason_for_request', 'migration') },
  { check: 'token: reason_for_request', case: 'missing', ...bad, change: claim('reason_for_request', undefined) },
  { check: 'token: requested_scope present', ...bad, change: claim('requested_scope', undefined) },
  { check: 'token: requesting_device present', ...bad, change: claim('requesting_device', undefined) },
  { check: 'token: requesting_device type', ...bad, change: within('requesting_device', { resourceType: 'Patient' }) },
  {
    check: 'token: requesting_device structure',
    ...invalidResource,
    change: within('requesting_device', { colour: 'red' }),
  },
  { check: 'token: requesting_device identifier', ...bad, change: within('requesting_device', { identifier: [] }) },
  { check: 'token: requesting_device product', ...bad, change: within('requesting_device', { version: '' }) },
  { check: 'token: requesting_organization present', ...bad, change: claim('requesting_organization', undefined) },
  {
    check: 'token: requesting_organization type',
    ...bad,
    change: within('requesting_organization', { resourceType: 'Device' }),
  },
  {
    check: 'token: requesting_organization structure',
    ...invalidResource,
    change: within('requesting_organization', { nam: '' }),
  },
  {
    check: 'token: requesting_organization identifier',
    ...bad,
    change: within('requesting_organization', { identifier: [{ system: 'https://example.test', value: 'X26' }] }),
  },
  {
    check: 'token: requesting_organization name',
    ...bad,
    change: within('requesting_organization', { name: undefined }),
  },
  { check: 'token: requesting_practitioner present', ...bad, change: claim('requesting_practitioner', undefined) },
  {
    check: 'token: requesting_practitioner type',
    ...bad,
    change: within('requesting_practitioner', { resourceType: 'Patient' }),
  },
  {
    check: 'token: requesting_practitioner structure',
    ...invalidResource,
    change: within('requesting_practitioner', { name: [{ family: ['Fixture'] }] }),
  },
  { check: 'token: requesting_practitioner id', ...bad, change: within('requesting_practitioner', { id: undefined }) },
  { check: 'token: sub', ...bad, change: claim('sub', '2') },
  {
    check: 'token: requesting_practitioner identifier',
    ...bad,
    change: within('requesting_practitioner', { identifier: [{ system: 'https://example.test', value: '1' }] }),
  },
  {
    check: 'token: requesting_practitioner name',
    ...bad,
    change: within('requesting_practitioner', { name: { given: ['Claire'] } }),
  },
  { check: 'token: requested_record present', ...bad, change: claim('requested_record', undefined) },
  {
    check: 'token: requested_record type',
    ...bad,
    change: within('requested_record', { resourceType: 'Organization' }),
  },
  {
    check: 'token: requested_record structure',
    ...invalidResource,
    change: within('requested_record', { nhsNumber: '' }),
  },
  {
    check: 'token: requested_record identifier',
    ...bad,
    change: within('requested_record', {
      identifier: [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9990548609' }],
    }),
  },
  { check: 'scope', ...bad, change: claim('requested_scope', 'organization/*.read') },
  { check: 'scope', case: 'write', ...bad, change: claim('requested_scope', 'patient/*.write') },

  { check: 'body present', ...bad, change: set('body', () => '') },
  { check: 'body present', case: 'white space', ...bad, change: set('body', () => ' \r\n') },
  { check: 'body readable', ...bad, change: set('body', () => '{"resourceType":"Parameters",') },
  { check: 'body readable', case: 'XML called JSON', ...bad, change: set('body', () => '<Parameters/>') },
  { check: 'body readable', case: 'a list', ...bad, change: set('body', () => '[]') },
  { check: 'body readable', case: 'too deep', ...bad, change: set('body', () => '['.repeat(10_000)) },
  { check: 'body is a resource', ...invalidResource, change: set('body', () => '{"resourceType":"Nothing"}') },
  {
    check: 'body is a resource',
    case: 'unknown element',
    ...invalidResource,
    change: set('body', (it) => it.body.replace('"parameter"', '"extra":1,"parameter"')),
  },
  {
    check: 'body is Parameters',
    ...invalidResource,
    change: set('body', () => '{"resourceType":"Patient","active":true}'),
  },
  { check: 'parameter patientNHSNumber once', ...bad, change: parameter(0, undefined) },
  {
    check: 'parameter patientNHSNumber once',
    case: 'twice',
    ...bad,
    change(it) {
      const parameters = careRecordParameters(people.everySection, 'ENC')
      parameters.parameter.push({ ...parameters.parameter[0] })
      it.body = JSON.stringify(parameters)
    },
  },
  { check: 'parameter recordSection once', ...bad, change: parameter(1, undefined) },
  {
    check: 'parameter timePeriod once',
    ...bad,
    change(it) {
      const parameters = careRecordParameters(people.everySection, 'ENC', { start: '2014' })
      parameters.parameter.push({ ...parameters.parameter[2] })
      it.body = JSON.stringify(parameters)
    },
  },
  { check: 'parameter patientNHSNumber type', ...bad, change: parameter(0, { valueString: people.everySection }) },
  { check: 'parameter recordSection type', ...bad, change: parameter(1, { valueString: 'ENC' }) },
  { check: 'parameter timePeriod type', ...bad, change: parameter(2, { valueDateTime: '2014' }) },
  { check: 'parameter timePeriod type', case: 'no value', ...bad, change: parameter(2, {}) },
  {
    check: 'parameters known',
    ...invalidParameter,
    change(it) {
      const parameters = careRecordParameters(people.everySection, 'ENC')
      parameters.parameter.push({ name: 'includeAllergies', valueBoolean: true })
      it.body = JSON.stringify(parameters)
    },
  },
  {
    check: 'NHS number system',
    ...wrongSystem,
    change: parameter(0, identifier('https://fhir.nhs.uk/Id/nhs-number', people.everySection)),
  },
  {
    check: 'NHS number system',
    case: 'empty',
    ...wrongSystem,
    change: parameter(0, identifier('', people.everySection)),
  },
  { check: 'NHS number', ...wrongNumber, change: parameter(0, identifier(nhs, '9990548608')) },
  { check: 'NHS number', case: 'empty', ...wrongNumber, change: parameter(0, identifier(nhs, '')) },
  { check: 'NHS number', case: 'spaces', ...wrongNumber, change: parameter(0, identifier(nhs, '999 054 8609')) },
  {
    check: 'token: requested_record is the patient asked for',
    ...bad,
    change: within('requested_record', { identifier: [{ system: nhs, value: people.noData }] }),
  },
  { check: 'section system present', ...invalidParameter, change: parameter(1, section({ system: '', code: 'ENC' })) },
  {
    check: 'section system present',
    case: 'no coding',
    ...invalidParameter,
    change: parameter(1, { valueCodeableConcept: { text: 'ENC' } }),
  },
  { check: 'section system', ...bad, change: parameter(1, section({ system: 'http://example.test', code: 'ENC' })) },
  { check: 'section code', ...invalidParameter, change: parameter(1, section({ system: sectionSystem, code: 'ZZZ' })) },
  {
    check: 'section code',
    case: 'lower case',
    ...invalidParameter,
    change: parameter(1, section({ system: sectionSystem, code: 'enc' })),
  },
  {
    check: 'section code',
    case: 'empty',
    ...invalidParameter,
    change: parameter(1, section({ system: sectionSystem, code: '' })),
  },
  {
    check: 'section code',
    case: 'withdrawn',
    ...invalidParameter,
    change: parameter(1, section({ system: sectionSystem, code: 'INV' })),
  },
  {
    check: 'section code',
    case: 'of an object',
    ...invalidParameter,
    change: parameter(1, section({ system: sectionSystem, code: 'toString' })),
  },
  ...(['ALL', 'IMM', 'SUM'] as const).map(
    (code): Refusal => ({
      check: 'timePeriod allowed',
      case: code,
      ...bad,
      change: period({ start: '2014', end: '2016' }, code),
    }),
  ),
  { check: 'timePeriod', ...invalidParameter, change: period({}) },
  { check: 'timePeriod', case: 'no date', ...invalidParameter, change: period({ start: 'yesterday' }) },
  { check: 'timePeriod', case: 'empty', ...invalidParameter, change: period({ start: '' }) },
  { check: 'timePeriod', case: 'no such day', ...invalidParameter, change: period({ end: '2014-02-30' }) },
  { check: 'timePeriod', case: 'no zone', ...invalidParameter, change: period({ start: '2014-02-03T10:00:00' }) },
  {
    check: 'timePeriod',
    case: 'start after end',
    ...invalidParameter,
    change: period({ start: '2016', end: '2014-02' }),
  },
  {
    check: 'timePeriod',
    case: 'start later on the day',
    ...invalidParameter,
    change: period({ start: '2014-02-03T12:00:00Z', end: '2014-02-03T11:00:00Z' }),
  },
  { check: 'GP Connect switched on', ...forbidden, code: 'ACCESS_DENIED', practice: { gpConnect: false } },
  {
    check: 'GP Connect switched on',
    case: 'capability',
    ...forbidden,
    code: 'ACCESS_DENIED',
    practice: { accessRecordHtml: false },
  },
  { check: 'patient known', ...noPatient, nhsNumber: '9990100144' },
  { check: 'NHS number verified', ...noPatient, nhsNumber: people.notVerified },
  { check: 'patient active', ...noPatient, nhsNumber: people.inactive },
  { check: 'patient not sensitive', ...noPatient, nhsNumber: people.sensitive },
  { check: 'access period after death', ...noPatient, nhsNumber: people.deceasedLongAgo },
  {
    check: 'access period after death',
    case: 'shorter',
    ...noPatient,
    nhsNumber: people.deceasedRecently,
    practice: { deceasedAccessDays: 9 },
  },
  {
    check: 'organisation consent',
    ...forbidden,
    code: 'NO_ORGANISATION_CONSENT',
    nhsNumber: people.organisationDissent,
  },
  {
    check: 'organisation consent',
    case: 'whole practice',
    ...forbidden,
    code: 'NO_ORGANISATION_CONSENT',
    practice: { shareRecords: false },
  },
  { check: 'patient consent', ...forbidden, code: 'NO_PATIENT_CONSENT', nhsNumber: people.dissent },
  { check: 'nominated practice', ...forbidden, code: 'NON_AUTHORITATIVE', nhsNumber: people.registeredElsewhere },
]

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
