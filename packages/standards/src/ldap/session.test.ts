import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isSpineError } from '@openspine/standards/error'
import fc from 'fast-check'
import { boolean, integer, octetString, tags, tlv } from './ber.ts'
import { oids } from './codes.ts'
import { pagedResults, readPage } from './controls.ts'
import { encodeFilter } from './filter.ts'
import { parseFilter } from './filter-text.ts'
import { memoryTree } from './memory-tree.ts'
import type { Control, LdapMessage, LdapResponse, Scope, SearchRequest } from './message.ts'
import { encodeRequest } from './request.ts'
import { decodeResponse } from './response.ts'
import { spineSchema } from './schema.ts'
import { cancelValue, LdapEngine, type LdapEngineOptions, type LdapSession, type OperationReport } from './session.ts'
import { PduSplitter } from './splitter.ts'

const schema = spineSchema()
const provenance = {
  uuid: '00000000-0000-4000-8000-00000000000a',
  createdAt: 0,
  modifiedAt: 0,
  creator: 'cn=a',
  modifier: 'cn=a',
}

function sampleTree(systems = 25) {
  const edit = memoryTree({ schema, indexed: ['uniqueIdentifier', 'nhsIDCode'] }).edit()
  let order = 0
  const put = (dn: string, attributes: Record<string, string[]>) => edit.put(dn, attributes, ++order, provenance)
  put('o=nhs', { objectClass: ['top', 'organization'], o: ['nhs'] })
  put('ou=Services,o=nhs', { objectClass: ['top', 'organizationalUnit'], ou: ['Services'] })
  put('ou=People,o=nhs', { objectClass: ['top', 'organizationalUnit'], ou: ['People'] })
  put('uid=1,ou=People,o=nhs', {
    objectClass: ['nhsPerson'],
    uid: ['1'],
    cn: ['Ann Other'],
    sn: ['Other'],
    nhsPuSecret: ['hidden'],
  })
  for (let i = 0; i < systems; i++) {
    const id = String(200_000_000_000 + i)
    put(`uniqueIdentifier=${id},ou=Services,o=nhs`, {
      objectClass: ['top', 'nhsAs'],
      uniqueIdentifier: [id],
      nhsIDCode: [i % 2 === 0 ? 'YES' : 'NO'],
      nhsAsSvcIA: ['urn:b', 'urn:a'],
    })
  }
  return edit.done()
}

function engine(options: Partial<LdapEngineOptions> = {}, systems?: number): LdapEngine {
  const tree = sampleTree(systems)
  return new LdapEngine({
    schema,
    tree: () => tree,
    now: () => 0,
    namingContexts: ['o=nhs'],
    vendorName: 'OpenSpine',
    vendorVersion: 'test',
    ...options,
  })
}

type Operation = Parameters<typeof encodeRequest>[0]['operation']

const search = (change: Partial<Omit<SearchRequest, 'filter'>> & { filter?: string } = {}): SearchRequest => ({
  op: 'search',
  base: 'ou=Services,o=nhs',
  scope: 2,
  derefAliases: 0,
  sizeLimit: 0,
  timeLimit: 0,
  typesOnly: false,
  attributes: [],
  ...change,
  filter: parseFilter(change.filter ?? '(objectClass=*)'),
})

function answers(bytes: Uint8Array): LdapMessage<LdapResponse>[] {
  const splitter = new PduSplitter(1 << 26)
  splitter.push(bytes)
  const all: LdapMessage<LdapResponse>[] = []
  for (let pdu = splitter.next(); pdu !== undefined; pdu = splitter.next()) all.push(decodeResponse(pdu))
  assert.equal(splitter.buffered, 0)
  return all
}

/** Everything a session says to some bytes. */
function tell(session: LdapSession, bytes: Uint8Array): LdapMessage<LdapResponse>[] {
  session.feed(bytes)
  const parts: Buffer[] = []
  do parts.push(session.run())
  while (session.busy)
  return answers(Buffer.concat(parts))
}

