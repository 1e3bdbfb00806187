import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import type { Random } from '@openspine/platform/clock'
import { forEachStore } from '@openspine/platform/testing'
import { nhsNumberCheckDigit } from '@openspine/standards/nhs'
import type { Access } from './access.ts'
import { extensionUrl, items, type Json } from './person.ts'
import { allocatedRange } from './register/numbers.ts'
import { birthBundle, newPatient } from './register/register.test-kit.ts'
import { asked, askedOf, changed, everySystem, type Posted } from './same-answers.test-kit.ts'
import { syntheticPeople } from './service.ts'
import { openPds, type TestPds } from './testing.ts'
import { insuranceCard } from './worked-families.ts'

/** One request of the list; `current` as If-Match is the version that the person has by then. */
interface Asked {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE'
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
  readonly as?: Access
  /** X-Request-ID of an earlier request, by a name for both. */
  readonly again?: string
}

const arlo = '9990548609'
const full = '9990548625'
const bare = '9990548633'
const marigold = '9990548811'
const [restricted, veryRestricted] = ['9990548838', '9990548846']
const [superseded, retained, invalidated, nobody] = ['9990548854', '9990548870', '9990548889', '9999999409']

const app = (id: string): Access => ({ mode: 'application-restricted', app: { id } })
const patient = (nhsNumber: string): Access => ({
  mode: 'patient',
  patient: { nhsNumber, level: 'P9', vectorOfTrust: 'P9.Cm' },
})
const backOffice: Access = {
  mode: 'user-restricted',
  user: { id: '7' },
  app: { id: 'b', attributes: { source: 'back-office' } },
}
/** The first numbers that are given to new people. */
const given = Array.from({ length: 30 }, (_, index) => String(allocatedRange.from + index)).flatMap((digits) => {
  const check = nhsNumberCheckDigit(digits)
  return check === undefined ? [] : [`${digits}${check}`]
})
const many = [...syntheticPeople({ seed: 7, from: 0, count: 300 })]
/** Those of whom everything is asked. */
const generated = many.slice(0, 12)

function* requests(): Generator<Asked> {
  yield* retrieves()
  yield* searches()
  yield* updates()
  yield* registrations()
  yield* cards()
  // Once more, after all that was changed.
  yield* retrieves()
  yield* searches()
}

function* retrieves(): Generator<Asked> {
  const numbers = [arlo, full, bare, marigold, restricted, veryRestricted, superseded, retained, invalidated, nobody]
  for (const number of [
    ...numbers,
    '9990548684',
    '9990548692',
    '1',
    'x',
    ...generated.map(({ nhsNumber }) => nhsNumber),
  ]) {
    yield { path: `/Patient/${number}` }
    yield { path: `/Patient/${number}/RelatedPerson` }
  }
  for (const number of [arlo, restricted, veryRestricted, superseded]) {
    yield { path: `/Patient/${number}`, as: app('a') }
    yield { path: `/Patient/${number}`, as: patient(number) }
    yield { path: `/Patient/${number}`, as: backOffice }
    yield { path: `/Patient/${number}/RelatedPerson`, as: patient(number) }
  }
  for (const path of ['/HelloWorld', '/_poll/1', '/Patient/', '/', '/Coverage']) yield { path }
  yield { method: 'PUT', path: `/Patient/${arlo}` }
  yield { method: 'DELETE', path: `/Patient/${arlo}` }
  yield { path: `/Patient/${arlo}`, headers: { 'x-request-id': '12345' } }
  yield { path: `/Patient/${arlo}`, headers: { 'nhsd-session-urid': 'R8000' } }
}

