import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { manualClock } from '@openspine/platform/testing'
import { r4 } from '@openspine/standards/fhir/r4'
import { stu3 } from '@openspine/standards/fhir/stu3'
import fc from 'fast-check'
import { organisations, startOds, type TestOds } from './testing.ts'

const clock = manualClock('2026-11-25T12:00:00Z')
const odsCodes = 'https://fhir.nhs.uk/Id/ods-organization-code'
const roleSystem = 'https://directory.spineservices.nhs.uk/STU3/CodeSystem/ODSAPI-OrganizationRole-1'
const r4Base = '/organisation-data-terminology-api/fhir'
let ods: TestOds

before(async () => {
  ods = await startOds({}, { clock })
  await ods.directory.service.contract.apply(organisations.slice(0, 5), 'tester')
  clock.set('2026-11-26T09:00:00Z')
  await ods.directory.service.contract.apply(organisations.slice(5), 'tester')
})
after(() => ods.close())

// biome-ignore lint/suspicious/noExplicitAny: answers are looked at member by member
type Json = any

/** Asks in both formats, checks both against the tables of the version, and that they say the same. */
async function ask(base: string, path: string, status = 200): Promise<Json> {
  const codec = base === '/STU3' ? stu3 : r4
  const answer = await ods.get(base + path)
  assert.equal(answer.status, status, `${path}: ${answer.body}`)
  assert.equal(answer.headers['content-type'], 'application/fhir+json;charset=utf-8', path)
  const resource = JSON.parse(answer.body)
  assert.deepEqual(codec.check(resource), [], path)
  if (path.includes('_format')) return resource
  const xml = await ods.get(base + path, { accept: 'application/fhir+xml' })
  assert.equal(xml.status, status)
  assert.equal(xml.headers['content-type'], 'application/fhir+xml;charset=utf-8')
  assert.deepEqual(codec.fromXml(xml.body), resource, path)
  return resource
}

const idsOf = (bundle: Json) => (bundle.entry ?? []).map(({ resource }: Json) => resource.id)

