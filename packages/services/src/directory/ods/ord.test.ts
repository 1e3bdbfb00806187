import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { manualClock } from '@openspine/platform/testing'
import { attributeOf, childElement, childElements, parseXml, textOf } from '@openspine/standards/xml'
import fc from 'fast-check'
import { put } from '../testing.ts'
import { organisation, organisations, startOds, type TestOds } from './testing.ts'

const base = '/ORD/2-0-0'
const clock = manualClock('2026-11-25T12:00:00Z')
let ods: TestOds

before(async () => {
  ods = await startOds({ changeLogSize: 100 }, { clock })
  await ods.directory.service.contract.apply(organisations.slice(0, 5), 'tester')
  clock.set('2026-11-26T09:00:00Z')
  await ods.directory.service.contract.apply(organisations.slice(5), 'tester')
})
after(() => ods.close())

interface Summary {
  readonly OrgId: string
  readonly [member: string]: string
}

async function search(query: string) {
  const answer = await ods.get(`${base}/organisations?${query}`)
  assert.equal(answer.status, 200, answer.body)
  const { Organisations } = JSON.parse(answer.body) as { Organisations: Summary[] }
  return { answer, ids: Organisations.map(({ OrgId }) => OrgId), list: Organisations }
}

const finds = async (query: string, expected: readonly string[]) =>
  assert.deepEqual((await search(query)).ids, expected, query)

async function refuses(path: string, status: number, text?: RegExp) {
  const answer = await ods.get(base + path)
  assert.equal(answer.status, status, path)
  assert.equal(answer.headers['content-type'], 'application/json', path)
  const { errorCode, errorText, ...rest } = JSON.parse(answer.body)
  assert.equal(errorCode, status)
  assert.match(errorText, text ?? /./, path)
  assert.deepEqual(rest, {})
}

describe('a full record', () => {
  test('an organisation with all that it can have', async () => {
    const answer = await ods.get(`${base}/organisations/RZZ`)
    assert.equal(answer.status, 200)
    assert.equal(answer.headers['content-type'], 'application/json')
    const { Organisation: full } = JSON.parse(answer.body)
    const role = full.Roles.Role[0].uniqueRoleId
    assert.deepEqual(full, {
      Name: 'INVENTED HOSPITALS NHS TRUST',
      Date: [{ Type: 'Operational', Start: '1995-04-01' }],
      OrgId: { root: '2.16.840.1.113883.2.1.3.2.4.18.48', assigningAuthorityName: 'HSCIC', extension: 'RZZ' },
      Status: 'Active',
      LastChangeDate: '2026-11-25',
      orgRecordClass: 'RC1',
      GeoLoc: {
        Location: {
          AddrLn1: 'INVENTED HOUSE',
          AddrLn2: '1 CARE WAY',
          Town: 'LEEDS',
          County: 'WEST YORKSHIRE',
          PostCode: 'ZZ99 2BB',
          Country: 'ENGLAND',
        },
      },
      Contacts: {
        Contact: [
          { type: 'tel', value: '01632 960001' },
          { type: 'fax', value: '01632 960002' },
          { type: 'mail', value: 'info@trust.example' },
          { type: 'http', value: 'https://trust.example' },
        ],
      },
      Roles: {
        Role: [
          {
            id: 'RO197',
            uniqueRoleId: role,
            primaryRole: true,
            Date: [{ Type: 'Operational', Start: '1995-04-01' }],
            Status: 'Active',
          },
          {
            id: 'RO57',
            uniqueRoleId: role + 1,
            Date: [{ Type: 'Operational', Start: '1995-04-01' }],
            Status: 'Active',
          },
        ],
      },
      Succs: {
        Succ: [
          {
            uniqueSuccId: full.Succs.Succ[0].uniqueSuccId,
            Date: [{ Type: 'Legal', Start: '1995-04-01' }],
            Type: 'Predecessor',
            Target: {
              OrgId: { root: '2.16.840.1.113883.2.1.3.2.4.18.48', assigningAuthorityName: 'HSCIC', extension: 'RZY' },
            },
          },
        ],
      },
    })
  })

  test('a practice holds RO76 below RO177 and is commissioned; a site is operated; codes in any case', async () => {
    const practice = JSON.parse((await ods.get(`${base}/organisations/a99968`)).body).Organisation
    assert.deepEqual(
      practice.Roles.Role.map(({ id, primaryRole }: Summary) => [id, primaryRole]),
      [
        ['RO177', true],
        ['RO76', undefined],
      ],
    )
    const [relation] = practice.Rels.Rel
    assert.equal(relation.id, 'RE4')
    assert.equal(relation.Target.OrgId.extension, 'QZZ')
    assert.equal(relation.Target.PrimaryRoleId.id, 'RO261')
    assert.equal(typeof relation.uniqueRelId, 'number')
    const place = JSON.parse((await ods.get(`${base}/organisations/RZZ01`)).body).Organisation
    assert.equal(place.orgRecordClass, 'RC2')
    assert.equal(place.Rels.Rel[0].id, 'RE6')
    assert.equal(place.Rels.Rel[0].Target.PrimaryRoleId.id, 'RO197')
  })

  test('one that is closed', async () => {
    const closed = JSON.parse((await ods.get(`${base}/organisations/A99969`)).body).Organisation
    assert.equal(closed.Status, 'Inactive')
    assert.deepEqual(closed.Date, [{ Type: 'Operational', Start: '1974-04-01', End: '2024-03-31' }])
    assert.equal(closed.Succs.Succ[0].Type, 'Successor')
    assert.equal(closed.Succs.Succ[0].Target.OrgId.extension, 'A99968')
    assert.deepEqual(closed.Succs.Succ[0].Date, [{ Type: 'Legal', Start: '2024-03-31' }])
  })

  test('in XML: what JSON says, as attributes and elements without a namespace', async () => {
    const answer = await ods.get(`${base}/organisations/RZZ01?_format=xml`)
    assert.equal(answer.headers['content-type'], 'application/xml')
    assert.match(answer.body, /^<\?xml version="1.0" encoding="UTF-8"\?><Organisation orgRecordClass="RC2"><Name>/)
    const root = parseXml(answer.body)
    assert.equal(root.namespace, '')
    const text = (name: string) => textOf(childElement(root, '', name) ?? root)
    assert.equal(text('Name'), "ST. SOMEBODY'S HOSPITAL & CLINIC")
    const [status] = childElements(root, '', 'Status')
    assert.equal(status && attributeOf(status, 'value'), 'Active')
    const roles = childElement(root, '', 'Roles')
    const [role] = roles === undefined ? [] : childElements(roles, '', 'Role')
    assert.equal(role && attributeOf(role, 'id'), 'RO198')
    assert.equal(role && attributeOf(role, 'primaryRole'), 'true')
  })
})

