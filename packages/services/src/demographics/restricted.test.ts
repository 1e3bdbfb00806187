/**
 * A sweep over every dialect: what tells where a restricted person can be found (§15) stands in no ordinary answer, not in
 * one that finds them, not in one that refuses, not in an explanation, an event or a file.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { systemRandom } from '@openspine/platform/clock'
import { oid } from '@openspine/standards/hl7v3'
import type { Access } from './access.ts'
import { traceBatch } from './batch/batch.ts'
import { eventMessage } from './events/message.ts'
import { directory, face, updateRequest } from './hl7v3/hl7v3.test-kit.ts'
import { actionOf, changes, interactions, type QueryKind } from './hl7v3/interactions.ts'
import { item, newcomer, registration } from './hl7v3/register.test-kit.ts'
import { birthBundle } from './register/register.test-kit.ts'
import { operations } from './smsp/operations.ts'
import { type Said, service } from './smsp/smsp.test-kit.ts'
import { openPds, type TestPds } from './testing.ts'
import { workedCases } from './worked.test-kit.ts'

const number = '9990548838'
/** Parts of the record of Wilma Restricted; the practice's code is looked for where nobody else's may stand. */
const secrets = [
  'Safe House',
  'ZZ99 2RR',
  'ZZ992RR',
  '07700900838',
  'restricted@example.com',
  '01632960838',
  'A20047',
  'FY123',
]

/** Code of the practice that whoever notifies a birth names as the mother's. */
const sentPractice = 'A20047'

function tellsNothing(answer: string, asked: string): void {
  for (const secret of secrets) assert.ok(!answer.includes(secret), `${secret} stands in the answer to: ${asked}`)
}

let pds: TestPds
before(async () => {
  pds = await openPds({ config: { explainSearches: true }, directory })
})
after(() => pds.close())

const modes: readonly Access[] = [
  { mode: 'user-restricted', user: { id: '555254242102' } },
  {
    mode: 'application-restricted',
    app: { id: 'a', attributes: { applicationUpdate: true, emptyAddressLines: true } },
  },
  { mode: 'patient', patient: { nhsNumber: number, level: 'P9', vectorOfTrust: 'P9.Cm' } },
]

test('PDS FHIR: retrieve, related people, card, every search, every probe by an update', async () => {
  const who = 'family=Restricted&birthdate=1985-05-25'
  const urls = [
    `/Patient/${number}`,
    `/Patient/${number}/RelatedPerson`,
    `/Coverage?subscriber:identifier=${number}`,
    ...[
      '',
      '&given=Wilma',
      '&gender=female',
      '&_history=true',
      '&given=Wilma&_fuzzy-match=true',
      '&gender=female&address-postalcode=ZZ99*',
      '&general-practitioner=A20*',
      '&_explain=true',
      `&_explain=${number}`,
      `&address-postalcode=LS11AA&_explain=${number}`,
      `&phone=01&_explain=${number}`,
    ].map((more) => `/Patient?${who}${more}`),
  ]
  for (const as of modes)
    for (const url of urls) {
      const answer = await pds.ask(url, { as })
      tellsNothing(answer.body, `${as.mode} ${url}`)
      tellsNothing(JSON.stringify(answer.headers), `headers of ${as.mode} ${url}`)
    }
  const paths = [
    '/address/0',
    '/address/0/postalCode',
    '/telecom/0/value',
    '/contact/0',
    '/generalPractitioner/0',
    '/extension/0',
    '/extension/1',
  ]
  for (const as of modes)
    for (const path of paths)
      for (const op of ['test', 'replace', 'add'] as const) {
        const answer = await pds.ask(`/Patient/${number}`, {
          method: 'PATCH',
          as,
          headers: {
            'x-request-id': randomUUID(),
            'if-match': 'W/"3"',
            'content-type': 'application/json-patch+json',
          },
          payload: JSON.stringify({ patches: [{ op, path, value: { id: 'x', url: 'x' } }] }),
        })
        assert.ok(answer.statusCode >= 400, `${as.mode} ${op} ${path}: ${answer.body}`)
        tellsNothing(answer.body, `${as.mode} ${op} ${path}`)
      }
})

