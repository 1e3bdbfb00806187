/** Where the specification follows OpenLDAP, a real slapd with the same entries must give the same answers. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { strictTests } from '@openspine/platform/testing'
import {
  decodeResponse,
  encodeRequest,
  type LdapMessage,
  type LdapResponse,
  ldifAttributes,
  ldifLine,
  oids,
  PduSplitter,
  pagedResults,
  parseFilter,
  type Scope,
  spineSchema,
} from '@openspine/standards/ldap'
import { run, samples, startDirectory } from './testing.ts'

const slapd = ['/usr/sbin/slapd', '/usr/libexec/slapd'].find(existsSync)
const skip = slapd !== undefined || strictTests ? false : 'slapd is not installed'

const base = 'ou=Services,o=nhs'
type Asked = readonly [base: string, scope: Scope, filter: string, attributes?: readonly string[], sizeLimit?: number]

const searches: readonly Asked[] = [
  [base, 2, '(objectClass=*)', ['1.1']],
  [base, 1, '(objectClass=*)', ['1.1']],
  [base, 0, '(objectClass=*)', ['ou']],
  [base, 3, '(objectClass=*)', ['1.1']],
  ['OU=services , O=NHS', 2, '(nhsIDCode=YES)', ['nhsIDCode', 'NHSMHSPARTYKEY']],
  ['2.5.4.11=services,organizationName=nhs', 2, '(nhsIDCode=YES)', ['1.1']],
  ['ou=nothing,o=nhs', 2, '(objectClass=*)'],
  ['cn=x,ou=nothing,ou=people,o=nhs', 2, '(objectClass=*)'],
  ['o=elsewhere', 2, '(objectClass=*)'],
  ['', 2, '(objectClass=*)'],
  ['', 1, '(objectClass=*)'],
  ['nonsense', 2, '(objectClass=*)'],
  ['o=nhs,', 0, '(objectClass=*)'],
  [base, 2, '(nhsIDCode=  YES )'],
  [base, 2, '(nhsIDCode=yes)'],
  [base, 2, '(nhsMHSPartyKey=yes-0000806)'],
  [base, 2, '(nhsMHSRetries=2)'],
  [base, 2, '(nhsMHSRetries=*)', ['nhsMHSRetries']],
  [base, 2, '(!(nhsMHSRetries=*))', ['1.1']],
  [base, 2, '(!(nhsMHSRetries=2))', ['1.1']],
  [base, 2, '(nhsAsSvcIA=urn:nhs:*)', ['1.1']],
  [base, 2, '(|(nhsAsSvcIA=urn:nhs:*)(nhsIDCode=X26))', ['1.1']],
  [base, 2, '(|(nosuch=1)(nhsIDCode=X26))', ['1.1']],
  [base, 2, '(&(nosuch=1)(nhsIDCode=X26))', ['1.1']],
  [base, 2, '(!(nosuch=1))', ['1.1']],
  [base, 2, '(!(&(nosuch=1)(nhsIDCode=X26)))', ['1.1']],
  [base, 2, '(&)', ['1.1']],
  [base, 2, '(|)', ['1.1']],
  [base, 2, '(nhsProductName~=invented records)', ['1.1']],
  [base, 2, '(nhsIDCode:caseIgnoreMatch:=x26)', ['1.1']],
  [base, 2, '(nhsIDCode:2.5.13.2:=x26)', ['1.1']],
  [base, 2, '(nhsMHSPartyKey:caseExactMatch:=yes-0000806)', ['1.1']],
  ['o=nhs', 2, '(ou:dn:=people)', ['1.1']],
  ['o=nhs', 2, '(objectClass=person)', ['1.1']],
  ['o=nhs', 2, '(objectClass=2.5.6.4)', ['1.1']],
  ['o=nhs', 2, '(objectClass=nosuch)', ['1.1']],
  ['o=nhs', 2, '(objectClass=ORGANIZATION)', ['1.1']],
  ['o=nhs', 2, '(name=invented surgery)', ['name']],
  ['o=nhs', 2, '(cn=a*n*other)', ['cn', 'sn']],
  ['o=nhs', 2, '(cn=*ann*)', ['cn']],
  ['o=nhs', 2, '(cn=ann other*)', ['cn']],
  ['o=nhs', 2, '(postalAddress=1 high st$$$town$county)', ['postalAddress']],
  ['o=nhs', 2, '(uid>=1)', ['1.1']],
  [
    'o=nhs',
    2,
    '(entryDN=ou=services,o=nhs)',
    ['entryDN', 'hasSubordinates', 'structuralObjectClass', 'subschemaSubentry'],
  ],
  ['o=nhs', 2, '(uniqueIdentifier=a99968)', ['@nhsOrg']],
  ['o=nhs', 2, '(uniqueIdentifier=a99968)', ['o', 'O', 'nosuch', '1.1', '2.5.4.17']],
  ['o=nhs', 2, '(uniqueIdentifier=a99968)', ['nosuch']],
  ['o=nhs', 2, '(uniqueIdentifier=a99968)', ['*']],
  ['o=nhs', 2, '(uniqueIdentifier=a99968)', []],
  ['o=nhs', 2, '(objectClass=*)', ['1.1'], 3],
  ['uid=111111111111,ou=people,o=nhs', 2, '(objectClass=*)', ['1.1'], 4],
  ['uid=111111111111,ou=people,o=nhs', 2, '(objectClass=nhsOrgPersonRole)', ['nhsJobRole']],
]

const compares: readonly (readonly [entry: string, attribute: string, value: string])[] = [
  ['uniqueIdentifier=200000100101,ou=Services,o=nhs', 'nhsIDCode', 'A99968'],
  ['uniqueIdentifier=200000100101,ou=Services,o=nhs', 'nhsIDCode', 'a99968'],
  ['uniqueIdentifier=200000100101,ou=Services,o=nhs', 'nosuch', 'x'],
  ['uniqueIdentifier=200000100101,ou=Services,o=nhs', 'cn', 'x'],
  ['uniqueIdentifier=200000100101,ou=Services,o=nhs', 'nhsDateApproved', '20260102090000'],
  ['uid=9,ou=People,o=nhs', 'cn', 'x'],
  ['nonsense', 'cn', 'x'],
]

class Wire {
  readonly #socket: Socket
  readonly #splitter = new PduSplitter(1 << 24)
  #messages: LdapMessage<LdapResponse>[] = []
  #wake: (() => void) | undefined
  #id = 0

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.#splitter.push(chunk)
      for (let pdu = this.#splitter.next(); pdu !== undefined; pdu = this.#splitter.next())
        this.#messages.push(decodeResponse(pdu))
      this.#wake?.()
    })
  }

  /** Code, matched name, and entries with their values: attributes in the order of their names, as servers order them differently. */
  async ask(
    operation: Parameters<typeof encodeRequest>[0]['operation'],
    controls: Parameters<typeof encodeRequest>[0]['controls'] = [],
  ) {
    this.#messages = []
    this.#socket.write(encodeRequest({ id: ++this.#id, operation, controls }))
    let last = this.#messages.at(-1)
    while (last === undefined || !('result' in last.operation)) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      last = this.#messages.at(-1)
    }
    const { code, matchedDn } = last.operation.result
    const entries = this.#messages.flatMap(({ operation: each }) =>
      each.op === 'entry'
        ? [
            {
              dn: each.dn,
              attributes: Object.fromEntries(
                each.attributes
                  .map(({ name, values }) => [name, values.map(String)] as const)
                  .sort(([a], [b]) => (a < b ? -1 : 1)),
              ),
            },
          ]
        : [],
    )
    return { code, matchedDn, entries }
  }
}

