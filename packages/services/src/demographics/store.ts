import type { Store } from '@openspine/platform/store'
import type { Criteria } from './criteria.ts'
import { foldName, namePieces } from './fold.ts'
import { keysOf, type PersonKeys } from './keys.ts'
import { type Sensitivity, type Status, type StoredPerson, snippetKind } from './person.ts'
import { statementShapes } from './shapes.ts'
import { sharedReads } from './shared-reads.ts'
import { shortForms } from './short-forms.ts'
import { soundex } from './soundex.ts'
import { afterPrefix, isWild, likePattern, type Pattern } from './wildcard.ts'

/** A statement and its values, as they go to the driver. */
export interface Statement {
  readonly text: string
  readonly values: readonly unknown[]
}

/** One row of the block that a fuzzy search sifts. */
export interface NameRow {
  readonly nhs: number
  readonly family: string
  readonly given: string
  readonly sound: string
}

/** People as rows. Numbers of people are plain integers here, ten digits with zeros in front elsewhere. */
export interface PersonStore {
  find(nhsNumber: string): Promise<StoredPerson | undefined>
  findAll(numbers: readonly number[]): Promise<StoredPerson[]>
  /** Rows of {@link plainStatement}, up to `limit`. */
  plainCandidates(criteria: Criteria, limit: number, distinct: boolean): Promise<number[]>
  /** Every name of people born on one day, or undefined when there are more than `limit`. */
  nameBlock(day: number, limit: number): Promise<NameRow[] | undefined>
  /** People whose names sound as asked, or with the postcode, born within the range; undefined when more than `limit`. */
  soundCandidates(criteria: Criteria, limit: number): Promise<number[] | undefined>
  /** Numbers among these that are there already. */
  existing(numbers: readonly number[]): Promise<Set<number>>
  /** Writes keys first and people last: who is there is complete. Answers the number of people written. */
  insert(people: readonly StoredPerson[]): Promise<number>
  count(): Promise<number>
  /** Numbers of the records that were merged into one of these, themselves and by no way of others. */
  mergedInto(numbers: readonly string[]): Promise<string[]>
  /** People with higher numbers than this one, in order, up to `limit`. */
  after(nhs: number, limit: number): Promise<StoredPerson[]>
}

const personColumns = 'nhs, version, status, superseded_by, sensitivity, as_is, document, past, beside'
const findStatement = `select ${personColumns} from demographics.person where nhs = any($1::bigint[])`

export function personStore(store: Store): PersonStore {
  const { pool } = store
  const shaped = statementShapes(store)
  // Met before all searches, so that it has a name whatever they are.
  const findShape = shaped(findStatement)

  const read = async (numbers: readonly number[]): Promise<StoredPerson[]> => {
    const { rows } = await pool.query<PersonRow>({ ...findShape, values: [numbers] })
    return rows.map(personOfRow)
  }

  const find = sharedReads(read)

  const numbersOf = async ({ text, values }: Statement): Promise<number[]> => {
    const { rows } = await pool.query<{ nhs: number | string }>({ ...shaped(text), values: [...values] })
    return rows.map(({ nhs }) => Number(nhs))
  }

  return {
    find,
    async findAll(numbers) {
      const found = await Promise.all(numbers.map((number) => find(tenDigits(number))))
      return found.filter((person) => person !== undefined)
    },
    plainCandidates: (criteria, limit, distinct) => numbersOf(plainStatement(criteria, limit, distinct)),
    async nameBlock(day, limit) {
      const { text, values } = blockStatement(day, limit + 1)
      const { rows } = await pool.query<{ nhs: number | string; family: string; given: string; family_sound: string }>({
        ...shaped(text),
        values: [...values],
      })
      if (rows.length > limit) return undefined
      return rows.map(({ nhs, family, given, family_sound }) => ({
        nhs: Number(nhs),
        family,
        given,
        sound: family_sound,
      }))
    },
    async soundCandidates(criteria, limit) {
      const found = new Set<number>()
      for (const statement of soundStatements(criteria, limit + 1)) {
        const numbers = await numbersOf(statement)
        if (numbers.length > limit) return undefined
        for (const number of numbers) found.add(number)
      }
      return [...found]
    },
    async existing(numbers) {
      return new Set(
        await numbersOf({
          text: 'select nhs from demographics.person where nhs = any($1::bigint[])',
          values: [numbers],
        }),
      )
    },
    insert: (people) => insert(store, people),
    async count() {
      const { rows } = await pool.query<{ count: number | string }>('select count(*) from demographics.person')
      return Number(rows[0]?.count)
    },
    async mergedInto(numbers) {
      const text = 'select nhs from demographics.person where superseded_by = any($1::bigint[]) order by nhs'
      return (await numbersOf({ text, values: [numbers.map(Number)] })).map(tenDigits)
    },
    async after(nhs, limit) {
      const { text, values } = pageStatement(nhs, limit)
      const { rows } = await pool.query<PersonRow>({ text, values: [...values] })
      return rows.map(personOfRow)
    },
  }
}

