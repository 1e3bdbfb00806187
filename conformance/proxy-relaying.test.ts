/** The secure proxy between a consumer and providers of every kind, over real sockets: what it relays, and what it never does. */
import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { ask, header, json, RawConnection } from './raw-http.ts'
import {
  type FakeProvider,
  fakeProvider,
  listening,
  type RegisteredProvider,
  register,
  through,
} from './raw-provider.ts'
import { onlyRow, outcomeOf } from './raw-request.ts'
import { consumer, metadataInteraction, type Sandbox, startSandbox } from './sandbox.ts'

const fqdn = 'gp.fake.example'
const nrlInteraction = 'urn:nhs:names:services:nrl:DocumentReference.content.read'

let sandbox: Sandbox
let fake: FakeProvider
let provider: RegisteredProvider
/** Where nobody is registered; whoever comes has been led astray. */
let trapped = 0
let trapPort = 0
const closing: { close(): unknown }[] = []
/** Head of the last request as the provider got it. */
let lastHead = ''

const ok = (body: string, more = '') => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n${more}\r\n${body}`
const pdf = `%PDF-1.7\n${String.fromCharCode(...Array.from({ length: 256 }, (_, c) => c))}\r\n\r\n%%EOF`
const redirections = {
  301: 'Moved Permanently',
  302: 'Found',
  303: 'See Other',
  307: 'Temporary Redirect',
  308: 'Kept',
}
const drip = (
  socket: { write(text: string): unknown; once(event: 'close', then: () => void): unknown },
  text: string,
) => {
  const timer = setInterval(() => socket.write(text), 20)
  socket.once('close', () => clearInterval(timer))
}

before(async () => {
  sandbox = await startSandbox({
    'proxy.hosts': [`${fqdn}=127.0.0.1`],
    'proxy.headSeconds': 0.4,
    'proxy.bodySeconds': 0.4,
    'proxy.answerSeconds': 0.4,
    'proxy.idleSeconds': 0.4,
    'proxy.totalSeconds': 1,
  })
  const trap = createServer((socket) => {
    trapped++
    socket.destroy()
  })
  closing.push(trap)
  trapPort = await listening(trap)
  fake = await fakeProvider(sandbox, fqdn, (socket, path, head) => {
    // The body of the request before may stand before it.
    lastHead = head.slice(head.search(/[A-Z]+ \/\S* HTTP\/1\.1/))
    const [status, place] = path.slice(1).split('?to=')
    if (place !== undefined)
      socket.write(
        `HTTP/1.1 ${status} ${redirections[Number(status) as keyof typeof redirections]}\r\nLocation: ${decodeURIComponent(place)}\r\nContent-Length: 5\r\n\r\nmoved`,
      )
    else if (head.includes('/document?')) {
      socket.write(Buffer.from(ok(pdf, 'Content-Type: application/pdf\r\n'), 'latin1'))
    } else if (path === '/drips-head') {
      socket.write('HTTP/1.1 200 OK\r\nX-Slow: ')
      drip(socket, 'x')
    } else if (path === '/drips-body') {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n')
      drip(socket, 'x')
    } else if (path === '/many-headers') {
      socket.write(`HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(100_000)}Content-Length: 0\r\n\r\n`)
    } else if (!/^Expect:/im.test(head)) socket.write(ok('good'))
  })
  closing.push(fake)
  provider = await register(sandbox, `https://${fqdn}:${fake.port}/Z/DSTU2/1`)
})
after(async () => {
  for (const one of closing) one.close()
  await sandbox?.stop()
})

const proxyUrl = () => String(sandbox.spine.urls['proxy'])
const send = (bytes: string) => ask(proxyUrl(), sandbox.material, bytes)

describe('a change counts for the very next request, on a connection that is kept', () => {
  it('endpoint, agreement, certificate', async () => {
    const { contracts, platform } = sandbox.spine
    const at = await register(sandbox, `https://${fqdn}:${fake.port}/Y/DSTU2/1`)
    const { certificate, chain, key, serial } = await platform.trust.issue({ fqdn: consumer.fqdn })
    const connection = await RawConnection.open(proxyUrl(), {
      ca: sandbox.material.ca,
      cert: certificate + chain,
      key: String(key),
    })
    const told = async (endpoint: string) => {
      const { bytes, target } = through({ ...at, endpoint }, '/x')
      connection.send(bytes)
      const answer = await connection.answer()
      assert.ok(answer)
      return { status: answer.status, text: answer.status === 200 ? '' : outcomeOf(answer).diagnostics, target }
    }
    assert.equal((await told(at.endpoint)).status, 200)

    const entry = contracts.directory.tree().entry(at.dn)
    assert.ok(entry)
    const moved = at.endpoint.replace('/Y/', '/W/')
    const attributes = Object.fromEntries(
      Object.entries(entry.attributes).map(([name, values]) => [
        name,
        name.toLowerCase() === 'nhsmhsendpoint' ? [moved] : values,
      ]),
    )
    await contracts.directory.apply([{ kind: 'put', entry: { ...entry, attributes } }], 'test')
    const { status, text, target } = await told(at.endpoint)
    const cpa = entry.attributes['nhsMhsCPAId']?.[0]
    assert.deepEqual([status, text], [400, `ENDPOINT_${moved}_CPAID_${cpa}_VARIES_FROM_TARGETURL_${target}`])
    assert.equal((await told(moved)).status, 200)

    const { agreements } = contracts.registration
    const mine = agreements.list().find(({ to }) => to === entry.attributes['nhsIDCode']?.[0])
    assert.ok(mine)
    await agreements.withdraw(mine.id, 'test')
    assert.deepEqual(await told(moved).then((one) => [one.status, one.text]), [
      403,
      `FOT_CHECK_FAILED_MESSAGESENDER_${consumer.asid}_MESSAGERECEIVER_${at.asid}`,
    ])
    await agreements.agree(mine, 'test')
    assert.equal((await told(moved)).status, 200)

    await platform.trust.revoke(serial)
    assert.equal((await told(moved)).status, 495)
    connection.destroy()
  })
})