const ask = (session: LdapSession, operation: Operation, controls: Control[] = [], id = 5) =>
  tell(session, encodeRequest({ id, operation, controls }))

function outcome(messages: readonly LdapMessage<LdapResponse>[]) {
  const last = messages.at(-1)
  assert.ok(last !== undefined && 'result' in last.operation)
  const entries = messages.flatMap(({ operation }) => (operation.op === 'entry' ? [operation] : []))
  return { ...last.operation.result, op: last.operation.op, id: last.id, entries, controls: last.controls }
}

const found = (operation: SearchRequest, options: Partial<LdapEngineOptions> = {}, controls: Control[] = []) =>
  outcome(ask(engine(options).session(), operation, controls))

const shown = (operation: SearchRequest) =>
  found(operation).entries.map(({ dn, attributes }) => [
    dn,
    Object.fromEntries(attributes.map(({ name, values }) => [name, values.map(String)])),
  ])

test('binds', async () => {
  const simple = (name: string, password = '', version = 3): Operation => ({
    op: 'bind',
    version,
    name,
    authentication: { kind: 'simple', password: Buffer.from(password) },
  })
  const code = (operation: Operation, controls: Control[] = []) =>
    outcome(ask(engine().session(), operation, controls)).code
  assert.equal(code(simple('')), 0)
  assert.equal(code(simple('', '', 2)), 2)
  assert.equal(code(simple('cn=x,o=nhs')), 53)
  assert.equal(code(simple('cn=x,o=nhs', 'secret')), 49)
  assert.equal(code(simple('', 'secret')), 49)
  assert.equal(code(simple('not a name', 'secret')), 34)
  assert.equal(code({ op: 'bind', version: 3, name: '', authentication: { kind: 'sasl', mechanism: 'EXTERNAL' } }), 7)
  assert.equal(code(simple(''), [{ oid: '1.2.3', critical: true }]), 12)

  const session = engine({
    authenticate: async (dn, password) => dn === 'cn=gateway,o=nhs' && password.equals(Buffer.from('right')),
  }).session()
  const late = async (operation: Operation) => {
    const ready = new Promise<void>((resolve) => {
      session.onReady = resolve
    })
    // What is asked behind a bind waits for it.
    const pipelined = encodeRequest({ id: 6, operation: { op: 'extended', oid: oids.whoAmI }, controls: [] })
    session.feed(Buffer.concat([encodeRequest({ id: 5, operation, controls: [] }), pipelined]))
    assert.equal(session.run().length, 0)
    assert.equal(session.full, true)
    await ready
    const [bound, who] = answers(session.run())
    assert.ok(bound?.operation.op === 'bind' && who?.operation.op === 'extended')
    return [bound.operation.result.code, String(who.operation.value)]
  }
  assert.deepEqual(await late(simple('cn=gateway,o=nhs', 'right')), [0, 'dn:cn=gateway,o=nhs'])
  assert.deepEqual(await late(simple('cn=gateway,o=nhs', 'wrong')), [49, ''])
})

test('base and scope', () => {
  assert.deepEqual(
    found(search({ base: 'ou=services, o=nhs', scope: 0 })).entries.map(({ dn }) => dn),
    ['ou=Services,o=nhs'],
  )
  assert.equal(found(search({ scope: 1 })).entries.length, 25)
  assert.equal(found(search({ scope: 2 })).entries.length, 26)
  assert.equal(found(search({ scope: 3 })).entries.length, 25)
  assert.equal(found(search({ base: 'o=nhs', scope: 1 })).entries.length, 2)
  const none = (base: string) => {
    const { code, matchedDn } = found(search({ base }))
    return [code, matchedDn]
  }
  assert.deepEqual(none('ou=None,o=nhs'), [32, 'o=nhs'])
  assert.deepEqual(none('uid=2,OU=PEOPLE, o=nhs'), [32, 'ou=People,o=nhs'])
  assert.deepEqual(none('cn=x,uid=2,ou=people,o=nhs'), [32, 'ou=People,o=nhs'])
  assert.deepEqual(none('o=other'), [32, ''])
  assert.deepEqual(none(''), [32, ''])
  assert.deepEqual(none('no name'), [34, ''])
})

