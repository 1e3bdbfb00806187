import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { manualClock, skipWithout, within } from '@openspine/platform/testing'
import { parameterChecks, sdsChecks } from '@openspine/services/directory'
import { accreditedSystem, put, samples, structured, visitors } from '@openspine/services/directory/testing'
import { r4 } from '@openspine/standards/fhir/r4'
import {
  type Answer,
  base,
  interaction,
  manufacturer,
  organization,
  partyKey,
  startApi,
  type TestApi,
} from './sds-api.ts'
import { entries, expressId, gp2gp, reliableId, trailing } from './sds-entries.ts'

const clock = manualClock('2026-11-25T12:00:00Z')
const uuidUpper = /^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$/
const correlationId = '8F2D3c4b-0000-4000-8000-00000000000A'
let api: TestApi

before(async () => {
  api = await startApi({ platform: { clock } })
  await api.directory.contract.apply(samples, 'test')
  await api.directory.contract.apply(entries, 'test', { imported: true })
})
after(() => api.close())

const ask = (query: string, options: Parameters<TestApi['ask']>[1] = {}) => api.ask(base + query, options)

function isOutcome(answer: Answer, status: number, issue: string, code: string, display: string, diagnostics: string) {
  assert.equal(answer.status, status, answer.text)
  assert.equal(answer.headers['content-type'], 'application/fhir+json')
  const body = answer.json()
  assert.deepEqual(r4.check(body), [])
  const expected = {
    resourceType: 'OperationOutcome',
    id: answer.headers['x-correlation-id'],
    issue: [
      {
        severity: 'error',
        code: issue,
        details: {
          coding: [{ system: 'https://fhir.nhs.uk/STU3/ValueSet/Spine-ErrorOrWarningCode-1', code, display }],
        },
        diagnostics,
      },
    ],
  }
  assert.equal(answer.text, JSON.stringify(expected, undefined, 4), 'four spaces, members in order')
}
const isBadRequest = (answer: Answer, message: string) =>
  isOutcome(answer, 400, 'required', 'BAD_REQUEST', 'Bad request', `HTTP 400: Bad Request (${message})`)

