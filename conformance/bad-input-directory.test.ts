/** LDAP that must cost the connection it comes on, or only itself: bytes, filters, attributes, silence. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { encodeRequest } from '@openspine/standards/ldap'
import { directoryConnection, type SearchChange, searchBytes } from './raw-ldap.ts'
import { consumer, type Sandbox, startSandbox } from './sandbox.ts'

const run = promisify(execFile)

let sandbox: Sandbox
before(async () => {
  sandbox = await startSandbox({ 'directory.partialSeconds': 0.2, 'directory.idleSeconds': 1.5 })
})
after(() => sandbox?.stop())

const protocolError = 2
const adminLimitExceeded = 11

/** Another client is served while and after all this happens. */
async function lives(): Promise<void> {
  const other = await directoryConnection(sandbox)
  other.search({})
  assert.deepEqual(await other.result(), { code: 0, matchedDn: '', entries: 1 })
  other.destroy()
}

const tlv = (tag: number, content: Buffer): Buffer => {
  const head = Buffer.alloc(6)
  head[0] = tag
  head[1] = 0x84
  head.writeUInt32BE(content.length, 2)
  return Buffer.concat([head, content])
}
const integer = (value: number) => Buffer.from([0x02, 0x01, value])
const message = (...parts: readonly Buffer[]) => tlv(0x30, Buffer.concat(parts))

describe('bytes that are no LDAP message end their connection with a notice', () => {
  const search = searchBytes({})
  const cases: readonly [name: string, bytes: Buffer, code: number][] = [
    ['1 GiB announced', Buffer.from('3084400000000201', 'hex'), protocolError],
    ['4 GiB announced', Buffer.from('3084ffffffff0201', 'hex'), protocolError],
    ['more than can be counted', Buffer.from('3088ffffffffffffffff0201', 'hex'), protocolError],
    ['a length of 126 octets', Buffer.concat([Buffer.from('30fe', 'hex'), Buffer.alloc(126, 0xff)]), protocolError],
    ['an indefinite length', Buffer.from('30800201010000', 'hex'), protocolError],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), protocolError],
    ['TLS within TLS', Buffer.from('16030100', 'hex'), protocolError],
    ['zeros', Buffer.alloc(64), protocolError],
    ['ones', Buffer.alloc(64, 0xff), protocolError],
    ['an empty message', Buffer.from('3000', 'hex'), protocolError],
    ['no operation', message(integer(1)), protocolError],
    ['a negative message id', message(Buffer.from('0201ff', 'hex'), Buffer.from('4200', 'hex')), protocolError],
    [
      'a message id of nine octets',
      message(Buffer.from('0209010000000000000000', 'hex'), Buffer.from('4200', 'hex')),
      protocolError,
    ],
    ['an unknown operation', message(integer(1), Buffer.from('7f0100', 'hex')), protocolError],
    ['a response in place of a request', message(integer(1), Buffer.from('61070a010004000400', 'hex')), protocolError],
    ['an inner length beyond the message', Buffer.from('300c0201016384000000ff0400', 'hex'), protocolError],
    ['half a message, then silence', search.subarray(0, 20), protocolError],
    ['one byte, then silence', search.subarray(0, 1), protocolError],
  ]
  for (const [name, bytes, code] of cases)
    it(name, async () => {
      const connection = await directoryConnection(sandbox)
      connection.send(bytes)
      const { notice, messages } = await connection.end()
      assert.equal(notice, code)
      assert.equal(messages.length, 1)
      await lives()
    })

  it('a byte now and then does not keep a message open for ever', async () => {
    const connection = await directoryConnection(sandbox)
    const bytes = searchBytes({ filter: `(description=${'a'.repeat(500)})` })
    let at = 0
    const drip = setInterval(() => connection.send(bytes.subarray(at, ++at)), 20)
    const { notice } = await connection.end()
    clearInterval(drip)
    assert.equal(notice, protocolError)
    assert.ok(at < bytes.length)
  })

  it('what was asked whole before is answered first', async () => {
    const connection = await directoryConnection(sandbox)
    connection.send(Buffer.concat([searchBytes({}, 1), searchBytes({}, 2), Buffer.from('ffff', 'hex')]))
    assert.equal((await connection.result())?.entries, 1)
    assert.equal((await connection.result())?.entries, 1)
    assert.equal((await connection.end()).notice, protocolError)
  })

  it('a client that asks nothing is let go, with a notice', async () => {
    const connection = await directoryConnection(sandbox)
    assert.equal((await connection.end()).notice, 52)
  })
})

