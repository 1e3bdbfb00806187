import { SpineError } from '../error.ts'

/** One row of a CSV file. */
export interface CsvRow {
  /** Line on which it begins, from 1. */
  readonly line: number
  readonly fields: readonly string[]
}

export interface CsvLimits {
  /** Characters of one field. */
  readonly field: number
  /** Fields of one row. */
  readonly fields: number
}

const defaults: CsvLimits = { field: 10_000, fields: 200 }

/**
 * Reads CSV (RFC 4180) piece by piece: quoted fields with doubled quotes, commas and line ends inside; line ends CRLF,
 * LF or CR; a byte order mark and empty lines are passed over.
 *
 * @throws SpineError `CSV_INVALID` with the line, where a quotation is wrong or a limit is exceeded
 *
 * @example
 * for await (const { fields } of readCsv(['a,"b, c"\r\n'])) console.log(fields) // [ 'a', 'b, c' ]
 */
export async function* readCsv(
  pieces: Iterable<string> | AsyncIterable<string>,
  limits: Partial<CsvLimits> = {},
): AsyncGenerator<CsvRow> {
  const most = { ...defaults, ...limits }
  let state: 'start' | 'plain' | 'quoted' | 'closed' = 'start'
  let field = ''
  let fields: string[] = []
  let line = 1
  let begun = 1
  let wasReturn = false
  let first = true
  const wrong = (why: string) =>
    new SpineError('CSV_INVALID', { line }, { explanation: `Line ${line} of the CSV file: ${why}.` })
  const endField = () => {
    if (fields.length >= most.fields) throw wrong(`more than ${most.fields} fields`)
    fields.push(field)
    field = ''
    state = 'start'
  }
  /** The row that has ended; undefined for an empty line. */
  const endRow = (): CsvRow | undefined => {
    const empty = fields.length === 0 && state === 'start' && field === ''
    if (!empty) endField()
    const row = empty ? undefined : { line: begun, fields }
    fields = []
    return row
  }
  const add = (text: string) => {
    if (field.length + text.length > most.field) throw wrong(`a field longer than ${most.field} characters`)
    field += text
  }
  for await (const piece of pieces) {
    const text = first && piece.startsWith('\ufeff') ? piece.slice(1) : piece
    if (piece !== '') first = false
    for (let at = 0; at < text.length; at++) {
      const sign = text[at] as string
      const endsLine = sign === '\r' || (sign === '\n' && !wasReturn)
      const secondOfTwo = sign === '\n' && wasReturn
      wasReturn = sign === '\r'
      if (state === 'quoted') {
        if (endsLine) line++
        if (sign === '"') state = 'closed'
        else add(sign)
        continue
      }
      if (secondOfTwo) continue
      if (endsLine) {
        const row = endRow()
        line++
        begun = line
        if (row !== undefined) yield row
      } else if (sign === ',') endField()
      else if (sign === '"') {
        if (state === 'plain') throw wrong('a quotation mark within a field that is not quoted')
        // Two in a row stand for one.
        if (state === 'closed') add('"')
        state = 'quoted'
      } else if (state === 'closed') throw wrong('something behind the end of a quoted field')
      else {
        state = 'plain'
        let end = at + 1
        while (end < text.length && !/[",\r\n]/.test(text[end] as string)) end++
        add(text.slice(at, end))
        at = end - 1
      }
    }
  }
  if (state === 'quoted') throw wrong('the file ends within a quoted field')
  const row = endRow()
  if (row !== undefined) yield row
}

/** One row with its line end (CRLF); a field is quoted only where it must be. */
export function writeCsvRow(fields: readonly string[]): string {
  const alone = fields.length === 1
  return `${fields.map((field) => (/[",\r\n\ufeff]/.test(field) || (alone && field === '') ? `"${field.replaceAll('"', '""')}"` : field)).join(',')}\r\n`
}