describe('what is found', () => {
  test('a device, member for member', async () => {
    const query = `/Device?${organization('A99968')}&${interaction(structured)}`
    const answer = await ask(query, { headers: { 'x-correlation-id': correlationId, 'x-request-id': 'abc' } })
    assert.equal(answer.status, 200, answer.text)
    assert.equal(answer.headers['content-type'], 'application/fhir+json')
    assert.equal(answer.headers['x-correlation-id'], correlationId)
    assert.equal(answer.headers['x-request-id'], 'abc')
    const body = answer.json()
    assert.deepEqual(r4.check(body), [])
    const [entry] = body.entry
    const { id } = entry.resource
    assert.match(id, uuidUpper)
    assert.match(body.id, uuidUpper)
    const root = `https://localhost:${api.door.port}${base}`
    const ods = 'https://fhir.nhs.uk/Id/ods-organization-code'
    const extension = (name: string, system: string, value: string) => ({
      url: `https://fhir.nhs.uk/StructureDefinition/Extension-SDS-${name}`,
      valueReference: { identifier: { system, value } },
    })
    const ia = (value: string) =>
      extension('NhsServiceInteractionId', 'https://fhir.nhs.uk/Id/nhsServiceInteractionId', value)
    const expected = {
      resourceType: 'Bundle',
      id: body.id,
      type: 'searchset',
      total: 1,
      link: [{ relation: 'self', url: root + decodeURIComponent(query) }],
      entry: [
        {
          fullUrl: `${root}/Device/${id}`,
          resource: {
            resourceType: 'Device',
            id,
            identifier: [
              { system: 'https://fhir.nhs.uk/Id/nhsSpineASID', value: '200000100101' },
              { system: 'https://fhir.nhs.uk/Id/nhsMhsPartyKey', value: 'A99968-850000' },
            ],
            extension: [
              extension('ManufacturingOrganisation', ods, 'YY001'),
              ia(structured),
              ia('urn:nhs:names:services:gpconnect:fhir:rest:read:metadata-1'),
            ],
            owner: { identifier: { system: ods, value: 'A99968' } },
          },
          search: { mode: 'match' },
        },
      ],
    }
    assert.equal(answer.text, JSON.stringify(expected, undefined, 2), 'two spaces, members in order')
    const again = (await ask(query)).json()
    assert.equal(again.entry[0].resource.id, id, 'ids are stable')
    assert.notEqual(again.id, body.id, 'but that of the bundle is fresh')
  })

  test('an endpoint with its reliability, member for member', async () => {
    const answer = await ask(`/Endpoint?${interaction(reliableId)}&${partyKey('YES-0000806')}`)
    const body = answer.json()
    assert.deepEqual(r4.check(body), [])
    const [{ resource }] = body.entry
    assert.deepEqual(Object.keys(resource), [
      'resourceType',
      'id',
      'status',
      'connectionType',
      'payloadType',
      'address',
      'managingOrganization',
      'identifier',
      'extension',
    ])
    assert.equal(resource.address, 'https://msg.example.nhs.uk/reliable')
    assert.deepEqual(resource.identifier, [
      { system: 'https://fhir.nhs.uk/Id/nhsMhsFQDN', value: 'msg.example.nhs.uk' },
      { system: 'https://fhir.nhs.uk/Id/nhsMhsPartyKey', value: 'YES-0000806' },
      { system: 'https://fhir.nhs.uk/Id/nhsMhsCPAId', value: 'S20001A000999' },
      { system: 'https://fhir.nhs.uk/Id/nhsMHSId', value: 'S20001A000999' },
    ])
    assert.deepEqual(resource.extension[0], {
      url: 'https://fhir.nhs.uk/StructureDefinition/Extension-SDS-ReliabilityConfiguration',
      extension: [
        { url: 'nhsMHSSyncReplyMode', valueString: 'MSHSignalsOnly' },
        { url: 'nhsMHSRetryInterval', valueString: 'PT1M' },
        { url: 'nhsMHSRetries', valueInteger: 2 },
        { url: 'nhsMHSPersistDuration', valueString: 'PT5M' },
        { url: 'nhsMHSDuplicateElimination', valueString: 'always' },
        { url: 'nhsMHSAckRequested', valueString: 'always' },
        { url: 'nhsMHSActor', valueString: 'urn:oasis:names:tc:ebxml-msg:actor:toPartyMSH' },
      ],
    })
  })

  test('one endpoint for each URL, each with an id that stays; empty retries are absent', async () => {
    const query = `/Endpoint?${interaction(trailing)}&${organization('YES')}`
    const [one, two] = [(await ask(query)).json(), (await ask(query)).json()]
    const ids = one.entry.map(({ resource }: { resource: { id: string } }) => resource.id)
    assert.equal(one.total, 2)
    assert.equal(new Set(ids).size, 2)
    for (const id of ids) assert.match(id, uuidUpper)
    assert.deepEqual(two.entry, one.entry)
    assert.deepEqual(
      one.entry.map(({ resource }: { resource: { address: string } }) => resource.address),
      ['https://msg.example.nhs.uk/a', 'https://msg.example.nhs.uk/b'],
    )
    assert.ok(!JSON.stringify(one).includes('nhsMHSRetries'))
  })

  test('nothing: total 0 and an empty list', async () => {
    const answer = await ask(`/Device?${organization('A99968')}&${interaction('urn:nhs:names:services:none:X')}`)
    assert.equal(answer.status, 200)
    assert.match(answer.text, /\n {2}"total": 0,\n/)
    assert.match(answer.text, /\n {2}"entry": \[\]\n}$/)
  })

  const count = async (query: string) => (await ask(query)).json().total
  test('every combination, and values by the rule of their attribute', async () => {
    const [ods, ia, pk] = [organization('A99968'), interaction(structured), partyKey('A99968-850000')]
    for (const query of [
      `/Device?${ods}&${ia}`,
      `/Device?${ods}&${ia}&${pk}`,
      `/Device?${ods}&${ia}&${manufacturer('YY001')}`,
      `/Device?${ods}&${ia}&${manufacturer('yy001')}&${partyKey('a99968-850000')}`,
      `/Endpoint?${ods}&${ia}`,
      `/Endpoint?${ia}&${pk}`,
      `/Endpoint?${ods}&${ia}&${pk}`,
      `/Endpoint?${ods}&${ia}&${partyKey('a99968-850000')}`,
      `/Endpoint?${organization('%20A99968%20').replaceAll('%2520', '%20')}&${ia}`,
      `/Endpoint?${organization('nobody')}&${ods}&${organization(' ')}&${ia}`,
    ])
      assert.equal(await count(query), 1, query)
    assert.equal(await count(`/Endpoint?${ods}&${pk}`), 2)
    for (const query of [
      `/Device?${organization('a99968')}&${ia}`,
      `/Device?${ods}&${interaction(structured.toUpperCase())}`,
      `/Device?${ods}&${ia}&${manufacturer('Z9Z99')}`,
      `/Device?${ods}&${organization('X99')}&${ia}`,
      `/Endpoint?${ods}&${interaction(structured.replace('gpc', 'GPC'))}`,
    ])
      assert.equal(await count(query), 0, query)
  })

  test('values are literal: nothing that means something in a filter means anything here', async () => {
    for (const value of [
      '*',
      'A*',
      '(',
      ')',
      '\\',
      '\\2a',
      'A99968)(nhsIDCode=*',
      '*)(|(objectClass=*',
      '\0',
      'A|B',
      '%',
      '€\u{1F600}',
    ]) {
      const device = await ask(`/Device?${organization(value)}&${interaction(structured)}`)
      assert.deepEqual([device.status, device.json().total], [200, 0], value)
      const endpoint = await ask(`/Endpoint?${interaction(value)}&${partyKey('YES-0000806')}`)
      assert.deepEqual([endpoint.status, endpoint.json().total], [200, 0], value)
    }
    assert.equal((await ask('/Device?organization=%ZZ%')).status, 400)
  })

  test('insertion order decides who is first', async () => {
    const body = (await ask(`/Endpoint?${organization('YES')}&${partyKey('YES-0000806')}`)).json()
    const cpa = body.entry.map(
      (each: { resource: { identifier: { value: string }[] } }) => each.resource.identifier[2]?.value,
    )
    assert.deepEqual(cpa, ['S20001A000182', 'S20001A000999', 'S20001A000998', 'S20001A000998', 'S20001A000995'])
  })

  test('forwarded messages have the address of the intermediary, and the rest of the recipient', async () => {
    const { entry, total } = (await ask(`/Endpoint?${organization('A99968')}&${interaction(gp2gp)}`)).json()
    assert.equal(total, 1)
    assert.equal(entry[0].resource.address, 'https://msg.example.nhs.uk/intermediary')
    assert.equal(entry[0].resource.identifier[0].value, 'gp.example.thirdparty.nhs.uk')
    assert.equal(entry[0].resource.managingOrganization.identifier.value, 'A99968')
  })

  test('32 connections at once: no answer is another’s', async () => {
    const queries = [
      [`/Device?${organization('A99968')}&${interaction(structured)}`, '200000100101'],
      [`/Device?${organization('YES')}&${interaction(visitors)}`, '227319907548'],
      [`/Endpoint?${organization('A99968')}&${interaction(structured)}`, '0123456789abcdef0123'],
      [`/Endpoint?${interaction(visitors)}&${partyKey('YES-0000806')}`, 'S20001A000182'],
      [`/Endpoint?${interaction(reliableId)}&${organization('YES')}`, 'S20001A000999'],
    ] as const
    let wrong = 0
    await Promise.all(
      Array.from({ length: 32 }, async (_, lane) => {
        for (let i = 0; i < 15; i++) {
          const [query, holds] = queries[(lane + i) % queries.length] as (typeof queries)[number]
          const id = crypto.randomUUID()
          const answer = await ask(query, { headers: { 'x-correlation-id': id } })
          const others = queries.filter(([, other]) => other !== holds)
          const right =
            answer.status === 200 &&
            answer.headers['x-correlation-id'] === id &&
            answer.text.includes(holds) &&
            answer.json().total === 1 &&
            others.every(([, other]) => !answer.text.includes(`"${other}"`))
          if (!right) wrong++
        }
      }),
    )
    assert.equal(wrong, 0)
  })

  test('large answers are compressed when that is asked for', async () => {
    const query = `/Device?${organization('A99968')}&${interaction('urn:nhs:names:services:many:THING_IN7')}`
    const plain = await ask(query)
    assert.ok(plain.octets.length > 100_000)
    assert.equal(plain.headers['content-encoding'], undefined)
    for (const [accept, coding, open] of [
      ['gzip, deflate', 'gzip', gunzipSync],
      ['gzip;q=0.5, br', 'br', brotliDecompressSync],
    ] as const) {
      const small = await ask(query, { headers: { 'accept-encoding': accept } })
      assert.equal(small.headers['content-encoding'], coding)
      assert.match(String(small.headers.vary), /accept-encoding/)
      assert.ok(small.octets.length < plain.octets.length / 5)
      assert.deepEqual(JSON.parse(open(small.octets).toString()).entry, plain.json().entry)
    }
    assert.equal(
      (await ask(query, { headers: { 'accept-encoding': 'identity, gzip;q=0' } })).headers['content-encoding'],
      undefined,
    )
  })

  test('a real curl', async (t) => {
    if (skipWithout(t, 'curl')) return
    const { stdout } = await promisify(execFile)('curl', [
      '-sS',
      '--cacert',
      api.caFile,
      '-i',
      '--compressed',
      '-G',
      `https://localhost:${api.door.port}${base}/Endpoint`,
      '--data-urlencode',
      'organization=https://fhir.nhs.uk/Id/ods-organization-code|A99968',
      '--data-urlencode',
      `identifier=https://fhir.nhs.uk/Id/nhsServiceInteractionId|${structured}`,
    ])
    assert.match(stdout, /^HTTP\/1.1 200 OK\r\n/)
    assert.match(
      stdout,
      /"address": "https:\/\/gp\.example\.thirdparty\.nhs\.uk\/A99968\/STU3\/1\/gpconnect\/structured"/,
    )
  })
})