test('attribute lists', () => {
  const one = (attributes: string[], more: Partial<SearchRequest> = {}) =>
    shown(
      search({ ...more, filter: '(uniqueIdentifier=200000000001)', attributes } as Parameters<typeof search>[0]),
    )[0]?.[1]
  const all = {
    objectClass: ['top', 'nhsAs'],
    uniqueIdentifier: ['200000000001'],
    nhsIDCode: ['NO'],
    nhsAsSvcIA: ['urn:b', 'urn:a'],
  }
  assert.deepEqual(one([]), all)
  assert.deepEqual(one(['*']), all)
  assert.deepEqual(one(['1.1']), {})
  assert.deepEqual(one(['NHSIDCODE', 'nhsidcode', 'nosuch', 'cn']), { nhsIDCode: ['NO'] })
  assert.deepEqual(one(['1.2.826.0.1285.0.1.10']), { nhsIDCode: ['NO'] })
  assert.deepEqual(one(['1.1', 'nhsIDCode']), { nhsIDCode: ['NO'] })
  assert.deepEqual(one(['@nhsOrgPersonRole']), {
    objectClass: ['top', 'nhsAs'],
    uniqueIdentifier: ['200000000001'],
    nhsIDCode: ['NO'],
  })
  assert.deepEqual(one(['nosuch']), {})
  assert.deepEqual(one(['entryDN', 'numSubordinates']), {
    entryDN: ['uniqueIdentifier=200000000001,ou=Services,o=nhs'],
    numSubordinates: ['0'],
  })
  assert.deepEqual(one(['nhsIDCode', 'entryUUID'], { typesOnly: true }), { nhsIDCode: [], entryUUID: [] })
  assert.equal(Object.keys(one(['+']) ?? {}).length, 10)
  assert.equal(Object.keys(one(['*', '+']) ?? {}).length, 14)
  assert.deepEqual(shown(search({ base: 'o=nhs', filter: '(uid=1)', attributes: ['*', 'nhsPuSecret'] }))[0]?.[1], {
    objectClass: ['nhsPerson'],
    uid: ['1'],
    cn: ['Ann Other'],
    sn: ['Other'],
  })
  assert.deepEqual(shown(search({ base: 'o=nhs', filter: '(name=ann other)', attributes: ['name'] }))[0]?.[1], {
    cn: ['Ann Other'],
    sn: ['Other'],
  })
})

test('root DSE and subschema', () => {
  const root = (attributes: string[]) =>
    shown(search({ base: '', scope: 0, attributes }))[0]?.[1] as Record<string, string[]>
  assert.deepEqual(Object.keys(root([])), ['objectClass'])
  const full = root(['*', '+'])
  assert.deepEqual(full['namingContexts'], ['o=nhs'])
  assert.deepEqual(full['supportedLDAPVersion'], ['3'])
  assert.deepEqual(full['subschemaSubentry'], ['cn=Subschema'])
  assert.deepEqual(full['supportedControl'], [oids.pagedResults, oids.manageDsaIT, oids.assertion])
  assert.deepEqual(root(['vendorName']), { vendorName: ['OpenSpine'] })
  assert.equal(found(search({ base: '', scope: 0, filter: '(objectClass=nhsAs)' })).entries.length, 0)

  const attributes =
    'objectClasses attributeTypes ldapSyntaxes matchingRules matchingRuleUse dITContentRules dITStructureRules nameForms createTimestamp modifyTimestamp * +'.split(
      ' ',
    )
  const [[dn, values]] = shown(
    search({ base: 'CN=subschema', scope: 0, filter: '(objectClass=subschema)', attributes }),
  ) as [[string, Record<string, string[]>]]
  assert.equal(dn, 'cn=Subschema')
  assert.deepEqual(values['objectClass'], ['top', 'subentry', 'subschema', 'extensibleObject'])
  assert.equal(values['attributeTypes']?.length, schema.attributes.length)
  assert.equal(values['objectClasses']?.length, schema.classes.length)
  for (const name of ['ldapSyntaxes', 'matchingRules', 'matchingRuleUse', 'createTimestamp', 'modifyTimestamp'])
    assert.ok((values[name]?.length ?? 0) > 0, name)
})