describe('filters', () => {
  const header = (tag: number, length: number) => {
    const head = Buffer.alloc(6)
    head[0] = tag
    head[1] = 0x84
    head.writeUInt32BE(length, 2)
    return head
  }
  /** `(&(&(&…(objectClass=*)…)))` */
  const nested = (tag: number, depth: number) => {
    const leaf = Buffer.from([0x87, 11, ...Buffer.from('objectClass')])
    const heads: Buffer[] = []
    for (let i = 0, length = leaf.length; i < depth; i++, length += 6) heads.unshift(header(tag, length))
    return Buffer.concat([...heads, leaf])
  }
  const withFilter = (filter: Buffer, id = 1) =>
    message(
      integer(id),
      tlv(
        0x63,
        Buffer.concat([
          tlv(0x04, Buffer.from('ou=Services,o=nhs')),
          Buffer.from('0a01020a0100020100020100010100', 'hex'),
          filter,
          tlv(0x30, Buffer.alloc(0)),
        ]),
      ),
    )

  for (const [name, tag] of [
    ['and', 0xa0],
    ['or', 0xa1],
    ['not', 0xa2],
  ] as const)
    it(`${name} nested 10 000 deep is refused, and the connection goes on`, async () => {
      const connection = await directoryConnection(sandbox)
      connection.send(withFilter(nested(tag, 10_000), 7))
      assert.equal((await connection.result())?.code, adminLimitExceeded)
      connection.search({}, 8)
      assert.equal((await connection.result())?.entries, 1)
      connection.destroy()
    })

  it('an or of 3 000 terms works (§4.2); one of 50 000 is refused', async () => {
    const connection = await directoryConnection(sandbox)
    const or = (count: number) => {
      const term = Buffer.from([0x87, 1, 0x78])
      return tlv(
        0xa1,
        Buffer.concat([
          ...Array.from({ length: count }, () => term),
          Buffer.from([0x87, 11, ...Buffer.from('objectClass')]),
        ]),
      )
    }
    connection.send(withFilter(or(3000)))
    assert.equal((await connection.result())?.code, 0)
    connection.send(withFilter(or(50_000)))
    assert.equal((await connection.result())?.code, adminLimitExceeded)
    connection.destroy()
  })

  const cases: readonly [name: string, change: SearchChange, code: number, entries: number][] = [
    ['an unknown attribute is Undefined: nothing matches', { filter: '(inventedAttribute=x)' }, 0, 0],
    ['and neither does its opposite', { filter: '(!(inventedAttribute=x))' }, 0, 0],
    ['but the rest of an or does', { filter: `(|(inventedAttribute=x)(uniqueIdentifier=${consumer.asid}))` }, 0, 1],
    ['an unknown attribute that is asked for is left out', { attributes: ['inventedAttribute', 'nhsIDCode'] }, 0, 1],
    ['a secret is in no answer and matches nothing', { filter: '(nhsPuSecret=*)' }, 0, 0],
    ['case counts where the schema says so', { filter: '(nhsIDCode=x26)' }, 0, 0],
    [
      'wildcards that match everything',
      { filter: '(uniqueIdentifier=*2*0*0*0*)', attributes: ['1.1'], sizeLimit: 1 },
      4,
      1,
    ],
    ['an escaped NUL', { filter: '(uniqueIdentifier=\\00)' }, 0, 0],
    ['LDAP injection stays a value', { filter: '(uniqueIdentifier=\\2a\\29\\28objectClass=\\2a)' }, 0, 0],
    ['a base that is not there', { base: 'ou=Nowhere,o=nhs' }, 32, 0],
    ['a base outside the tree', { base: 'o=elsewhere' }, 32, 0],
    ['a base that is no name', { base: 'nonsense' }, 34, 0],
    ['a base of more parts than are read', { base: `${'ou=x,'.repeat(1000)}o=nhs` }, 34, 0],
    ['the whole of the root', { base: '', scope: 2 }, 32, 0],
    ['a scope that is none', { scope: 9 as never }, protocolError, 0],
  ]
  for (const [name, change, code, entries] of cases)
    it(name, async () => {
      const connection = await directoryConnection(sandbox)
      connection.search(change)
      const result = await connection.result()
      assert.deepEqual([result?.code, result?.entries], [code, entries])
      connection.search({}, 2)
      assert.equal((await connection.result())?.entries, 1, 'the connection goes on')
      connection.destroy()
    })
})

