/** Clients that others wrote, as their users use them, over mutual TLS. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { strictTests, testPlatform } from '@openspine/platform/testing'
import type { IssuedCertificate } from '@openspine/platform/trust'
import { Client } from 'ldapts'
import { type Ran, run, samples, startDirectory, structured, type TestDirectory, visitors } from './testing.ts'

type Issued = IssuedCertificate & {
  readonly files: { readonly certificate: string; readonly key?: string | undefined }
}

const program = (name: string) => fileURLToPath(new URL(`testing/clients/${name}`, import.meta.url))
const python = '/usr/bin/python3'
const there = async (name: string, args: readonly string[]) =>
  run(name, args).then(
    ({ code }) => code === 0,
    () => false,
  )
const [ldap3, java] = await Promise.all([there(python, ['-c', 'import ldap3']), there('java', ['-version'])])

let running: TestDirectory
let folder: string
let good: Issued
let foreign: Issued
let revoked: Issued
let stop: (() => Promise<void>)[] = []

before(async () => {
  running = await startDirectory()
  folder = await mkdtemp(join(tmpdir(), 'openspine-clients-'))
  const elsewhere = await testPlatform()
  stop = [() => running.close(), () => elsewhere.close(), () => rm(folder, { recursive: true, force: true })]
  await running.service.contract.apply(samples, 'tester')
  const { trust } = running.platform
  good = await trust.issue({ fqdn: 'good.example.nhs.uk' })
  revoked = await trust.issue({ fqdn: 'revoked.example.nhs.uk' })
  await trust.revoke('revoked.example.nhs.uk')
  foreign = await elsewhere.trust.issue({ fqdn: 'good.example.nhs.uk' })
})
after(async () => {
  for (const each of stop) await each()
})

const endpointOfSurgery = 'https://gp.example.thirdparty.nhs.uk/A99968/STU3/1/gpconnect/structured'
const endpointOfSpine = 'https://msg.example.nhs.uk/visitors'

describe('ldapts', () => {
  const services = 'ou=services, o=nhs'
  const client = ({ certificate, key, files }: Issued) =>
    new Client({
      url: `ldaps://localhost:${running.port}`,
      timeout: 10_000,
      connectTimeout: 5000,
      tlsOptions: {
        ca: readFileSync(running.platform.trust.files.bundle),
        cert: readFileSync(files.certificate, 'utf8') || certificate,
        key,
      },
    })

  test('root DSE, schema, look-ups A to G, pages and compare', async () => {
    const ldap = client(good)
    const search = async (base: string, filter: string, attributes: string[]) => {
      await ldap.bind('', '')
      return (await ldap.search(base, { scope: 'sub', filter, attributes })).searchEntries
    }
    const { searchEntries: root } = await ldap.search('', {
      scope: 'base',
      attributes: ['namingContexts', 'subschemaSubentry'],
    })
    assert.deepEqual([root[0]?.['namingContexts'], root[0]?.['subschemaSubentry']], ['o=nhs', 'cn=Subschema'])
    const { searchEntries: schema } = await ldap.search('cn=Subschema', {
      scope: 'base',
      filter: '(objectClass=subschema)',
      attributes: ['attributeTypes'],
    })
    assert.ok(String(schema[0]?.['attributeTypes']).includes("NAME 'nhsTempUid'"))
    const a = await search(services, `(&(nhsMhsPartyKey=YES-0000806)(objectClass=nhsMhs)(nhsMhsSvcIA=${visitors}))`, [
      'nhsMhsEndPoint',
    ])
    assert.deepEqual(a[0]?.['nhsMHSEndPoint'], endpointOfSpine)
    const b = await search(services, `(&(nhsIDCode=A99968)(objectClass=nhsAS)(nhsAsSvcIA=${structured}))`, [
      'uniqueIdentifier',
    ])
    assert.deepEqual(b[0]?.['uniqueIdentifier'], '200000100101')
    const c = await search(services, `(&(nhsIDCode=A99968)(objectClass=nhsMhs)(nhsMhsSvcIA=${structured}))`, [
      'nhsMhsEndPoint',
    ])
    assert.deepEqual(c[0]?.['nhsMHSEndPoint'], endpointOfSurgery)
    const d = await search(services, '(&(nhsIDCode=X26)(objectClass=nhsAS)(nhsMhsManufacturerOrg=Z9Z99))', [
      'uniqueIdentifier',
    ])
    assert.deepEqual(d[0]?.['uniqueIdentifier'], '200000100202')
    const e = await search('ou=organisations, o=nhs', '(uniqueidentifier=A99968)', ['postalAddress'])
    assert.deepEqual(e[0]?.['postalAddress'], '1 HIGH ST$$$TOWN$COUNTY')
    assert.equal((await search('uid=111111111111,ou=people,o=nhs', '(objectclass=*)', ['*', '+'])).length, 4)
    await assert.rejects(search('uid=9,ou=people,o=nhs', '(objectclass=*)', []), { code: 32 })
    const pages: number[] = []
    for await (const page of ldap.searchPaginated(services, {
      scope: 'sub',
      filter: '(&(nhsAsSvcIA=urn:nhs:names:services:gpconnect*)(objectClass=nhsAs))',
      paged: { pageSize: 1 },
    }))
      pages.push(page.searchEntries.length)
    assert.equal(
      pages.reduce((sum, count) => sum + count),
      2,
    )
    const many = await Promise.all(
      Array.from({ length: 100 }, async (_, i) => {
        const code = ['YES', 'X26', 'A99968'][i % 3] ?? ''
        const { searchEntries } = await ldap.search(services, {
          filter: `(nhsIDCode=${code})`,
          attributes: ['nhsIDCode'],
        })
        return searchEntries.length > 0 && searchEntries.every((entry) => entry['nhsIDCode'] === code)
      }),
    )
    assert.ok(many.every(Boolean), 'answers of side by side searches are never mixed up')
    assert.equal(await ldap.compare('uniqueIdentifier=200000100101,ou=Services,o=nhs', 'nhsIDCode', 'A99968'), true)
    await ldap.unbind()
  })

  test('refused with a foreign and with a revoked certificate', async () => {
    for (const certificate of [foreign, revoked]) {
      const ldap = client(certificate)
      await assert.rejects(async () => {
        await ldap.bind('', '')
        await ldap.search('', { scope: 'base' })
      })
      await ldap.unbind().catch(() => {})
    }
  })
})

describe('Python ldap3', { skip: ldap3 || strictTests ? false : 'python3-ldap3 is not installed' }, () => {
  const lookups = (certificate: Issued): Promise<Ran> =>
    run(python, [
      program('lookup.py'),
      'localhost',
      String(running.port),
      running.platform.trust.files.bundle,
      certificate.files.certificate,
      certificate.files.key ?? '',
    ])

  test('loads the schema, and with it scalars, pages, binds again and asks side by side', async () => {
    const { code, stdout, stderr } = await lookups(good)
    assert.equal(code, 0, stderr)
    const { answers, parallel, ...told } = JSON.parse(stdout)
    assert.deepEqual(told, {
      namingContexts: ['o=nhs'],
      subschema: null,
      single: true,
      tempUid: true,
      unknown: 'LDAPAttributeError',
    })
    assert.deepEqual(answers.A, [
      {
        dn: 'uniqueIdentifier=S20001A000182,ou=Services,o=nhs',
        nhsMHSEndPoint: [endpointOfSpine],
        nhsMhsFQDN: 'msg.example.nhs.uk',
      },
    ])
    assert.equal(answers.B[0].nhsMHSPartyKey, 'A99968-850000')
    assert.deepEqual(answers.B[0].uniqueIdentifier, ['200000100101'])
    assert.deepEqual(answers.C[0].nhsMHSEndPoint, [endpointOfSurgery])
    assert.equal(answers.C[0].nhsMhsManufacturerOrg, 'YY001')
    assert.deepEqual(answers.D[0].uniqueIdentifier, ['200000100202'])
    assert.deepEqual(answers.E[0].postalAddress, ['1 HIGH ST$$$TOWN$COUNTY'])
    assert.equal(answers.F.length, 4)
    assert.deepEqual(answers.G, [['200000100101'], ['200000100202']])
    assert.deepEqual(parallel, Array.from({ length: 25 }, () => [['YES'], ['X26'], ['A99968'], []]).flat())
  })

  test('refused with a foreign and with a revoked certificate', async () => {
    for (const certificate of [foreign, revoked]) {
      const { code, stdout } = await lookups(certificate)
      assert.notEqual(code, 0)
      assert.equal(stdout, '')
    }
  })
})

describe('Java JNDI', { skip: java || strictTests ? false : 'java is not installed' }, () => {
  const lookups = async ({ files }: Issued): Promise<Ran> => {
    const store = join(folder, `${Math.random()}.p12`)
    const packed = await run('openssl', [
      ...['pkcs12', '-export', '-passout', 'pass:changeit', '-out', store],
      ...['-in', files.certificate, '-inkey', files.key ?? ''],
    ])
    assert.ok(packed.code === 0 && existsSync(store), packed.stderr)
    const { bundle } = running.platform.trust.files
    const quick = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xshare:auto']
    return run('java', [
      ...quick,
      program('Lookup.java'),
      `ldaps://localhost:${running.port}`,
      bundle,
      store,
      'changeit',
    ])
  }

  test('root DSE, schema, look-ups A to G, pages', async () => {
    const { code, stdout, stderr } = await lookups(good)
    assert.equal(code, 0, stderr)
    assert.deepEqual(
      stdout
        .trim()
        .split('\n')
        .map((line) => line.split('\t')),
      [
        ['root', 'o=nhs', 'cn=Subschema'],
        ['schema', 'nhsTempUid', 'true'],
        ['A', endpointOfSpine],
        ['B', '200000100101'],
        ['C', endpointOfSurgery],
        ['D', '200000100202'],
        ['E', '1 HIGH ST$$$TOWN$COUNTY'],
        ['F', '333333333331', '333333333332'],
        ['G', '200000100101', '200000100202'],
      ],
    )
  })

  test('refused with a foreign and with a revoked certificate', async () => {
    const refused = await Promise.all([foreign, revoked].map(lookups))
    for (const { code, stdout } of refused) assert.deepEqual([code === 0, stdout], [false, ''])
  })
})
