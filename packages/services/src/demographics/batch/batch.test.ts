import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readCsv, writeCsvRow } from '@openspine/standards/csv'
import { isSpineError } from '@openspine/standards/error'
import { workedCases } from '../worked.test-kit.ts'
import { type BatchOptions, traceBatch } from './batch.ts'
import { requestColumns, responseColumns } from './columns.ts'

const stamp = '20261126010203'

async function traced(text: string, options: BatchOptions = {}) {
  const pieces: string[] = []
  for await (const piece of traceBatch([text], workedCases(), { ...options, stamp })) pieces.push(piece)
  const rows: (readonly string[])[] = []
  for await (const { fields } of readCsv(pieces)) rows.push(fields)
  const [header = [], ...data] = rows
  return {
    header,
    data: data.map((fields) => Object.fromEntries(responseColumns.map((column, place) => [column, fields[place]]))),
  }
}

const names = ['UNIQUE REFERENCE', 'NHS_NO', 'FAMILY_NAME', 'GIVEN_NAME', 'GENDER', 'DATE_OF_BIRTH', 'POSTCODE']
const file = (...rows: readonly (readonly string[])[]) => [names, ...rows].map(writeCsvRow).join('')

describe('batch tracing', () => {
  const cases: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ['number and date of birth agree', ['9990548609', '', '', '', '19800229', ''], ['00', '9990548609', '1', '100.00']],
    [
      'a merged number, and the retained record agrees',
      ['9990548854', '', '', '', '19990909', ''],
      ['90', '9990548870', '1', '100.00'],
    ],
    ['an invalidated number', ['9990548889', '', '', '', '19990909', ''], ['91', '0000000000', '0', '0.00']],
    ['a restricted person', ['9990548838', '', '', '', '19850525', ''], ['92', '9990548838', '1', '100.00']],
    [
      'a very restricted person is not confirmed',
      ['9990548846', '', '', '', '19850525', ''],
      ['98', '0000000000', '0', '0.00'],
    ],
    [
      'the wrong number, the right details',
      ['9990548617', 'Testcase', 'Arlo', '1', '19800229', ''],
      ['00', '9990548609', '3', '100.00'],
    ],
    [
      'a number with a wrong check digit, the right details',
      ['9990548600', 'Testcase', 'Arlo', '1', '19800229', ''],
      ['00', '9990548609', '3', '100.00'],
    ],
    ['details by sound', ['', 'Smith', 'Matt', '1', '19620930', ''], ['00', '9990548781', '4', '']],
    ['several people', ['', 'Mockley', '', '2', '19700124', ''], ['97', '9999999999', '0', '0.00']],
    ['nobody', ['', 'Nobody', 'Nemo', '1', '19700124', ''], ['98', '0000000000', '0', '0.00']],
    ['too little to trace by', ['', '', '', '', '19700124', ''], ['96', '', '0', '0.00']],
    ['no date of birth', ['9990548609', 'Testcase', 'Arlo', '1', '', ''], ['96', '', '0', '0.00']],
    ['a sex that there is not', ['', 'Testcase', 'Arlo', '7', '19800229', ''], ['12', '', '0', '0.00']],
    ['a date that there is not', ['', 'Testcase', 'Arlo', '1', '19810229', ''], ['13', '', '0', '0.00']],
    ['a number that is none', ['99905486O9', 'Testcase', 'Arlo', '1', '19800229', ''], ['13', '', '0', '0.00']],
    ['too many fields', ['', 'Testcase', 'Arlo', '1', '19800229', '', 'more'], ['17', '', '0', '0.00']],
  ]
  for (const [what, fields, [code, number, algorithm, confidence]] of cases)
    it(`${what}: ${code}`, async () => {
      const { data } = await traced(file(['ref-1', ...fields]))
      const [row] = data
      assert.equal(data.length, 1)
      assert.deepEqual(
        [
          row?.['UNIQUE REFERENCE'],
          row?.['ERROR/SUCCESS_CODE'],
          row?.['MATCHED_NHS_NO'],
          row?.['MATCHED_ALGORITHM_INDICATOR'],
        ],
        ['ref-1', code, number, algorithm],
      )
      if (confidence !== '') assert.equal(row?.['MATCHED_CONFIDENCE_PERCENTAGE'], confidence)
      else assert.match(row?.['MATCHED_CONFIDENCE_PERCENTAGE'] ?? '', /^\d{2}\.\d{2}$/)
    })

  it('a row without a reference is 10, and the others are answered', async () => {
    const { data } = await traced(
      file(['', '9990548609', '', '', '', '19800229', ''], ['b', '9990548609', '', '', '', '19800229', '']),
    )
    assert.deepEqual(
      data.map((row) => row['ERROR/SUCCESS_CODE']),
      ['10', '00'],
    )
  })

  it('answers with the record: names, home, practice, telephones, serial change number', async () => {
    const { header, data } = await traced(file(['x', '9990548811', '', '', '', '19741012', '']))
    assert.deepEqual(header, [...responseColumns])
    const [row = {}] = data
    assert.deepEqual(
      [
        row['FAMILY_NAME'],
        row['GIVEN_NAME'],
        row['OTHER_GIVEN_NAME'],
        row['GENDER'],
        row['DATE_OF_BIRTH'],
        row['ADDRESS_LINE1'],
        row['POSTCODE'],
      ],
      ['Gardenia', 'Marigold', 'Ann', '2', '19741012', '7 Bloom Street', 'ZZ99 3GA'],
    )
    assert.deepEqual(
      [
        row['GP_PRACTICE_CODE'],
        row['GP_REGISTRATION_DATE'],
        row['MOBILE_NUMBER'],
        row['EMAIL_ADDRESS'],
        row['SERIAL_CHANGE_NUMBER'],
      ],
      ['A20047', '20200101', '07700900811', 'marigold@example.com', '5'],
    )
  })

  it('tells of a restricted person no place, practice or telephone', async () => {
    const { data } = await traced(file(['x', '9990548838', '', '', '', '19850525', '']))
    assert.doesNotMatch(JSON.stringify(data), /Safe House|ZZ99|A20047|07700900838|restricted@/)
    assert.equal(data[0]?.['SENSITIVITY_FLAG'], 'S')
  })

  it('goes on where it was cut off, and counts', async () => {
    const rows = Array.from({ length: 200 }, (_, i) => [`r${i}`, '9990548609', '', '', '', '19800229', ''])
    const whole = await traced(file(...rows))
    assert.deepEqual(
      whole.data.map((row) => row['UNIQUE REFERENCE']),
      rows.map(([reference]) => reference),
    )
    const counted: number[] = []
    const pieces: string[] = []
    for await (const piece of traceBatch([file(...rows)], workedCases(), {
      stamp,
      skip: 150,
      progress: (done) => counted.push(done),
    }))
      pieces.push(piece)
    assert.equal(pieces.join('').split('\r\n').length - 1, 50)
    assert.match(pieces.join(''), /^r150,/)
    assert.deepEqual(counted, [200])
  })

  it('takes the header record of the older service, and its number of records', async () => {
    const fields = (reference: string) =>
      requestColumns.map((column) =>
        column === 'UNIQUE REFERENCE'
          ? reference
          : column === 'NHS_NO'
            ? '9990548609'
            : column === 'DATE_OF_BIRTH'
              ? '19800229'
              : '',
      )
    const older = (records: string) =>
      [['MPTREQ_20261126010000', 'SPINE_MPTPHASE4_TRACE', '20261126010000', records], fields('a'), fields('b')]
        .map(writeCsvRow)
        .join('')
    const { header, data } = await traced(older('2'))
    assert.deepEqual(header, ['MPTREQ_20261126010000', 'SPINE_MPTPHASE4_TRACE', stamp, '2', '00'])
    assert.deepEqual(
      data.map((row) => row['MATCHED_NHS_NO']),
      ['9990548609', '9990548609'],
    )
    const refusal = async (text: string) =>
      traced(text).then(
        () => 'accepted',
        (error: unknown) => (isSpineError(error) ? error.code : String(error)),
      )
    assert.equal(await refusal(older('3')), 'DEMOGRAPHICS_BATCH_INVALID')
    assert.equal(await refusal(older('many')), 'DEMOGRAPHICS_BATCH_INVALID')
    assert.equal(await refusal(''), 'DEMOGRAPHICS_BATCH_INVALID')
    assert.equal(await refusal('NHS_NO,FAMILY_NAME\r\n'), 'DEMOGRAPHICS_BATCH_INVALID')
    assert.equal(await refusal('UNIQUE REFERENCE,NHS_NO,NHS_NO\r\n'), 'DEMOGRAPHICS_BATCH_INVALID')
    assert.equal(await refusal(`${file()}"open`), 'CSV_INVALID')
  })
})
