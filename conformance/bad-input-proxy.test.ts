/** Requests that the secure proxy must refuse: headers, interactions, target URLs, and the hosts behind them. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { ask, header, RawConnection } from './raw-http.ts'
import {
  careRecord,
  type HeaderChanges,
  metadata,
  onlyRow,
  outcomeOf,
  practiceAsid,
  rowsOf,
  serviceRootOf,
} from './raw-request.ts'
import { careRecordInteraction, consumer, metadataInteraction, type Sandbox, startSandbox } from './sandbox.ts'

let sandbox: Sandbox
/** The service root as it is registered, and its port. */
let root: string
let port: string
/** Notices whoever is sent there. */
let trap: Server
let trapped = 0

before(async () => {
  sandbox = await startSandbox()
  root = serviceRootOf(sandbox)
  port = new URL(root).port
  trap = createServer((socket) => {
    trapped++
    socket.destroy()
  }).listen(0, '127.0.0.1')
  await once(trap, 'listening')
})
after(async () => {
  trap?.close()
  await sandbox?.stop()
})

const proxyUrl = () => String(sandbox.spine.urls['proxy'])
const send = (bytes: Buffer) => ask(proxyUrl(), sandbox.material, bytes)

/** Refused by the proxy with this status and text, on record once, and never seen by the provider. */
async function refused(
  { trace, bytes }: { readonly trace: string; readonly bytes: Buffer },
  expected: { readonly status: number; readonly text?: string; readonly check: string },
): Promise<void> {
  const answer = await send(bytes)
  const outcome = outcomeOf(answer)
  const row = await onlyRow(sandbox, trace, 'proxy.request')
  assert.deepEqual(
    { status: answer.status, check: row.facts['check'], audited: row.facts['status'] },
    { status: expected.status, check: expected.check, audited: expected.status },
  )
  assert.equal(outcome.code, String(expected.status))
  if (expected.text !== undefined) {
    assert.equal(outcome.display, expected.text)
    assert.equal(outcome.diagnostics, expected.text)
  }
  assert.equal(row.facts['ending'], 'refused')
  assert.ok(String(row.facts['explanation']).length > 20)
  assert.equal(header(answer, 'cache-control'), 'no-store')
  assert.match(String(header(answer, 'strict-transport-security')), /max-age=\d+/)
  assert.deepEqual(await rowsOf(sandbox, trace, 'practice.request'), [])
}

const senderFailed = `ASID_CHECK_FAILED_MESSAGESENDER_${consumer.asid}`
const malformed = (name: string) => `The header ${name} is missing or malformed`

