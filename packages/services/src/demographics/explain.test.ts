import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type TestPlatform, testPlatform } from '@openspine/platform/testing'
import { isSpineError } from '@openspine/standards/error'
import { r4 } from '@openspine/standards/fhir/r4'
import { type FastifyInstance, fastify } from 'fastify'
import type { Access } from './access.ts'
import type { TraceExplanation } from './explain.ts'
import { candidateLine, demographics, demographicsConfig, workedPeople } from './service.ts'

const base = '/personal-demographics/FHIR/R4'
const worker: Access = { mode: 'user-restricted', user: { id: '555254242102' } }

/** Demographics with the worked people, and its face with or without explanations. */
async function open(profile: 'sandbox' | 'strict', explainSearches: boolean) {
  const platform: TestPlatform = await testPlatform({ profile })
  let access = worker
  const service = demographics({
    platform,
    config: demographicsConfig.parse({ explainSearches }),
    authenticate: async () => access,
  })
  await platform.store.migrate(service.name, service.migrations ?? {})
  await service.contract.load(workedPeople())
  const app: FastifyInstance = fastify()
  assert.ok(service.routes?.api)
  await app.register(service.routes.api)
  return {
    contract: service.contract,
    platform,
    async search(query: string, as: Access = worker) {
      access = as
      const answer = await app.inject({
        url: `${base}/Patient?${query}`,
        headers: { 'x-request-id': '60E0B220-8136-4CA5-AE46-1D97EF59D068', host: 'pds.example' },
      })
      return { status: answer.statusCode, body: answer.json(), text: answer.body }
    },
    async close() {
      await app.close()
      await platform.close()
    },
  }
}

let pds: Awaited<ReturnType<typeof open>>
before(async () => {
  pds = await open('sandbox', true)
})
after(() => pds.close())

/** As the contract explains it: parameters of a search, and a person who is asked about. */
async function explain(query: string, also?: string): Promise<TraceExplanation> {
  const { explanation } = await pds.contract.explain({
    parameters: [...new URLSearchParams(query)],
    by: 'test',
    ...(also === undefined ? {} : { also }),
  })
  return explanation
}
const fieldsOf = ({ candidates }: TraceExplanation, nhsNumber: string) =>
  candidates
    .find((candidate) => candidate.nhsNumber === nhsNumber)
    ?.fields.map(({ field, how, snippet, swapped }) => [
      field,
      swapped ? `${how}, swapped` : how,
      ...(snippet ? [`${snippet.use} ${snippet.standing}`] : []),
    ])

