/** Where the specification follows OpenLDAP, a real slapd with the same entries must give the same answers. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { strictTests } from '@openspine/platform/testing'
import {
  filterText,
  oids,
  pagedResults,
  parseDn,
  parseFilter,
  readPage,
  renderDn,
  type Scope,
  spineSchema,
} from '@openspine/standards/ldap'
import { justified } from './testing/differences.ts'
import { Chance, generatedEntries } from './testing/generator.ts'
import { carelessText, type Question, Questions } from './testing/searches.ts'
import { type RunningSlapd, slapdBranches, slapdPath, startSlapd } from './testing/slapd.ts'
import { type Answer, plainClient, type WireClient } from './testing/wire.ts'
import { put, samples, startDirectory, type TestDirectory } from './testing.ts'

const skip = slapdPath !== undefined || strictTests ? false : 'slapd is not installed'
/** Both overridable, so that a finding can be found again, or many more be sought. */
const seed = Number(process.env['OPENSPINE_SLAPD_SEED'] ?? 20_261_125)
const rounds = Number(process.env['OPENSPINE_SLAPD_SEARCHES'] ?? 2500)

const base = 'ou=Services,o=nhs'
type Asked = readonly [base: string, scope: Scope, filter: string, attributes?: readonly string[], sizeLimit?: number]

const searches: readonly Asked[] = [
  [base, 2, '(objectClass=*)', ['1.1']],
  [base, 1, '(objectClass=*)', ['1.1']],
  [base, 0, '(objectClass=*)', ['ou']],
  [base, 3, '(objectClass=*)', ['1.1']],
  ['OU=services , O=NHS', 2, '(nhsIDCode=YES)', ['nhsIDCode', 'NHSMHSPARTYKEY']],
  ['2.5.4.11=services,organizationName=nhs', 2, '(nhsIDCode=YES)', ['1.1']],
  ['ou=nothing,o=nhs', 2, '(objectClass=*)'],
  ['cn=x,ou=nothing,ou=people,o=nhs', 2, '(objectClass=*)'],
  ['o=elsewhere', 2, '(objectClass=*)'],
  ['', 2, '(objectClass=*)'],
  ['', 1, '(objectClass=*)'],
  ['nonsense', 2, '(objectClass=*)'],
  ['o=nhs,', 0, '(objectClass=*)'],
  [base, 2, '(nhsIDCode=  YES )'],
  [base, 2, '(nhsIDCode=yes)'],
  [base, 2, '(nhsMHSPartyKey=yes-0000806)'],
  [base, 2, '(nhsMHSRetries=2)'],
  [base, 2, '(nhsMHSRetries=*)', ['nhsMHSRetries']],
  [base, 2, '(!(nhsMHSRetries=*))', ['1.1']],
  [base, 2, '(!(nhsMHSRetries=2))', ['1.1']],
  [base, 2, '(nhsAsSvcIA=urn:nhs:*)', ['1.1']],
  [base, 2, '(|(nhsAsSvcIA=urn:nhs:*)(nhsIDCode=X26))', ['1.1']],
  [base, 2, '(|(nosuch=1)(nhsIDCode=X26))', ['1.1']],
  [base, 2, '(&(nosuch=1)(nhsIDCode=X26))', ['1.1']],
  [base, 2, '(!(nosuch=1))', ['1.1']],
  [base, 2, '(!(&(nosuch=1)(nhsIDCode=X26)))', ['1.1']],
  [base, 2, '(&)', ['1.1']],
  [base, 2, '(|)', ['1.1']],
  [base, 2, '(nhsProductName~=invented records)', ['1.1']],
  [base, 2, '(nhsIDCode:caseIgnoreMatch:=x26)', ['1.1']],
  [base, 2, '(nhsIDCode:2.5.13.2:=x26)', ['1.1']],
  [base, 2, '(nhsMHSPartyKey:caseExactMatch:=yes-0000806)', ['1.1']],
  ['o=nhs', 2, '(ou:dn:=people)', ['1.1']],
  ['o=nhs', 2, '(objectClass=person)', ['1.1']],
  ['o=nhs', 2, '(objectClass=2.5.6.4)', ['1.1']],
  ['o=nhs', 2, '(objectClass=nosuch)', ['1.1']],
  ['o=nhs', 2, '(objectClass=ORGANIZATION)', ['1.1']],
  ['o=nhs', 2, '(name=invented surgery)', ['name']],
  ['o=nhs', 2, '(cn=a*n*other)', ['cn', 'sn']],
  ['o=nhs', 2, '(cn=*ann*)', ['cn']],
  ['o=nhs', 2, '(cn=ann other*)', ['cn']],
  ['o=nhs', 2, '(uid>=1)', ['1.1']],
  [
    'o=nhs',
    2,
    '(entryDN=ou=services,o=nhs)',
    ['entryDN', 'hasSubordinates', 'structuralObjectClass', 'subschemaSubentry'],
  ],
  ['o=nhs', 2, '(uniqueIdentifier=a99968)', ['@nhsOrg']],
  ['o=nhs', 2, '(uniqueIdentifier=a99968)', ['o', 'O', 'nosuch', '1.1', '2.5.4.17']],
  ['o=nhs', 2, '(uniqueIdentifier=a99968)', ['nosuch']],
  ['o=nhs', 2, '(uniqueIdentifier=a99968)', ['*']],
  ['o=nhs', 2, '(uniqueIdentifier=a99968)', []],
  ['o=nhs', 2, '(objectClass=*)', ['1.1'], 3],
  ['uid=111111111111,ou=people,o=nhs', 2, '(objectClass=*)', ['1.1'], 4],
  ['uid=111111111111,ou=people,o=nhs', 2, '(objectClass=nhsOrgPersonRole)', ['nhsJobRole']],
]