describe('headers', () => {
  const cases: readonly [name: string, headers: HeaderChanges, status: number, check: string, text?: string][] = [
    ...['Ssp-TraceID', 'Ssp-From', 'Ssp-To', 'Ssp-InteractionID', 'Authorization'].flatMap(
      (name): [string, HeaderChanges, number, string, string?][] => {
        const check = {
          'Ssp-TraceID': 'trace-id',
          'Ssp-From': 'sender-id',
          'Ssp-To': 'receiver-id',
          'Ssp-InteractionID': 'interaction-id',
          Authorization: 'authorization',
        }[name] as string
        return [
          [`${name} missing`, { [name]: undefined }, 400, check, malformed(name)],
          [`${name} empty`, { [name]: '' }, 400, check, malformed(name)],
        ]
      },
    ),
    ['Ssp-TraceID not a GUID', { 'Ssp-TraceID': '{0}' }, 400, 'trace-id'],
    ['Ssp-From of 11 digits', { 'Ssp-From': '20000010000' }, 400, 'sender-id'],
    ['Ssp-From of 13 digits', { 'Ssp-From': '2000001000000' }, 400, 'sender-id'],
    ['Ssp-From with a letter', { 'Ssp-From': '20000010000O' }, 400, 'sender-id'],
    [
      'Ssp-From in full-width digits',
      { 'Ssp-From': Buffer.from('２０００００１０００００').toString('latin1') },
      400,
      'sender-id',
    ],
    [
      'Ssp-From nobody has',
      { 'Ssp-From': '299999999999' },
      403,
      'sender-known',
      'ASID_CHECK_FAILED_MESSAGESENDER_299999999999',
    ],
    ['Ssp-To of a quote', { 'Ssp-To': "200000100001'--" }, 400, 'receiver-id'],
    [
      'Ssp-To nobody has',
      { 'Ssp-To': '299999999999' },
      403,
      'receiver-interaction',
      'PARTYKEY_INTERACTION_CHECK_FAILED_MESSAGERECEIVER_299999999999',
    ],
    [
      'Ssp-To is the consumer itself',
      { 'Ssp-To': consumer.asid },
      403,
      'receiver-interaction',
      `PARTYKEY_INTERACTION_CHECK_FAILED_MESSAGERECEIVER_${consumer.asid}`,
    ],
    ['Authorization of another scheme', { Authorization: 'Basic dXNlcjpwYXNz' }, 400, 'authorization'],
    ['Authorization of a scheme alone', { Authorization: 'Bearer' }, 400, 'authorization'],
    ['Authorization with two tokens', { Authorization: 'Bearer a.b. c.d.' }, 400, 'authorization'],
    ['Authorization that is no token', { Authorization: 'Bearer garbage' }, 400, 'token'],
    ['Authorization of a megabyte less', { Authorization: `Bearer ${'a'.repeat(12_000)}` }, 400, 'token'],
  ]
  for (const [name, headers, status, check, text] of cases)
    it(name, async () => {
      const request = careRecord(sandbox, { headers })
      const trace = 'Ssp-TraceID' in headers ? headers['Ssp-TraceID'] : request.trace
      if (trace === undefined || trace === '') {
        const answer = await send(request.bytes)
        assert.equal(answer.status, status)
        assert.equal(outcomeOf(answer).diagnostics, text)
        const [row] = await sandbox.spine.platform.audit.find({ event: 'proxy.request', limit: 1 })
        assert.equal(row?.facts['check'], check)
        return
      }
      await refused({ ...request, trace: String(trace) }, { status, check, ...(text === undefined ? {} : { text }) })
    })

  it('each Ssp header twice is refused, and nothing of it is believed', async () => {
    for (const name of ['Ssp-TraceID', 'Ssp-From', 'Ssp-To', 'Ssp-InteractionID', 'Authorization']) {
      const { trace, bytes } = careRecord(sandbox, { headers: { [name.toLowerCase()]: 'x' } })
      const connection = await RawConnection.open(proxyUrl(), sandbox.material)
      connection.send(bytes)
      assert.equal((await connection.answer())?.status, 400, name)
      await connection.closed
      assert.deepEqual(await rowsOf(sandbox, trace, 'practice.request'), [])
      const [row] = await sandbox.spine.platform.audit.find({ event: 'proxy.request', limit: 1 })
      assert.equal(row?.facts['check'], 'framing')
    }
  })

  it('an answer in the type that the request prefers: XML by Accept, by _format before Accept', async () => {
    for (const [target, accept, type] of [
      [undefined, 'application/xml+fhir', 'application/xml+fhir'],
      [undefined, 'application/fhir+xml', 'application/fhir+xml'],
      [`/${root}/metadata?_format=application/fhir+xml`, 'application/json+fhir', 'application/fhir+xml'],
      [`/${root}/metadata?_format=application%2Fjson%2Bfhir`, 'application/xml+fhir', 'application/json+fhir'],
      [undefined, 'text/html', 'application/fhir+json'],
    ] as const) {
      const { bytes } = metadata(sandbox, {
        ...(target === undefined ? {} : { target }),
        headers: { Accept: accept, 'Ssp-From': '299999999999' },
      })
      const answer = await send(bytes)
      assert.equal(answer.status, 403)
      assert.equal(header(answer, 'content-type'), `${type}; charset=utf-8`)
      if (type.includes('xml'))
        assert.match(answer.body.toString(), /^<\?xml .*<OperationOutcome xmlns="http:\/\/hl7.org\/fhir">/s)
    }
  })
})