describe('redirections by a provider', () => {
  for (const status of Object.keys(redirections))
    for (const place of ['https', 'http'])
      it(`${status} to ${place}: relayed as it is, never followed`, async () => {
        const location = `${place}://localhost:${trapPort}/secret`
        const before = trapped
        const answer = await send(through(provider, `/${status}?to=${encodeURIComponent(location)}`).bytes)
        assert.deepEqual(
          [answer.status, header(answer, 'location'), answer.body.toString()],
          [Number(status), location, 'moved'],
        )
        await wait(20)
        assert.equal(trapped, before, 'the proxy went there')
      })
})

describe('verbs', () => {
  for (const method of ['PUT', 'PATCH', 'DELETE'])
    it(`${method} goes to the provider with its body and headers`, async () => {
      const { bytes, trace } = through(provider, '/thing', {
        method,
        headers:
          'If-Match: W/"7"\r\nPrefer: return=representation\r\nContent-Length: 2\r\nForwarded: for=192.0.2.9\r\n',
        body: '{}',
      })
      assert.equal((await send(bytes)).status, 200)
      assert.match(lastHead, new RegExp(`^${method} /Z/DSTU2/1/thing HTTP/1\\.1\r\n`))
      assert.match(lastHead, /\r\nIf-Match: W\/"7"\r\nPrefer: return=representation\r\n/)
      // What the consumer says of itself is not trusted, and not taken away: the proxy's own word comes after it.
      assert.match(
        lastHead,
        /\r\nForwarded: for=192\.0\.2\.9\r\nForwarded: for=127\.0\.0\.1;proto=https;by=_localhost$/,
      )
      assert.equal((await onlyRow(sandbox, trace, 'proxy.request')).facts['bytesIn'], 2)
    })
})

describe('retrieval of a record that NRL points to', () => {
  it('takes the encoded target, relays whatever comes, and keeps the claims of that token', async () => {
    const at = await register(sandbox, `https://${fqdn}:${fake.port}/N/docs`, nrlInteraction)
    const { directory } = sandbox.spine.contracts
    const entry = directory.tree().entry(`uniqueIdentifier=${consumer.asid},ou=Services,o=nhs`)
    assert.ok(entry)
    const interactions = [...(entry.attributes['nhsAsSvcIA'] ?? []), nrlInteraction]
    const attributes = { ...entry.attributes, nhsAsSvcIA: interactions }
    await directory.apply([{ kind: 'put', entry: { ...entry, attributes } }], 'test')
    const target = `${at.endpoint}/document?id=a%7Cb&x=/`
    const { bytes, trace } = through(at, '', { written: encodeURIComponent(target), headers: 'Accept: */*\r\n' })
    const now = Math.floor(Date.now() / 1000)
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const claims = {
      iss: 'https://consumer.openspine.example',
      sub: 'https://fhir.nhs.uk/Id/sds-role-profile-id|fakeRoleId',
      aud: `https://${fqdn}`,
      iat: now,
      exp: now + 300,
      reason_for_request: 'directcare',
      scope: 'patient/*.read',
      requesting_system: `https://fhir.nhs.uk/Id/accredited-system|${consumer.asid}`,
      requesting_organization: 'https://fhir.nhs.uk/Id/ods-organization-code|X26',
      requesting_user: 'https://fhir.nhs.uk/Id/sds-role-profile-id|fakeRoleId',
    }
    const token = `${part({ alg: 'none', typ: 'JWT' })}.${part(claims)}.`
    const answer = await send(bytes.replace(/Bearer \S+/, `Bearer ${token}`))
    assert.equal(answer.status, 200)
    assert.equal(header(answer, 'content-type'), 'application/pdf')
    assert.ok(answer.body.equals(Buffer.from(pdf, 'latin1')))
    assert.match(lastHead, /^GET \/N\/docs\/document\?id=a%7Cb&x=\/ HTTP\/1\.1\r\n/)
    const { facts } = await onlyRow(sandbox, trace, 'proxy.request')
    assert.equal(facts['target'], target)
    const told = facts['token'] as Record<string, unknown>
    assert.deepEqual(
      [told['system'], told['organisation'], told['user'], told['scope'], told['reason_for_request']],
      [claims.requesting_system, claims.requesting_organization, claims.requesting_user, claims.scope, 'directcare'],
    )
  })
})

