import { readCsv } from '@openspine/standards/csv'
import { isSpineError, SpineError } from '@openspine/standards/error'
import type { RuleDocument } from './contract.ts'
import { cycleIn } from './hierarchy.ts'

/** The files of one version. `version.json` and `job-roles.csv` must be there; each of the others may be absent. */
export const ruleFiles = [
  'version.json',
  'job-roles.csv',
  'areas-of-work.csv',
  'activities.csv',
  'hierarchy.csv',
  'baseline.csv',
] as const
type RuleFile = (typeof ruleFiles)[number]
type Table = Exclude<RuleFile, 'version.json'>

/** Columns that a table must have. Further ones, such as those of an export of somebody's database, are passed over. */
const columns: Readonly<Record<Table, readonly string[]>> = {
  'job-roles.csv': ['code', 'name'],
  'areas-of-work.csv': ['code', 'name'],
  'activities.csv': ['code', 'name'],
  'hierarchy.csv': ['activity', 'includes'],
  'baseline.csv': ['activity', 'job role'],
}

const longestFile = 16 * 1024 * 1024
const mostRows = 500_000
const faultsShown = 50

export interface RuleFault {
  readonly file: string
  /** Absent where the fault is that of the whole file. */
  readonly line?: number
  readonly says: string
}

type Row = { readonly line: number; get(column: string): string }

function refuse(faults: readonly RuleFault[]): SpineError {
  const shown = faults
    .slice(0, faultsShown)
    .map(({ file, line, says }) => `${file}${line === undefined ? '' : `, line ${line}`}: ${says}`)
  const more = faults.length > faultsShown ? ` And ${faults.length - faultsShown} more.` : ''
  return new SpineError(
    'RBAC_RULES_INVALID',
    { faults: faults.slice(0, faultsShown) },
    { explanation: `Nothing was imported. ${shown.join(' ')}${more}` },
  )
}

/** What comes after the last colon: `R8000` of `S8000:G8000:R8000`. */
export const lastSegment = (code: string): string => code.slice(code.lastIndexOf(':') + 1)

const isCode = (text: string) => /^[A-Za-z0-9:._-]{1,64}$/.test(text)

/**
 * Reads and checks the files of one version. Codes that no list knows are kept and later compared literally; cycles
 * among activities, codes that stand twice in a list, and rows without their codes are refused, all faults at once.
 *
 * @throws SpineError `RBAC_RULES_INVALID`
 */
