/** §4.1 and §4.2: types, headers, framing, and the order of checks. */
import assert from 'node:assert/strict'
import { type Answered, type Asked, mimeOf } from '../ask.ts'
import type { ObligationId } from '../obligations.ts'
import {
  about,
  allergies,
  careRecord,
  free,
  metadataOf0x,
  patientById,
  reading,
  searchPatient,
  slots,
  structured,
  who,
} from '../requests.ts'
import type { Area, Scenario } from '../scenario.ts'
import { isSearchset } from '../scenario.ts'

const location = reading('Location', 'site-1')
const record = careRecord('ENC')
const structuredAllergies = structured(about(who), allergies)

interface Line {
  readonly line: '0.x' | '1.x'
  readonly get: Asked
  readonly post: Asked
  /** Of the other line. */
  readonly strange: string
}
const lines: readonly Line[] = [
  { line: '0.x', get: metadataOf0x, post: record, strange: 'application/fhir+json' },
  { line: '1.x', get: location, post: structuredAllergies, strange: 'application/json+fhir' },
]
const ofBoth = (make: (line: Line) => readonly Scenario[]): readonly Scenario[] =>
  lines.flatMap((line) => make(line).map((scenario) => ({ ...scenario, name: `${scenario.name} (${line.line})` })))

const typeIs =
  (asked: Asked, format: 'json' | 'xml') =>
  ({ headers }: Answered): void =>
    assert.ok(String(headers['content-type']).startsWith(mimeOf(asked.base, format)), String(headers['content-type']))
/** The same request, its path with one more parameter. */
const withFormat = (asked: Asked, type: string): Asked => ({ ...asked, path: `${asked.path}?_format=${type}` })
const encoded = (type: string) => type.replace('+', '%2B')

const types = ofBoth(({ get, post, strange }) => {
  const [json, xml] = [mimeOf(get.base, 'json'), mimeOf(get.base, 'xml')]
  const unsupported = { status: 415, code: 'BAD_REQUEST' } as const
  return [
    {
      ...withFormat(get, encoded(xml)),
      headers: { Accept: json },
      shows: ['4.1-format', '4.1-xml-response'],
      name: '_format for XML, Accept for JSON',
      status: 200,
      holds: typeIs(get, 'xml'),
    },
    {
      ...withFormat(get, encoded(json)),
      headers: { Accept: xml },
      shows: ['4.1-format'],
      name: '_format for JSON, Accept for XML',
      status: 200,
      holds: typeIs(get, 'json'),
    },
    {
      ...post,
      written: 'xml',
      headers: { Accept: json },
      shows: ['4.1-accept', '4.1-xml-request'],
      name: 'a body of XML, Accept for JSON',
      status: 200,
      holds: typeIs(get, 'json'),
    },
    {
      ...post,
      written: 'json',
      headers: { Accept: xml },
      shows: ['4.1-accept', '4.1-xml-response'],
      name: 'a body of JSON, Accept for XML',
      status: 200,
      holds: typeIs(get, 'xml'),
    },
    {
      ...post,
      written: 'xml',
      headers: { Accept: undefined },
      shows: ['4.1-content-type'],
      name: 'a body of XML, no Accept',
      status: 200,
      holds: typeIs(get, 'xml'),
    },
    {
      ...get,
      headers: { Accept: undefined },
      shows: ['4.1-default'],
      name: 'nothing that asks for a type',
      status: 200,
      holds: typeIs(get, 'json'),
    },
    {
      ...get,
      headers: { Accept: '*/*' },
      shows: ['4.1-any'],
      name: 'Accept for anything',
      status: 200,
      holds: typeIs(get, 'json'),
    },
    ...['text/html', strange, 'application/xml'].map(
      (type): Scenario => ({
        ...get,
        headers: { Accept: type },
        shows: type === 'text/html' ? ['4.1-accept-unsupported'] : ['4.1-full-types', '4.1-accept-unsupported'],
        name: `Accept for ${type}`,
        ...unsupported,
      }),
    ),
    ...['text/html', encoded(strange), 'json'].map(
      (type): Scenario => ({
        ...withFormat(get, type),
        shows: type === 'text/html' ? ['4.1-format-unsupported'] : ['4.1-full-types', '4.1-format-unsupported'],
        name: `_format for ${type}`,
        ...unsupported,
      }),
    ),
    ...['text/plain', strange, 'application/json'].map(
      (type): Scenario => ({
        ...post,
        headers: { 'Content-Type': type },
        shows: type === 'text/plain' ? ['4.1-content-unsupported'] : ['4.1-full-types', '4.1-content-unsupported'],
        name: `a body of ${type}`,
        ...unsupported,
      }),
    ),
    {
      ...post,
      written: 'xml',
      headers: { Accept: `${json};charset=utf-8`, 'Content-Type': `${xml}; charset=UTF-8` },
      shows: ['4.1-charset-sent', '4.1-charset'],
      name: 'types with charset',
      status: 200,
      holds: typeIs(get, 'json'),
    },
    ...[xml, encoded(xml), xml.replace('+', '%20')].map(
      (type): Scenario => ({
        ...withFormat(get, type),
        shows: ['4.1-plus'],
        name: `_format=${type}`,
        status: 200,
        holds: typeIs(get, 'xml'),
      }),
    ),
  ]
})

