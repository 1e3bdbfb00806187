import { type CsvRow, readCsv, writeCsvRow } from '@openspine/standards/csv'
import { SpineError } from '@openspine/standards/error'
import type { UseCases } from '../use-cases.ts'
import {
  olderWorkflow,
  type RequestColumn,
  type ResponseColumn,
  requestColumns,
  responseColumns,
  rowCodes,
} from './columns.ts'
import { nobody, personColumns, type Row, type RowResult, traceRow } from './trace-row.ts'

/** Rows that are traced at the same time: reads of one group go out in few statements. */
const rowsAtOnce = 64

/** What a batch counted, by code of the rows. */
export type BatchCounts = Readonly<Record<string, number>>

export interface BatchOptions {
  /** Rows of data whose answers are there already, from a run that was cut off. */
  readonly skip?: number
  /** Told after each group how many rows are done, and how they came out. */
  progress?(done: number, counts: BatchCounts): void
  /** Called for each group before its answers are given out: who was shown. A rejection ends the batch. */
  settled?(shown: readonly string[]): Promise<void>
}

const invalid = (line: number, explanation: string) =>
  new SpineError('DEMOGRAPHICS_BATCH_INVALID', { line }, { explanation: `Line ${line} of the file: ${explanation}` })

const known: ReadonlySet<string> = new Set(requestColumns)

/** Names as files have them: any case, with a blank or an underscore. */
function columnOf(name: string): RequestColumn | undefined {
  const plain = name.trim().toUpperCase().replaceAll(' ', '_')
  const spelt = plain === 'UNIQUE_REFERENCE' ? 'UNIQUE REFERENCE' : plain === 'POST_CODE' ? 'POSTCODE' : plain
  return known.has(spelt) ? (spelt as RequestColumn) : undefined
}

/** The columns that the first row announces, and what the header record of the older service says. */
function columnsOf({ fields, line }: CsvRow): {
  readonly columns: readonly (RequestColumn | undefined)[]
  readonly header?: { readonly reference: string; readonly records: number }
} {
  if (fields[1]?.trim() === olderWorkflow) {
    const [reference = '', , timestamp = '', records = ''] = fields.map((field) => field.trim())
    if (!/^MPTREQ_\d{14}$/.test(reference))
      throw invalid(line, 'the reference of the header is not MPTREQ_ and a time.')
    if (!/^\d{14}$/.test(timestamp)) throw invalid(line, 'the time of the header is not CCYYMMDDHHMISS.')
    if (!/^\d{1,9}$/.test(records)) throw invalid(line, 'the header does not tell the number of records.')
    return { columns: requestColumns, header: { reference, records: Number(records) } }
  }
  const columns = fields.map(columnOf)
  if (!columns.includes('UNIQUE REFERENCE'))
    throw invalid(line, 'the first row must name the columns, UNIQUE REFERENCE among them.')
  const named = columns.filter((column) => column !== undefined)
  if (new Set(named).size < named.length) throw invalid(line, 'a column is named twice.')
  return { columns }
}

function rowOf(fields: readonly string[], columns: readonly (RequestColumn | undefined)[]): Row {
  const row: Partial<Record<RequestColumn, string>> = {}
  for (const [place, column] of columns.entries()) if (column !== undefined) row[column] = fields[place] ?? ''
  return row
}

/** The answer to one row; what was asked stands beside what was found. */
function written(row: Row, result: RowResult): string {
  const values: Partial<Record<ResponseColumn, string | undefined>> = {
    'UNIQUE REFERENCE': row['UNIQUE REFERENCE'],
    REQ_NHS_NUMBER: row.NHS_NO,
    NHAIS_POSTING_ID: row.NHAIS_POSTING_ID,
    AS_AT_DATE: row.AS_AT_DATE,
    LOCAL_PATIENT_ID: row.LOCAL_PATIENT_ID,
    INTERNAL_ID: row.INTERNAL_ID,
    ...personColumns(result),
    'ERROR/SUCCESS_CODE': result.code,
    MATCHED_NHS_NO: result.number,
    MATCHED_ALGORITHM_INDICATOR: result.algorithm,
    MATCHED_CONFIDENCE_PERCENTAGE: result.confidence,
  }
  return writeCsvRow(responseColumns.map((column) => values[column] ?? ''))
}

/**
 * Traces a file (§21), piece by piece: gives the rows of the answer in the order of the request. The file is never held as a
 * whole. SpineError `DEMOGRAPHICS_BATCH_INVALID` or `CSV_INVALID` with the line.
 */
export async function* traceBatch(
  pieces: AsyncIterable<string> | Iterable<string>,
  cases: UseCases,
  options: BatchOptions & { readonly stamp: string },
): AsyncGenerator<string> {
  const { skip = 0 } = options
  const counts: Record<string, number> = {}
  let columns: readonly (RequestColumn | undefined)[] | undefined
  let header: { readonly reference: string; readonly records: number } | undefined
  let group: CsvRow[] = []
  let done = 0
  const answer = async (): Promise<string> => {
    const shown: string[] = []
    const answered = await Promise.all(
      group.map(async ({ fields }) => {
        const row = rowOf(fields, columns ?? [])
        const result =
          fields.length > (columns ?? []).length ? nobody(rowCodes.tooManyFields) : await traceRow(row, cases)
        counts[result.code] = (counts[result.code] ?? 0) + 1
        if (result.person !== undefined) shown.push(result.person.nhsNumber)
        return written(row, result)
      }),
    )
    await options.settled?.(shown)
    done += group.length
    group = []
    options.progress?.(done, counts)
    return answered.join('')
  }
  for await (const row of readCsv(pieces)) {
    if (columns === undefined) {
      ;({ columns, header } = { header: undefined, ...columnsOf(row) })
      if (skip > 0) continue
      yield header === undefined
        ? writeCsvRow(responseColumns)
        : writeCsvRow([header.reference, olderWorkflow, options.stamp, String(header.records), rowCodes.success])
      continue
    }
    if (done + group.length < skip) {
      done++
      continue
    }
    group.push(row)
    if (group.length === rowsAtOnce) yield await answer()
  }
  if (columns === undefined) throw invalid(1, 'the file is empty.')
  if (group.length > 0) yield await answer()
  if (header !== undefined && header.records !== done)
    throw invalid(1, `the header announces ${header.records} records, and there are ${done}.`)
}
