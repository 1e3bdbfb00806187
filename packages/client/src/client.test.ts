import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readBearer } from '@openspine/standards/jwt'
import { client, httpServer, json, ldapServer, practitioner, refusal } from './testing/testing.ts'

const endpoint = 'https://gp.example/A20047/DSTU2/1'
const careRecord = 'urn:nhs:names:services:gpconnect:fhir:operation:gpc.getcarerecord'

const registered = {
  nhsMhs: { nhsMHSEndPoint: endpoint, nhsMHSPartyKey: 'A20047-850001' },
  nhsAS: { uniqueIdentifier: '200000100001' },
}

const outcome = JSON.stringify({
  resourceType: 'OperationOutcome',
  issue: [
    {
      severity: 'error',
      code: 'forbidden',
      details: { coding: [{ system: 's', code: '403', display: 'FOT_CHECK' }] },
      diagnostics: 'FOT_CHECK',
    },
  ],
})

const bundle = JSON.stringify({
  resourceType: 'Bundle',
  type: 'searchset',
  entry: [
    {
      resource: {
        resourceType: 'Composition',
        section: [
          {
            title: 'Summary',
            text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml"><h1>Summary</h1></div>' },
          },
        ],
      },
    },
  ],
})

const ask = { nhsNumber: '9990548609', odsCode: 'A20047', section: 'SUM' } as const

describe('a care record through the secure proxy', () => {
  it('goes to the whole provider URL behind the proxy, with four headers, every claim and an unchanged path', async (t) => {
    const directory = await ldapServer(t, registered)
    const proxy = await httpServer(t, (_request, response) => json(response, 200, bundle))
    const { session } = client(t, { directoryUrl: directory.url, proxyUrl: proxy.url })
    const record = await session().careRecord(ask)
    const [request] = proxy.seen
    assert.ok(request)
    assert.equal(record.title, 'Summary')
    assert.equal(request.url, `/${endpoint}/Patient/$gpc.getcarerecord`)
    assert.equal(request.headers['ssp-from'], '200000100000')
    assert.equal(request.headers['ssp-to'], '200000100001')
    assert.equal(request.headers['ssp-interactionid'], careRecord)
    assert.equal(request.headers['ssp-traceid'], record.traceId)
    const token = readBearer(String(request.headers.authorization))
    assert.ok(token.ok && !token.signed)
    assert.deepEqual(Object.keys(token.claims), [
      'iss',
      'sub',
      'aud',
      'exp',
      'iat',
      'reason_for_request',
      'requested_scope',
      'requesting_device',
      'requesting_organization',
      'requesting_practitioner',
      'requested_record',
    ])
    assert.equal(token.claims['iat'], 1_700_000_000)
    assert.equal(token.claims['exp'], 1_700_000_300)
    assert.equal(token.claims['sub'], practitioner.id)
    assert.deepEqual(token.claims['requested_record'], {
      resourceType: 'Patient',
      identifier: [{ system: 'http://fhir.nhs.net/Id/nhs-number', value: '9990548609' }],
    })
    assert.equal(JSON.parse(request.text).parameter[1].valueCodeableConcept.coding[0].code, 'SUM')
  })

  it('speaks XML when it is asked to, and reads a refusal in XML', async (t) => {
    const directory = await ldapServer(t, registered)
    const proxy = await httpServer(t, (_request, response) =>
      json(
        response,
        404,
        '<OperationOutcome xmlns="http://hl7.org/fhir"><issue><severity value="error"/><code value="not-found"/><details><coding><code value="PATIENT_NOT_FOUND"/><display value="Patient not found"/></coding></details></issue></OperationOutcome>',
        { 'content-type': 'application/xml+fhir;charset=utf-8' },
      ),
    )
    const { session } = client(t, { directoryUrl: directory.url, proxyUrl: proxy.url })
    const error = await refusal(session().careRecord({ ...ask, format: 'xml' }))
    assert.equal(error.outcome.code, 'PATIENT_NOT_FOUND')
    assert.equal(proxy.seen[0]?.headers['content-type'], 'application/xml+fhir;charset=utf-8')
    assert.match(
      proxy.seen[0]?.text ?? '',
      /^<Parameters xmlns="http:\/\/hl7.org\/fhir"><parameter><name value="patientNHSNumber"\/>/,
    )
  })

  it('passes over elements that FHIR does not have, in JSON and in XML', async (t) => {
    const directory = await ldapServer(t, registered)
    const div = '<div xmlns="http://www.w3.org/1999/xhtml"><h1>Summary</h1></div>'
    const inXml = `<Bundle xmlns="http://hl7.org/fhir"><type value="searchset"/><entry><resource><Composition><section><title value="Summary"/><text><status value="generated"/>${div}</text></section></Composition></resource></entry><invented value="1"/></Bundle>`
    const proxy = await httpServer(t, (request, response) =>
      /xml/.test(String(request.headers['content-type']))
        ? json(response, 200, inXml, { 'content-type': 'application/xml+fhir;charset=utf-8' })
        : json(response, 200, JSON.stringify({ ...JSON.parse(bundle), invented: 1 })),
    )
    const { session } = client(t, { directoryUrl: directory.url, proxyUrl: proxy.url })
    for (const format of ['json', 'xml'] as const)
      assert.equal((await session().careRecord({ ...ask, format })).title, 'Summary', format)
  })

  it('keeps the OperationOutcome of a refusal and does not repeat it', async (t) => {
    const directory = await ldapServer(t, registered)
    const proxy = await httpServer(t, (_request, response) => json(response, 403, outcome))
    const { session } = client(t, { directoryUrl: directory.url, proxyUrl: proxy.url })
    const error = await refusal(session().careRecord(ask))
    assert.equal(error.code, 'CLIENT_REFUSED')
    assert.equal(error.outcome.status, 403)
    assert.equal(error.outcome.diagnostics, 'FOT_CHECK')
    assert.deepEqual(error.outcome.operationOutcome, JSON.parse(outcome))
    assert.equal(error.outcome.traceId, proxy.seen[0]?.headers['ssp-traceid'])
    assert.equal(proxy.seen.length, 1)
  })

  it('repeats transient errors at most three times, with growing pauses, a new trace id and a new token', async (t) => {
    const directory = await ldapServer(t, registered)
    const proxy = await httpServer(t, (_request, response, count) =>
      count === 2
        ? json(response, 429, outcome, { 'retry-after': '7' })
        : json(response, count < 4 ? 504 : 200, count < 4 ? outcome : bundle),
    )
    const { session, sleeps } = client(t, { directoryUrl: directory.url, proxyUrl: proxy.url })
    const record = await session().careRecord(ask)
    assert.equal(record.retries, 3)
    assert.deepEqual(sleeps, [200, 7000, 800])
    assert.equal(new Set(proxy.seen.map(({ headers }) => headers['ssp-traceid'])).size, 4)
    const failing = await httpServer(t, (_request, response) => json(response, 502, outcome))
    const error = await refusal(
      client(t, { directoryUrl: directory.url, proxyUrl: failing.url, retries: 99 }).session().careRecord(ask),
    )
    assert.equal(error.outcome.status, 502)
    assert.equal(failing.seen.length, 4)
  })

  it('says that a yes in no language of FHIR is no answer', async (t) => {
    const directory = await ldapServer(t, registered)
    for (const [body, type] of [
      ['<html>', 'text/html'],
      ['{"resourceType":', 'application/json+fhir'],
      ['<Bundle xmlns="http://hl7.org/fhir">', 'application/xml+fhir'],
    ] as const) {
      const proxy = await httpServer(t, (_request, response) => json(response, 200, body, { 'content-type': type }))
      const error = await refusal(
        client(t, { directoryUrl: directory.url, proxyUrl: proxy.url }).session().careRecord(ask),
      )
      assert.equal(error.code, 'CLIENT_ANSWER')
    }
  })

  it('says in plain words that nothing listens', async (t) => {
    const directory = await ldapServer(t, registered)
    const { session, sleeps } = client(t, { directoryUrl: directory.url, proxyUrl: 'http://127.0.0.1:1' })
    const error = await refusal(session().careRecord(ask))
    assert.equal(error.code, 'CLIENT_UNREACHABLE')
    assert.match(error.message, /Nothing listens there/)
    assert.equal(sleeps.length, 3)
  })
})