async function wire(port: number): Promise<Wire> {
  for (let attempt = 0; ; attempt++) {
    const socket = connect({ port, host: '127.0.0.1' })
    try {
      await once(socket, 'connect')
      socket.unref()
      return new Wire(socket)
    } catch (error) {
      if (attempt > 100) throw error
      await new Promise((resolve) => setTimeout(resolve, 30))
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return typeof address === 'object' && address !== null ? address.port : 0
}

function slapdSchema(): string {
  const schema = spineSchema()
  const ours = (each: { readonly origin: string | undefined }) => each.origin === 'nhsSDS'
  const list = (keyword: string, types: readonly { readonly name: string }[]) =>
    types.length === 0 ? '' : ` ${keyword} ( ${types.map(({ name }) => name).join(' $ ')} )`
  return [
    ...schema.attributes.filter(ours).map(({ oid, name, equality, syntax, single }) => {
      const rule = equality === undefined ? '' : ` EQUALITY ${equality.name}`
      return `attributetype ( ${oid} NAME '${name}'${rule} SYNTAX ${syntax}${single ? ' SINGLE-VALUE' : ''} )`
    }),
    ...schema.classes
      .filter(ours)
      .map(
        ({ oid, name, kind, sup, must, may }) =>
          `objectclass ( ${oid} NAME '${name}' SUP ${sup?.name} ${kind}${list('MUST', must)}${list('MAY', may)} )`,
      ),
  ].join('\n')
}

async function startSlapd(program: string, folder: string): Promise<{ child: ChildProcess; port: number }> {
  await mkdir(join(folder, 'mdb'))
  await writeFile(join(folder, 'nhs.schema'), `${slapdSchema()}\n`)
  const modules = ['/usr/lib/ldap', '/usr/lib/openldap', '/usr/libexec/openldap'].find((path) =>
    existsSync(join(path, 'back_mdb.so')),
  )
  const config = join(folder, 'slapd.conf')
  await writeFile(
    config,
    [
      ...['core', 'cosine', 'inetorgperson'].map((name) => `include /etc/ldap/schema/${name}.schema`),
      `include ${join(folder, 'nhs.schema')}`,
      ...(modules === undefined ? [] : [`modulepath ${modules}`, 'moduleload back_mdb']),
      'database mdb',
      'suffix "o=nhs"',
      `directory ${join(folder, 'mdb')}`,
      'index objectClass,uniqueIdentifier,nhsIDCode eq',
      '',
    ].join('\n'),
  )
  const branches = ['Organisations', 'People', 'Services', 'ReferenceData', 'Workgroups'].map((ou) => ({
    dn: `ou=${ou},o=nhs`,
    attributes: { objectClass: ['top', 'organizationalUnit'], ou: [ou] },
  }))
  const entries = [
    { dn: 'o=nhs', attributes: { objectClass: ['top', 'organization'], o: ['nhs'] } },
    ...branches,
    ...samples.flatMap((change) => (change.kind === 'put' ? [change.entry] : [])),
  ]
  const ldif = join(folder, 'entries.ldif')
  // What never leaves our directory stays out of theirs.
  const lines = entries.map(
    ({ dn, attributes }) => ldifLine('dn', dn) + ldifAttributes({ ...attributes, nhsPuSecret: [] }),
  )
  await writeFile(ldif, lines.join('\n'))
  const added = await run(program, ['-T', 'add', '-q', '-f', config, '-l', ldif])
  assert.equal(added.code, 0, added.stderr)
  const port = await freePort()
  const child = spawn(program, ['-f', config, '-h', `ldap://127.0.0.1:${port}`, '-d', '0'], { stdio: 'ignore' })
  return { child, port }
}

test('in strict mode the answers are those of OpenLDAP', { skip }, async (t) => {
  assert.ok(slapd !== undefined, 'slapd is not installed')
  const folder = await mkdtemp(join(tmpdir(), 'openspine-slapd-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const running = await startDirectory({ plainPort: 0, strictMatching: true })
  t.after(() => running.close())
  await running.service.contract.apply(samples, 'tester')
  const { child, port } = await startSlapd(slapd, folder)
  t.after(async () => {
    if (child.exitCode === null) {
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
    }
  })
  const theirs = await wire(port)
  const ours = await wire(running.plainPort ?? 0)
  const differences: unknown[] = []
  const compare = (what: unknown, mine: unknown, other: unknown) => {
    try {
      assert.deepEqual(mine, other)
    } catch {
      differences.push({ what, mine: JSON.stringify(mine), other: JSON.stringify(other) })
    }
  }
  // Ours has a change log that slapd has not, and keeps the order of insertion, which slapd does not.
  const shown = async (server: Wire, operation: Parameters<Wire['ask']>[0], controls?: Parameters<Wire['ask']>[1]) => {
    const answer = await server.ask(operation, controls)
    const entries = answer.entries.filter(({ dn }) => !/changelog/i.test(dn)).sort((a, b) => (a.dn < b.dn ? -1 : 1))
    const cut = answer.code === 4 || controls?.some(({ oid }) => oid === oids.pagedResults) === true
    return { ...answer, entries: cut ? entries.length : entries }
  }
  for (const [from, scope, filter, attributes = [], sizeLimit = 0] of searches) {
    const operation = {
      op: 'search',
      base: from,
      scope,
      derefAliases: 0,
      sizeLimit,
      timeLimit: 0,
      typesOnly: false,
      filter: parseFilter(filter),
      attributes,
    } as const
    compare([from, scope, filter, attributes], await shown(ours, operation), await shown(theirs, operation))
  }
  for (const [entry, attribute, value] of compares) {
    const operation = { op: 'compare', entry, attribute, value: Buffer.from(value) } as const
    compare([entry, attribute, value], await ours.ask(operation), await theirs.ask(operation))
  }
  const simple = (version: number, name: string, password: string) =>
    ({ op: 'bind', version, name, authentication: { kind: 'simple', password: Buffer.from(password) } }) as const
  for (const bind of [
    simple(3, '', ''),
    simple(2, '', ''),
    simple(3, 'cn=x,o=nhs', ''),
    simple(3, 'cn=x,o=nhs', 'y'),
    simple(3, 'nonsense', 'y'),
    simple(3, '', 'y'),
  ]) {
    compare(bind, await ours.ask(bind), await theirs.ask(bind))
  }
  const everything = {
    op: 'search',
    base,
    scope: 2,
    derefAliases: 0,
    sizeLimit: 0,
    timeLimit: 0,
    typesOnly: true,
    filter: parseFilter('(objectClass=*)'),
    attributes: ['nhsIDCode'],
  } as const
  for (const controls of [
    [{ oid: '1.2.3.4', critical: true }],
    [{ oid: '1.2.3.4', critical: false }],
    [pagedResults({ size: 3, cookie: Buffer.alloc(0) }, true)],
    [{ oid: '2.16.840.1.113730.3.4.2', critical: true }],
  ]) {
    compare(controls, await shown(ours, everything, controls), await shown(theirs, everything, controls))
  }
  assert.deepEqual(differences, [])
})