describe('an explanation', () => {
  test('names comparison, snippet and weight of every field, and the score is their mean', async () => {
    const explained = await explain(
      'family=Smith&given=Joe&birthdate=1962-09-30&address-postalcode=ZZ993CZ&_fuzzy-match=true',
    )
    assert.equal(explained.answer, 'one')
    assert.deepEqual(fieldsOf(explained, '9990548781')?.slice(0, 3), [
      ['family', 'sounds alike', 'usual current'],
      ['given', 'short form', 'usual current'],
      ['birthdate', 'equal'],
    ])
    const [joseph] = explained.candidates
    assert.ok(joseph?.matched)
    const sum = joseph.fields.reduce((total, { worth, weight }) => total + worth * weight, 0)
    const weights = joseph.fields.reduce((total, { weight }) => total + weight, 0)
    assert.ok(Math.abs((joseph.score ?? 0) - sum / weights) < 0.0001)
  })

  test('tells former from current names, temporary from home addresses, and what is swapped', async () => {
    const former = await explain('family=Bloggson&given=Primrose&birthdate=1974-10-12&_fuzzy-match=true')
    assert.match(JSON.stringify(fieldsOf(former, '9990548811')), /"family","equal","\w+ former"/)
    const temporary = await explain('family=Gardenia&birthdate=1974-10-12&address-postalcode=ZZ999TM')
    assert.deepEqual(fieldsOf(temporary, '9990548811')?.at(-1), ['postcode', 'equal', 'temp current'])
    const swapped = await explain('family=Josef&given=Smith&birthdate=1962-09-30&_fuzzy-match=true')
    assert.equal(fieldsOf(swapped, '9990548781')?.[0]?.[1], 'sounds alike, swapped')
  })

  test('tells of who came near which rule was broken, and which parameter would have found them', async () => {
    const wildcard = await explain('family=Bloggson&birthdate=1974-10-12', '9990548811')
    assert.equal(wildcard.answer, 'none')
    assert.deepEqual(
      wildcard.candidates.map(({ nhsNumber, rejected, foundWith }) => [nhsNumber, rejected?.rule, foundWith]),
      [['9990548811', 'names', ['_history=true', '_fuzzy-match=true']]],
    )
    const rules = async (query: string, also = '9990548781') =>
      (await explain(query, also)).candidates.find(({ nhsNumber }) => nhsNumber === also)?.rejected?.rule
    assert.equal(await rules('family=Smythe&birthdate=1962-09-29'), 'birthdate')
    assert.equal(await rules('family=Smythe&birthdate=1962-09-30&gender=female'), 'field')
    assert.equal(await rules('family=Smythe&birthdate=1962-09-30&phone=01'), 'contact')
    assert.equal(await rules('family=Sm*&birthdate=1962-09-30&_exact-match=true'), 'not exact')
    assert.equal(
      await rules(
        'family=Smith&given=Joe&birthdate=1962-09-30&address-postalcode=LS11AA&gender=female&_fuzzy-match=true',
      ),
      'several fields',
    )
    assert.equal(
      await rules(
        'given=Arlo&birthdate=1980-02-29&gender=female&address-postalcode=ZZ993CZ&_fuzzy-match=true',
        '9990548609',
      ),
      'no family name',
    )
  })

  test('tells which match is only possible, and what it lacks', async () => {
    const possible = async (more: string) => {
      const { candidates } = await explain(`family=Smith&given=Joe&birthdate=1962-09-30&_fuzzy-match=true${more}`)
      const [joseph] = candidates
      assert.ok(joseph?.matched)
      return [joseph.possible?.rule, candidateLine(joseph)] as const
    }
    const [rule, sentence] = await possible('')
    assert.equal(rule, 'family name')
    assert.match(
      sentence,
      /Only a possible match: No postcode, practice, telephone number or e-mail address bears it out/,
    )
    assert.equal((await possible('&address-postalcode=ZZ993CZ'))[0], undefined)
  })

  test('answers are those of the search itself, whoever came near', async () => {
    for (const query of ['family=Attisón&birthdate=1966-03-21', 'family=Mockley&birthdate=1970-01-24']) {
      const { entry } = (await pds.search(query)).body
      const { candidates } = await explain(query)
      assert.deepEqual(
        candidates.filter(({ matched }) => matched).map(({ nhsNumber, score }) => [nhsNumber, score]),
        entry.map(({ resource, search }: { resource: { id: string }; search: { score: number } }) => [
          resource.id,
          search.score,
        ]),
      )
    }
  })

  test('who are too many are not listed; a search that is refused is refused here too', async () => {
    const many = await explain('family=Mockley&birthdate=1970-01-24&_max-results=2')
    assert.deepEqual(many, { answer: 'too many', candidates: [], more: 0 })
    await assert.rejects(
      explain('family=Mockley'),
      (error) => isSpineError(error) && error.code === 'PDS_MISSING_VALUE',
    )
  })

  test('is audited with numbers and names of parameters, and no value', async () => {
    await explain('family=Smythe&birthdate=1962-09-30', '9990548609')
    const records = await pds.platform.audit.find({ event: 'pds.explain', limit: 1000 })
    // The facts alone: a hash may hold any four digits.
    const last = JSON.stringify(records.map(({ facts }) => facts))
    assert.match(last, /9990548609/)
    assert.doesNotMatch(last, /Smythe|1962/)
  })
})