const [ods, ia, pk] = [organization('A99968'), interaction(structured), partyKey('A99968-850000')]
const organizationMessage =
  "Missing or invalid 'organization' query parameter. Should be 'organization=https://fhir.nhs.uk/Id/ods-organization-code|value'"
const interactionMessage =
  "Missing or invalid 'identifier' query parameter. Should be 'identifier=https://fhir.nhs.uk/Id/nhsServiceInteractionId|value'"
const identifierMessage =
  "Missing or invalid 'identifier' query parameter. Should be one or both of: ['identifier=https://fhir.nhs.uk/Id/nhsServiceInteractionId|value', 'identifier=https://fhir.nhs.uk/Id/nhsMhsPartyKey|value')"
const combinationMessage =
  "Missing or invalid query parameters. Should one of following combinations: ['organization=https://fhir.nhs.uk/Id/ods-organization-code|value&identifier=https://fhir.nhs.uk/Id/nhsServiceInteractionId|value&identifier=https://fhir.nhs.uk/Id/nhsMhsPartyKey|value''organization=https://fhir.nhs.uk/Id/ods-organization-code|value&identifier=https://fhir.nhs.uk/Id/nhsServiceInteractionId|value''organization=https://fhir.nhs.uk/Id/ods-organization-code|value&identifier=https://fhir.nhs.uk/Id/nhsMhsPartyKey|value''identifier=https://fhir.nhs.uk/Id/nhsServiceInteractionId|value&identifier=https://fhir.nhs.uk/Id/nhsMhsPartyKey|value'])"
