import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { strictTests } from '@openspine/platform/testing'
import {
  accreditedSystem,
  put,
  type Ran,
  run,
  samples,
  startDirectory,
  structured,
  type TestDirectory,
  visitors,
} from './testing.ts'

const tools = await run('ldapsearch', ['-VV']).then(
  () => true,
  () => false,
)
const skip = tools || strictTests ? false : 'ldapsearch is not installed'

let running: TestDirectory
let env: Record<string, string>

before(async () => {
  running = await startDirectory({ plainPort: 0, bindDn: 'cn=gateway,o=nhs', bindPassword: 'a secret' })
  await running.service.contract.apply(samples, 'tester')
  env = await clientEnv('client.example.nhs.uk')
})
after(() => running.close())

async function clientEnv(fqdn: string): Promise<Record<string, string>> {
  const { trust } = running.platform
  const client = await trust.issue({ fqdn })
  return {
    LDAPTLS_CERT: client.files.certificate,
    LDAPTLS_KEY: client.files.key ?? '',
    LDAPTLS_CACERT: trust.files.bundle,
    LDAPTLS_REQCERT: 'demand',
  }
}

function ldap(program: string, args: readonly string[]): Promise<Ran> {
  return run(program, ['-x', '-H', running.url, ...args], env)
}

interface Found {
  readonly code: number
  readonly entries: readonly { readonly dn: string; readonly attributes: Readonly<Record<string, readonly string[]>> }[]
  readonly stderr: string
}

/** `args` after the options: filter and attributes. */
async function search(base: string, args: readonly string[], options: readonly string[] = []): Promise<Found> {
  const { code, stdout, stderr } = await ldap('ldapsearch', [
    '-LLL',
    '-o',
    'ldif-wrap=no',
    '-b',
    base,
    ...options,
    ...args,
  ])
  const entries = stdout
    .split('\n\n')
    .map((block) => block.split('\n').filter((line) => /^[A-Za-z]+:/.test(line)))
    .filter((lines) => lines[0]?.startsWith('dn:'))
    .map((lines) => {
      const attributes: Record<string, string[]> = {}
      for (const line of lines) {
        const [name = '', ...rest] = line.split(/:+ ?/)
        const value = line.slice(name.length).startsWith('::')
          ? Buffer.from(rest.join(''), 'base64').toString()
          : line.slice(name.length + 2)
        attributes[name] = [...(attributes[name] ?? []), value]
      }
      const { dn, ...others } = attributes
      return { dn: dn?.[0] ?? '', attributes: others }
    })
  return { code, entries, stderr }
}

const services = 'ou=services, o=nhs'
const dns = ({ entries }: Found) => entries.map(({ dn }) => dn)

