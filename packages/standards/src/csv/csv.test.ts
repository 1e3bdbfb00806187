import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { type CsvRow, readCsv, writeCsvRow } from './csv.ts'

async function rows(pieces: readonly string[], limits = {}): Promise<CsvRow[]> {
  const found: CsvRow[] = []
  for await (const row of readCsv(pieces, limits)) found.push(row)
  return found
}
const fields = async (text: string) => (await rows([text])).map((row) => row.fields)

describe('CSV', () => {
  test('quotes, commas and line ends inside, every line end, empty lines and fields, a byte order mark', async () => {
    assert.deepEqual(await fields('\ufeffa,b\r\n"c ""d""","e, f"\n\n"two\nlines",\r,x'), [
      ['a', 'b'],
      ['c "d"', 'e, f'],
      ['two\nlines', ''],
      ['', 'x'],
    ])
    assert.deepEqual(await fields('""\n"",""\n'), [[''], ['', '']])
    assert.deepEqual(await fields(''), [])
    assert.deepEqual(
      (await rows(['a\n"x\r\ny"\r\nb\n'])).map(({ line }) => line),
      [1, 2, 4],
    )
  })

  test('what is wrong names the line', async () => {
    const refuses = (text: string, line: number, limits = {}) =>
      assert.rejects(rows([text], limits), (error: Error & { code?: string }) => {
        assert.equal(error.code, 'CSV_INVALID')
        assert.match(error.message, new RegExp(`^Line ${line} `))
        return true
      })
    await refuses('a\nb"c', 2)
    await refuses('a\n"b"c', 2)
    await refuses('a\n\n"b', 3)
    await refuses('abcdef', 1, { field: 5 })
    await refuses('"abcdef"', 1, { field: 5 })
    await refuses('a,b,c', 1, { fields: 2 })
  })

  test('reads back what is written, wherever it is cut', async () => {
    const cell = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', ' ', 'é') })
    const table = fc.array(fc.array(cell, { minLength: 1, maxLength: 4 }), { maxLength: 5 })
    await fc.assert(
      fc.asyncProperty(table, fc.array(fc.nat(40), { maxLength: 4 }), async (wanted, cuts) => {
        const text = wanted.map(writeCsvRow).join('')
        const places = [0, ...cuts.filter((cut) => cut < text.length).sort((a, b) => a - b), text.length]
        const pieces = places.slice(1).map((end, index) => text.slice(places[index], end))
        assert.deepEqual(
          (await rows(pieces)).map((row) => [...row.fields]),
          wanted,
        )
      }),
      { numRuns: 150 },
    )
  })
})