const framing = ofBoth(({ get, post }) => [
  {
    ...get,
    headers: { 'Accept-Encoding': 'gzip' },
    shows: ['4.1-gzip'],
    name: 'whoever accepts gzip',
    status: 200,
    holds: ({ headers }) => assert.equal(headers['content-encoding'], 'gzip'),
  },
  {
    ...post,
    chunked: true,
    shows: ['4.1-chunked-request', '4.1-chunked-answer', '4.1-no-store', '4.1-profile'],
    name: 'a body in chunks',
    status: 200,
    holds({ headers, resource }) {
      assert.equal(headers['transfer-encoding'], 'chunked')
      for (const { resource: one } of resource['entry'] as { resource: { meta?: { profile?: string[] } } }[])
        assert.equal(one.meta?.profile?.length, 1)
    },
  },
])

const headers = ofBoth(({ get }) => [
  ...(
    [
      ['4.2-trace-id', 'Ssp-TraceID'],
      ['4.2-from', 'Ssp-From'],
      ['4.2-to', 'Ssp-To'],
      ['4.2-interaction', 'Ssp-InteractionID'],
    ] as const
  ).map(
    ([shows, name]): Scenario => ({
      ...get,
      headers: { [name]: undefined },
      shows: [shows],
      name: `without ${name}`,
      status: 400,
      byProxy: 400,
      code: 'BAD_REQUEST',
    }),
  ),
  {
    ...get,
    headers: { 'Ssp-TraceID': '12345' },
    shows: ['4.2-trace-id'],
    name: 'with an Ssp-TraceID that is no GUID',
    status: 400,
    byProxy: 400,
    code: 'BAD_REQUEST',
  },
  {
    ...get,
    headers: { 'Ssp-To': '200000100012' },
    shows: ['4.2-to-own'],
    name: 'with the ASID of another system as receiver',
    status: 400,
    byProxy: 403,
    code: 'BAD_REQUEST',
  },
  {
    ...get,
    interaction: 'fhir:rest:read:nothing-1',
    shows: ['4.2-interaction-known'],
    name: 'with an unknown interaction',
    status: 400,
    byProxy: 403,
    code: 'BAD_REQUEST',
  },
])

const fitting: readonly Scenario[] = (
  [
    ['4.2-interaction-resource', patientById('any'), 'fhir:rest:read:location-1'],
    [
      '4.2-interaction-verb',
      { ...reading('Appointment', 'any'), scope: 'patient/*.read' },
      'fhir:rest:update:appointment-1',
    ],
    ['4.2-interaction-operation', { ...structuredAllergies }, 'fhir:operation:gpc.migratestructuredrecord-1'],
    ['4.2-interaction-operation', record, 'fhir:rest:read:metadata'],
    ['4.2-interaction-identifier', patientById('any'), 'fhir:rest:search:patient-1'],
    ['4.2-interaction-identifier', searchPatient('?identifier=x'), 'fhir:rest:read:patient-1'],
  ] as readonly (readonly [ObligationId, Asked, string])[]
).map(
  ([shows, asked, interaction]): Scenario => ({
    ...asked,
    interaction,
    shows: [shows],
    name: `${asked.path} as ${interaction}`,
    status: 400,
    code: 'BAD_REQUEST',
  }),
)