test('PDS FHIR: places neither find the person nor move the score', async () => {
  const found = async (more: string) =>
    (await pds.ask(`/Patient?family=Restricted&birthdate=1985-05-25${more}`)).json() as {
      total: number
      entry?: { search: { score: number } }[]
    }
  for (const more of [
    '&address-postalcode=ZZ992RR',
    '&general-practitioner=A20047',
    '&phone=07700900838',
    '&email=restricted@example.com',
  ])
    assert.equal((await found(more)).total, 0, more)
  const scores = await Promise.all(
    ['ZZ992RR', 'LS11AA'].map(async (postcode) => {
      const fuzzy = await found(`&given=Wilma&_fuzzy-match=true&address-postalcode=${postcode}`)
      return fuzzy.entry?.[0]?.search.score
    }),
  )
  assert.equal(scores[0], scores[1])
})

test('HL7 V3: every query, with history', async () => {
  const parameters: Readonly<Record<QueryKind, object>> = {
    'simple trace': {
      birthTime: [{ value: '19850525', bounds: [] }],
      personName: [{ use: 'L', prefix: [], given: [], family: ['Restricted'], suffix: [] }],
      gender: [{ code: '2' }],
    },
    'advanced trace': {
      historicDataIndicator: [{ code: '1', codeSystem: oid.historicDataIndicator }],
      birthTime: [{ value: '19850525', bounds: [] }],
      personName: [{ use: 'L', prefix: [], given: ['Wilma'], family: ['Restricted'], suffix: [] }],
      searchParameter: [{ code: '2', codeSystem: oid.searchParameter }],
    },
    retrieval: {
      historicDataIndicator: [{ code: '1', codeSystem: oid.historicDataIndicator }],
      personId: [{ root: oid.nhsNumber, extension: number }],
      retrievalItem: ['person.allData'],
    },
    'cross-check': {
      birthTime: [{ value: '19850525', bounds: [] }],
      personId: [{ root: oid.nhsNumber, extension: number }],
    },
    'batch trace': {
      birthTime: [{ value: '19850525', bounds: [] }],
      personName: [{ use: 'L', prefix: [], given: ['Wilma'], family: ['Restricted'], suffix: [] }],
      gender: [{ code: '2' }],
    },
    confirmation: { personId: [{ root: oid.nhsNumber, extension: number }] },
  }
  for (const { request, kind } of interactions) {
    const { status, body } = await face().ask(request, parameters[kind])
    assert.equal(status, 200)
    assert.ok(body.includes(number) || kind === 'confirmation', `${request} answers about the person: ${body}`)
    tellsNothing(body, request)
  }
})

test('HL7 V3: changes, right guesses at the record as well as wrong ones', async () => {
  const telecom = { use: 'H', value: 'tel:01632960838' }
  const address = { use: 'H', lines: ['1 Safe House', '', '', '', ''], postalCode: 'ZZ99 2RR' }
  for (const { request: interaction, kind } of changes) {
    const send = async (body: string) => {
      const { body: answer } = await pds.post('/sync-service', body, { soapaction: actionOf(interaction) })
      assert.match(answer, /typeCode="A[AE]"/)
      tellsNothing(answer, `${interaction}: ${body.slice(-1000)}`)
    }
    const options = () => ({ interaction, id: randomUUID().toUpperCase() })
    if (kind === 'allocation')
      for (const addresses of [[item(address)], [item({ ...address, postalCode: 'LS1 1AA' })]])
        await send(
          registration(
            {
              person: newcomer({
                names: [item({ use: 'L', prefix: [], given: ['Wilma'], family: ['Restricted'], suffix: [] })],
                birthTime: { value: '19850525' },
                addresses,
              }),
            },
            options(),
          ),
        )
    else if (kind.endsWith('update'))
      for (const version of ['3', '9'])
        for (const update of [
          { gender: { code: '1', updateMode: 'altered' } },
          { telecoms: [item({ ...telecom, updateMode: 'removed' })] },
          { telecoms: [item({ ...telecom, value: 'tel:01', updateMode: 'removed' })] },
          { addresses: [item({ ...address, updateMode: 'added' })] },
        ])
          await send(updateRequest({ number, version }, update, options()))
  }
})