test('the look-ups of the specification (§5)', { skip }, async () => {
  // A: national service
  const a = await search(services, [
    `(&(nhsMhsPartyKey=YES-0000806)(objectClass=nhsMhs)(nhsMhsSvcIA=${visitors}))`,
    'nhsMhsEndPoint',
    'nhsMHSFQDN',
  ])
  assert.deepEqual(a.entries, [
    {
      dn: 'uniqueIdentifier=S20001A000182,ou=Services,o=nhs',
      attributes: { nhsMHSEndPoint: ['https://msg.example.nhs.uk/visitors'], nhsMhsFQDN: ['msg.example.nhs.uk'] },
    },
  ])
  const spine = await search(services, [
    `(&(nhsIDCode=YES)(objectClass=nhsAs)(nhsAsSvcIA=${visitors}))`,
    'uniqueIdentifier',
  ])
  assert.deepEqual(spine.entries[0]?.attributes, { uniqueIdentifier: ['227319907548'] })
  // B: system first
  const system = await search(services, [
    `(&(nhsIDCode=A99968)(objectClass=nhsAS)(nhsAsSvcIA=${structured}))`,
    'uniqueIdentifier',
    'nhsMhsPartyKey',
  ])
  assert.deepEqual(system.entries[0]?.attributes, {
    uniqueIdentifier: ['200000100101'],
    nhsMHSPartyKey: ['A99968-850000'],
  })
  const thenEndpoint = await search(services, [
    `(&(nhsMhsPartyKey=A99968-850000)(objectClass=nhsMhs)(nhsMhsSvcIA=${structured}))`,
    'nhsMhsEndPoint',
  ])
  assert.equal(thenEndpoint.entries.length, 1)
  // C: endpoint first, with white space between the clauses
  const c = await search(services, [
    `(& (nhsIDCode=A99968) (objectClass=nhsMhs) (nhsMhsSvcIA=${structured}) )`,
    'nhsMhsEndPoint',
    'nhsMhsPartyKey',
  ])
  assert.deepEqual(c.entries, [
    {
      dn: 'uniqueIdentifier=0123456789abcdef0123,ou=Services,o=nhs',
      attributes: {
        nhsMHSEndPoint: ['https://gp.example.thirdparty.nhs.uk/A99968/STU3/1/gpconnect/structured'],
        nhsMHSPartyKey: ['A99968-850000'],
      },
    },
  ])
  const thenSystem = await search(services, [
    '(&(nhsIDCode=A99968)(objectClass=nhsAs)(nhsMHSPartyKey=A99968-850000))',
    'uniqueIdentifier',
  ])
  assert.deepEqual(thenSystem.entries[0]?.attributes, { uniqueIdentifier: ['200000100101'] })
  // D: own ASID, by supplier
  const d = await search(services, [
    `(&(nhsIDCode=X26)(objectClass=nhsAS)(nhsAsSvcIA=${structured})(nhsMhsManufacturerOrg=z9z99))`,
    'uniqueIdentifier',
  ])
  assert.deepEqual(d.entries[0]?.attributes, { uniqueIdentifier: ['200000100202'] })
  // E: organisation; the empty lines of its address stay
  const e = await search('ou=organisations, o=nhs', [
    '(uniqueidentifier=a99968)',
    'nhsIDCode',
    'o',
    'postalAddress',
    'postalCode',
    'nhsOrgTypeCode',
  ])
  assert.deepEqual(e.entries[0]?.attributes, {
    nhsIDCode: ['A99968'],
    o: ['INVENTED SURGERY'],
    nhsOrgTypeCode: ['PR'],
    postalAddress: ['1 HIGH ST$$$TOWN$COUNTY'],
    postalCode: ['ZZ99 4AA'],
  })
  // F: a person with everything below
  const f = await search('uid=111111111111,ou=people,o=nhs', ['(objectclass=*)'])
  assert.equal(f.entries.length, 4)
  assert.equal('nhsPuSecret' in (f.entries[0]?.attributes ?? {}), false)
  assert.equal((await search('uid=999,ou=people,o=nhs', ['(objectclass=*)'])).code, 32)
  // G: all systems of GP Connect, in pages
  const g = await search(
    services,
    ['(&(nhsAsSvcIA=urn:nhs:names:services:gpconnect*)(objectClass=nhsAs))', 'uniqueIdentifier'],
    ['-E', 'pr=1/noprompt'],
  )
  assert.deepEqual(
    g.entries.map(({ attributes }) => attributes['uniqueIdentifier']?.[0]),
    ['200000100101', '200000100202'],
  )
  // a published misspelling matches nothing
  assert.deepEqual(dns(await search(services, [`(&(nhsIDCode=A99968)(nhsaASvcIA=${structured}))`])), [])
})