describe('_explain on the wire', () => {
  const query = 'family=Testcase&birthdate=1980-02-29'

  test('is unknown unless the setting is on, and always in strict', async () => {
    for (const [profile, on] of [
      ['sandbox', false],
      ['strict', true],
    ] as const) {
      const other = await open(profile, on)
      try {
        const { status, body } = await other.search(`${query}&_explain=true`)
        assert.equal(status, 400)
        assert.equal(body.issue[0].details.coding[0].code, 'ADDITIONAL_PROPERTIES')
        assert.ok(!(await other.search(query)).text.includes('explanation'))
      } finally {
        await other.close()
      }
    }
  })

  test('adds an outcome entry, valid FHIR, that does not count; other bodies stay as they are', async () => {
    const plain = await pds.search(query)
    assert.deepEqual((await pds.search(`${query}&_explain=false`)).body.entry, plain.body.entry)
    const { body } = await pds.search(`${query}&_explain=true`)
    assert.deepEqual(r4.check(body), [])
    assert.equal(body.total, 1)
    assert.deepEqual(body.entry.slice(0, -1), plain.body.entry)
    const { search, resource } = body.entry.at(-1)
    assert.equal(search.mode, 'outcome')
    assert.match(resource.issue[1].diagnostics, /^9990548609 matched, score 1\. family name: equal \(usual, current\)/)
    assert.equal(resource.issue[1].details.coding[0].code, 'matched')
    const alike = (await pds.search('family=Smith&given=Joe&birthdate=1962-09-30&_fuzzy-match=true&_explain=true')).body
    assert.equal(alike.entry.at(-1).resource.issue[1].details.coding[0].code, 'possible match: family name')
    const nobody = (await pds.search('family=Nobody&birthdate=1980-02-29&_explain=9990548609')).body
    assert.equal(nobody.total, 0)
    assert.match(nobody.entry[0].resource.issue[1].diagnostics, /^9990548609 not matched: The names/)
    for (const wrong of ['yes', '123', 'true&_explain=true'])
      assert.equal(
        (await pds.search(`${query}&_explain=${wrong}`)).body.issue[0].details.coding[0].code,
        'INVALID_VALUE',
      )
  })

  test('tells an app of nobody but whom it was answered', async () => {
    const app: Access = { mode: 'application-restricted', app: { id: 'a' } }
    const one = (await pds.search(`${query}&_explain=9990548781`, app)).body
    assert.equal(one.entry.at(-1).resource.issue.length, 2)
    const none = await pds.search('family=Testcase&given=Zebedee&birthdate=1980-02-29&_explain=9990548609', app)
    assert.equal(none.body.total, 0)
    assert.doesNotMatch(none.text, /\d{10}/)
  })
})

describe('what is masked does not leak', () => {
  const restricted = '9990548838'
  const veryRestricted = '9990548846'
  const wilma = 'family=Restricted&given=Wilma&birthdate=1985-05-25'

  test('asked by place or contact, the answer about a restricted person is that about nobody, right value or wrong', async () => {
    for (const [field, right, wrong] of [
      ['address-postalcode', 'ZZ992RR', 'LS11AA'],
      ['general-practitioner', 'A20047', 'B82617'],
      ['phone', '07700900838', '07700900839'],
      ['email', 'restricted@example.com', 'other@example.com'],
    ] as const)
      for (const more of ['', '&_fuzzy-match=true', '&_history=true', '&_exact-match=true']) {
        const nobody = await explain(
          `family=Zzyzx&given=Qq&birthdate=1985-05-25&${field}=${wrong}${more}`,
          '9990549001',
        )
        for (const value of [right, wrong]) {
          const query = `${wilma}&${field}=${value}${more}`
          assert.deepEqual(await explain(query, restricted), nobody, query)
          const { text, body } = await pds.search(`${query}&_explain=${restricted}`)
          assert.equal(body.total, 0)
          assert.doesNotMatch(text, new RegExp(restricted))
        }
      }
  })

  test('a restricted person found by name is explained without place, and scores as one who has none', async () => {
    for (const more of ['', '&_fuzzy-match=true']) {
      const { text, body } = await pds.search(`${wilma}${more}&_explain=true`)
      assert.equal(body.total, 1)
      assert.doesNotMatch(text, /ZZ99|A20047|0770|restricted@/)
    }
  })

  test('a very restricted person, a merged and an invalid one are as if they were not there', async () => {
    for (const [query, number] of [
      ['family=Veryrestricted&birthdate=1985-05-25', veryRestricted],
      ['family=Invalidated&birthdate=1999-09-09', '9990548889'],
      ['family=Mergerson&birthdate=1999-09-08', '9990548854'],
    ] as const) {
      const unknown = await explain(query, '9990549001')
      assert.deepEqual(await explain(query, number), unknown, query)
      assert.doesNotMatch((await pds.search(`${query}&_explain=${number}`)).text, new RegExp(number))
    }
  })
})

test('a sentence has numbers and words, and no name of the person', async () => {
  const { candidates } = await explain('family=Smith&given=Joe&birthdate=1962-09-30&_fuzzy-match=true')
  const [sentence = ''] = candidates.map(candidateLine)
  assert.match(
    sentence,
    /family name: sounds alike \(usual, current\), 0\.84 of 4; given name: short form \(usual, current\), 0\.9 of 3/,
  )
  assert.doesNotMatch(sentence, /Smythe|Joseph/)
})