test('limits', () => {
  const limited = found(search({ sizeLimit: 10 }))
  assert.deepEqual([limited.code, limited.entries.length], [4, 10])
  const exact = found(search({ sizeLimit: 26 }))
  assert.deepEqual([exact.code, exact.entries.length], [0, 26])
  const server = found(search(), { sizeLimit: 7 })
  assert.deepEqual([server.code, server.entries.length], [4, 7])
  assert.equal(found(search({ sizeLimit: 100 }), { sizeLimit: 7 }).entries.length, 7)

  let now = 0
  const slow = engine({ now: () => (now += 100), timeLimitSeconds: 60, sizeLimit: 10_000 }, 3000).session()
  const { code, entries } = outcome(ask(slow, search({ timeLimit: 1, filter: '(nhsIDCode=*)' })))
  assert.equal(code, 3)
  assert.ok(entries.length < 3000)
})

test('paged results', () => {
  const session = engine({ sizeLimit: 10 }).session()
  const page = (size: number, cookie: Buffer = Buffer.alloc(0), change: Parameters<typeof search>[0] = {}) => {
    const { code, entries, controls } = outcome(
      ask(session, search({ filter: '(objectClass=nhsAs)', ...change }), [pagedResults({ size, cookie }, true)]),
    )
    const answer = controls.find(({ oid }) => oid === oids.pagedResults)
    return {
      code,
      dns: entries.map(({ dn }) => dn),
      cookie: answer === undefined ? undefined : readPage(answer.value).cookie,
    }
  }
  const dns: string[] = []
  const sizes: number[] = []
  let cookie = Buffer.alloc(0)
  do {
    const answer = page(7, cookie)
    assert.equal(answer.code, 0)
    dns.push(...answer.dns)
    sizes.push(answer.dns.length)
    cookie = answer.cookie as Buffer<ArrayBuffer>
  } while (cookie.length > 0)
  assert.deepEqual(sizes, [7, 7, 7, 4])
  assert.equal(new Set(dns).size, 25)
  assert.equal(page(100).dns.length, 10, 'a page is no longer than the server allows')
  // The limit of the client counts all pages together (RFC 4511 §4.5.1.4).
  const some = page(7, Buffer.alloc(0), { sizeLimit: 9 })
  assert.deepEqual([some.code, some.dns.length], [0, 7])
  const rest = page(7, some.cookie as Buffer<ArrayBuffer>, { sizeLimit: 9 })
  assert.deepEqual([rest.code, rest.dns.length, rest.cookie?.length], [4, 2, 0])
  const first = page(5)
  assert.deepEqual(page(0, first.cookie), { code: 0, dns: [], cookie: Buffer.alloc(0) })
  assert.equal(page(5, Buffer.from('rubbish')).code, 53)
  assert.equal(page(5, first.cookie, { filter: '(nhsIDCode=YES)' }).code, 53, 'a cookie belongs to its search')
  const malformed = outcome(
    ask(session, search(), [{ oid: oids.pagedResults, critical: false, value: Buffer.from('xx') }]),
  )
  assert.equal(malformed.code, 2)
})

test('other controls', () => {
  const code = (controls: Control[], change = {}) => found(search(change), {}, controls).code
  assert.equal(code([{ oid: '1.2.3', critical: true }]), 12)
  assert.equal(code([{ oid: '1.2.3', critical: false }]), 0)
  assert.equal(code([{ oid: oids.manageDsaIT, critical: true }]), 0)
  const assertion = (filter: string) => [
    { oid: oids.assertion, critical: true, value: encodeFilter(parseFilter(filter)) },
  ]
  assert.equal(code(assertion('(ou=services)')), 0)
  assert.equal(code(assertion('(ou=people)')), 122)
  assert.equal(code(assertion('(nosuch=people)')), 122)
  assert.equal(code([{ oid: oids.assertion, critical: true, value: Buffer.from('junk') }]), 2)
  const compare: Operation = { op: 'compare', entry: 'o=nhs', attribute: 'o', value: Buffer.from('nhs') }
  assert.equal(
    outcome(
      ask(engine().session(), compare, [{ ...pagedResults({ size: 1, cookie: Buffer.alloc(0) }), critical: true }]),
    ).code,
    12,
  )
})