test('result codes of real clients', { skip }, async () => {
  assert.equal((await search('ou=nothing,o=nhs', ['(objectclass=*)'])).code, 32)
  assert.match((await search('ou=nothing,ou=people,o=nhs', ['(objectclass=*)'])).stderr, /matched DN: ou=People,o=nhs/i)
  assert.equal((await search('nonsense', ['(objectclass=*)'])).code, 34)
  assert.equal((await search('o=nhs', ['(objectclass=*)'], ['-z', '3'])).code, 4)
  assert.equal((await search('o=nhs', ['(objectclass=*)'], ['-e', '!1.2.3.4'])).code, 12)
  assert.equal((await search('o=nhs', ['(objectclass=*)'], ['-e', '1.2.3.4'])).code, 0)
  assert.equal((await search('o=nhs', ['(objectclass=*)', '1.1'], ['-s', 'children'])).code, 0)
  assert.equal((await search('o=nhs', ['(objectclass=*)', '1.1'], ['-E', '!sync=ro'])).code, 12)
  const target = 'uniqueIdentifier=200000100101,ou=Services,o=nhs'
  assert.equal((await ldap('ldapcompare', [target, 'nhsIDCode:A99968'])).code, 6)
  assert.equal((await ldap('ldapcompare', [target, 'nhsIDCode:a99968'])).code, 5)
  assert.equal((await ldap('ldapcompare', [target, 'nosuch:x'])).code, 17)
  assert.equal((await ldap('ldapdelete', [target])).code, 8)
  assert.equal((await ldap('ldapdelete', ['-D', 'cn=gateway,o=nhs', '-w', 'a secret', target])).code, 50)
  assert.match((await ldap('ldapwhoami', [])).stdout, /anonymous/)
  assert.match((await ldap('ldapwhoami', ['-D', 'CN=Gateway, o=nhs', '-w', 'a secret'])).stdout, /dn:CN=Gateway, o=nhs/)
  assert.equal((await ldap('ldapwhoami', ['-D', 'cn=gateway,o=nhs', '-w', 'wrong'])).code, 49)
  assert.equal((await ldap('ldapwhoami', ['-D', 'cn=other,o=nhs', '-w', 'a secret'])).code, 49)
  const sasl = await run('ldapwhoami', ['-Y', 'EXTERNAL', '-H', running.url], env)
  assert.ok(sasl.code !== 0)
})

test('root DSE, subschema and change log', { skip }, async () => {
  const root = await search('', ['(objectclass=*)', '*', '+'], ['-s', 'base'])
  assert.deepEqual(root.entries[0]?.attributes['namingContexts'], ['o=nhs'])
  assert.equal((await search('', ['(objectclass=*)'], ['-s', 'sub'])).code, 32)
  const schema = await search(
    'cn=subschema',
    ['(objectclass=subschema)', 'attributeTypes'],
    ['-s', 'base', '-a', 'always'],
  )
  assert.ok((schema.entries[0]?.attributes['attributeTypes'] ?? []).some((line) => line.includes("NAME 'nhsTempUid'")))

  const head = async () =>
    (await search('cn=changelog,o=nhs', ['(objectclass=*)'], ['-s', 'base'])).entries[0]?.attributes
  const last = Number((await head())?.['lastchangenumber']?.[0])
  const entry = accreditedSystem({
    asid: '200000100303',
    odsCode: 'X26',
    partyKey: 'X26-850002',
    interactions: [structured],
  })
  const { contract } = running.service
  await contract.apply([put(entry)], 'tester')
  await contract.apply(
    [
      put({
        ...entry,
        attributes: { ...entry.attributes, nhsProductVersion: ['2.0'], description: ['new'], nhsAsClient: [] },
      }),
    ],
    'tester',
  )
  await contract.apply([{ kind: 'delete', dn: entry.dn }], 'tester')
  assert.equal((await head())?.['lastchangenumber']?.[0], String(last + 3))
  const change = async (number: number) => (await search('cn=changelog,o=nhs', [`(changenumber=${number})`])).entries[0]
  const [added, modified, deleted] = [await change(last + 1), await change(last + 2), await change(last + 3)]
  assert.equal(added?.dn, `changenumber=${last + 1},cn=Changelog,o=nhs`)
  assert.deepEqual(added?.attributes['targetDN'], [entry.dn])
  assert.deepEqual(added?.attributes['changeType'], ['add'])
  assert.match(added?.attributes['changes']?.[0] ?? '', /^objectClass: top\nobjectClass: nhsAs\n/)
  assert.match(added?.attributes['changeTime']?.[0] ?? '', /^\d{14}Z$/)
  assert.deepEqual(modified?.attributes['changes'], [
    'delete: nhsAsClient\n-\nreplace: nhsProductVersion\nnhsProductVersion: 2.0\n-\nadd: description\ndescription: new\n-\n',
  ])
  assert.deepEqual(deleted?.attributes['changeType'], ['delete'])
  // What may not be read is not in the log either.
  const person = await search('cn=changelog,o=nhs', ['(targetDN=uid=111111111111,ou=people,o=nhs)', 'changes'])
  assert.equal(person.entries.length, 1)
  assert.equal(JSON.stringify(person).includes('do not tell'), false)
})