describe('STU3', () => {
  const search = (query: string) => ask('/STU3', `/Organization?${query}`)
  const finds = async (query: string, expected: readonly string[]) => {
    const bundle = await search(query)
    assert.deepEqual(idsOf(bundle), expected, query)
    assert.equal(bundle.total, expected.length, query)
  }
  async function refuses(path: string, status: number, issue: string, code: string, diagnostics: string) {
    const outcome = await ask('/STU3', path, status)
    assert.equal(outcome.resourceType, 'OperationOutcome')
    const [{ severity, code: type, details, diagnostics: told }] = outcome.issue
    assert.deepEqual([severity, type, details.coding[0].code, told], ['error', issue, code, diagnostics], path)
    assert.equal(details.coding[0].system, 'https://fhir.nhs.uk/STU3/CodeSystem/Spine-ErrorOrWarningCode-1')
  }

  test('reads an organisation', async () => {
    assert.deepEqual(await ask('/STU3', '/Organization/A99968'), {
      resourceType: 'Organization',
      id: 'A99968',
      meta: {
        lastUpdated: '2026-11-25T00:00:00+00:00',
        profile: ['https://fhir.nhs.uk/STU3/StructureDefinition/ODSAPI-Organization-1'],
      },
      extension: [
        {
          url: 'https://fhir.nhs.uk/STU3/StructureDefinition/Extension-ODSAPI-ActivePeriod-1',
          valuePeriod: period('1974-04-01'),
        },
        ...[
          ['177', 'PRESCRIBING COST CENTRE'],
          ['76', 'GP PRACTICE'],
        ].map(([code, display], index) => ({
          url: 'https://fhir.nhs.uk/STU3/StructureDefinition/Extension-ODSAPI-OrganizationRole-1',
          extension: [
            { url: 'role', valueCoding: { system: roleSystem, code, display } },
            { url: 'primaryRole', valueBoolean: index === 0 },
            { url: 'activePeriod', valuePeriod: period('1974-04-01') },
            { url: 'status', valueString: 'Active' },
          ],
        })),
      ],
      identifier: [{ system: odsCodes, value: 'A99968' }],
      active: true,
      type: [
        {
          coding: [
            {
              system: 'https://fhir.nhs.uk/STU3/CodeSystem/ODSAPI-OrganizationRecordClass-1',
              code: '1',
              display: 'HSCOrg',
            },
          ],
        },
      ],
      name: 'THE INVENTED SURGERY',
      address: [{ line: ['1 HIGH ST'], city: 'TOWN', district: 'COUNTY', postalCode: 'ZZ99 4AA' }],
    })
  })

  function period(start: string) {
    const extension = [
      { url: 'https://fhir.nhs.uk/STU3/StructureDefinition/Extension-ODSAPI-DateType-1', valueString: 'Operational' },
    ]
    return { extension, start }
  }

  test('each parameter with each modifier', async () => {
    await finds('_id=A99968', ['A99968'])
    await finds('identifier=a99968', ['A99968'])
    await finds(`identifier=${odsCodes}|RZZ`, ['RZZ'])
    await finds('identifier=RZZ&_id=QZZ', [])
    await finds('name=INVENTED', ['RZZ', 'FZZ01'])
    await finds('name=invented%20ph', ['FZZ01'])
    await finds('name:contains=surg', ['A99968', 'A99969'])
    await finds('name:exact=FORMER%20SURGERY', ['A99969'])
    await finds('name:exact=former%20surgery', [])
    await finds('name:contains=invented&name:contains=trust', ['RZZ'])
    await finds('active=true&name:contains=surgery', ['A99968'])
    await finds('active=false', ['A99969'])
    await finds('address-postalcode=ZZ98', ['FZZ01'])
    await finds('address-postalcode=ZZ9', ['QZZ', 'RZZ', 'RZZ01', 'A99968', 'A99969', 'FZZ01'])
    await finds('address-postalcode:contains=1ZZ', ['FZZ01'])
    await finds('address-postalcode:contains=8%201Z', ['FZZ01'])
    await finds('address-postalcode:exact=ZZ98%201ZZ', ['FZZ01'])
    await finds('address-postalcode:exact=ZZ981ZZ', [])
    await finds('address-city=lee', ['RZZ'])
    await finds('address-city:contains=eed', ['RZZ'])
    await finds('address-city:exact=Leeds', [])
    await finds('_lastUpdated=gt2026-11-25', ['FZZ01'])
    await finds('_lastUpdated=gt2026-11-26', [])
    await finds('ods-org-role=182,198', ['RZZ01', 'FZZ01'])
    await finds('ods-org-role=76&ods-org-role=177', ['A99968', 'A99969'])
    await finds(`ods-org-role=${roleSystem}|197,198`, ['RZZ', 'RZZ01'])
    await finds('ods-org-role=76&ods-org-primaryRole=true', [])
    await finds('ods-org-role=76&ods-org-primaryRole=false', ['A99968', 'A99969'])
    await finds('ods-org-role=177&ods-org-primaryRole=true&active=true', ['A99968'])
  })

  test('pages, their links, and counts', async () => {
    const seen: string[] = []
    let path: string | undefined = '/Organization?address-postalcode=ZZ9&_count=4'
    while (path !== undefined) {
      const bundle: Json = await ask('/STU3', path)
      assert.equal(bundle.total, 6)
      assert.equal(bundle.type, 'searchset')
      assert.equal(bundle.entry[0].fullUrl, `https://ods.example/STU3/Organization/${bundle.entry[0].resource.id}`)
      seen.push(...idsOf(bundle))
      const next = bundle.link.find(({ relation }: Json) => relation === 'next')?.url as string | undefined
      assert.ok(bundle.link.some(({ relation }: Json) => relation === 'self'))
      assert.match(bundle.link.at(-1).url, /_offset=4/)
      path = next?.replace('https://ods.example/STU3', '')
    }
    assert.equal(seen.length, 6)
    for (const query of ['_summary=count', '_count=0']) {
      const bundle = await search(`name:contains=surgery&${query}`)
      assert.deepEqual([bundle.total, bundle.entry], [2, undefined])
    }
  })

  test('each row of the error table', async () => {
    const invalid = ['invalid', 'INVALID_VALUE'] as const
    await refuses('/Organization/ZZZ9', 404, 'not-found', 'NO_RECORD_FOUND', 'No record found for supplied ODS code')
    await refuses('/Nothing', 404, 'not-found', 'NO_RECORD_FOUND', 'No record found')
    const alphanumeric = 'Supplied identifier must be just alphanumeric characters.'
    for (const path of ['/Organization/A-1', '/Organization?identifier=A*', '/Organization?_id='])
      await refuses(path, 400, 'code-invalid', 'INVALID_IDENTIFIER_VALUE', alphanumeric)
    await refuses(
      '/Organization?identifier=https://example.org|RZZ',
      400,
      'code-invalid',
      'INVALID_IDENTIFIER_SYSTEM',
      `Invalid ods-org-role parameter. Should be ${odsCodes}`,
    )
    await refuses(
      '/Organization?ods-org-role=https://example.org|76',
      400,
      'code-invalid',
      'INVALID_CODE_SYSTEM',
      `Invalid ods-org-role parameter. Should be ${roleSystem}.`,
    )
    for (const role of ['RO76', '76,x', ''])
      await refuses(
        `/Organization?ods-org-role=${role}`,
        400,
        'code-invalid',
        'INVALID_CODE_VALUE',
        'Invalid FHIR ods-org-role parameter',
      )
    for (const name of ['address-postalcode1', 'ods-org-PrimaryRole', 'name:like', 'active:exact', 'Name'])
      await refuses(`/Organization?${name}=x`, 400, 'invalid', 'INVALID_PARAMETER', `Unknown argument found ${name}`)
    await refuses(
      '/Organization?ods-org-primaryRole=true',
      400,
      'invalid',
      'INVALID_PARAMETER',
      'ods-org-primaryRole can only be used in conjunction with ods-org-role',
    )
    const limit = 'Supplied limit is invalid, the parameter must take an integer between 0 and 20'
    const rows: readonly (readonly [string, string])[] = [
      ['address-postalcode=Z', 'Supplied address-postalcode is too short, min 2 characters'],
      ['address-postalcode=ZZ99%204AAA', 'Supplied address-postalcode is too long, max 8 characters'],
      [
        'address-postalcode=ZZ*',
        'Supplied address-postalcode contains invalid characters, alphanumeric characters only',
      ],
      ['address-city=Le', 'Supplied address-city is too short, min 3 characters'],
      [
        'address-city=Leeds1',
        "Supplied address-city contains invalid characters, valid characters include:  , . ' and alphabetical characters",
      ],
      ['name=ab', 'Supplied name is too short, min 3 characters'],
      [`name=${'a'.repeat(101)}`, 'Supplied name is too long, max 100 characters'],
      ['name:contains=%3Cscript%3E', 'Supplied name:contains has invalid Character/s'],
      ['_count=21', limit],
      ['_count=-1', limit],
      ['_count=all', limit],
      ['_lastUpdated=gt2026-13-01', 'Supplied date is invalid'],
      ['_lastUpdated=yesterday', 'Supplied date is invalid'],
      ['_lastUpdated=lt2026-01-01', 'Supplied date prefix is invalid, must be gt'],
      ['active=yes', 'Invalid FHIR active parameter'],
      ['ods-org-role=76&ods-org-primaryRole=1', 'Invalid FHIR ods-org-primaryRole parameter'],
      ['_summary=true', 'Supplied _summary is invalid, the parameter must be count'],
      ['_format=application/fhir%2BtESTXml', 'Unknown content type specified "application/fhir+tESTXml"'],
    ]
    for (const [query, diagnostics] of rows) await refuses(`/Organization?${query}`, 400, ...invalid, diagnostics)
    const many = Array.from({ length: 41 }, () => 'name:contains=surgery').join('&')
    await refuses(`/Organization?${many}`, 400, ...invalid, 'More than 40 parameters')
    const posted = await ods.get('/STU3/Organization', {}, 'POST')
    assert.equal(posted.status, 405)
    assert.equal(JSON.parse(posted.body).resourceType, 'OperationOutcome')
  })

  test('_format is stronger than Accept; short names are taken', async () => {
    for (const [format, type] of [
      ['xml', 'application/fhir+xml'],
      ['json', 'application/fhir+json'],
      ['application/xml%2Bfhir', 'application/fhir+xml'],
      ['text/xml', 'application/fhir+xml'],
    ])
      assert.equal(
        (await ods.get(`/STU3/Organization/RZZ?_format=${format}`, { accept: 'application/fhir+json' })).headers[
          'content-type'
        ],
        `${type};charset=utf-8`,
      )
  })

  test('the shapes of the retired service, where they are asked for', async (t) => {
    const other = await startOds({ odsStu3Json: 'live' })
    t.after(() => other.close())
    await other.directory.service.contract.apply(organisations, 'tester')
    const live = JSON.parse((await other.get('/STU3/Organization/RZZ')).body)
    assert.deepEqual(live.identifier, { system: odsCodes, value: 'RZZ' })
    assert.equal(live.type.coding.code, '1')
    assert.equal(live.address.postalCode, 'ZZ99 2BB')
    assert.equal(live.meta.profile, 'https://fhir.nhs.uk/STU3/StructureDefinition/ODSAPI-Organization-1')
    assert.ok(Array.isArray(live.extension) && Array.isArray(live.telecom) && Array.isArray(live.address.line))
    assert.match((await other.get('/STU3/Organization/RZZ?_format=xml')).body, /<identifier><system/)
  })
})