describe('interactions', () => {
  const prefix = 'urn:nhs:names:services:gpconnect:fhir:'
  const cases: readonly [value: string, check: 'interaction-id' | 'sender-interaction'][] = [
    [`${prefix}rest:read:metadata-2`, 'sender-interaction'],
    [`${prefix}operation:gpc.getcarerecord-1`, 'sender-interaction'],
    [`${prefix}operation:gpc.getCareRecord`, 'sender-interaction'],
    [careRecordInteraction.toUpperCase(), 'interaction-id'],
    [careRecordInteraction.replace('gpconnect', 'GPCONNECT'), 'sender-interaction'],
    [`URN${careRecordInteraction.slice(3)}`, 'interaction-id'],
    ['urn:nhs:names:services:gpconnect:*', 'sender-interaction'],
    ['urn:nhs:names:services:', 'interaction-id'],
    ['*', 'interaction-id'],
    [`${careRecordInteraction}:`, 'sender-interaction'],
    [`${careRecordInteraction} ${metadataInteraction}`, 'interaction-id'],
    [`${careRecordInteraction},${metadataInteraction}`, 'sender-interaction'],
    [`${prefix}operation:gpc%2Egetcarerecord`, 'sender-interaction'],
    [`${prefix}opération:gpc.getcarerecord`, 'interaction-id'],
    [`${prefix}${'a'.repeat(5000)}`, 'interaction-id'],
    ['__proto__', 'interaction-id'],
    ['urn:nhs:names:services:__proto__', 'sender-interaction'],
  ]
  for (const [value, check] of cases)
    it(`${value.slice(0, 90)}`, () =>
      refused(
        careRecord(sandbox, { headers: { 'Ssp-InteractionID': value } }),
        check === 'interaction-id'
          ? { status: 400, check, text: malformed('Ssp-InteractionID') }
          : { status: 403, check, text: senderFailed },
      ))

  it('white space around the value is not part of it (RFC 9110 §5.5)', async () => {
    const { bytes } = careRecord(sandbox, { headers: { 'Ssp-InteractionID': ` \t${careRecordInteraction}  ` } })
    assert.equal((await send(bytes)).status, 200)
  })

  it('another interaction of the same systems is relayed, and refused by the provider', async () => {
    const { trace, bytes } = careRecord(sandbox, { headers: { 'Ssp-InteractionID': metadataInteraction } })
    const answer = await send(bytes)
    assert.equal(answer.status, 400)
    assert.equal(outcomeOf(answer).code, 'BAD_REQUEST')
    assert.equal((await onlyRow(sandbox, trace, 'proxy.request')).facts['ending'], 'relayed')
    assert.equal(
      (await onlyRow(sandbox, trace, 'practice.request')).facts['check'],
      'Ssp-InteractionID fits the request',
    )
  })
})