function* searches(): Generator<Asked> {
  const search = (more: Readonly<Record<string, string>>, as?: Access): Asked => ({
    path: `/Patient?${new URLSearchParams(more).toString()}`,
    ...(as && { as }),
  })
  for (const { patient, history } of generated) {
    const [name] = items(patient['name'])
    const family = String(name?.['family'])
    const [given = ''] = (name?.['given'] ?? []) as string[]
    const birthdate = String(patient['birthDate'])
    const gender = String(patient['gender'])
    const [home] = items(patient['address'])
    const postcode = String(home?.['postalCode'])
    const [telecom] = items(patient['telecom'])
    yield search({ family, birthdate })
    yield search({ family, given, gender, birthdate, 'address-postalcode': postcode })
    yield search({ family: `${family.slice(0, 2)}*`, birthdate: `ge${birthdate.slice(0, 4)}-01-01` })
    yield search({ family: `${family.slice(0, 3)}*`, given: `${given.slice(0, 2)}*`, birthdate: `eq${birthdate}` })
    yield search({ family: `${family}e`, given, birthdate, gender, '_fuzzy-match': 'true' })
    yield search({ family: given, given: family, birthdate, '_fuzzy-match': 'true', _explain: 'true' })
    yield search({
      family,
      gender,
      'address-postalcode': postcode,
      birthdate: `le${birthdate}`,
      '_fuzzy-match': 'true',
    })
    yield search({ family, given, birthdate, '_exact-match': 'true' })
    yield search({ family, given, gender, birthdate, 'address-postalcode': postcode }, app('a'))
    yield {
      ...search({ family, given, gender, birthdate }, app('a')),
      headers: { accept: 'application/fhir+json; version=1.1' },
    }
    if (telecom)
      yield search({ family, birthdate, [telecom['system'] === 'email' ? 'email' : 'phone']: String(telecom['value']) })
    const [former] = items((history as Json | undefined)?.['name'])
    if (former) yield search({ family: String(former['family']), birthdate, _history: 'true' })
    if (patient['deceasedDateTime'])
      yield search({ family, birthdate, 'death-date': String(patient['deceasedDateTime']).slice(0, 10) })
  }
  for (const query of [
    'family=Mockl*&birthdate=1970-01-24',
    'family=Mockley&birthdate=1970-01-24&_max-results=1',
    'family=Mockley&birthdate=ge1900-01-01&birthdate=le2026-01-01&_explain=true',
    'family=Attison&given=Noel&birthdate=1966-03-21&_fuzzy-match=true',
    'family=attis%C3%B3n&birthdate=1966-03-21',
    "family=o'hyphen%20name&given=anne&birthdate=1977-07-07",
    'family=Smith&given=Joe&birthdate=1962-09-30&_fuzzy-match=true',
    'family=Restricted&birthdate=1985-05-25&address-postalcode=ZZ99%202RR',
    'family=Restricted&birthdate=1985-05-25',
    'family=Veryrestricted&birthdate=1985-05-25',
    'family=Mergerson&birthdate=1999-09-09',
    'family=Partialdate&birthdate=1932-05-01',
    'family=Bloggson&birthdate=1974-10-12&_history=true',
    'family=Testcase&birthdate=1980-02-29&general-practitioner=A20047',
    'family=%25_%25&birthdate=1980-02-29',
    'family=%00&birthdate=1980-02-29',
    'family=Testcase',
    'birthdate=1980-02-29',
    'family=T*&birthdate=1980-02-29',
    'family=Testcase&birthdate=1980',
    'family=Testcase&birthdate=1980-02-29&year=1',
    'family=Testcase&birthdate=1980-02-29&_fuzzy-match=true',
    '',
  ])
    yield { path: `/Patient?${query}` }
  yield search({ family: 'Testcase', birthdate: '1980-02-29' }, patient(arlo))
  yield search({ family: 'Mockley', birthdate: '1970-01-24', '_max-results': '2' }, app('a'))
}

const patch = (number: string, patches: unknown, more: Partial<Asked> = {}): Asked => ({
  method: 'PATCH',
  path: `/Patient/${number}`,
  ...more,
  headers: { 'content-type': 'application/json-patch+json', 'if-match': 'current', ...more.headers },
  body: { patches },
})