const correlationMessage =
  "Invalid X-Correlation-ID header. Should be an UUIDv4 matching regex '^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$'"

describe('what is refused', () => {
  /** Check that refuses, the request, the message. */
  const bad: readonly (readonly [string, string, string, Record<string, string>?])[] = [
    ['correlation-id', `/Device?${ods}&${ia}`, correlationMessage, { 'x-correlation-id': 'not-a-uuid' }],
    ['correlation-id', '/Device?x=1', correlationMessage, { 'x-correlation-id': '8F2D3c4b' }],
    ['parameter-known', `/Device?${ods}&${ia}&_count=1`, "Illegal query parameter '_count'"],
    ['parameter-known', '/Endpoint?_format=json&organization=x', "Illegal query parameter '_format'"],
    [
      'parameter-known',
      `/Endpoint?${ods}&${ia}&${manufacturer('YY001')}`,
      "Illegal query parameter 'manufacturing-organization'",
    ],
    ['parameter-known', `/Device?Organization=x`, "Illegal query parameter 'Organization'"],
    ['organization-system', '/Device?organization=A99968', organizationMessage],
    ['organization-system', `/Endpoint?organization=https://fhir.nhs.uk/Id/other|A&_count=1`, organizationMessage],
    ['identifier-system', `/Device?${ods}&identifier=x%7Cy`, identifierMessage],
    [
      'manufacturing-organization-system',
      `/Device?${ods}&${ia}&manufacturing-organization=YY001`,
      organizationMessage
        .replaceAll('organization', 'manufacturing-organization')
        .replace('ods-manufacturing-organization', 'ods-organization'),
    ],
    ['device-organization', `/Device?${ia}`, organizationMessage],
    ['device-organization', `/Device?${organization('%20').replace('%2520', '%20')}&${ia}`, organizationMessage],
    ['device-organization', '/Device', organizationMessage],
    ['device-interaction', `/Device?${ods}`, interactionMessage],
    ['device-interaction', `/Device?${ods}&${pk}`, interactionMessage],
    ['endpoint-combination', `/Endpoint?${ods}`, combinationMessage],
    ['endpoint-combination', `/Endpoint?${ia}&${organization('')}`, combinationMessage],
    ['endpoint-combination', '/Endpoint', combinationMessage],
    ['endpoint-combination', `/Endpoint?${pk}`, combinationMessage, { accept: 'text/html' }],
  ]
  for (const [check, query, message, headers = {}] of bad)
    test(`${check}: ${query.slice(0, 70)}`, async () => {
      const answer = await ask(query, { headers })
      isBadRequest(answer, message)
      if (headers['x-correlation-id'] !== undefined) assert.match(String(answer.headers['x-correlation-id']), uuidUpper)
    })

  test('every check refuses somewhere in this table', () => {
    const named = new Set([...bad.map(([name]) => name), 'accept', 'parameters'])
    assert.deepEqual(
      [...sdsChecks, ...parameterChecks].map(({ name }) => name).filter((name) => !named.has(name)),
      [],
    )
  })

  test('Accept', async () => {
    const query = `/Device?${ods}&${ia}`
    for (const [accept, type] of [
      ['*/*', 'application/fhir+json'],
      ['application/fhir+json;q=0.9', 'application/fhir+json'],
      ['text/html, Application/JSON ; charset=utf-8', 'application/json'],
      ['application/json, application/fhir+json', 'application/fhir+json'],
    ] as const) {
      const answer = await ask(query, { headers: { accept } })
      assert.deepEqual([answer.status, answer.headers['content-type']], [200, type], accept)
    }
    for (const accept of ['application/fhir+xml', 'text/html', 'application/*'])
      isOutcome(
        await ask(query, { headers: { accept } }),
        406,
        'not-supported',
        'MISSING_OR_INVALID_HEADER',
        'There is a required header missing or invalid',
        'Accept type not supported',
      )
  })

  test('unknown paths, whatever the method, before everything else', async () => {
    for (const path of ['/device', '/Device/', '/Device/1', '/metadata', '', '/', '/Endpoint%20', '/%ZZ', '//Device'])
      for (const method of ['GET', 'POST', 'DELETE'])
        isOutcome(
          await ask(path, { method, headers: { 'x-correlation-id': 'bad' } }),
          404,
          'not-found',
          'NO_RECORD_FOUND',
          'No record found',
          'HTTP endpoint not found',
        )
  })

  test('other methods on known paths', async () => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND']) {
      const answer = await ask('/Device?x=1', { method, headers: { accept: 'text/html' } })
      assert.equal(answer.headers.allow, 'GET', method)
      isOutcome(answer, 405, 'not-supported', 'NOT_IMPLEMENTED', 'Not implemented', 'HTTP operation not supported')
    }
    const head = await ask('/Endpoint', { method: 'HEAD' })
    assert.deepEqual([head.status, head.headers.allow, head.text], [405, 'GET', ''])
  })

  test('500: what the record itself makes impossible', async () => {
    const internal = (answer: Answer, diagnostics: string) =>
      isOutcome(answer, 500, 'exception', 'INTERNAL_SERVER_ERROR', 'Unexpected internal server error', diagnostics)
    internal(
      await ask(`/Device?${organization('X26')}&${interaction(visitors)}`),
      "LDAP returned more than 1 'nhsAsClient' attribute",
    )
    internal(
      await ask(`/Endpoint?${organization('X26')}&${interaction(expressId)}`),
      'Expected 1 result for forward reliable/express routing and reliability but got 0',
    )
  })

  test('other 4xx: a body that is too long', async () => {
    const answer = await ask('/Device', { method: 'POST', body: 'x'.repeat((1 << 20) + 1) })
    assert.equal(answer.status, 413)
    assert.equal(answer.json().issue[0].details.coding[0].code, 'BAD_REQUEST')
  })
})