describe('target URLs that vary from the registered endpoint', () => {
  const at = (...changes: readonly [from: string | RegExp, to: string]) => root.replace(...changes)
  const cases: readonly [name: string, target: () => string][] = [
    ['another version in the path', () => `${at(/1$/, '0')}/metadata`],
    ['path in lower case', () => `${at('A20047', 'a20047')}/metadata`],
    ['FHIR version in lower case', () => `${at('DSTU2', 'dstu2')}/metadata`],
    ['a suffix with a hyphen', () => `${root}-evil/metadata`],
    ['a suffix with a dot', () => `${root}.evil/metadata`],
    ['a suffix with a semicolon', () => `${root};v=2/metadata`],
    ['a suffix with a colon', () => `${root}:80/metadata`],
    ['a suffix with an encoded slash', () => `${root}%2Fmetadata`],
    ['a suffix with an encoded question mark', () => `${root}%3Fmetadata`],
    ['a suffix with an encoded fragment sign', () => `${root}%23/metadata`],
    ['a base that is cut short', () => root.slice(0, -1)],
    ['the host alone', () => at(/\/A20047.*/, '')],
    ['the base as a query', () => `${at(/\/A20047.*/, '')}?/A20047/DSTU2/1/metadata`],
    ['an escaped letter', () => `${at('A20047', '%4120047')}/metadata`],
    ['a doubled slash before the path', () => `${at('/A20047', '//A20047')}/metadata`],
    ['a doubled slash in the path', () => `${at('/DSTU2', '//DSTU2')}/metadata`],
    ['no port', () => `${at(`:${port}`, '')}/metadata`],
    ['port 443', () => `${at(`:${port}`, ':443')}/metadata`],
    ['another port', () => `${at(`:${port}`, `:${trapPort()}`)}/metadata`],
    ['the address in place of the name', () => `${at('localhost', '127.0.0.1')}/metadata`],
    ['another loopback address', () => `${at('localhost', '127.1')}/metadata`],
    ['the address as one decimal number', () => `${at('localhost', '2130706433')}/metadata`],
    ['the address in octal', () => `${at('localhost', '0177.0.0.1')}/metadata`],
    ['the address in hexadecimal', () => `${at('localhost', '0x7f000001')}/metadata`],
    ['any address', () => `${at('localhost', '0.0.0.0')}/metadata`],
    ['a name below it', () => `${at('localhost', 'www.localhost')}/metadata`],
    ['a name that ends as another', () => `${at('localhost', 'localhost.evil.example')}/metadata`],
    ['a name that resolves to the same address', () => `${at('localhost', 'localtest.me')}/metadata`],
    ['a metadata service of a cloud', () => 'https://169.254.169.254/latest/meta-data/'],
    ['a host that nobody registered', () => `https://localhost:${trapPort()}/A20047/DSTU2/1/metadata`],
    ['the registered URL behind another host', () => `https://evil.example/${root}/metadata`],
    ['the registered URL in the query of another', () => `https://evil.example/?${root}/metadata`],
    ['the proxy itself', () => `${sandbox.spine.urls['proxy']}/${root}/metadata`],
    ['the endpoint of another practice', () => `${at('A20047', 'B82617')}/metadata`],
  ]
  const trapPort = () => {
    const address = trap.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }
  for (const [name, target] of cases)
    it(name, async () => {
      const url = target()
      const before = trapped
      await refused(metadata(sandbox, { target: `/${url}` }), {
        status: 400,
        check: 'endpoint',
        text: `ENDPOINT_${root}_CPAID_A20047-850001:${metadataInteraction}_VARIES_FROM_TARGETURL_${url}`,
      })
      assert.equal(trapped, before, 'the proxy went there')
    })
})