function search(
  from: string,
  scope: Scope,
  filter: string,
  attributes: readonly string[] = [],
  sizeLimit = 0,
): Question & { kind: 'search' } {
  const limits = { derefAliases: 0, sizeLimit, timeLimit: 0, typesOnly: false }
  return {
    kind: 'search',
    request: { op: 'search', base: from, scope, ...limits, filter: parseFilter(filter), attributes },
    pageSize: undefined,
  }
}

const compares: readonly (readonly [entry: string, attribute: string, value: string])[] = [
  ['uniqueIdentifier=200000100101,ou=Services,o=nhs', 'nhsIDCode', 'A99968'],
  ['uniqueIdentifier=200000100101,ou=Services,o=nhs', 'nhsIDCode', 'a99968'],
  ['uniqueIdentifier=200000100101,ou=Services,o=nhs', 'nosuch', 'x'],
  ['uniqueIdentifier=200000100101,ou=Services,o=nhs', 'cn', 'x'],
  ['uniqueIdentifier=200000100101,ou=Services,o=nhs', 'nhsDateApproved', '20260102090000'],
  ['uid=9,ou=People,o=nhs', 'cn', 'x'],
  ['nonsense', 'cn', 'x'],
]

const schema = spineSchema()
const generated = generatedEntries(schema, new Chance(seed))
const entries = [
  ...slapdBranches,
  ...samples.flatMap((change) => (change.kind === 'put' ? [change.entry] : [])),
  ...generated,
]

let running: TestDirectory
let slapd: RunningSlapd
let folder: string
let ours: WireClient
let theirs: WireClient

before(async () => {
  if (skip !== false) return
  assert.ok(slapdPath !== undefined, 'slapd is not installed')
  folder = await mkdtemp(join(tmpdir(), 'openspine-slapd-'))
  running = await startDirectory({ plainPort: 0, strictMatching: true })
  await running.service.contract.apply([...samples, ...generated.map(put)], 'tester', { imported: true })
  slapd = await startSlapd(slapdPath, folder, entries, ['objectClass', 'uniqueIdentifier', 'nhsIDCode'])
  ours = await plainClient(running.plainPort ?? 0)
  theirs = await plainClient(slapd.port)
})
after(async () => {
  ours?.socket.destroy()
  theirs?.socket.destroy()
  await slapd?.stop()
  await running?.close()
  if (folder !== undefined) await rm(folder, { recursive: true, force: true })
})

/**
 * What is compared: ours has a change log that slapd has not, and keeps the order of insertion, which slapd does not.
 * Of answers that a limit cut, the number of entries counts alone.
 */
function shown({ code, matchedDn, entries: found }: Answer) {
  const sorted = found
    .filter(({ dn }) => !/changelog/i.test(dn))
    .map(({ dn, attributes }) => {
      const { entryDN } = attributes
      return {
        dn: oneForm(dn),
        attributes: { ...attributes, ...(entryDN === undefined ? {} : { entryDN: entryDN.map(oneForm) }) },
      }
    })
    .sort((a, b) => (a.dn < b.dn ? -1 : 1))
  return { code, matchedDn: oneForm(matchedDn), entries: code === 4 ? found.length : sorted }
}

/** RFC 4514 §2.4 leaves a server the choice between \\, and \\2C: both are read, and written in one way. */
const oneForm = (dn: string) => renderDn(parseDn(dn))

type Shown = ReturnType<typeof shown>

async function ask(client: WireClient, question: Question): Promise<Shown> {
  if (question.kind === 'compare') {
    const { entry, attribute, value } = question
    return shown(await client.ask({ op: 'compare', entry, attribute, value: Buffer.from(value) }))
  }
  const { request, pageSize } = question
  if (pageSize === undefined) return shown(await client.ask(request))
  const all: Answer['entries'][number][] = []
  let cookie: Uint8Array = Buffer.alloc(0)
  for (;;) {
    const answer = await client.ask(request, [pagedResults({ size: pageSize, cookie }, true)])
    all.push(...answer.entries)
    const control = answer.controls.find(({ oid }) => oid === oids.pagedResults)
    if (control !== undefined) cookie = readPage(control.value).cookie
    if (answer.code !== 0 || control === undefined || cookie.length === 0) return shown({ ...answer, entries: all })
    assert.ok(answer.entries.length <= pageSize)
  }
}