describe('the gateway before it, in the sandbox', () => {
  test('_ping, _status and the health checks', async () => {
    const ping = await ask('/_ping')
    assert.deepEqual(Object.keys(ping.json()), ['version', 'revision', 'releaseId', 'commitId'])
    assert.equal((await ask('/_status')).status, 401)
    const status = await ask('/_status', { headers: { apikey: 'any' } })
    assert.equal(status.json().status, 'pass')
    assert.equal(status.json().checks['healthcheckService:status'][0].responseCode, 200)
    const shallow = await ask('/healthcheck')
    assert.deepEqual([shallow.status, shallow.text], [200, ''])
    const deep = await ask('/healthcheck/deep')
    assert.equal(deep.headers['content-type'], 'application/json')
    assert.deepEqual(deep.json(), {
      status: 'pass',
      details: { ldap: { status: 'pass', links: { ldap: 'ldaps://localhost:0' }, output: '' } },
    })
  })

  test('CORS preflight', async () => {
    const answer = await ask('/Device', {
      method: 'OPTIONS',
      headers: { origin: 'https://a.example', 'access-control-request-method': 'GET' },
    })
    assert.equal(answer.status, 200)
    assert.equal(answer.headers['access-control-allow-origin'], 'https://a.example')
    assert.equal(answer.headers['access-control-allow-methods'], 'GET, PUT, POST, PATCH, DELETE')
    assert.equal(
      answer.headers['access-control-allow-headers'],
      'origin, x-requested-with, accept, content-type, if-match',
    )
    assert.equal(answer.headers['access-control-max-age'], '3628800')
  })
})