function* updates(): Generator<Asked> {
  const mobile = { system: 'phone', use: 'mobile', value: '07700900777' }
  const nickname = { use: 'nickname', given: ['Al'], family: 'Testcase' }
  const gender = [{ op: 'replace', path: '/gender', value: 'other' }]
  yield patch(bare, gender, { again: 'update' })
  yield patch(bare, gender, { again: 'update' })
  yield patch(bare, [
    { op: 'add', path: '/name/-', value: nickname },
    { op: 'add', path: '/telecom/-', value: mobile },
    {
      op: 'add',
      path: '/extension/-',
      value: { url: extensionUrl.birthPlace, valueAddress: { city: 'Testham', country: 'GBR' } },
    },
  ])
  yield { path: '/Patient?family=Bareminimum&birthdate=2001-12-31&phone=07700900777' }
  yield patch(bare, [{ op: 'replace', path: '/birthDate', value: '2002-01-01' }])
  yield { path: '/Patient?family=Bareminimum&birthdate=2002-01-01' }
  yield patch(bare, [
    { op: 'test', path: '/telecom/0/value', value: '07700900777' },
    { op: 'remove', path: '/telecom/0' },
  ])
  yield patch(marigold, [{ op: 'replace', path: '/name/0/id', value: 'x' }])
  yield patch(full, [
    { op: 'add', path: '/deceasedDateTime', value: '2026-10-01' },
    {
      op: 'add',
      path: '/extension/-',
      value: {
        url: extensionUrl.deathNotification,
        extension: [{ url: 'deathNotificationStatus', valueCodeableConcept: { coding: [{ code: '1' }] } }],
      },
    },
  ])
  yield patch(restricted, gender, { as: backOffice })
  for (const person of generated.slice(0, 6)) {
    yield patch(person.nhsNumber, [{ op: 'replace', path: '/gender', value: 'unknown' }])
    yield patch(person.nhsNumber, [
      { op: 'test', path: '/gender', value: 'unknown' },
      { op: 'add', path: '/name/-', value: nickname },
    ])
    yield patch(person.nhsNumber, [{ op: 'add', path: '/telecom/-', value: mobile }], { as: patient(person.nhsNumber) })
  }
  for (const number of [restricted, veryRestricted, superseded, invalidated, nobody, '1']) yield patch(number, gender)
  for (const patches of [
    undefined,
    [],
    [{ op: 'bad_value' }],
    [{ op: 'add', path: '/gender' }],
    [{ op: 'add', path: '/pets/-', value: 1 }],
    [{ op: 'remove', path: '/name/0' }],
    [{ op: 'replace', path: '/gender', value: 'elephant' }],
    [{ op: 'replace', path: '/birthDate', value: '2984-01-01' }],
    [
      { op: 'test', path: '/gender', value: 'x' },
      { op: 'remove', path: '/gender' },
    ],
    [{ op: 'add', path: '/name/-', value: { use: 'usual', family: 'X' } }],
    [{ op: 'add', path: '/name/-', value: { use: 'nickname', family: '\u0000' } }],
    [{ op: 'add', path: '/telecom/-', value: mobile }],
    [{ op: 'replace', path: '/address/0/line/0', value: 'x' }],
  ]) {
    yield patch(arlo, patches)
    yield patch(arlo, patches, { as: patient(arlo) })
  }
  yield patch(arlo, gender, { as: app('a') })
  yield patch(arlo, gender, { headers: { 'if-match': 'W/"1"' } })
  yield patch(arlo, gender, { headers: { 'if-match': '' } })
  yield patch(arlo, gender, { headers: { 'content-type': 'text/plain' } })
}

function* registrations(): Generator<Asked> {
  const post = (body: unknown, more: Partial<Asked> = {}): Asked => ({
    method: 'POST',
    path: '/Patient',
    ...more,
    headers: { 'content-type': 'application/json', ...more.headers },
    body,
  })
  yield post(newPatient(), { again: 'create' })
  yield post(newPatient(), { again: 'create' })
  yield post(newPatient())
  yield { path: '/Patient?family=ToRemove&birthdate=1984-07-01' }
  for (let index = 0; index < 20; index++)
    yield post(newPatient({ name: [{ use: 'usual', given: ['A'], family: `Person${'abcdefghijklmnopqrst'[index]}` }] }))
  for (const body of [
    {},
    [],
    'x',
    newPatient({ gender: 'x' }),
    newPatient({ name: [] }),
    newPatient({ birthDate: '2030-01-01' }),
  ])
    yield post(body)
  yield post(newPatient(), { as: app('a') })
  yield post(newPatient(), { headers: { 'content-type': 'text/plain' } })
  const birth = (body: unknown, query = ''): Asked => post(body, { path: `/Patient/$process-birth-details${query}` })
  yield birth(birthBundle())
  yield birth(birthBundle())
  yield birth(birthBundle({ mother: bare }))
  yield birth(birthBundle({ mother: bare }), '?ignore_potential_matches=true')
  yield birth(birthBundle({ mother: nobody }))
  yield birth(birthBundle({ stillbirth: '9' }))
  yield birth({})
  for (const number of given) {
    yield { path: `/Patient/${number}` }
    yield { path: `/Patient/${number}/RelatedPerson` }
  }
}

function* cards(): Generator<Asked> {
  const card = (number: string): Json => ({
    ...insuranceCard({
      number: 'ES456789012345',
      country: 'ESP',
      personalId: '5647382910',
      institution: 'ES11223',
      end: '2031-03-03',
    }),
    subscriber: { identifier: { system: 'https://fhir.nhs.uk/Id/nhs-number', value: number } },
  })
  for (const number of [arlo, full, bare, marigold, restricted, superseded, retained, invalidated, nobody]) {
    const path = `/Coverage?subscriber:identifier=${number}`
    yield { path }
    yield { path, as: patient(number) }
    yield {
      method: 'POST',
      path: '/Coverage',
      headers: { 'content-type': 'application/json', 'if-match': number === full ? 'W/"1"' : `current ${number}` },
      body: card(number),
      as: patient(number),
    }
    yield { path, as: patient(number) }
  }
}