function text(question: Question): string {
  if (question.kind === 'compare') return JSON.stringify(question)
  const { filter, ...rest } = question.request
  return `${filterText(filter)} ${JSON.stringify(rest)}${question.pageSize === undefined ? '' : ` in pages of ${question.pageSize}`}`
}

/** The justified differences that explain two answers; none when nothing does. */
async function reasonsFor(question: Question, mine: Shown, other: Shown): Promise<readonly string[]> {
  const met = justified.filter(
    ({ meets, theirs: code }) => meets(question, schema) && (code === undefined || other.code === code),
  )
  const reworded = met.filter(({ instead }) => instead !== undefined)
  const rewording = reworded.reduce((asked, { instead }) => instead?.(asked) ?? asked, question)
  if (reworded.length > 0 && isDeepStrictEqual(mine, await ask(theirs, rewording)))
    return reworded.map(({ name }) => name)
  return met.filter(({ instead }) => instead === undefined).map(({ name }) => name)
}

/** Asks both; answers what is different without being justified. */
async function difference(question: Question, used: Set<string>): Promise<string | undefined> {
  const [mine, other] = await Promise.all([ask(ours, question), ask(theirs, question)])
  if (isDeepStrictEqual(mine, other)) return undefined
  const reasons = await reasonsFor(question, mine, other)
  if (reasons.length === 0) return `${text(question)}\n  ours:  ${brief(mine, other)}\n  slapd: ${brief(other, mine)}`
  for (const reason of reasons) used.add(reason)
  return undefined
}

/** Only what the other has not, when both are lists. */
function brief(answer: Shown, other: Shown): string {
  const { entries: these } = answer
  const { entries: those } = other
  if (!Array.isArray(these) || !Array.isArray(those)) return JSON.stringify(answer)
  const own = these.filter((entry) => !those.some((each) => isDeepStrictEqual(each, entry)))
  return `${answer.code} "${answer.matchedDn}" ${these.length} entries: ${JSON.stringify(own).slice(0, 300)}`
}

test('chosen searches and compares are answered as OpenLDAP answers them', { skip }, async () => {
  const found: (string | undefined)[] = []
  for (const [from, scope, filter, attributes = [], sizeLimit = 0] of searches) {
    found.push(await difference(search(from, scope, filter, attributes, sizeLimit), new Set()))
  }
  for (const [entry, attribute, value] of compares) {
    found.push(await difference({ kind: 'compare', entry, attribute, value }, new Set()))
  }
  assert.deepEqual(
    found.filter((each) => each !== undefined),
    [],
  )
})

test('binds and controls are answered as OpenLDAP answers them', { skip }, async () => {
  const simple = (version: number, name: string, password: string) =>
    ({ op: 'bind', version, name, authentication: { kind: 'simple', password: Buffer.from(password) } }) as const
  for (const bind of [
    simple(3, '', ''),
    simple(2, '', ''),
    simple(3, 'cn=x,o=nhs', ''),
    simple(3, 'cn=x,o=nhs', 'y'),
    simple(3, 'nonsense', 'y'),
    simple(3, '', 'y'),
  ]) {
    assert.deepEqual(shown(await ours.ask(bind)), shown(await theirs.ask(bind)), JSON.stringify(bind))
  }
  const everything = search(base, 2, '(objectClass=*)', ['nhsIDCode']).request
  for (const controls of [
    [{ oid: '1.2.3.4', critical: true }],
    [{ oid: '1.2.3.4', critical: false }],
    [{ oid: oids.manageDsaIT, critical: true }],
  ]) {
    const [mine, other] = [await ours.ask(everything, controls), await theirs.ask(everything, controls)]
    assert.deepEqual(shown(mine), shown(other), JSON.stringify(controls))
  }
})

test(`${rounds} searches and compares by chance are answered as OpenLDAP answers them`, { skip }, async (t) => {
  t.diagnostic(`seed ${seed}: OPENSPINE_SLAPD_SEED=${seed} OPENSPINE_SLAPD_SEARCHES=${rounds} repeats this run`)
  const chance = new Chance(seed + 1)
  const questions = new Questions(schema, generated, chance)
  const differences: string[] = []
  const used = new Set<string>()
  let answered = 0
  for (let round = 0; round < rounds && differences.length < 20; round++) {
    const question = questions.next()
    if (question.kind === 'search') {
      const { filter } = question.request
      assert.deepEqual(parseFilter(carelessText(filter, chance)), filter)
    }
    const found = await difference(question, used)
    if (found !== undefined) differences.push(`round ${round}: ${found}`)
    answered++
  }
  assert.equal(differences.length, 0, `\n${differences.join('\n')}`)
  assert.equal(answered, rounds)
  t.diagnostic(`justified differences met: ${[...used].join(', ') || 'none'}`)
})

test('every justified difference is one', { skip }, async () => {
  for (const each of justified) {
    const question = search(...each.example)
    const [mine, other] = await Promise.all([ask(ours, question), ask(theirs, question)])
    assert.notDeepEqual(mine, other, `${each.name}: there is no difference any more`)
    assert.ok((await reasonsFor(question, mine, other)).includes(each.name), each.name)
  }
})