test('Mini Services: every operation', async () => {
  const said: Said = { DateOfBirth: '19850525', NHSNumber: number }
  const searched: Said = { DateOfBirth: '19850525', Gender: '2', Family: 'Restricted' }
  for (const operation of operations)
    for (const given of [said, searched]) {
      const { body } = await service().ask(operation, given)
      tellsNothing(body, operation)
    }
})

test('files of people traced in one go', async () => {
  const request = [
    'UNIQUE REFERENCE,NHS_NO,FAMILY_NAME,GIVEN_NAME,GENDER,DATE_OF_BIRTH,POSTCODE',
    `1,${number},,,,19850525,`,
    '2,,Restricted,Wilma,2,19850525,',
    '',
  ].join('\r\n')
  let text = ''
  for await (const piece of traceBatch([request], workedCases(), { stamp: '20261126010203' })) text += piece
  assert.ok(text.includes(number))
  tellsNothing(text, 'a batch')
})

test('a birth whose mother is restricted: the child, its related people, the event', async () => {
  const answer = await pds.ask('/Patient/$process-birth-details', {
    method: 'POST',
    headers: { 'x-request-id': randomUUID(), 'content-type': 'application/fhir+json' },
    payload: JSON.stringify(birthBundle({ mother: number })),
  })
  assert.equal(answer.statusCode, 201, answer.body)
  const { id } = answer.json()
  const related = await pds.ask(`/Patient/${id}/RelatedPerson`)
  assert.ok(related.body.includes(number), 'the mother is named by her number')
  const told = (await pds.contract.events.waiting(1000)).filter(({ nhsNumber }) => nhsNumber === id)
  assert.ok(told.some(({ code }) => code === 'pds-birth-notification-1'))
  for (const said of [answer.body, related.body, JSON.stringify(told)])
    for (const secret of secrets.filter((each) => each !== sentPractice))
      assert.ok(!said.includes(secret), `${secret} of the mother stands in: ${said}`)
})

test('events, and the answer to an update that is asked for again: a change by the back office', async () => {
  const { administration, events } = pds.contract
  await administration.setSensitivity({ nhsNumber: number, sensitivity: 'U', by: 'operator' })
  const move = {
    method: 'PATCH' as const,
    headers: { 'x-request-id': randomUUID(), 'if-match': 'W/"4"', 'content-type': 'application/json-patch+json' },
    payload: JSON.stringify({
      patches: [
        { op: 'replace', path: '/address/0/id', value: (await pds.ask(`/Patient/${number}`)).json().address[0].id },
        { op: 'replace', path: '/address/0/postalCode', value: 'ZZ99 8FF' },
      ],
    }),
  }
  const moved = await pds.ask(`/Patient/${number}`, move)
  assert.equal(moved.statusCode, 200, moved.body)
  assert.ok(moved.body.includes('ZZ99 8FF'))
  assert.equal((await pds.ask(`/Patient/${number}`, move)).body, moved.body, 'a repeat is answered as before')
  await administration.setSensitivity({ nhsNumber: number, sensitivity: 'R', by: 'operator' })
  const repeated = await pds.ask(`/Patient/${number}`, move)
  assert.notEqual(repeated.statusCode, 200)
  assert.ok(!repeated.body.includes('ZZ99 8FF'))
  tellsNothing(repeated.body, 'a repeat of an update from before')
  const waiting = (await events.waiting(1000)).filter(({ nhsNumber }) => nhsNumber === number)
  assert.ok(waiting.some(({ code }) => code === 'pds-change-of-address-1'))
  for (const event of waiting) {
    const message = eventMessage(event, {
      random: systemRandom,
      sensitivity: (await pds.contract.find(number))?.sensitivity ?? 'U',
      asid: '200000099999',
      organisationName: () => undefined,
    })
    tellsNothing(JSON.stringify(message), event.code)
  }
})