test('compare, in the order of checks that OpenLDAP has', () => {
  const code = (entry: string, attribute: string, value: string, strict = false) => {
    const { code: answered, op } = outcome(
      ask(engine({ strict }).session(), { op: 'compare', entry, attribute, value: Buffer.from(value) }),
    )
    assert.equal(op, 'compare')
    return answered
  }
  const dn = 'uniqueIdentifier=200000000001,ou=services,o=nhs'
  assert.equal(code(dn, 'nhsIDCode', ' NO '), 6)
  assert.equal(code(dn, 'nhsIDCode', 'no'), 5)
  assert.equal(code(dn, 'objectClass', 'top'), 6)
  assert.equal(code(dn, 'nosuch', 'x'), 17)
  assert.equal(code(dn, 'cn', 'x'), 16)
  assert.equal(code('uid=1,ou=people,o=nhs', 'name', 'ann other'), 6)
  assert.equal(code('uid=1,ou=people,o=nhs', 'nhsPuSecret', 'hidden'), 16)
  assert.equal(code('o=other', 'o', 'x'), 32)
  // What cannot be compared at all is said before whether the entry is there.
  assert.equal(code('o=other', 'nosuch', 'x'), 17)
  assert.equal(code('o=other', 'nhsDateApproved', 'x', true), 18)
  assert.equal(code(dn, 'nhsDateApproved', 'x', true), 18)
  assert.equal(code(dn, 'objectClass', 'no class'), 21)
  assert.equal(code(dn, 'entryDN', 'no name'), 21)
  assert.equal(code('rubbish', 'o', 'x'), 34)
  assert.equal(code('', 'objectClass', 'top'), 6)
  assert.equal(code('cn=Subschema', 'ldapSyntaxes', '1.3.6.1.4.1.1466.115.121.1.15'), 6)
})

test('extended operations', () => {
  const extended = (oid: string, value?: Buffer) =>
    outcome(ask(engine().session(), { op: 'extended', oid, ...(value === undefined ? {} : { value }) }))
  assert.equal(extended(oids.whoAmI).code, 0)
  assert.equal(extended('1.2.3.4').code, 2)
  assert.equal(extended(oids.startTls).code, 2)
  assert.equal(extended(oids.cancel, cancelValue(99)).code, 119)
  assert.equal(extended(oids.cancel, Buffer.from('x')).code, 2)
})

test('changes are refused', () => {
  const write = (bytes: Buffer) => outcome(tell(engine().session(), tlv(tags.sequence, integer(9), bytes)))
  for (const [bytes, op] of [
    [octetString('o=nhs', 0x4a), 'delete'],
    [tlv(0x68, octetString('o=nhs'), tlv(tags.sequence)), 'add'],
    [tlv(0x66, octetString('o=nhs'), tlv(tags.sequence)), 'modify'],
    [tlv(0x6c, octetString('o=nhs'), octetString('o=x'), boolean(true)), 'modifyDn'],
  ] as const) {
    const { code, op: answered, id } = write(bytes)
    assert.deepEqual([code, answered, id], [8, op, 9])
  }
})