describe('R4', () => {
  const finds = async (query: string, expected: readonly string[]) => {
    const bundle = await ask(r4Base, `/Organization?${query}`)
    assert.deepEqual(idsOf(bundle), expected, query)
  }

  test('reads an organisation', async () => {
    const read = await ask(r4Base, '/Organization/RZZ')
    assert.equal(read.id, 'RZZ')
    assert.deepEqual(read.identifier, [{ use: 'official', system: odsCodes, value: 'RZZ' }])
    const roles = read.extension
      .filter(({ url }: Json) => url.endsWith('Extension-England-OrganisationRole'))
      .map(({ extension }: Json) => Object.fromEntries(extension.map((part: Json) => [part.url, part])))
    assert.deepEqual(
      roles.map((role: Json) => [role.roleCode.valueCodeableConcept.coding[0].code, role.primaryRole.valueBoolean]),
      [
        ['RO197', true],
        ['RO57', false],
      ],
    )
    assert.equal(read.type[0].coding[0].code, 'RC1')
  })

  test('each parameter', async () => {
    const ods = 'https://digital.nhs.uk/services/organisation-data-service/CodeSystem'
    await finds('active=false', ['A99969'])
    await finds('name=invented', ['RZZ', 'FZZ01'])
    await finds('name:contains=surgery', ['A99968', 'A99969'])
    await finds(`type=${ods}/ODSRecordClass|RC2`, ['RZZ01'])
    await finds('type=RC9', [])
    await finds('lastChangeDate=eq2026-11-26', ['FZZ01'])
    await finds('lastChangeDate=2026-11-26', ['FZZ01'])
    await finds('lastChangeDate=gt2026-11-25', ['FZZ01'])
    await finds('lastChangeDate=lt2026-11-26', ['QZZ', 'RZZ', 'RZZ01', 'A99968', 'A99969'])
    await finds('lastChangeDate=gt2026-11-24&lastChangeDate=lt2026-11-25', [])
    await finds('roleCode=RO76', ['A99968', 'A99969'])
    await finds(`roleCode=${ods}/ODSOrganisationRole|RO182`, ['FZZ01'])
    await finds('activeRoleCode=RO76', ['A99968'])
    await finds('primaryRoleCode=RO76', [])
    await finds('primaryRoleCode=RO177', ['A99968', 'A99969'])
    await finds('identifier=RZZ,QZZ', ['QZZ', 'RZZ'])
    await finds('address-postalcode=ZZ98', ['FZZ01'])
    await finds('_count=1&_offset=1', ['RZZ'])
    const counted = await ask(r4Base, '/Organization?_summary=count')
    assert.deepEqual([counted.total, counted.entry], [6, undefined])
  })

  test('affiliations: from either side, and each by its id', async () => {
    const from = await ask(r4Base, '/OrganizationAffiliation?primary-organization=A99968')
    const [only] = from.entry
    assert.equal(from.total, 1)
    assert.equal(only.resource.organization.identifier.value, 'A99968')
    assert.equal(only.resource.participatingOrganization.identifier.value, 'QZZ')
    assert.equal(only.resource.code[0].coding[0].code, 'RE4')
    assert.deepEqual(await ask(r4Base, `/OrganizationAffiliation/${only.resource.id}`), only.resource)
    const to = await ask(r4Base, `/OrganizationAffiliation?participating-organisation=${odsCodes}|QZZ&active=true`)
    assert.deepEqual(idsOf(to), [only.resource.id])
    const none = await ask(r4Base, '/OrganizationAffiliation?primary-organization=A99968&role=RE6')
    assert.equal(none.total, 0)
  })

  test('refusals', async () => {
    for (const [path, status, code] of [
      ['/Organization/ZZZ9', 404, 'HAPI-2001'],
      ['/OrganizationAffiliation/7', 404, 'HAPI-2001'],
      ['/Practitioner', 404, 'HAPI-2001'],
      ['/constructor', 404, 'HAPI-2001'],
      ['/Organization?colour=red', 400, 'HAPI-0524'],
      ['/Organization?lastChangeDate=x', 400, 'HAPI-1940'],
      ['/Organization?active=1', 400, 'HAPI-1940'],
      ['/Organization?_count=x', 400, 'HAPI-1940'],
      ['/Organization?roleCode=urn:x|RO76', 400, 'HAPI-1940'],
      ['/OrganizationAffiliation', 400, 'HAPI-0524'],
    ] as const) {
      const outcome = await ask(r4Base, path, status)
      assert.equal(outcome.issue[0].details.coding[0].code, code, path)
    }
  })
})