test('the plain port answers the same', { skip }, async () => {
  const { stdout } = await run('ldapsearch', [
    '-x',
    '-LLL',
    '-H',
    `ldap://127.0.0.1:${running.plainPort}`,
    '-b',
    'ou=services,o=nhs',
    '(nhsIDCode=YES)',
    '1.1',
  ])
  assert.equal(stdout.match(/^dn:/gm)?.length, 2)
  const startTls = await run(
    'ldapsearch',
    ['-x', '-ZZ', '-H', `ldap://127.0.0.1:${running.plainPort}`, '-b', '', '-s', 'base'],
    env,
  )
  assert.notEqual(startTls.code, 0)
})

test('TLS 1.2 and 1.3 are spoken, nothing older; without a good certificate there is no handshake', {
  skip,
}, async () => {
  const attempt = async (more: Record<string, string>) =>
    run('ldapsearch', ['-x', '-H', running.url, '-b', '', '-s', 'base'], { ...env, ...more })
  assert.equal((await attempt({ LDAPTLS_PROTOCOL_MIN: '3.3' })).code, 0)
  assert.equal((await attempt({ LDAPTLS_CIPHER_SUITE: 'NORMAL:-VERS-ALL:+VERS-TLS1.2' })).code, 0)
  assert.equal((await attempt({ LDAPTLS_CIPHER_SUITE: 'NORMAL:-VERS-ALL:+VERS-TLS1.3' })).code, 0)
  assert.notEqual((await attempt({ LDAPTLS_CIPHER_SUITE: 'NORMAL:-VERS-ALL:+VERS-TLS1.1' })).code, 0)
  const { LDAPTLS_CERT: _, LDAPTLS_KEY: __, ...bare } = env
  const without = await run('ldapsearch', ['-x', '-H', running.url, '-b', '', '-s', 'base'], bare)
  assert.notEqual(without.code, 0)
  assert.equal(without.stdout.includes('objectClass'), false)
  // A certificate that was revoked before it came
  const gone = await clientEnv('revoked.example.nhs.uk')
  await running.platform.trust.revoke('revoked.example.nhs.uk')
  const refused = await run('ldapsearch', ['-x', '-H', running.url, '-b', '', '-s', 'base'], gone)
  assert.notEqual(refused.code, 0)
  assert.equal(refused.stdout.includes('objectClass'), false)
})

test('every operation is audited with who, what and how it ended', { skip }, async () => {
  await search(services, ['(nhsIDCode=audit\\2ame)', 'nhsMhsPartyKey'])
  const deadline = Date.now() + 2000
  let facts: Record<string, unknown> | undefined
  while (facts === undefined && Date.now() < deadline) {
    const records = await running.platform.audit.find({ event: 'directory.search', limit: 20 })
    facts = records
      .flatMap((record) => record.facts['operations'] as Record<string, unknown>[])
      .find((operation) => operation['filter'] === '(nhsIDCode=audit\\2ame)')
  }
  assert.ok(facts !== undefined)
  const { operation, client, dn, scope, code, entries, attributes } = facts
  assert.deepEqual(
    { operation, client, dn, scope, code, entries, attributes },
    {
      operation: 'search',
      client: 'client.example.nhs.uk',
      dn: 'ou=services, o=nhs',
      scope: 'sub',
      code: 0,
      entries: 0,
      attributes: 'nhsMhsPartyKey',
    },
  )
  assert.equal((await running.service.health?.())?.status, 'pass')
  const { body } = await running.platform.metrics.render()
  assert.match(body, /openspine_directory_operations_total\{operation="search",code="0"\} \d+/)
})
