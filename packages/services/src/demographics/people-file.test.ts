import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { r4 } from '@openspine/standards/fhir/r4'
import fc from 'fast-check'
import type { PersonRecord } from './contract.ts'
import { importPeople, linesOf, longestLine, personLine, personOfLine } from './people-file.ts'
import { storedPerson } from './person.ts'
import { syntheticPeople } from './population.ts'
import { workedPeople } from './worked-people.ts'

const people: readonly PersonRecord[] = [...workedPeople(), ...syntheticPeople({ seed: 4, from: 0, count: 600 })]

/** What is loaded by an import of these lines. */
async function loaded(lines: Iterable<string>) {
  const records: PersonRecord[] = []
  const report = await importPeople(lines, async (given) => {
    for await (const record of given) records.push(record)
    return records.length
  })
  return { records, report }
}

describe('people as NDJSON', () => {
  test('each is a valid Patient of R4 on one line, and comes back as the same person', () => {
    for (const record of people) {
      const line = personLine(storedPerson(record))
      assert.ok(!line.includes('\n'))
      assert.deepEqual(
        r4.check(JSON.parse(line)).filter(({ code }) => code !== 'FHIR_EMPTY'),
        [],
      )
      const back = personOfLine(line)
      assert.ok(typeof back !== 'string', String(back))
      assert.deepEqual(storedPerson(back), storedPerson(record))
      assert.equal(personLine(storedPerson(back)), line)
    }
  })

  test('a Patient of another system is read: number from the identifier, former names by their use', () => {
    const back = personOfLine(
      JSON.stringify({
        resourceType: 'Patient',
        id: 'a1b2',
        identifier: [
          { system: 'urn:example:local', value: '17' },
          { system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9990548609' },
        ],
        name: [{ use: 'official', family: 'Testcase', given: ['Arlo'] }],
      }),
    )
    assert.deepEqual(back, {
      nhsNumber: '9990548609',
      version: 1,
      sensitivity: 'U',
      patient: { name: [{ use: 'official', family: 'Testcase', given: ['Arlo'] }] },
    })
  })

  test('lines that are no people are left out and told by number, without a value of theirs', async () => {
    const good = personLine(storedPerson(people[0] as PersonRecord))
    const bad: readonly (readonly [string, RegExp])[] = [
      ['{"resourceType":"Patient"', /not JSON/],
      ['[]', /no Patient/],
      ['{"resourceType":"Secretname"}', /no Patient/],
      ['{"resourceType":"Patient","name":"Secretname"}', /Patient\.name/],
      ['{"resourceType":"Patient","name":[{"family":"Secretname"}]}', /NHS number/],
      ['{"resourceType":"Patient","id":"123"}', /NHS number/],
      [
        '{"resourceType":"Patient","id":"9990548609","extension":[{"url":"urn:openspine:person-record","valueString":"{\\"status\\":\\"superseded\\"}"}]}',
        /status/,
      ],
      [
        '{"resourceType":"Patient","id":"9990548609","extension":[{"url":"urn:openspine:person-record","valueString":"{\\"__proto__x\\":1}"}]}',
        /extension/,
      ],
      ['x'.repeat(longestLine + 1), /longer than/],
    ]
    const { records, report } = await loaded(['', ...bad.map(([line]) => line), '  ', good])
    assert.equal(records.length, 1)
    assert.deepEqual([report.read, report.written, report.rejected], [bad.length + 1, 1, bad.length])
    for (const [at, [, reason]] of bad.entries()) {
      assert.equal(report.rejections[at]?.line, at + 2)
      assert.match(report.rejections[at]?.reason ?? '', reason)
    }
    assert.doesNotMatch(JSON.stringify(report), /Secretname/)
  })

  test('whatever stands on a line, the answer is a person or a sentence', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.object().map((value) => JSON.stringify({ ...value, resourceType: 'Patient' })),
        ),
        (line) => {
          const read = personOfLine(line)
          assert.ok(typeof read === 'string' ? read.length > 0 : /^\d{10}$/.test(read.nhsNumber))
        },
      ),
      { numRuns: 500 },
    )
  })

  test('lines are those of the text, however it comes in pieces; one without an end does not fill the memory', async () => {
    async function* pieces(text: string, size: number) {
      for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size)
    }
    const all = async (text: string, size: number) => {
      const lines: string[] = []
      for await (const line of linesOf(pieces(text, size))) lines.push(line)
      return lines
    }
    for (const size of [1, 2, 3, 100]) {
      assert.deepEqual(await all('a\nbc\n\nd', size), ['a', 'bc', '', 'd'])
      assert.deepEqual(await all('a\n', size), ['a'])
    }
    const [line = ''] = await all('x'.repeat(longestLine * 5), 1 << 16)
    assert.ok(line.length > longestLine && line.length < longestLine * 1.2)
  })
})