const spoiledToken = { claims: ({ iss: _, ...claims }: Record<string, unknown>) => claims }
const unknownPatient = '9990100144'

const order = ofBoth(({ get, post, line }) => [
  {
    ...get,
    headers: { 'Ssp-TraceID': undefined, Accept: 'text/html' },
    shows: ['4.2-order-headers'],
    name: 'a fault of a header and of a type',
    status: 400,
    byProxy: 400,
    code: 'BAD_REQUEST',
  },
  {
    ...get,
    ...spoiledToken,
    headers: { Accept: 'text/html' },
    shows: ['4.2-order-types'],
    name: 'a fault of a type and of the token',
    status: 415,
    code: 'BAD_REQUEST',
  },
  {
    ...post,
    ...spoiledToken,
    body: { resourceType: 'Patient' },
    shows: ['4.2-order-token'],
    name: 'a fault of the token and of the body',
    status: 400,
    code: 'BAD_REQUEST',
  },
  {
    ...(line === '0.x'
      ? careRecord('ZZZ', unknownPatient)
      : structured(about(unknownPatient), { name: 'includeAllergies' })),
    shows: ['4.2-order-parameters'],
    name: 'a fault of a parameter, and an unknown patient',
    status: 422,
    code: 'INVALID_PARAMETER',
  },
])

const paths = ofBoth(({ get, line }) => [
  {
    ...get,
    path: '/Nothing',
    shows: ['4.2-path'],
    name: 'a path that there is not',
    status: 404,
    code: 'NO_RECORD_FOUND',
  },
  {
    ...get,
    path: line === '0.x' ? '/Metadata' : '/location/site-1',
    shows: ['4.1-path-case'],
    name: 'a path in the wrong case',
    status: 404,
    code: 'NO_RECORD_FOUND',
  },
  { ...get, method: 'PUT', shows: ['4.2-verb'], name: 'a verb that does not fit', status: 405, code: 'BAD_REQUEST' },
  { ...get, method: 'DELETE', shows: ['4.2-verb'], name: 'DELETE', status: 405, byProxy: 405, code: 'BAD_REQUEST' },
  {
    ...get,
    method: 'OPTIONS',
    shows: ['4.2-options'],
    name: 'OPTIONS',
    status: 405,
    byProxy: 200,
    code: 'BAD_REQUEST',
  },
  {
    ...get,
    path: `${get.path}?_count=1&_sort=name&foo=bar`,
    shows: ['4.1-unknown-parameters'],
    name: 'parameters that it does not know',
    status: 200,
  },
])

const resources: readonly Scenario[] = [
  {
    ...reading('Location', 'SITE-1'),
    shows: ['4.1-id-case'],
    name: 'an id in the wrong case',
    status: 404,
    code: 'NO_RECORD_FOUND',
  },
  {
    ...slots(`${free}&_include:recurse=Schedule:actor:Practitioner&_include:recurse=Schedule:actor:Location`),
    shows: ['4.1-searchset', '4.1-no-full-url', '4.1-version-id', '4.1-no-narrative', '4.1-date-time'],
    name: 'a search with everything that it includes',
    status: 200,
    holds(answered) {
      const entries = answered.resource['entry'] as { resource: Record<string, unknown> & { meta: object } }[]
      isSearchset(entries.length)(answered)
      const types = new Set(entries.map(({ resource }) => resource['resourceType']))
      assert.deepEqual([...types].sort(), ['Location', 'Practitioner', 'Schedule', 'Slot'])
      for (const { resource } of entries) {
        assert.ok((resource.meta as { versionId?: string }).versionId, `${resource['resourceType']} has no version`)
        assert.equal(resource['text'], undefined)
        if (resource['resourceType'] === 'Slot')
          assert.match(String(resource['start']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0[01]:00$/)
      }
    },
  },
]

export const everyRequest: Area = {
  scenarios: [...types, ...framing, ...headers, ...fitting, ...order, ...paths, ...resources],
  stories: [],
}