describe('a search', () => {
  test('each parameter', async () => {
    await finds('Name=surgery', ['A99968', 'A99969'])
    await finds('Name=invented%20s', ['A99968'])
    await finds('Name=NoSuchName', [])
    await finds('PostCode=zz994aa', ['A99968', 'A99969'])
    await finds('PostCode=ZZ99', ['QZZ', 'RZZ', 'A99968', 'A99969'])
    await finds('PostCode=ZZ9', ['RZZ01'])
    await finds('Status=Inactive', ['A99969'])
    await finds('Status=active&Name=surgery', ['A99968'])
    await finds('LastChangeDate=2026-11-26', ['FZZ01'])
    await finds('LastChangeDate=2026-11-27', [])
    await finds('PrimaryRoleId=RO177', ['A99968', 'A99969'])
    await finds('PrimaryRoleId=RO76', [])
    await finds('NonPrimaryRoleId=RO76', ['A99968', 'A99969'])
    await finds('NonPrimaryRoleId=RO318', ['QZZ'])
    await finds('Roles=RO76', ['A99968', 'A99969'])
    await finds('Roles=RO182,RO198', ['RZZ01', 'FZZ01'])
    await finds('OrgRecordClass=RC2', ['RZZ01'])
    await finds('OrgRecordClass=RC1&PostCode=ZZ98', ['FZZ01'])
  })

  test('a summary', async () => {
    const { list } = await search('Roles=RO182')
    assert.deepEqual(list, [
      {
        Name: 'INVENTED PHARMACY',
        OrgId: 'FZZ01',
        Status: 'Active',
        OrgRecordClass: 'RC1',
        PostCode: 'ZZ98 1ZZ',
        LastChangeDate: '2026-11-26',
        PrimaryRoleId: 'RO182',
        PrimaryRoleDescription: 'PHARMACY',
        OrgLink: `https://ods.example${base}/organisations/FZZ01`,
      },
    ])
  })

  test('pages by Limit and Offset, and the headers lead through them', async () => {
    const seen: string[] = []
    let path: string | undefined = `${base}/organisations?OrgRecordClass=RC1&Limit=2`
    let previous: string | undefined
    while (path !== undefined) {
      const answer = await ods.get(path)
      assert.equal(answer.headers['x-total-count'], '5')
      const { Organisations } = JSON.parse(answer.body)
      assert.equal(answer.headers['returned-records'], String(Organisations.length))
      seen.push(...Organisations.map(({ OrgId }: Summary) => OrgId))
      assert.equal(answer.headers['previous-page'] === undefined, previous === undefined)
      previous = path
      path = (answer.headers['next-page'] as string | undefined)?.replace('https://ods.example', '')
    }
    assert.deepEqual(seen, ['QZZ', 'RZZ', 'A99968', 'A99969', 'FZZ01'])
    await finds('OrgRecordClass=RC1&Limit=1&Offset=2', ['RZZ'])
    await finds('OrgRecordClass=RC1&Limit=1&Offset=0', ['QZZ'])
    await finds('OrgRecordClass=RC1&Offset=99', [])
  })

  test('every _format', async () => {
    for (const format of ['json', 'text/json', 'application/json', 'xml', 'text/xml', 'application/xml']) {
      const answer = await ods.get(`${base}/organisations?Roles=RO182&_format=${format}`)
      assert.equal(answer.headers['content-type'], format.includes('xml') ? 'application/xml' : 'application/json')
      if (!format.includes('xml')) continue
      const [only] = childElements(parseXml(answer.body), '', 'Organisation')
      const link = only && childElement(only, '', 'OrgLink')
      assert.equal(link && textOf(link), `https://ods.example${base}/organisations/FZZ01?_format=xml`)
    }
  })

  test('each refusal', async () => {
    await refuses('/organisations/NOTHERE', 404, /^Not found$/)
    await refuses('/organisations/A99968/more', 404)
    await refuses('/organisations/%ff', 404)
    await refuses('/nothing', 404)
    for (const bad of [
      '/organisations',
      '/organisations?Limit=5',
      '/organisations?Colour=red',
      '/organisations?name=abc',
      '/organisations?Name=ab',
      '/organisations?Name=',
      '/organisations?PostCode=!',
      '/organisations?PostCode=ZZ99%204AAAA',
      '/organisations?Status=Open',
      '/organisations?LastChangeDate=2026-02-30',
      '/organisations?LastChangeDate=yesterday',
      '/organisations?PrimaryRoleId=177',
      '/organisations?NonPrimaryRoleId=',
      '/organisations?Roles=RO76;RO177',
      '/organisations?OrgRecordClass=RC3',
      '/organisations?Name=abc&Limit=0',
      '/organisations?Name=abc&Limit=1001',
      '/organisations?Name=abc&Limit=ten',
      '/organisations?Name=abc&Offset=-1',
      '/organisations?Name=abc&Name=def',
      '/organisations?Name=abc&_format=html',
      '/organisations/A99968?Name=abc',
      '/sync',
      '/sync?LastChangeDate=2026-05-01',
      '/sync?LastChangeDate=2026-13-01',
      '/roles?x=1',
    ])
      await refuses(bad, 406)
    const inXml = await ods.get(`${base}/organisations/NOTHERE?_format=xml`)
    assert.equal(inXml.status, 404)
    assert.equal(textOf(childElement(parseXml(inXml.body), '', 'errorText') ?? assert.fail()), 'Not found')
    const posted = await ods.get(`${base}/organisations?Name=abc`, {}, 'POST')
    assert.equal(posted.status, 405)
    assert.equal(posted.headers.allow, 'GET, HEAD')
    const head = await ods.get(`${base}/organisations?Roles=RO182`, {}, 'HEAD')
    assert.deepEqual([head.status, head.body, head.headers['x-total-count']], [200, '', '1'])
  })
})