/** The same bytes at every run. */
function seededRandom(): Random {
  let drawn = 0
  const bytes = (length: number) => createHash('shake256', { outputLength: length }).update(`${drawn++}`).digest()
  return { bytes, uuid: () => uuidOf(bytes(16).toString('hex')) }
}

const uuidOf = (hex: string) => hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, '$1-$2-4$3-8$4-$5')

/** The messages over SOAP, before and after changes of both dialects have met in the records. */
function* messages(): Generator<Posted> {
  const special = [full, restricted, veryRestricted, superseded, retained, invalidated, nobody]
  yield* changed([arlo, bare, restricted, superseded, nobody, ...generated.slice(0, 6).map((one) => one.nhsNumber)])
  yield* askedOf(special)
  yield* asked(many)
}

async function answersOverSoap(pds: TestPds): Promise<string[]> {
  const told: string[] = []
  for (const { path, action, about, message, again } of messages()) {
    const person = about === undefined ? undefined : await pds.contract.find(about)
    const id = uuidOf(
      createHash('md5')
        .update(again ?? `message ${told.length}`)
        .digest('hex'),
    ).toUpperCase()
    const answer = await pds.post(path, message(id, String(person?.version ?? 1)), { soapaction: action })
    const { date: _, ...rest } = answer.headers
    told.push(`${action} ${id}\n${answer.statusCode} ${JSON.stringify(rest)}\n${answer.body}`)
    pds.clock.advance(7)
  }
  return told
}

/** Answers in the order of the requests, each as text: status, headers and body; then what was written beside them. */
async function answers(pds: TestPds): Promise<string[]> {
  const told: string[] = []
  let count = 0
  for (const { method = 'GET', path, headers, body, as, again } of requests()) {
    const asked = [method, path, as?.mode ?? '', JSON.stringify(body) ?? ''].join(' ').slice(0, 400)
    const id = uuidOf(
      createHash('md5')
        .update(again ?? `request ${count}`)
        .digest('hex'),
    )
    const sent: Record<string, string> = { 'x-request-id': id, ...headers }
    const [word, named] = (sent['if-match'] ?? '').split(' ')
    if (word === 'current') {
      const person = await pds.contract.find(named ?? path.split('/')[2] ?? '')
      sent['if-match'] = `W/"${person?.version ?? 1}"`
    }
    const answer = await pds.ask(path, {
      method,
      headers: sent,
      ...(body !== undefined && { payload: JSON.stringify(body) }),
      ...(as && { as }),
    })
    const { date: _, ...rest } = answer.headers
    told.push(`${asked}\n${answer.statusCode} ${JSON.stringify(rest)}\n${answer.body}`)
    pds.clock.advance(7)
    count++
  }
  told.push(...(await answersOverSoap(pds)))
  for await (const line of pds.contract.export()) told.push(line)
  for (const number of [bare, full, marigold, arlo, ...given])
    told.push(JSON.stringify(await pds.contract.history(number, 100)))
  for (const event of await pds.contract.events.waiting(10_000)) told.push(JSON.stringify(event))
  return told
}

let first: readonly string[] | undefined

forEachStore((open, engine) => {
  test(`the same list of requests is answered alike: ${engine}`, async (t) => {
    const store = await open()
    t.after(() => store.close())
    const pds = await openPds({
      store,
      random: seededRandom(),
      config: { publicUrl: 'https://pds.example', smspTimestamps: 'ignored' },
      directory: everySystem,
    })
    t.after(() => pds.close())
    await pds.contract.load(many)
    const told = await answers(pds)
    const statuses = new Map<string, number>()
    for (const answer of told) {
      const status = /^.*\n(\d{3}) /.exec(answer)?.[1]
      if (status) statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
    // Neither fault nor uniformity can make two engines agree.
    assert.deepEqual(
      [...statuses.keys()].sort(),
      ['200', '201', '400', '403', '404', '409', '412'],
      JSON.stringify([...statuses]),
    )
    // So do the messages: each kind of answer is among them.
    for (const kind of [
      '"AA"',
      '"AE"',
      'PRPA_IN000201UK01',
      'PRPA_IN000202UK01',
      'PRPA_IN000206UK01',
      'PRPA_IN000209UK02',
      'SMSP-0000',
      '<QUPA_IN000009UK06>',
      '<QUPA_IN000013UK01>',
    ])
      assert.ok(
        told.some((answer) => answer.includes(kind)),
        `no answer has ${kind}`,
      )
    if (engine === 'memory') first = told
    else {
      assert.ok(first, 'the embedded store gave no answers to compare with')
      for (const [index, answer] of told.entries()) assert.equal(answer, first[index])
      assert.equal(told.length, first.length)
    }
  })
})