describe('target URLs that are malformed', () => {
  const encoded = (url: string) => encodeURIComponent(url)
  const cases: readonly [name: string, target: () => string][] = [
    ['none', () => '/'],
    ['no URL', () => '/metadata'],
    ['two slashes before it', () => `//${root}/metadata`],
    ['merged slashes', () => `/${root.replace('https://', 'https:/')}/metadata`],
    ['three slashes in it', () => `/${root.replace('https://', 'https:///')}/metadata`],
    ['http', () => `/${root.replace('https', 'http')}/metadata`],
    ['HTTPS in upper case', () => `/${root.replace('https', 'HTTPS')}/metadata`],
    ['ftp', () => `/${root.replace('https', 'ftp')}/metadata`],
    ['file', () => '/file:///etc/passwd'],
    ['no host', () => '/https:///A20047/DSTU2/1/metadata'],
    ['user-info', () => `/${root.replace('localhost', 'user@localhost')}/metadata`],
    ['user-info with a password', () => `/${root.replace('localhost', 'user:pass@localhost')}/metadata`],
    ['the registered authority as user-info', () => `/https://localhost:${port}@evil.example/A20047/DSTU2/1/metadata`],
    ['a port of six digits', () => `/${root.replace(`:${port}`, `:0${port}`)}/metadata`],
    ['an empty port', () => `/${root.replace(`:${port}`, ':')}/metadata`],
    ['a host with a final dot', () => `/${root.replace('localhost', 'localhost.')}/metadata`],
    ['an escaped host', () => `/${root.replace('localhost', '%6cocalhost')}/metadata`],
    ['IPv6 loopback', () => `/${root.replace('localhost', '[::1]')}/metadata`],
    ['IPv4 in IPv6', () => `/${root.replace('localhost', '[::ffff:127.0.0.1]')}/metadata`],
    ['IPv6 without brackets', () => `/${root.replace(`localhost:${port}`, '::1')}/metadata`],
    ['IPv6 with a zone', () => `/${root.replace('localhost', '[fe80::1%25eth0]')}/metadata`],
    ['a fragment', () => `/${root}/metadata#top`],
    ['a backslash in the path', () => `/${root}\\metadata`],
    ['backslashes for slashes', () => `/${root.replace('https://', 'https:\\\\')}/metadata`],
    ['a backslash before user-info', () => `/https://localhost:${port}\\@evil.example/A20047/DSTU2/1/metadata`],
    ...[
      '/..',
      '/../',
      '/../1/metadata',
      '/./metadata',
      '/metadata/..',
      '/%2e%2e/1/metadata',
      '/.%2E/1/metadata',
      '/%2e/metadata',
    ].map((segment): [string, () => string] => [`dot segment ${segment}`, () => `/${root}${segment}`]),
    ...[
      '/..;/1/metadata',
      '/..%2f1/metadata',
      '/x%2f..%2fmetadata',
      '/..%5c1/metadata',
      '/%2e%2e%5Cmetadata',
      '/%2e%2e%2fmetadata',
    ].map((segment): [string, () => string] => [`dot segment in disguise ${segment}`, () => `/${root}${segment}`]),
    ['dot segments that lead back to the base', () => `/${root.replace('/A20047', '/B82617/../A20047')}/metadata`],
    ['an encoded NUL', () => `/${root}/metadata%00.html`],
    ['an encoded line end', () => `/${root}/metadata%0d%0aSsp-From:%20200000100002`],
    ['encoded: dot segments', () => `/${encoded(`${root}/../1/metadata`)}`],
    ['encoded: a line end in the URL', () => `/${encoded(`${root}/metadata HTTP/1.1\r\nX: y`)}`],
    ['encoded: a space', () => `/${encoded(`${root}/meta data`)}`],
    ['encoded: user-info', () => `/${encoded(root.replace('localhost', 'u@localhost'))}`],
    ['encoded: a fragment', () => `/${encoded(`${root}/metadata#x`)}`],
    ['encoded: a broken escape', () => `/${encoded(root)}%zz`],
    ['encoded twice', () => `/${encoded(encoded(`${root}/metadata`))}`],
    ['encoded: beyond ASCII', () => `/${encoded(`${root}/métadata`)}`],
    ['encoded: HTTPS in upper case', () => `/${encoded(`${root.replace('https', 'HTTPS')}/metadata`)}`],
  ]
  for (const [name, target] of cases)
    it(name, () =>
      refused(metadata(sandbox, { target: target() }), {
        status: 400,
        check: 'target',
        text: 'The target URL is missing or malformed',
      }),
    )
})

describe('targets and verbs that are allowed, so that the tables above prove something', () => {
  for (const [name, target] of [
    ['as registered', () => `/${root}/metadata`],
    ['encoded once', () => `/${encodeURIComponent(`${root}/metadata`)}`],
    ['encoded once, with its query', () => `/${encodeURIComponent(`${root}/metadata?_format=application/json+fhir`)}`],
    ['host in upper case', () => `/${root.replace('localhost', 'LOCALHOST')}/metadata`],
    ['dots in the query', () => `/${root}/metadata?x=/../%2e%2e/`],
  ] as const)
    it(name, async () => {
      const { trace, bytes } = metadata(sandbox, { target: target() })
      assert.equal((await send(bytes)).status, 200)
      await onlyRow(sandbox, trace, 'proxy.request')
      await onlyRow(sandbox, trace, 'practice.request')
    })

  for (const [name, target] of [
    ['a doubled slash below the base', () => `/${root}//metadata`],
    ['an escape encoded twice', () => `/${root}/%252e%252e/metadata`],
    ['an upper-case resource', () => `/${root}/Metadata`],
  ] as const)
    it(`${name} goes to the provider byte for byte, and is refused there`, async () => {
      const { trace, bytes } = metadata(sandbox, { target: target() })
      const answer = await send(bytes)
      assert.equal(answer.status, 404)
      outcomeOf(answer)
      assert.equal((await onlyRow(sandbox, trace, 'practice.request')).facts['target'], target().slice(1))
    })
})

describe('verbs', () => {
  for (const method of ['HEAD', 'TRACE', 'PROPFIND', 'get', 'X'])
    it(`${method}: 405 with the documented body`, async () => {
      const { trace, bytes } = metadata(sandbox, { method })
      const connection = await RawConnection.open(proxyUrl(), sandbox.material)
      connection.send(bytes)
      const answer = await connection.answer(method === 'HEAD' ? 'HEAD' : undefined)
      assert.ok(answer)
      assert.equal(answer.status, 405)
      assert.match(String(header(answer, 'allow')), /GET, POST/)
      if (method !== 'HEAD')
        assert.deepEqual(outcomeOf(answer), {
          severity: 'fatal',
          issue: 'forbidden',
          system: 'https://fhir.nhs.uk/StructureDefinition/spine-operationoutcome-1',
          code: '405',
          display: '405: Method Not Allowed',
          diagnostics: undefined,
        })
      // The connection goes on, and the answer to HEAD had no body that would stand in the way.
      connection.send(metadata(sandbox).bytes)
      assert.equal((await connection.answer())?.status, 200)
      connection.destroy()
      assert.equal((await onlyRow(sandbox, trace, 'proxy.request')).facts['status'], 405)
      assert.deepEqual(await rowsOf(sandbox, trace, 'practice.request'), [])
    })

  it('OPTIONS is answered by the proxy and never relayed', async () => {
    const { trace, bytes } = metadata(sandbox, { method: 'OPTIONS' })
    const answer = await send(bytes)
    assert.equal(answer.status, 200)
    assert.equal(header(answer, 'access-control-request-method'), 'GET')
    assert.equal((await onlyRow(sandbox, trace, 'proxy.request')).facts['ending'], 'answered')
    assert.deepEqual(await rowsOf(sandbox, trace, 'practice.request'), [])
  })
})

it('a practice without an agreement: 403 with the documented text', () =>
  refused(
    metadata(sandbox, {
      target: `/${root.replace('A20047', 'B82617')}/metadata`,
      headers: { 'Ssp-To': '200000100002' },
    }),
    {
      status: 403,
      check: 'sharing-agreement',
      text: `FOT_CHECK_FAILED_MESSAGESENDER_${consumer.asid}_MESSAGERECEIVER_200000100002`,
    },
  ))

it('the proxy serves, and its audit verifies, after all that', async () => {
  const { bytes } = careRecord(sandbox, { headers: { 'Ssp-To': practiceAsid } })
  assert.equal((await send(bytes)).status, 200)
  assert.equal((await sandbox.spine.platform.audit.verify()).ok, true)
})