test('sync tells the links of what changed', async () => {
  const answer = await ods.get(`${base}/sync?LastChangeDate=2026-11-26`)
  assert.deepEqual(JSON.parse(answer.body), {
    Organisations: [{ OrgLink: `https://ods.example${base}/organisations/FZZ01` }],
  })
  assert.equal(answer.headers['x-total-count'], '1')
  const all = JSON.parse((await ods.get(`${base}/sync?LastChangeDate=2026-06-01`)).body)
  assert.equal(all.Organisations.length, 6)
})

test('the code systems', async () => {
  const roles = JSON.parse((await ods.get(`${base}/roles`)).body).Roles as Summary[]
  assert.ok(roles.length > 60)
  assert.deepEqual(JSON.parse((await ods.get(`${base}/roles/RO177`)).body), {
    Roles: [{ id: 'RO177', code: '177', displayName: 'PRESCRIBING COST CENTRE', primaryRole: 'true' }],
  })
  assert.equal(JSON.parse((await ods.get(`${base}/rels/RE4`)).body).Relationships[0].displayName, 'IS COMMISSIONED BY')
  const classes = JSON.parse((await ods.get(`${base}/recordclasses`)).body).RecordClasses
  assert.deepEqual(
    classes.map(({ id, displayName }: Summary) => [id, displayName]),
    [
      ['RC1', 'HSCOrg'],
      ['RC2', 'HSCSite'],
    ],
  )
  await refuses('/roles/RO99999', 404)
  await refuses('/rels/RE7', 404)
  const root = parseXml((await ods.get(`${base}/roles?_format=xml`)).body)
  assert.equal(root.name, 'CodeSystem')
  assert.equal(attributeOf(root, 'name'), 'OrganisationRole')
})