describe('operations', () => {
  const simple = (name: string, password: string, version = 3) =>
    encodeRequest({
      id: 1,
      operation: { op: 'bind', version, name, authentication: { kind: 'simple', password: Buffer.from(password) } },
      controls: [],
    })
  const target = `uniqueIdentifier=${consumer.asid},ou=Services,o=nhs`
  /** An application tag with a name and a list, as modify and add have them. */
  const write = (tag: number) =>
    message(integer(1), tlv(tag, Buffer.concat([tlv(0x04, Buffer.from(target)), tlv(0x30, Buffer.alloc(0))])))
  const cases: readonly [name: string, bytes: Buffer, code: number][] = [
    ['bind with version 2', simple('', '', 2), protocolError],
    ['bind with a name and no password', simple('cn=x,o=nhs', ''), 53],
    ['bind with an unknown name', simple('cn=x,o=nhs', 'y'), 49],
    ['bind with a name that is none', simple('nonsense', 'y'), 34],
    [
      'bind with SASL',
      encodeRequest({
        id: 1,
        operation: { op: 'bind', version: 3, name: '', authentication: { kind: 'sasl', mechanism: 'EXTERNAL' } },
        controls: [],
      }),
      7,
    ],
    ['delete', message(integer(1), tlv(0x4a, Buffer.from(target))), 8],
    ['modify', write(0x66), 8],
    ['add', write(0x68), 8],
    [
      'StartTLS within TLS',
      encodeRequest({ id: 1, operation: { op: 'extended', oid: '1.3.6.1.4.1.1466.20037' }, controls: [] }),
      protocolError,
    ],
    [
      'an unknown extended operation',
      encodeRequest({ id: 1, operation: { op: 'extended', oid: '1.2.3' }, controls: [] }),
      protocolError,
    ],
    [
      'an unknown critical control',
      encodeRequest({
        id: 1,
        operation: {
          op: 'search',
          base: 'o=nhs',
          scope: 0,
          derefAliases: 0,
          sizeLimit: 0,
          timeLimit: 0,
          typesOnly: false,
          filter: { kind: 'present', attribute: 'objectClass' },
          attributes: [],
        },
        controls: [{ oid: '1.2.3', critical: true }],
      }),
      12,
    ],
  ]
  for (const [name, bytes, code] of cases)
    it(`${name}: ${code}`, async () => {
      const connection = await directoryConnection(sandbox)
      connection.send(bytes)
      assert.equal((await connection.result())?.code, code)
      connection.search({}, 2)
      assert.equal((await connection.result())?.entries, 1)
      connection.destroy()
    })

  it('ldapmodify and ldapdelete are told so too', async () => {
    const { dataDir, trust } = sandbox.spine.platform
    const at = (name: string) => join(dataDir, name)
    writeFileSync(at('client.pem'), sandbox.material.cert)
    writeFileSync(at('client.key'), sandbox.material.key)
    const env = {
      ...process.env,
      LDAPTLS_CACERT: trust.files.bundle,
      LDAPTLS_CERT: at('client.pem'),
      LDAPTLS_KEY: at('client.key'),
    }
    await assert.rejects(
      run('ldapdelete', ['-x', '-H', String(sandbox.spine.urls['directory']), target], { env }),
      (error: { code: number; stderr: string }) =>
        error.code === 8 && /Strong\(er\) authentication required/.test(error.stderr),
    )
  })
})

it('an operation is on record once, with who asked', async () => {
  const connection = await directoryConnection(sandbox)
  const filter = '(uniqueIdentifier=299999999991)'
  connection.search({ filter })
  assert.equal((await connection.result())?.entries, 0)
  connection.destroy()
  // The audit of searches is written behind their answers: another search is behind this one in it.
  const found = async () => {
    const rows = await sandbox.spine.platform.audit.find({ event: 'directory.search', limit: 1000 })
    return rows
      .flatMap(({ facts }) => facts['operations'] as readonly { filter?: string; client: string; code: number }[])
      .filter((operation) => operation.filter === filter)
  }
  let operations = await found()
  while (operations.length === 0) operations = await found()
  assert.equal(operations.length, 1)
  assert.deepEqual([operations[0]?.client, operations[0]?.code], [consumer.fqdn, 0])
})

it('the directory serves, and the audit verifies, after all that', async () => {
  await lives()
  assert.equal((await sandbox.spine.platform.audit.verify()).ok, true)
})
