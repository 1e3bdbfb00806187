/** The whole service over real sockets: TLS with certificates of every state, curl, audit, reload, stop. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect as connectPlain } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { systemClock } from '@openspine/platform/clock'
import { makeMetrics } from '@openspine/platform/metrics'
import { strictTests, type TestPlatform, testPlatform } from '@openspine/platform/testing'
import type { IssuedCertificate } from '@openspine/platform/trust'
import { isSpineError } from '@openspine/standards/error'
import { dstu2 } from '@openspine/standards/fhir/dstu2'
import { dayAt } from './record/dates.ts'
import { workedExamplePatients as people, practice, practiceConfig, workedExample } from './service.ts'
import {
  careRecordRequest,
  headersToSend,
  metadataRequest,
  proxyFqdn,
  type TestRequest,
  testAsid,
} from './testing/requests.ts'
import {
  type ClientFiles,
  type ClientIdentity,
  curl,
  keptConnection,
  outcomeCode,
  readReply,
  run,
} from './testing/wire.ts'

const curlIsHere = await run('curl', ['--version']).then(
  () => true,
  () => false,
)
const needsCurl = curlIsHere || strictTests ? {} : { skip: 'curl is not installed' }

describe('practice system', () => {
  let platform: TestPlatform
  let service: ReturnType<typeof practice>
  let url: string
  let port: number
  let folder: string
  let proxy: IssuedCertificate
  const now = () => systemClock.now()

  before(async () => {
    platform = await testPlatform()
    folder = await mkdtemp(join(tmpdir(), 'openspine-practice-'))
    const example = workedExample({ asid: testAsid, today: dayAt(now()) })
    const second = workedExample({ asid: '200000100002', today: dayAt(now()), odsCode: 'B82617' })
    const file = join(folder, 'practice.json')
    await writeFile(file, JSON.stringify({ ...example, practices: [...example.practices, ...second.practices] }))
    const config = practiceConfig.parse({
      port: 0,
      proxyFqdn: proxyFqdn.toUpperCase(),
      files: [file],
      maxBodyBytes: 20_000,
    })
    service = practice({ platform, config })
    await platform.store.migrate('practice', service.migrations ?? {})
    await service.start?.()
    const [listener] = service.listeners ?? []
    assert.ok(listener)
    ;({ url, port } = await listener.listen())
    proxy = await platform.trust.issue({ fqdn: proxyFqdn })
  })

  after(async () => {
    for (const listener of service?.listeners ?? []) await listener.close(1000)
    await platform?.close()
    if (folder) await rm(folder, { recursive: true, force: true })
  })

  /** A second listener on the same store, with an audit of the test's own. */
  async function another(options: {
    readonly append: TestPlatform['audit']['append']
    readonly maxConcurrent?: number
  }) {
    const { append, ...settings } = options
    const made = practice({
      platform: { ...platform, metrics: makeMetrics(), audit: { ...platform.audit, append } },
      config: practiceConfig.parse({ port: 0, proxyFqdn, ...settings }),
    })
    const [listener] = made.listeners ?? []
    assert.ok(listener)
    return { listener, at: (await listener.listen()).port }
  }

  /** An audit that keeps its first record waiting until it is released. */
  function holding() {
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    const { promise: arrived, resolve: reached } = Promise.withResolvers<void>()
    let first = true
    const append: TestPlatform['audit']['append'] = async (record) => {
      if (first) {
        first = false
        reached()
        await released
      }
      return platform.audit.append(record)
    }
    return { arrived, release, append }
  }

  /** With the proxy's certificate, unless another is named. */
  const ask = (asked: TestRequest, more: readonly string[] = [], client: ClientFiles | undefined = proxy.files) =>
    curl({ url, trust: platform.trust }, asked, client, more)
  const kept = (certificate: ClientIdentity, at = port) => keptConnection(at, platform.trust, certificate)

  describe('with curl', needsCurl, () => {
    it('answers a care record in chunks, never to be stored', async () => {
      const reply = await ask(careRecordRequest({ now: now() }))
      assert.equal(reply.status, 200, reply.body)
      assert.equal(reply.headers.get('content-type'), 'application/json+fhir;charset=utf-8')
      assert.equal(reply.headers.get('cache-control'), 'no-store')
      assert.equal(reply.headers.get('transfer-encoding'), 'chunked')
      assert.equal(reply.headers.get('content-length'), undefined)
      const bundle = dstu2.fromJson(reply.body)
      assert.equal((bundle['entry'] as unknown[]).length, 5)
      assert.match(reply.body, /Testcase/)
    })

    it('answers the metadata, in chunks as well', async () => {
      const reply = await ask(metadataRequest({ now: now() }))
      assert.equal(reply.status, 200)
      assert.equal(reply.headers.get('transfer-encoding'), 'chunked')
      assert.equal(dstu2.fromJson(reply.body).resourceType, 'Conformance')
    })

    it('takes the operation with $ and with %24, and XML in and out', async () => {
      const asked = careRecordRequest({ now: now(), section: 'MED' })
      asked.target = asked.target.replace('$', '%24')
      asked.headers['Content-Type'] = 'application/xml+fhir'
      asked.headers['Accept'] = 'application/xml+fhir'
      asked.body = dstu2.toXml(JSON.parse(asked.body))
      const reply = await ask(asked)
      assert.equal(reply.status, 200, reply.body)
      assert.equal(reply.headers.get('content-type'), 'application/xml+fhir;charset=utf-8')
      assert.match(reply.body, /<h1>Medications<\/h1>/)
      assert.equal(dstu2.fromXml(reply.body).resourceType, 'Bundle')
    })

    it('compresses where that is asked for', async () => {
      const plain = await ask(metadataRequest({ now: now() }))
      assert.equal(plain.headers.get('content-encoding'), undefined)
      const { stdout } = await run('curl', [
        ...['--silent', '--include', '--compressed', '--cacert', platform.trust.files.bundle, '-4'],
        ...['--cert', proxy.files.fullChain, '--key', proxy.files.key ?? ''],
        ...headersToSend(metadataRequest({ now: now() })).flatMap(([name, value]) => ['--header', `${name}: ${value}`]),
        `${url}/A20047/DSTU2/1/metadata`,
      ])
      assert.match(stdout, /content-encoding: gzip/i)
      assert.ok(stdout.endsWith(plain.body))
    })

    it('takes a chunked body, and one that waits to be asked for', async () => {
      const asked = careRecordRequest({ now: now() })
      assert.equal((await ask(asked, ['--header', 'Transfer-Encoding: chunked'])).status, 200)
      assert.equal((await ask(asked, ['--header', 'Expect: 100-continue'])).status, 200)
    })

    it('answers several practices, each with its own ASID', async () => {
      const asked = careRecordRequest({ now: now() })
      asked.target = asked.target.replace('A20047', 'B82617')
      assert.equal((await ask(asked)).status, 400)
      asked.headers['Ssp-To'] = '200000100002'
      const reply = await ask(asked)
      assert.equal(reply.status, 200)
      assert.match(reply.body, /Organization\/B82617/)
    })

    it('says in FHIR what it does not serve', async () => {
      for (const [target, method, status] of [
        ['/', 'GET', 404],
        ['/A20047/DSTU2/1', 'GET', 404],
        ['/A20047/DSTU2/1/Metadata', 'GET', 404],
        ['/A20047/DSTU2/1/Patient/1', 'GET', 404],
        ['/A20047/DSTU2/1/../1/metadata', 'GET', 404],
        ['//A20047/DSTU2/1/metadata', 'GET', 404],
        ['/A20047/DSTU2/1/%zz', 'GET', 404],
        ['/A20047/DSTU2/1/metadata', 'DELETE', 405],
        ['/A20047/DSTU2/1/metadata', 'OPTIONS', 405],
        ['/A20047/DSTU2/1/metadata', 'PATCH', 405],
      ] as const) {
        const reply = await ask({ ...metadataRequest({ now: now() }), target, method })
        assert.equal(reply.status, status, target)
        assert.ok(outcomeCode(reply))
      }
    })

    it('refuses a header and a body beyond its limits, in FHIR', async () => {
      const wide = metadataRequest({ now: now() })
      wide.headers['X-Wide'] = 'x'.repeat(40_000)
      const tooWide = await ask(wide)
      assert.equal(tooWide.status, 431)
      assert.equal(outcomeCode(tooWide), 'BAD_REQUEST')
      const long = careRecordRequest({ now: now() })
      long.body = JSON.stringify({ resourceType: 'Parameters', id: 'x'.repeat(30_000) })
      for (const more of [[], ['--header', 'Transfer-Encoding: chunked']]) {
        const tooLong = await ask(long, more)
        assert.equal(tooLong.status, 413)
        assert.equal(outcomeCode(tooLong), 'BAD_REQUEST')
      }
    })
  })

  describe('client certificates', needsCurl, () => {
    const refusedWith = async (status: number, client: ClientFiles | undefined, diagnostics: RegExp) => {
      const asked = metadataRequest({ now: now() })
      asked.headers['Accept'] = 'application/xml+fhir'
      const reply = await curl({ url, trust: platform.trust }, asked, client)
      assert.equal(reply.status, status)
      assert.notEqual(reply.reason, 'unknown')
      assert.equal(reply.headers.get('content-type'), 'application/json+fhir;charset=utf-8')
      assert.equal(outcomeCode(reply), 'ACCESS_DENIED_SSL')
      assert.match(reply.body, diagnostics)
    }

    it('none: 496', () => refusedWith(496, undefined, /No client certificate/))

    it('of another FQDN: 495', async () =>
      refusedWith(
        495,
        (await platform.trust.issue({ fqdn: 'consumer.openspine.test' })).files,
        /not that of the secure proxy/,
      ))

    it('expired: 495', async () =>
      refusedWith(
        495,
        (await platform.trust.issue({ fqdn: proxyFqdn, notBefore: now() - 3 * 86_400_000, days: 1 })).files,
        /CERT_HAS_EXPIRED/,
      ))

    it('not yet valid: 495', async () =>
      refusedWith(
        495,
        (await platform.trust.issue({ fqdn: proxyFqdn, notBefore: now() + 86_400_000, days: 1 })).files,
        /CERT_NOT_YET_VALID/,
      ))

    it('revoked: 495', async () => {
      const certificate = await platform.trust.issue({ fqdn: proxyFqdn })
      assert.equal((await ask(metadataRequest({ now: now() }), [], certificate.files)).status, 200)
      await platform.trust.revoke(certificate.serial)
      await refusedWith(495, certificate.files, /CERT_REVOKED/)
    })

    it('of a stranger: 495', async () => {
      const [key, certificate] = [join(folder, 'stranger.key'), join(folder, 'stranger.pem')]
      await run('openssl', [
        ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', `/CN=${proxyFqdn}`],
        ...['-keyout', key, '-out', certificate],
      ])
      await refusedWith(495, { fullChain: certificate, key }, /SIGNED_CERT|UNABLE_TO/)
    })
  })

  it('looks at the certificate again for every request of a connection', async () => {
    const certificate = await platform.trust.issue({ fqdn: proxyFqdn })
    const connection = kept(certificate)
    try {
      assert.equal((await connection.send(metadataRequest({ now: now() }))).status, 200)
      await platform.trust.revoke(certificate.serial)
      const refused = await connection.send(metadataRequest({ now: now() }))
      assert.equal(refused.status, 495)
      assert.equal(connection.sockets(), 1)
    } finally {
      connection.end()
    }
  })

  it('keeps the connection after a refusal that did not need the body', async () => {
    const connection = kept(proxy)
    try {
      const wrong = careRecordRequest({ now: now() })
      wrong.headers['Ssp-To'] = '200000100009'
      assert.equal((await connection.send(wrong)).status, 400)
      assert.equal((await connection.send(careRecordRequest({ now: now() }))).status, 200)
      assert.equal(connection.sockets(), 1)
    } finally {
      connection.end()
    }
  })

  it('answers what is no HTTP, and what is no TLS', async () => {
    const options = {
      port,
      host: '127.0.0.1',
      servername: 'localhost',
      ca: platform.trust.material().ca.join('\n'),
      cert: proxy.certificate + proxy.chain,
      key: proxy.key,
    }
    const talk = (open: () => ReturnType<typeof connectPlain>, text: string) =>
      new Promise<string>((resolve, reject) => {
        const socket = open()
        let reply = ''
        socket.setEncoding('utf8')
        socket.on('data', (portion: string) => {
          reply += portion
        })
        socket.on('error', reject)
        socket.on('close', () => resolve(reply))
        socket.write(text)
      })
    const garbage = readReply(await talk(() => connectTls(options), 'GET\u0001 / HTTP/9.9\r\n\r\n'))
    assert.equal(garbage.status, 400)
    assert.equal(outcomeCode(garbage), 'BAD_REQUEST')
    for (const [sent, status] of [
      ['POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n', 400],
      ['GET / HTTP/1.1\r\nHost: localhost\r\nHost: other\r\n\r\n', 400],
      ['GET / HTTP/2.0\r\nHost: localhost\r\n\r\n', 400],
      [`GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: ${'x'.repeat(100_000)}`, 431],
    ] as const) {
      const reply = readReply(await talk(() => connectTls(options), sent))
      assert.equal(reply.status, status)
      assert.equal(reply.headers.get('connection'), 'close')
    }
    const plain = readReply(
      await talk(
        () => connectPlain(port, '127.0.0.1'),
        'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
      ),
    )
    assert.equal(plain.status, 497)
    assert.equal(outcomeCode(plain), 'BAD_REQUEST')
    await assert.rejects(
      new Promise((resolve, reject) => {
        const socket = connectTls({ ...options, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' })
        socket.on('secureConnect', resolve)
        socket.on('error', reject)
      }),
    )
  })

  it('writes success and failure into the audit, with claims, and never a name from the record', async () => {
    const trace = '5b9a0a5c-6f0c-4a57-8b5a-0f5f4b6f1d11'
    const connection = kept(proxy)
    try {
      for (const nhsNumber of [people.everySection, people.dissent]) {
        const asked = careRecordRequest({ now: now(), nhsNumber })
        asked.headers['Ssp-TraceID'] = trace
        await connection.send(asked)
      }
      const unreadable = careRecordRequest({ now: now() })
      unreadable.headers['Ssp-TraceID'] = trace
      unreadable.authorization = 'Bearer x.y.'
      await connection.send(unreadable)
    } finally {
      connection.end()
    }
    const records = await platform.audit.find({ trace, event: 'practice.request', limit: 10 })
    assert.equal(records.length, 3)
    const [fault, refused, answered] = records
    assert.equal(answered?.facts['status'], 200)
    assert.equal(answered?.facts['nhsNumber'], people.everySection)
    assert.equal(answered?.facts['section'], 'SUM')
    assert.equal(answered?.facts['odsCode'], 'A20047')
    const claims = answered?.facts['claims'] as Record<string, Record<string, unknown>>
    assert.equal(claims['organisation']?.['name'], 'Invented Trust')
    assert.equal(claims['practitioner']?.['id'], '1')
    assert.equal(claims['scope'], 'patient/*.read')
    assert.equal((answered?.facts['certificate'] as { fqdn: string } | undefined)?.fqdn, proxyFqdn)
    assert.match(String(answered?.facts['target']), /^https:\/\/.*\/A20047\/DSTU2\/1\/Patient\/\$gpc\.getcarerecord$/)
    assert.ok(Number(answered?.facts['bytesOut']) > 1000 && Number(answered?.facts['bytesIn']) > 100)
    assert.equal(refused?.facts['status'], 403)
    assert.equal(refused?.facts['check'], 'patient consent')
    assert.equal(fault?.facts['status'], 400)
    assert.match(String(fault?.facts['tokenFault']), /token/)
    assert.doesNotMatch(JSON.stringify(records), /Testcase|Quietwell|Bearer/)
    assert.notEqual(answered?.seq, refused?.seq)
    assert.equal((await platform.audit.verify()).ok, true)
  })

  it('shows what was loaded a moment ago', async () => {
    const connection = kept(proxy)
    const example = workedExample({ asid: testAsid, today: dayAt(now()) })
    try {
      assert.equal((await connection.send(careRecordRequest({ now: now(), nhsNumber: people.noData }))).status, 200)
      await service.contract.load({
        ...example,
        practices: example.practices.map((one) => ({ ...one, gpConnect: false, complete: true, patients: [] })),
      })
      assert.equal((await connection.send(metadataRequest({ now: now() }))).status, 403)
      assert.equal((await service.health?.())?.status, 'warn')
      assert.deepEqual(
        (await service.contract.practices()).map(({ odsCode, patients }) => [odsCode, patients > 0]),
        [
          ['A20047', false],
          ['B82617', true],
        ],
      )
      await service.contract.load(example)
      assert.equal((await service.health?.())?.status, 'pass')
      const added = {
        nhsNumber: '9990100144',
        name: { family: 'Newcomer' },
        gender: 'other',
        birthDate: '1999-09-09',
      } as const
      assert.equal(await service.contract.addPatients('A20047', [added]), 1)
      const reply = await connection.send(careRecordRequest({ now: now(), nhsNumber: '9990100144' }))
      assert.equal(reply.status, 200)
      await assert.rejects(
        service.contract.addPatients('Z99999', [added]),
        (error) => isSpineError(error) && error.code === 'PRACTICE_UNKNOWN',
      )
      await assert.rejects(
        service.contract.load(join(folder, 'missing.json')),
        (error) => isSpineError(error) && error.code === 'PRACTICE_FILE_UNREADABLE',
      )
    } finally {
      connection.end()
    }
  })

  it('discloses nothing when the audit does not accept it', async () => {
    const { listener, at } = await another({ append: () => Promise.reject(new Error('disk full')) })
    const connection = kept(proxy, at)
    try {
      const reply = await connection.send(careRecordRequest({ now: now() }))
      assert.equal(reply.status, 500)
      assert.doesNotMatch(reply.text, /Testcase/)
    } finally {
      connection.end()
      await listener.close(1000)
    }
  })

  it('finishes what is in flight when it stops, and answers no more', async () => {
    const { arrived, release, append } = holding()
    const { listener, at } = await another({ append })
    const connection = kept(proxy, at)
    try {
      const pending = connection.send(careRecordRequest({ now: now() }))
      await arrived
      const closed = listener.close(5000)
      release()
      const reply = await pending
      assert.equal(reply.status, 200)
      assert.equal(reply.connection, 'close')
      await closed
      await assert.rejects(connection.send(metadataRequest({ now: now() })))
    } finally {
      connection.end()
    }
  })

  it('sheds load in FHIR, and says when to come again', async () => {
    const { arrived, release, append } = holding()
    const { listener, at } = await another({ maxConcurrent: 1, append })
    const [one, two] = [kept(proxy, at), kept(proxy, at)]
    try {
      const pending = one.send(metadataRequest({ now: now() }))
      await arrived
      const shed = await two.send(metadataRequest({ now: now() }))
      assert.equal(shed.status, 503)
      assert.equal(dstu2.fromJson(shed.text).resourceType, 'OperationOutcome')
      release()
      assert.equal((await pending).status, 200)
      assert.equal((await two.send(metadataRequest({ now: now() }))).status, 200)
    } finally {
      release()
      one.end()
      two.end()
      await listener.close(1000)
    }
  })

  it('answers requests that come close behind one another, in order', async () => {
    const target = ['/A20047/DSTU2/1/metadata', '/A20047/DSTU2/1/nothing', '/B82617/DSTU2/1/metadata']
    const message = target.map((path, i) => {
      const asked = metadataRequest({ now: now() })
      if (i === 2) asked.headers['Ssp-To'] = '200000100002'
      const head = headersToSend(asked).map(([name, value]) => `${name}: ${value}\r\n`)
      return `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${head.join('')}${i === 2 ? 'Connection: close\r\n' : ''}\r\n`
    })
    const text = await new Promise<string>((resolve, reject) => {
      const socket = connectTls({
        ...{ port, host: '127.0.0.1', servername: 'localhost', ca: platform.trust.material().ca.join('\n') },
        ...{ cert: proxy.certificate + proxy.chain, key: proxy.key },
      })
      let reply = ''
      socket.setEncoding('latin1')
      socket.on('data', (portion: string) => {
        reply += portion
      })
      socket.on('error', reject)
      socket.on('close', () => resolve(reply))
      socket.write(message.join(''))
    })
    assert.deepEqual(
      [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map((match) => match[1]),
      ['200', '404', '200'],
    )
  })

  it('lets go of a client that leaves in the middle of its body, and has it on record', async () => {
    const recorded = Promise.withResolvers<unknown>()
    const { listener, at } = await another({
      append: async (record) => {
        recorded.resolve(record.facts['check'])
      },
    })
    const asked = careRecordRequest({ now: now() })
    const socket = connectTls({
      ...{ port: at, host: '127.0.0.1', servername: 'localhost', ca: platform.trust.material().ca.join('\n') },
      ...{ cert: proxy.certificate + proxy.chain, key: proxy.key },
    })
    const head = headersToSend(asked).map(([name, value]) => `${name}: ${value}\r\n`)
    socket.write(
      `POST ${asked.target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n${head.join('')}\r\n{"resourceType"`,
      () => socket.end(),
    )
    socket.on('error', () => undefined)
    assert.equal(await recorded.promise, 'body complete')
    await listener.close(5000)
  })

  it('counts requests and times', async () => {
    const { body } = await platform.metrics.render()
    assert.match(body, /openspine_practice_requests_total\{action="getCareRecord",status="200"\} \d+/)
    assert.match(body, /practice_request_seconds_count\{action="metadata"\} \d+/)
  })
})