test('deletions are told for 185 days, longer than the change log remembers, until the organisation is back', async (t) => {
  const own = manualClock('2026-01-10T10:00:00Z')
  const other = await startOds({ changeLogSize: 100 }, { clock: own })
  t.after(() => other.close())
  const { contract } = other.directory.service
  await contract.apply(organisations, 'tester')
  const deleted = async () =>
    JSON.parse((await other.get(`${base}/notifications`)).body) as { DeletedOrganisations: Record<string, unknown>[] }
  assert.deepEqual(await deleted(), { DeletedOrganisations: [] })
  const remove = (odsCode: string) =>
    contract.apply([{ kind: 'delete', dn: `uniqueIdentifier=${odsCode},ou=Organisations,o=nhs` }], 'tester')
  await remove('A99968')
  own.set('2026-01-11T10:00:00Z')
  await remove('FZZ01')
  // So many changes that the log forgets the deletions.
  const renamed = Array.from({ length: 150 }, (_, round) => put(organisation('RZZ', `NAME ${round}`)))
  await contract.apply(renamed, 'tester')
  assert.deepEqual(await deleted(), {
    DeletedOrganisations: [
      {
        OrgID: 'A99968',
        PrimaryRoleId: 'RO177',
        reason: { code: '2', description: 'ORG DOES NOT EXIST' },
        time: '2026-01-10T10:00:00.000Z',
        type: { code: '1', description: 'MACHINE' },
      },
      {
        OrgID: 'FZZ01',
        PrimaryRoleId: 'RO182',
        reason: { code: '2', description: 'ORG DOES NOT EXIST' },
        time: '2026-01-11T10:00:00.000Z',
        type: { code: '1', description: 'MACHINE' },
      },
    ],
  })
  const inXml = parseXml((await other.get(`${base}/notifications?_format=xml`)).body)
  assert.equal(childElements(inXml, '', 'DeletedOrganisation').length, 2)
  own.set('2026-07-15T10:00:00Z')
  assert.deepEqual(
    (await deleted()).DeletedOrganisations.map(({ OrgID }) => OrgID),
    ['FZZ01'],
  )
  await contract.apply(organisations.slice(5), 'tester')
  assert.deepEqual(await deleted(), { DeletedOrganisations: [] })
})

test('fair use: beyond the rate 429 with Retry-After, and on again when time has passed', async (t) => {
  const own = manualClock('2026-01-10T10:00:00Z')
  const other = await startOds({}, { clock: own, profile: 'strict' })
  t.after(() => other.close())
  const statuses: number[] = []
  for (let i = 0; i < 6; i++) statuses.push((await other.get(`${base}/roles/RO76`)).status)
  assert.deepEqual(statuses, [200, 200, 200, 200, 200, 429])
  const refused = await other.get('/STU3/Organization/A99968')
  assert.equal(refused.status, 429)
  assert.equal(refused.headers['retry-after'], '1')
  own.advance(1000)
  assert.equal((await other.get(`${base}/roles/RO76`)).status, 200)
})

test('no value of any parameter, path or format makes an error of the server', async () => {
  const names = ['Name', 'PostCode', 'Status', 'LastChangeDate', 'PrimaryRoleId', 'NonPrimaryRoleId', 'Roles']
  const more = ['OrgRecordClass', 'Limit', 'Offset', '_format', 'Other']
  const raw = fc.string({ unit: fc.constantFrom(...'aA0*%&=?()|,:\\"\'<>;é\u0007 +-') })
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('organisations', 'sync', 'roles', 'rels', 'recordclasses', 'notifications'),
      fc.option(raw),
      fc.array(fc.tuple(fc.constantFrom(...names, ...more), fc.oneof(fc.string({ unit: 'binary' }), raw)), {
        maxLength: 3,
      }),
      async (resource, id, parameters) => {
        const path = id === null ? resource : `${resource}/${encodeURIComponent(id)}`
        const query = parameters.map(([name, value]) => `${name}=${encodeSafely(value)}`).join('&')
        const answer = await ods.get(`${base}/${path}?${query}`)
        assert.ok([200, 404, 406].includes(answer.status), `${answer.status} ${path} ${query}`)
        if (answer.headers['content-type'] === 'application/xml') parseXml(answer.body)
        else JSON.parse(answer.body)
      },
    ),
    { numRuns: 80 },
  )
})

/** Percent-encoded, lone surrogates too (as no encoder would write them). */
function encodeSafely(value: string): string {
  try {
    return encodeURIComponent(value)
  } catch {
    return encodeURIComponent(value.toWellFormed())
  }
}