test('unbind ends without a word; abandon and cancel end searches', () => {
  const session = engine().session()
  assert.deepEqual(ask(session, { op: 'unbind' }), [])
  assert.equal(session.ended, true)

  const reports: OperationReport[] = []
  const busy = engine({ sizeLimit: 10_000 }, 5000).session((report) => reports.push(report))
  const request = (id: number, operation: Operation) => encodeRequest({ id, operation, controls: [] })
  const long = search({ filter: '(nhsAsSvcIA=*urn*)' })
  busy.feed(
    Buffer.concat([
      request(1, long),
      request(2, long),
      request(3, { op: 'abandon', target: 1 }),
      request(4, { op: 'extended', oid: oids.cancel, value: cancelValue(2) }),
    ]),
  )
  const said: LdapMessage<LdapResponse>[] = []
  do said.push(...answers(busy.run()))
  while (busy.busy)
  const done = (id: number) =>
    said
      .filter((message) => message.id === id && 'result' in message.operation)
      .map(({ operation }) => ('result' in operation ? operation.result.code : -1))
  assert.deepEqual(done(1), [])
  assert.deepEqual(done(2), [118])
  assert.deepEqual(done(4), [0])
  assert.deepEqual(
    reports.filter(({ operation }) => operation === 'search').map(({ code }) => code),
    [118, 118],
  )
})

test('a bind abandons what its own connection has under way', () => {
  const session = engine({ sizeLimit: 10_000 }, 5000).session()
  const bind: Operation = {
    op: 'bind',
    version: 3,
    name: '',
    authentication: { kind: 'simple', password: Buffer.alloc(0) },
  }
  session.feed(
    Buffer.concat([
      encodeRequest({ id: 1, operation: search({ filter: '(nhsAsSvcIA=*urn*)' }), controls: [] }),
      encodeRequest({ id: 2, operation: bind, controls: [] }),
      encodeRequest({ id: 3, operation: search({ scope: 0 }), controls: [] }),
    ]),
  )
  const said: LdapMessage<LdapResponse>[] = []
  do said.push(...answers(session.run()))
  while (session.busy)
  assert.deepEqual(
    said.filter(({ operation }) => 'result' in operation).map(({ id }) => id),
    [2, 3],
  )
})

test('a large answer comes in pieces, and other requests of the connection are answered in between', () => {
  const session = engine({ sizeLimit: 100_000 }, 20_000).session()
  session.feed(
    Buffer.concat([
      encodeRequest({ id: 1, operation: search(), controls: [] }),
      encodeRequest({ id: 2, operation: search({ scope: 0 }), controls: [] }),
    ]),
  )
  const order: number[] = []
  let pieces = 0
  do {
    const bytes = session.run()
    assert.ok(bytes.length < 160 * 1024, 'a piece is bounded')
    pieces++
    for (const { id, operation } of answers(bytes)) if ('result' in operation) order.push(id)
  } while (session.busy)
  assert.deepEqual(order, [2, 1])
  assert.ok(pieces > 20)
})

test('outstanding operations are bounded: the rest waits unread', () => {
  const session = engine({ sizeLimit: 100_000, maxOutstanding: 2 }, 20_000).session()
  session.feed(Buffer.concat([1, 2, 3].map((id) => encodeRequest({ id, operation: search(), controls: [] }))))
  const seen = new Set<number>()
  for (let i = 0; i < 4; i++) for (const { id } of answers(session.run())) seen.add(id)
  assert.deepEqual([...seen], [1, 2])
  assert.equal(session.full, true)
  do for (const { id } of answers(session.run())) seen.add(id)
  while (session.busy)
  assert.deepEqual([...seen], [1, 2, 3])
  assert.equal(session.full, false)
})

test('what cannot be decoded ends the connection with a notice, after the answers before it', () => {
  const good = encodeRequest({ id: 1, operation: search({ scope: 0 }), controls: [] })
  for (const bad of [
    '3005020101ff00',
    '300302010142',
    '47455420',
    '30070201056303020100',
    '30060201016001ff',
    '3084400000',
    '3003020101',
  ]) {
    const session = engine().session()
    const said = tell(session, Buffer.concat([good, Buffer.from(bad, 'hex')]))
    const last = said.at(-1)
    assert.equal(said[0]?.id, 1)
    assert.ok(last?.operation.op === 'extended' && last.id === 0, bad)
    assert.equal(last.operation.oid, oids.noticeOfDisconnection)
    assert.equal(last.operation.result.code, 2)
    assert.equal(session.ended, true)
    session.feed(good)
    assert.equal(session.run().length, 0)
  }
})