export async function readRuleFiles(files: Readonly<Record<string, string>>): Promise<RuleDocument> {
  const faults: RuleFault[] = []
  const about = versionOf(files['version.json'], faults)
  const table = async (file: Table): Promise<readonly Row[]> => rowsOf(file, files[file], faults)

  const code = (file: Table, row: Row, column: string): string | undefined => {
    const value = row.get(column)
    if (isCode(value)) return value
    const says = value === '' ? `${column} is missing.` : `${column} is no code.`
    faults.push({ file, line: row.line, says })
    return undefined
  }
  const list = <Item extends { readonly code: string }>(
    file: Table,
    rows: readonly Row[],
    item: (row: Row) => Item,
  ) => {
    const seen = new Map<string, Item>()
    for (const row of rows) {
      if (code(file, row, 'code') === undefined) continue
      const read = item(row)
      if (seen.has(read.code)) faults.push({ file, line: row.line, says: `${read.code} stands twice.` })
      seen.set(read.code, read)
    }
    return [...seen.values()]
  }

  const jobRoles = list('job-roles.csv', await table('job-roles.csv'), (row) => ({
    code: lastSegment(row.get('code')),
    name: row.get('name'),
    accessRole: row.get('access role').toLowerCase() === 'yes',
    seenAs: [...row.get('seen as').split(' '), ...(row.get('code').includes(':') ? [row.get('code')] : [])].filter(
      (it) => it !== '',
    ),
  }))
  const areasOfWork = list('areas-of-work.csv', await table('areas-of-work.csv'), (row) => ({
    code: row.get('code'),
    name: row.get('name'),
  }))
  const activities = list('activities.csv', await table('activities.csv'), (row) => {
    const wording = row.get('wording')
    return { code: row.get('code'), name: row.get('name'), ...(wording === '' ? {} : { wording }) }
  })
  const hierarchy: RuleDocument['hierarchy'][number][] = []
  for (const row of await table('hierarchy.csv')) {
    const activity = code('hierarchy.csv', row, 'activity')
    const includes = code('hierarchy.csv', row, 'includes')
    const standing = row.get('standing')
    if (standing !== '' && standing !== 'in force' && standing !== 'published')
      faults.push({ file: 'hierarchy.csv', line: row.line, says: 'standing is neither "in force" nor "published".' })
    if (activity !== undefined && includes !== undefined)
      hierarchy.push({ activity, includes, inForce: standing !== 'published' })
  }
  const cycle = cycleIn(hierarchy)
  if (cycle !== undefined)
    faults.push({ file: 'hierarchy.csv', says: `These activities include each other: ${cycle.join(' → ')}.` })
  const baseline: RuleDocument['baseline'][number][] = []
  for (const row of await table('baseline.csv')) {
    const activity = code('baseline.csv', row, 'activity')
    const named = (column: string) => (row.get(column) === '' ? undefined : code('baseline.csv', row, column))
    const jobRole = named('job role')
    const areaOfWork = named('area of work')
    if (row.get('job role') === '' && row.get('area of work') === '')
      faults.push({ file: 'baseline.csv', line: row.line, says: 'Neither a job role nor an area of work is named.' })
    if (activity === undefined) continue
    baseline.push({
      activity,
      ...(jobRole === undefined ? {} : { jobRole }),
      ...(areaOfWork === undefined ? {} : { areaOfWork }),
    })
  }
  if (faults.length > 0) throw refuse(faults)
  return { ...about, jobRoles, areasOfWork, activities, hierarchy, baseline }
}

function versionOf(
  text: string | undefined,
  faults: RuleFault[],
): { readonly version: string; readonly source: string } {
  const none = { version: '', source: '' }
  const file = 'version.json'
  if (text === undefined) {
    faults.push({ file, says: 'The file is missing: it holds {"version": "…", "source": "…"}.' })
    return none
  }
  let held: unknown
  try {
    held = JSON.parse(text)
  } catch {
    faults.push({ file, says: 'This is not JSON.' })
    return none
  }
  const { version, source } = (typeof held === 'object' && held !== null ? held : {}) as Record<string, unknown>
  if (typeof version !== 'string' || !/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(version)) {
    faults.push({ file, says: 'version has 1 to 64 letters, digits, dots, hyphens and underscores.' })
    return none
  }
  if (typeof source !== 'string' || source.trim() === '' || source.length > 1000) {
    faults.push({ file, says: 'source says in words where the rules come from.' })
    return none
  }
  return { version, source }
}

async function rowsOf(file: Table, text: string | undefined, faults: RuleFault[]): Promise<readonly Row[]> {
  if (text === undefined) {
    if (file === 'job-roles.csv') faults.push({ file, says: 'The file is missing.' })
    return []
  }
  if (text.length > longestFile) {
    faults.push({ file, says: `The file is longer than ${longestFile} characters.` })
    return []
  }
  const rows: Row[] = []
  try {
    let places: ReadonlyMap<string, number> | undefined
    for await (const { line, fields } of readCsv([text])) {
      if (places === undefined) {
        places = new Map(fields.map((name, place) => [name.trim().toLowerCase(), place]))
        const missing = columns[file].filter((name) => !places?.has(name))
        if (missing.length === 0) continue
        faults.push({ file, line, says: `The heading lacks ${missing.join(', ')}.` })
        return []
      }
      if (rows.length >= mostRows) {
        faults.push({ file, line, says: `The file has more than ${mostRows} rows.` })
        return []
      }
      const heading = places
      rows.push({ line, get: (column) => fields[heading.get(column) ?? -1]?.trim() ?? '' })
    }
    if (places === undefined) faults.push({ file, says: 'The file is empty: its first row names the columns.' })
  } catch (error) {
    if (!isSpineError(error) || error.code !== 'CSV_INVALID') throw error
    faults.push({ file, says: error.explanation ?? 'This is not CSV.' })
  }
  return rows
}