interface PersonRow {
  readonly nhs: number | string
  readonly version: number
  readonly status: Status
  readonly superseded_by: number | string | null
  readonly sensitivity: Sensitivity
  readonly as_is: boolean
  readonly document: string
  readonly past: string | null
  readonly beside: string | null
}

/** The number as it is written, with its zeros in front. */
export const tenDigits = (nhs: number | string) => String(nhs).padStart(10, '0')

function personOfRow(row: PersonRow): StoredPerson {
  return {
    nhsNumber: tenDigits(row.nhs),
    version: row.version,
    status: row.status,
    ...(row.superseded_by === null ? {} : { supersededBy: tenDigits(row.superseded_by) }),
    sensitivity: row.sensitivity,
    asIs: row.as_is,
    document: row.document,
    ...(row.past === null ? {} : { past: row.past }),
    ...(row.beside === null ? {} : { beside: row.beside }),
  }
}

/**
 * The people whom a plain search finds, exactly as {@link match} would judge them, so that reading may stop
 * early. Not distinct by default: distinct would read everything before it answers.
 */
export function plainStatement(criteria: Criteria, limit: number, distinct: boolean): Statement {
  const values: unknown[] = []
  const value = (given: unknown) => `$${values.push(given)}`
  const text = (given: string) => `${value(given)}::text`
  const pattern = (column: string, asked: Pattern) => {
    const first = asked.pieces[0] ?? ''
    return isWild(asked)
      ? `${column} >= ${text(first)} and ${column} < ${text(afterPrefix(first))} and ${column} like ${text(likePattern(asked))}`
      : `${column} = ${text(first)}`
  }
  const days = (column: string, { from, to }: { readonly from: number; readonly to: number }) =>
    from === to
      ? `${column} = ${value(from)}::integer`
      : `${column} between ${value(from)}::integer and ${value(to)}::integer`
  const where = [days('k.birth', criteria.birth)]
  if (criteria.family) where.push(pattern('k.family', criteria.family.pattern))
  if (!criteria.history) where.push(`k.kind < ${snippetKind.historic}`)
  const plainGiven = criteria.given
    .filter(({ pattern: asked }) => !isWild(asked))
    .map(({ pattern: asked }) => asked.pieces[0] ?? '')
  if (plainGiven.length > 0)
    where.push(`(string_to_array(k.given, ' '))[1:${criteria.given.length}] @> ${value(plainGiven)}::text[]`)
  for (const { pattern: asked } of criteria.given)
    if (isWild(asked)) where.push(`replace(k.given, ' ', '') like ${text(likePattern(asked))}`)
  if (criteria.gender !== undefined) where.push(`k.gender = ${text(criteria.gender)}`)
  if (criteria.postcode) {
    const kinds = criteria.history ? `in (${snippetKind.main}, ${snippetKind.historic})` : `= ${snippetKind.main}`
    where.push(
      `exists (select 1 from demographics.address_key a where a.nhs = k.nhs and a.birth = k.birth and a.kind ${kinds} and ${pattern('a.postcode', criteria.postcode)})`,
    )
  }
  if (criteria.gp !== undefined || criteria.death) {
    const person = ['p.nhs = k.nhs']
    if (criteria.gp !== undefined) person.push(`p.gp = ${text(criteria.gp)}`)
    if (criteria.death) person.push(days('p.death', criteria.death))
    where.push(`exists (select 1 from demographics.person p where ${person.join(' and ')})`)
  }
  for (const kind of ['phone', 'email'] as const) {
    const asked = criteria[kind]
    if (asked === undefined) continue
    const current = criteria.history ? '' : ' and t.is_current'
    where.push(
      `exists (select 1 from demographics.telecom_key t where t.nhs = k.nhs and t.kind = '${kind}' and t.value = ${text(asked)}${current})`,
    )
  }
  return {
    text: `select ${distinct ? 'distinct ' : ''}k.nhs from demographics.name_key k where ${where.join(' and ')} limit ${value(limit)}`,
    values,
  }
}

/** People in the order of their numbers, for an export. */
export function pageStatement(after: number, limit: number): Statement {
  return {
    text: `select ${personColumns} from demographics.person where nhs > $1::bigint order by nhs limit $2`,
    values: [after, limit],
  }
}

export function blockStatement(day: number, limit: number): Statement {
  return {
    text: 'select nhs, family, given, family_sound from demographics.name_key where birth = $1::integer limit $2',
    values: [day, limit],
  }
}