test('too large a filter is answered and the connection lives on', () => {
  const session = engine().session()
  let filter = parseFilter('(o=x)')
  for (let i = 0; i < 10_000; i++) filter = { kind: 'not', of: filter }
  // Encoded from the inside out: this nesting is deeper than any recursion should be asked for.
  let bytes = encodeFilter(parseFilter('(o=x)'))
  for (let i = 0; i < 10_000; i++) bytes = tlv(0xa2, bytes)
  const body = [
    octetString('o=nhs'),
    integer(2, tags.enumerated),
    integer(0, tags.enumerated),
    integer(0),
    integer(0),
    boolean(false),
    bytes,
    tlv(tags.sequence),
  ]
  const answer = outcome(tell(session, tlv(tags.sequence, integer(8), tlv(0x63, ...body))))
  assert.deepEqual([answer.code, answer.id], [11, 8])
  const wide = `(|${Array.from({ length: 3000 }, (_, i) => `(uniqueIdentifier=${200_000_000_000 + i})`).join('')})`
  assert.equal(outcome(ask(session, search({ filter: wide }))).entries.length, 25)
})

test('a monstrous filter holds up nobody: each piece of its work is small', () => {
  const many = engine({ sizeLimit: 100_000 }, 20_000)
  for (const filter of [
    `(|${'(objectClass=nhsAs)(objectClass=top)'.repeat(2500)})`,
    `(&${'(objectClass=nhsAs)(objectClass=top)'.repeat(2500)})`,
    `(|${'(nhsAsSvcIA=*x*y*z*)'.repeat(4000)})`,
    `(!(|${'(:caseIgnoreMatch:=x)'.repeat(300)}))`,
  ]) {
    const session = many.session()
    session.feed(encodeRequest({ id: 1, operation: search({ filter, attributes: ['1.1'] }), controls: [] }))
    let longest = 0
    for (let turn = 0; turn < 6; turn++) {
      const started = process.threadCpuUsage()
      session.run()
      const { user, system } = process.threadCpuUsage(started)
      longest = Math.max(longest, (user + system) / 1000)
    }
    assert.ok(longest < 1500, `${filter.slice(0, 40)} took ${longest} ms at once`)
  }
})

test('an unknown scope is a protocol error of that request alone', () => {
  const session = engine().session()
  assert.equal(outcome(ask(session, search({ scope: 7 as Scope }))).code, 2)
  assert.equal(outcome(ask(session, search({ scope: 0 }))).code, 0)
})

test('however a conversation is mangled, a session answers or says goodbye', () => {
  const conversation = Buffer.concat([
    encodeRequest({
      id: 1,
      operation: { op: 'bind', version: 3, name: '', authentication: { kind: 'simple', password: Buffer.alloc(0) } },
      controls: [],
    }),
    encodeRequest({
      id: 2,
      operation: search({
        filter: '(|(&(nhsIDCode=YES)(objectClass=nhsAs))(cn=a*b)(!(o>=x)))',
        attributes: ['*', '+'],
      }),
      controls: [pagedResults({ size: 3, cookie: Buffer.alloc(0) })],
    }),
    encodeRequest({
      id: 3,
      operation: { op: 'compare', entry: 'o=nhs', attribute: 'o', value: Buffer.from('nhs') },
      controls: [],
    }),
    encodeRequest({ id: 4, operation: { op: 'extended', oid: oids.whoAmI }, controls: [] }),
  ])
  const shared = engine()
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 5 }), fc.nat(), (changes, cut) => {
      const bytes = Buffer.from(conversation)
      for (const [at, value] of changes) bytes[at % bytes.length] = value
      const session = shared.session()
      try {
        tell(session, bytes.subarray(0, cut % bytes.length))
        if (!session.ended) tell(session, bytes.subarray(cut % bytes.length))
      } catch (error) {
        assert.ok(isSpineError(error), String(error))
      }
    }),
    { numRuns: 2000 },
  )
})