describe('the directory', () => {
  it('is asked for the endpoint first and then for the system, once a session', async (t) => {
    const directory = await ldapServer(t, registered)
    const { session } = client(t, { directoryUrl: directory.url })
    const one = session()
    const [first, second] = await Promise.all([
      one.lookup({ odsCode: 'A20047', interaction: careRecord }),
      one.lookup({ odsCode: 'A20047', interaction: careRecord }),
    ])
    assert.equal(first, second)
    assert.deepEqual([first.endpoint, first.asid, first.partyKey], [endpoint, '200000100001', 'A20047-850001'])
    assert.deepEqual(directory.filters, [
      `(&(nhsIDCode=A20047)(objectClass=nhsMhs)(nhsMhsSvcIA=${careRecord}))`,
      `(&(nhsIDCode=A20047)(objectClass=nhsAS)(nhsMHSPartyKey=A20047-850001)(nhsAsSvcIA=${careRecord}))`,
    ])
    await session().lookup({ odsCode: 'A20047', interaction: careRecord })
    assert.equal(directory.filters.length, 4, 'another session asks anew')
  })

  it('remembers for a short time what it found, and for a shorter one that something was missing', async (t) => {
    const entries: Record<string, Record<string, string>> = {}
    const directory = await ldapServer(t, entries)
    let at = 1_700_000_000_000
    const one = client(t, {
      directoryUrl: directory.url,
      clock: { now: () => at },
      lookupLife: { found: 30, missing: 2 },
    }).session()
    const query = { odsCode: 'A20047', interaction: careRecord }
    const searches = async (work: Promise<unknown>) => {
      await work
      return directory.filters.length
    }
    assert.equal(await searches(refusal(one.lookup(query))), 1)
    at += 1999
    assert.equal(await searches(refusal(one.lookup(query))), 1)
    Object.assign(entries, registered)
    at += 1
    assert.equal(await searches(one.lookup(query)), 3)
    at += 29_999
    assert.equal(await searches(one.lookup({ ...query, odsCode: 'a20047' })), 3)
    at += 1
    assert.equal(await searches(one.lookup(query)), 5)
  })

  it('says what was searched for when something is missing', async (t) => {
    const entries: Record<string, Record<string, string>> = {}
    const directory = await ldapServer(t, entries)
    const one = client(t, { directoryUrl: directory.url }).session()
    const error = await refusal(one.lookup({ odsCode: 'A20047)(x=*', interaction: careRecord }))
    assert.equal(error.code, 'CLIENT_NOT_FOUND')
    assert.match(directory.filters[0] ?? '', /^\(&\(nhsIDCode=A20047\\29\\28x=\\2a\)/i)
  })

  it('is connected to again after the connection broke', async (t) => {
    const directory = await ldapServer(t, registered)
    const { session } = client(t, { directoryUrl: directory.url })
    await session().lookup({ odsCode: 'A20047', interaction: careRecord })
    for (const socket of directory.sockets) socket.destroy()
    assert.equal((await session().lookup({ odsCode: 'A20047', interaction: careRecord })).asid, '200000100001')
  })
})

describe('trace', () => {
  const patient = (number: string) => ({
    resourceType: 'Patient',
    identifier: [
      {
        system: 'https://fhir.nhs.uk/Id/nhs-number',
        value: number,
        extension: [{ url: 'x', valueCodeableConcept: { coding: [{ code: '01' }] } }],
      },
    ],
    generalPractitioner: [{ identifier: { value: 'A20047' } }],
  })
  const searchset = (...numbers: string[]) =>
    JSON.stringify({
      resourceType: 'Bundle',
      type: 'searchset',
      total: numbers.length,
      entry: numbers.map((number) => ({ search: { score: 0.9542 }, resource: patient(number) })),
    })
  const details = { family: "O'Neill & Co", birthDate: '1980-02-29', postcode: 'ZZ99 3CZ' }

  it('finds one person', async (t) => {
    const pds = await httpServer(t, (_request, response) =>
      json(response, 200, searchset('9990548609'), { 'content-type': 'application/fhir+json' }),
    )
    const { session } = client(t, {
      pdsUrl: `${pds.url}/personal-demographics/FHIR/R4/`,
      accessToken: () => 't0ken',
      roleProfileId: '555110000001',
    })
    const { person, requestId } = await session().trace(details)
    assert.deepEqual(
      [person.nhsNumber, person.verified, person.practice, person.score],
      ['9990548609', true, 'A20047', 0.9542],
    )
    assert.equal(
      pds.seen[0]?.url,
      "/personal-demographics/FHIR/R4/Patient?family=O'Neill%20%26%20Co&birthdate=eq1980-02-29&address-postalcode=ZZ99%203CZ",
    )
    assert.equal(pds.seen[0]?.headers.authorization, 'Bearer t0ken')
    assert.equal(pds.seen[0]?.headers['nhsd-session-urid'], '555110000001')
    assert.equal(pds.seen[0]?.headers['x-request-id'], requestId)
  })

  it('says that nobody or more than one person fits', async (t) => {
    const answers = [
      searchset(),
      searchset('9990548609', '9990000018'),
      '{"resourceType":"OperationOutcome","issue":[{"severity":"information","code":"multiple-matches","details":{"coding":[{"code":"TOO_MANY_MATCHES"}]}}]}',
    ]
    const pds = await httpServer(t, (_request, response, count) =>
      json(response, 200, answers[count - 1] ?? '', { 'content-type': 'application/fhir+json' }),
    )
    const { session } = client(t, { pdsUrl: pds.url })
    const codes: string[] = []
    for (const _ of answers) codes.push((await refusal(session().trace(details))).code)
    assert.deepEqual(codes, ['CLIENT_NOT_FOUND', 'CLIENT_AMBIGUOUS', 'CLIENT_AMBIGUOUS'])
  })

  it('refuses a wrong NHS number before it asks', async (t) => {
    const { session } = client(t, { pdsUrl: 'http://127.0.0.1:1' })
    assert.equal((await refusal(session().trace({ nhsNumber: '9990548608' }))).code, 'CLIENT_NHS_NUMBER')
  })

  it('keeps connections', async (t) => {
    const pds = await httpServer(t, (_request, response) =>
      json(response, 200, JSON.stringify(patient('9990548609')), { 'content-type': 'application/fhir+json' }),
    )
    let connections = 0
    pds.connections.on('connection', () => connections++)
    const { session } = client(t, { pdsUrl: pds.url })
    for (let i = 0; i < 5; i++) await session().trace({ nhsNumber: '9990548609' })
    assert.ok(connections <= 2, `${connections} connections for 5 requests`)
  })
})