describe('those who send drop by drop', () => {
  /** Sends the rest a byte at a time until the other side has had enough. */
  const dripping = async (connection: RawConnection, text: string) => {
    let at = 0
    const timer = setInterval(() => connection.send(text.charAt(at++) || 'x'), 20)
    await connection.closed
    clearInterval(timer)
  }

  it('a consumer in its head is cut off, and that is on record', async () => {
    const { bytes } = through(provider, '/dripped-head')
    const connection = await RawConnection.open(proxyUrl(), sandbox.material)
    connection.send(bytes.slice(0, 90))
    await dripping(connection, bytes.slice(90))
    assert.equal(connection.left, '')
    const rows = await sandbox.spine.platform.audit.find({ event: 'proxy.request', limit: 5 })
    assert.equal(rows[0]?.facts['status'], 444)
  })

  it('a consumer in its body is told 400, and its provider let go', async () => {
    const { bytes, trace } = through(provider, '/x', {
      method: 'POST',
      headers: 'Expect: 100-continue\r\nContent-Length: 100000\r\n',
    })
    const connection = await RawConnection.open(proxyUrl(), sandbox.material)
    connection.send(bytes)
    const ended = dripping(connection, 'x'.repeat(1000))
    assert.equal((await connection.answer())?.status, 400)
    connection.destroy()
    await ended
    const { facts } = await onlyRow(sandbox, trace, 'proxy.request')
    assert.deepEqual([facts['status'], facts['check']], [400, 'request-body'])
  })

  it('a provider in its head: 504', async () => {
    const { bytes, trace } = through(provider, '/drips-head')
    assert.equal((await send(bytes)).status, 504)
    const { facts } = await onlyRow(sandbox, trace, 'proxy.request')
    assert.match(JSON.stringify(facts['compared']), /ANSWER_TIMEOUT/)
  })

  it('a provider in its body: the consumer is cut off when the whole has taken too long', async () => {
    const { bytes, trace } = through(provider, '/drips-body')
    const connection = await RawConnection.open(proxyUrl(), sandbox.material)
    connection.send(bytes)
    await assert.rejects(connection.answer(), /broken off in the body/)
    await connection.closed
    const { facts } = await onlyRow(sandbox, trace, 'proxy.request')
    assert.deepEqual([facts['ending'], facts['status']], ['failed', 504])
    assert.match(JSON.stringify(facts['compared']), /TOTAL_TIMEOUT/)
  })
})

describe('a hundred thousand headers', () => {
  it('from a consumer: 431 and closed', async () => {
    const { bytes } = through(provider, '/x', { headers: 'X: y\r\n'.repeat(100_000) })
    const connection = await RawConnection.open(proxyUrl(), sandbox.material)
    connection.send(bytes)
    const answer = await connection.answer()
    assert.equal(answer?.status, 431)
    assert.equal(header(answer, 'connection'), 'close')
    connection.destroy()
  })
  it('from a provider: 502', async () => {
    const answer = await send(through(provider, '/many-headers').bytes)
    assert.equal(answer.status, 502)
  })
})

describe('GET /proxy/explain', () => {
  const explain = (trace: string) =>
    ask(
      String(sandbox.spine.urls['api']),
      { ca: sandbox.material.ca },
      `GET /proxy/explain/${trace} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
    )

  it('tells each check of a refused request, and of a relayed one that all passed', async () => {
    const refused = through({ ...provider, asid: '200000999999' }, '/x')
    assert.equal((await send(refused.bytes)).status, 403)
    const answer = await explain(refused.trace)
    assert.equal(answer.status, 200)
    const { requests } = json(answer) as {
      requests: { cause: { check: string }; checks: { name: string; verdict: string }[]; status: number }[]
    }
    assert.deepEqual([requests.length, requests[0]?.status, requests[0]?.cause.check], [1, 403, 'receiver-interaction'])
    const verdicts = requests[0]?.checks.map(({ verdict }) => verdict) ?? []
    assert.deepEqual([...new Set(verdicts)], ['passed', 'failed', 'not reached'])

    const relayed = through(provider, '/x')
    assert.equal((await send(relayed.bytes)).status, 200)
    const good = json(await explain(relayed.trace)) as typeof requests extends (infer One)[]
      ? { requests: One[] }
      : never
    assert.ok(good.requests[0]?.checks.every(({ verdict }) => verdict === 'passed'))
    assert.equal((await explain('00000000-0000-4000-8000-000000000000')).status, 404)
  })
})

it('the audit verifies after all that', async () => {
  assert.equal((await send(through(provider, '/x').bytes)).status, 200)
  assert.equal((await sandbox.spine.platform.audit.verify()).ok, true)
  assert.equal(provider.interaction, metadataInteraction)
})