/** For a fuzzy search over a range of birth dates: by sound (as written and swapped), and by postcode. */
export function soundStatements(criteria: Criteria, limit: number): Statement[] {
  const { from, to } = criteria.birth
  const statements: Statement[] = []
  const family = criteria.family?.pattern.pieces[0] ?? ''
  const given = givenSounds(criteria)
  if (family !== '') {
    const sounds = (first: readonly string[], others: readonly string[]) =>
      statements.push({
        text: `select distinct nhs from demographics.name_key where family_sound = any($1::text[]) and birth between $2::integer and $3::integer${
          others.length > 0 ? ' and given_sounds like any($5::text[])' : ''
        } limit $4`,
        values: [first, from, to, limit, ...(others.length > 0 ? [others.map((sound) => `%${sound}%`)] : [])],
      })
    sounds([soundex(family)], given)
    if (given.length > 0) sounds(given, [...soundsOfGiven(family)])
  }
  if (criteria.postcode)
    statements.push({
      text: 'select distinct nhs from demographics.address_key where postcode = $1::text and birth between $2::integer and $3::integer limit $4',
      values: [criteria.postcode.pieces[0] ?? '', from, to, limit],
    })
  return statements
}

function givenSounds(criteria: Criteria): string[] {
  const names = criteria.given.flatMap(({ text }) => [foldName(text), ...namePieces(text)])
  return [...new Set(names.flatMap((name) => [...soundsOfGiven(name)]))]
}

function soundsOfGiven(folded: string): Set<string> {
  return new Set([folded, ...shortForms(folded)].map(soundex).filter((sound) => sound !== ''))
}

/** Columns of the tables of people, in the order of their rows. */
export const columns = {
  person: [
    ['nhs', 'bigint'],
    ['version', 'integer'],
    ['status', 'text'],
    ['superseded_by', 'bigint'],
    ['sensitivity', 'text'],
    ['death', 'integer'],
    ['gp', 'text'],
    ['as_is', 'boolean'],
    ['document', 'text'],
    ['past', 'text'],
    ['beside', 'text'],
  ],
  name_key: [
    ['nhs', 'bigint'],
    ['item', 'smallint'],
    ['kind', 'smallint'],
    ['birth', 'integer'],
    ['gender', 'text'],
    ['family', 'text'],
    ['given', 'text'],
    ['family_sound', 'text'],
    ['given_sounds', 'text'],
  ],
  address_key: [
    ['nhs', 'bigint'],
    ['item', 'smallint'],
    ['kind', 'smallint'],
    ['birth', 'integer'],
    ['postcode', 'text'],
  ],
  telecom_key: [
    ['nhs', 'bigint'],
    ['item', 'smallint'],
    ['kind', 'text'],
    ['value', 'text'],
    ['is_current', 'boolean'],
  ],
} as const

/**
 * Straight into the table, which is several times faster than looking at every row first; the slow way only
 * when keys are there already, from a load that was cut off or that runs at the same time elsewhere.
 */
async function load(store: Store, table: keyof typeof columns, rows: readonly (readonly unknown[])[]): Promise<number> {
  const into = { schema: 'demographics', table, columns: columns[table].map(([name, type]) => ({ name, type })) }
  try {
    return await store.load(into, rows)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === uniqueViolation)) throw error
    return store.load({ ...into, ignoreExisting: true }, rows)
  }
}

const uniqueViolation = '23505'

async function insert(store: Store, people: readonly StoredPerson[]): Promise<number> {
  const keyed = people.map((person) => [person, keysOf(person)] as const)
  await Promise.all(
    (['name_key', 'address_key', 'telecom_key'] as const).map((table) => load(store, table, keyRows(table, keyed))),
  )
  return load(
    store,
    'person',
    keyed.map(([person, keys]) => [
      Number(person.nhsNumber),
      person.version,
      person.status,
      person.supersededBy === undefined ? null : Number(person.supersededBy),
      person.sensitivity,
      keys?.death ?? null,
      keys?.gp ?? null,
      person.asIs,
      person.document,
      person.past ?? null,
      person.beside ?? null,
    ]),
  )
}

function keyRows(
  table: KeyTable,
  keyed: Iterable<readonly [StoredPerson, PersonKeys | undefined]>,
): (readonly unknown[])[] {
  const rows: (readonly unknown[])[] = []
  for (const [person, keys] of keyed) {
    if (!keys) continue
    for (const [item, row] of keyRowsOf(table, keys).entries()) rows.push([Number(person.nhsNumber), item, ...row])
  }
  return rows
}

type KeyTable = 'name_key' | 'address_key' | 'telecom_key'

/** Rows of one person in a table of keys, without the number and the item. */
export function keyRowsOf(table: KeyTable, keys: PersonKeys): (readonly unknown[])[] {
  const { birth, gender } = keys
  switch (table) {
    case 'name_key':
      return keys.names.map(({ kind, family, given, familySound, givenSounds }) => [
        kind,
        birth,
        gender,
        family,
        given,
        familySound,
        givenSounds,
      ])
    case 'address_key':
      return keys.addresses.map(({ kind, postcode }) => [kind, birth, postcode])
    case 'telecom_key':
      return keys.telecoms.map(({ kind, value, current }) => [kind, value, current])
  }
}