test('no value makes an error of the server, in neither version', async () => {
  const names = ['_id', 'identifier', 'name', 'name:contains', 'address-postalcode', 'address-city:exact', 'active']
  const more = ['_lastUpdated', 'ods-org-role', 'ods-org-primaryRole', '_count', '_offset', '_summary', '_format']
  const others = ['type', 'roleCode', 'lastChangeDate', 'primary-organization', 'role', 'x']
  const raw = fc.string({ unit: fc.constantFrom(...'aA09*%&=?()|,:\\"\'<>;é\u0007 +-gt') })
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('/STU3/Organization', `${r4Base}/Organization`, `${r4Base}/OrganizationAffiliation`),
      fc.option(raw),
      fc.array(fc.tuple(fc.constantFrom(...names, ...more, ...others), fc.oneof(fc.string(), raw)), { maxLength: 3 }),
      async (resource, id, parameters) => {
        const path = id === null ? resource : `${resource}/${encodeURIComponent(id)}`
        const query = parameters.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&')
        const answer = await ods.get(`${path}?${query}`)
        assert.ok([200, 400, 404].includes(answer.status), `${answer.status} ${path}?${query}`)
        const codec = path.startsWith('/STU3') ? stu3 : r4
        if (answer.headers['content-type']?.includes('xml')) codec.fromXml(answer.body)
        else assert.deepEqual(codec.check(JSON.parse(answer.body)), [], `${path}?${query}`)
      },
    ),
    { numRuns: 80 },
  )
})