test('every look-up is in the audit, and what it found', async () => {
  const id = crypto.randomUUID()
  await ask(`/Device?${ods}&${ia}`, { headers: { 'x-correlation-id': id } })
  await ask(`/Device?${ods}`, { headers: { 'x-correlation-id': id } })
  const mine = async () =>
    (await api.platform.audit.find({ event: 'directory.lookup', limit: 1000 }))
      .flatMap(({ facts }) => facts['operations'] as Record<string, unknown>[])
      .filter(({ correlationId: each }) => each === id)
  await within(10_000, 'both look-ups in the audit', async () => (await mine()).length >= 2)
  assert.deepEqual(
    (await mine()).map(({ operation, status, count, odsCode, interaction: of }) => ({
      operation,
      status,
      count,
      odsCode,
      of,
    })),
    [
      { operation: 'Device', status: 200, count: 1, odsCode: 'A99968', of: structured },
      { operation: 'Device', status: 400, count: undefined, odsCode: 'A99968', of: undefined },
    ],
  )
})

describe('the old route lookup', () => {
  const route = (path: string) => api.ask(`/spine-route-lookup${path}`)
  test('routing, reliability and both', async () => {
    await api.directory.contract.apply(
      [
        put(
          accreditedSystem({
            asid: '200000100505',
            odsCode: 'YES',
            partyKey: 'YES-0000806',
            interactions: [reliableId],
          }),
        ),
      ],
      'test',
    )
    const query = `?org-code=YES&service-id=${encodeURIComponent(reliableId)}`
    const routing = {
      nhsMhsFQDN: 'msg.example.nhs.uk',
      nhsMHSEndPoint: ['https://msg.example.nhs.uk/reliable'],
      nhsMHSPartyKey: 'YES-0000806',
      nhsMhsCPAId: 'S20001A000999',
      uniqueIdentifier: ['200000100505'],
    }
    const reliable = {
      nhsMHSSyncReplyMode: 'MSHSignalsOnly',
      nhsMHSRetryInterval: 'PT1M',
      nhsMHSRetries: '2',
      nhsMHSPersistDuration: 'PT5M',
      nhsMHSDuplicateElimination: 'always',
      nhsMHSAckRequested: 'always',
    }
    assert.deepEqual((await route(`/routing${query}`)).json(), routing)
    assert.deepEqual((await route(`/reliability${query}`)).json(), reliable)
    assert.deepEqual((await route(`/routing-reliability${query}`)).json(), { ...routing, ...reliable })
    const gp = (await route(`/reliability?org-code=A99968&service-id=${encodeURIComponent(structured)}`)).json()
    assert.deepEqual(gp.nhsMHSRetryInterval, [], 'an absent attribute')
    assert.equal((await route('/healthcheck')).status, 200)
  })
  test('400 without both, 500 when nothing is registered', async () => {
    assert.equal((await route('/routing?org-code=YES')).status, 400)
    assert.equal((await route('/routing?service-id=x')).status, 400)
    const none = await route('/routing?org-code=*&service-id=*')
    assert.deepEqual([none.status, none.headers['content-type']], [500, 'application/json'])
  })
})

test('a store that is not heard of: 504, never an empty answer', async () => {
  const query = `/Device?${ods}&${ia}`
  const { store } = api.platform
  const silent = await startApi({
    platform: {
      clock,
      store: { ...store, onAnnounced: () => () => {} },
      trust: api.platform.trust,
      audit: api.platform.audit,
    },
    directory: { staleSeconds: 5 },
  })
  try {
    assert.equal((await silent.ask(base + query)).status, 200)
    clock.advance(6_000)
    isOutcome(
      await silent.ask(base + query),
      504,
      'timeout',
      'INTERNAL_SERVER_ERROR',
      'Unexpected internal server error',
      'LDAP request timed out',
    )
    assert.equal((await silent.ask(`/spine-route-lookup/routing?org-code=A&service-id=b`)).status, 500)
  } finally {
    await silent.close()
  }
})
