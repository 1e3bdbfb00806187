import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isSpineError } from '@openspine/standards/error'
import fc from 'fast-check'
import type { AccessQuestion, DenyReason, Need, RoleProfile } from './contract.ts'
import { accessChecks, decide } from './decide.ts'
import { closureOf, cycleIn } from './hierarchy.ts'
import { readRuleFiles } from './rule-files.ts'
import { rulesOf } from './rules.ts'
import { ruleFilesIn } from './service.ts'

const builtIn = ruleFilesIn(new URL('data/2026-11-25/', import.meta.url))
const document = await readRuleFiles(builtIn)
const rules = rulesOf(document)

const roles: readonly RoleProfile[] = [
  { id: '555110000001', odsCode: 'A20047', jobRole: 'S8000:G8000:R8000', activities: ['B0825'] },
  { id: '555110000002', odsCode: 'X26', jobRole: 'S8001:G8002:R8008', areasOfWork: ['P0010:Q0010:T0010'] },
  { id: '555110000003', odsCode: 'X26', jobRole: 'S8000:G8000:R8004' },
]
const [doctor, clerk, student] = ['555110000001', '555110000002', '555110000003']
const ask = (selectedRoleId: string | undefined, need: Need, rest: Partial<AccessQuestion> = {}) =>
  decide(rules, { roles, selectedRoleId, need, ...rest })

describe('the rules that come with the software', () => {
  it('hold all 392 job roles, the access roles, and activities for every code of the other files', () => {
    assert.equal(document.jobRoles.length, 392)
    assert.equal(document.jobRoles.filter(({ accessRole }) => accessRole).length, 19)
    for (const { name, accessRole } of document.jobRoles) assert.equal(name.endsWith(' Access Role'), accessRole, name)
    const jobRoles = new Set(document.jobRoles.map(({ code }) => code))
    const activities = new Set(document.activities.map(({ code }) => code))
    for (const { activity, jobRole } of document.baseline) {
      assert.ok(activities.has(activity), activity)
      assert.ok(jobRole !== undefined && jobRoles.has(jobRole), jobRole)
    }
    for (const { activity, includes } of document.hierarchy)
      assert.ok(activities.has(activity) && activities.has(includes), `${activity} ${includes}`)
  })

  /** Job role, given activities, asked activity → the activity by which the role has it. */
  const rows: readonly [string, readonly string[], string, string | undefined][] = [
    ['R8000', [], 'B8029', 'B8029'],
    ['R8000', [], 'B0380', 'B8028'],
    ['R8000', [], 'B0360', 'B1694'],
    ['R8000', [], 'B0278', 'B0420'],
    ['R8000', [], 'B0820', undefined],
    ['R8000', ['B0825'], 'B0820', 'B0825'],
    ['R8000', ['B0820'], 'B0825', undefined],
    ['R8002', [], 'B8028', 'B8028'],
    ['R8002', [], 'B8029', undefined],
    ['R8001', [], 'B0380', 'B0380'],
    ['R8001', [], 'B8028', undefined],
    ['R8004', [], 'B0570', 'B0570'],
    ['R8004', [], 'B0572', undefined],
    ['R8003', [], 'B0570', 'B0572'],
    ['R0260', [], 'B0401', 'B0401'],
    // The wider tree of B0401 is published and not in force.
    ['R8004', ['B0360'], 'B0401', undefined],
    ['R8009', ['B0055'], 'B0790', 'B0055'],
    ['R8009', ['B0064'], 'B1693', 'B0064'],
    ['R8009', ['B0071'], 'B0360', 'B0071'],
    ['R8009', ['B0360'], 'B0071', undefined],
    ['R9999', [], 'B0380', undefined],
    ['R9999', ['LOCAL-1'], 'LOCAL-1', 'LOCAL-1'],
    ['S0010:G0020:R0260', [], 'B0420', 'B0420'],
  ]
  for (const [jobRole, activities, activity, held] of rows)
    it(`${jobRole}${activities.length > 0 ? ` with ${activities}` : ''} ${held ? `has ${activity} by ${held}` : `lacks ${activity}`}`, () => {
      assert.equal(rules.grant({ jobRole, activities }, activity)?.held, held)
      const explained = rules.explain({ jobRole, activities }, activity)
      assert.equal(explained.allowed, held !== undefined)
      if (held !== undefined) assert.deepEqual([explained.path?.[0], explained.path?.at(-1)], [held, activity])
    })

  it('tell of published edges that grant nothing', () => {
    assert.ok(rules.explain({ jobRole: 'R8004', activities: ['B0360'] }, 'B0401').notInForce.includes('B0360'))
  })
})

describe('decide', () => {
  const consent: Need = { all: ['B0020', { any: ['B0380', 'B8028', 'B8029'] }] }
  /** Selected role, need, what else is known → reason, or undefined where it is allowed. */
  const rows: readonly [string | undefined, Need, Partial<AccessQuestion>, DenyReason | undefined][] = [
    [doctor, { any: ['B0820'] }, {}, undefined],
    [doctor, { all: ['B0820', 'B8029'] }, {}, undefined],
    [doctor, { all: ['B0820', 'B0570'] }, {}, 'not-permitted'],
    [doctor, { any: ['B0820', 'B0570'] }, {}, undefined],
    [doctor, consent, {}, 'not-permitted'],
    [doctor, consent, { roles: [{ ...(roles[0] as RoleProfile), activities: ['B0020'] }] }, undefined],
    [doctor, {}, {}, 'not-permitted'],
    [doctor, { any: [] }, {}, 'not-permitted'],
    [doctor, { all: [] }, {}, undefined],
    [undefined, { all: [] }, {}, 'role-not-selected'],
    ['', { all: [] }, {}, 'role-not-selected'],
    ['555110000009', { all: [] }, {}, 'role-unknown'],
    [doctor, { all: [] }, { roles: [roles[0] as RoleProfile, roles[0] as RoleProfile] }, 'role-ambiguous'],
    // Never the union of all roles: the clerk's other role may, this one may not.
    [clerk, { any: ['B0825'] }, {}, 'not-permitted'],
    [student, { any: ['B0572'] }, {}, 'not-permitted'],
    [doctor, { any: ['R8000'] }, {}, undefined],
    [doctor, { any: ['S8000:G8000:R8000'] }, {}, undefined],
    [doctor, { any: ['S0010:G0010:R8000'] }, {}, 'not-permitted'],
    [doctor, { any: ['S8000:G8000:R8000'] }, { roles: [{ id: String(doctor), jobRole: 'R8000' }] }, 'not-permitted'],
    [clerk, { any: ['T0010'] }, {}, undefined],
    [clerk, { any: ['P0010:Q0010:T0010'] }, {}, undefined],
    [clerk, { any: ['P0020:Q0010:T0010'] }, {}, 'not-permitted'],
    [doctor, { any: ['T0010'] }, {}, 'not-permitted'],
    [doctor, { all: [], sameOrganisation: true }, { orgCode: 'a20047' }, undefined],
    [doctor, { all: [], sameOrganisation: true }, { orgCode: 'X26' }, 'organisation-differs'],
    [doctor, { all: [], sameOrganisation: true }, {}, 'organisation-differs'],
    [doctor, { all: [] }, { orgCode: 'X26' }, undefined],
    [doctor, { all: [], minimumLevel: 3 }, { level: 3 }, undefined],
    [doctor, { all: [], minimumLevel: 3 }, { level: 2 }, 'level-too-low'],
    [doctor, { all: [], minimumLevel: 3 }, {}, 'level-too-low'],
    [doctor, { all: [], minimumLevel: 1 }, { level: Number.NaN }, 'level-too-low'],
    [doctor, { all: [] }, { mode: 'training' }, 'training-mode'],
    [doctor, { all: [], data: 'training' }, { mode: 'training' }, undefined],
    [doctor, { all: [], data: 'training' }, { mode: 'live' }, undefined],
  ]
  for (const [selected, need, rest, reason] of rows)
    it(`${selected} ${JSON.stringify(need)} ${JSON.stringify(rest).slice(0, 60)} → ${reason ?? 'allowed'}`, () => {
      const decision = ask(selected, need, rest)
      assert.equal(decision.allowed ? undefined : decision.reason, reason)
      assert.equal(decision.version, 'published-2026-11-25')
      if (!decision.allowed) assert.match(decision.explanation, /\.$/)
    })

  it('has every check failed by some row, in the order of the list', () => {
    for (const { name } of accessChecks)
      assert.ok(
        rows.some(([, , , reason]) => reason === name),
        name,
      )
    const everything = ask(undefined, { any: [], sameOrganisation: true, minimumLevel: 3 }, { mode: 'training' })
    assert.equal(!everything.allowed && everything.reason, accessChecks[0]?.name)
  })

  it('says by what it was allowed, and what is missing', () => {
    const allowed = ask(doctor, consent, { roles: [{ ...(roles[0] as RoleProfile), activities: ['B0020'] }] })
    assert.deepEqual(allowed.allowed && allowed.grants, [
      { activity: 'B0020', held: 'B0020', by: 'given' },
      { activity: 'B0380', held: 'B8028', by: 'baseline' },
    ])
    const denied = ask(student, consent)
    assert.deepEqual(!denied.allowed && denied.missing, ['B0020', 'B0380', 'B8028', 'B8029'])
  })
})

describe('rules as files', () => {
  const small = {
    'version.json': '{"version":"t1","source":"Invented for a test."}',
    'job-roles.csv': 'code,name\nS0001:G0001:R0001,"One, and only"\n',
    'baseline.csv': 'activity,job role,area of work\nB1,R0001,T0001\nB2,,T0002\nB3,S0001:G0001:R0001,\n',
  }

  it('take areas of work into account, alone and beside a job role', async () => {
    const own = rulesOf(await readRuleFiles(small))
    const has = (jobRole: string, areasOfWork: readonly string[]) =>
      ['B1', 'B2', 'B3'].filter((code) => own.grant({ jobRole, areasOfWork }, code) !== undefined).join(' ')
    assert.equal(has('S0009:G0009:R0001', []), '')
    assert.equal(has('S0009:G0009:R0001', ['P1:Q1:T0001']), 'B1')
    assert.equal(has('R0002', ['P1:Q1:T0001', 'T0002']), 'B2')
    assert.equal(has('S0001:G0001:R0001', ['T0001', 'T0002']), 'B1 B2 B3')
    assert.deepEqual(own.document.jobRoles[0], {
      code: 'R0001',
      name: 'One, and only',
      accessRole: false,
      seenAs: ['S0001:G0001:R0001'],
    })
  })

  /** What is changed in the files → what the refusal says. */
  const rows: readonly [Readonly<Record<string, string | undefined>>, RegExp][] = [
    [{ 'version.json': undefined }, /version\.json: The file is missing/],
    [{ 'version.json': '[]' }, /version\.json: version has/],
    [{ 'version.json': 'x' }, /not JSON/],
    [{ 'version.json': '{"version":"a b","source":"x"}' }, /version has/],
    [{ 'version.json': '{"version":"a"}' }, /source says/],
    [{ 'job-roles.csv': undefined }, /job-roles\.csv: The file is missing/],
    [{ 'job-roles.csv': '' }, /job-roles\.csv: The file is empty/],
    [{ 'job-roles.csv': 'code,title\nR0001,x\n' }, /line 1: The heading lacks name/],
    [{ 'job-roles.csv': 'code,name\nR0001,x\nR0001,y\n' }, /line 3: R0001 stands twice/],
    [{ 'job-roles.csv': 'code,name\nR0001,"x\n' }, /ends within a quoted field/],
    [{ 'activities.csv': 'code,name\n,x\n' }, /activities\.csv, line 2: code is missing/],
    [{ 'activities.csv': 'code,name\nB 1,x\n' }, /line 2: code is no code/],
    [{ 'hierarchy.csv': 'activity,includes\nB1,B2\nB2,B3\nB3,B1\n' }, /include each other: B1 → B2 → B3 → B1/],
    [{ 'hierarchy.csv': 'activity,includes\nB1,B1\n' }, /B1 → B1/],
    [{ 'hierarchy.csv': 'activity,includes,standing\nB1,B2,perhaps\n' }, /standing is neither/],
    [{ 'baseline.csv': 'activity,job role\nB1,\n' }, /line 2: Neither a job role/],
  ]
  for (const [files, says] of rows)
    it(`are refused: ${JSON.stringify(files).slice(0, 80)}`, async () => {
      const given = Object.entries({ ...small, ...files }).filter(([, text]) => text !== undefined)
      await assert.rejects(
        readRuleFiles(Object.fromEntries(given) as Record<string, string>),
        (error) => isSpineError(error) && error.code === 'RBAC_RULES_INVALID' && says.test(String(error.explanation)),
      )
    })

  it('name all faults at once', async () => {
    await assert.rejects(
      readRuleFiles({ ...small, 'activities.csv': 'code,name\n,x\n,y\n', 'baseline.csv': 'activity,job role\n,\n' }),
      (error) => isSpineError(error) && (error.outcome as { faults: unknown[] }).faults.length === 4,
    )
  })
})

describe('hierarchy', () => {
  const code = fc.integer({ min: 0, max: 11 })
  const edge = fc.record({ activity: code.map((it) => `B${it}`), includes: code.map((it) => `B${it}`) })

  it('has a closure that is what walking finds, and a cycle exactly where something includes itself', () => {
    fc.assert(
      fc.property(fc.array(edge, { maxLength: 25 }), (edges) => {
        const reaches = (from: string, seen = new Set<string>()): Set<string> => {
          for (const { activity, includes } of edges)
            if (activity === from && !seen.has(includes)) reaches(includes, seen.add(includes))
          return seen
        }
        const codes = [...new Set(edges.flatMap(({ activity, includes }) => [activity, includes]))]
        const cycle = cycleIn(edges)
        assert.equal(
          cycle !== undefined,
          codes.some((each) => reaches(each).has(each)),
        )
        const closure = closureOf(edges)
        for (const asked of codes) {
          const enough = new Set([asked, ...codes.filter((held) => reaches(held).has(asked))])
          assert.deepEqual(new Set(closure.enoughFor(asked)), enough)
          for (const held of codes) assert.equal(closure.path(held, asked) !== undefined, enough.has(held))
        }
      }),
    )
  })

  it('may be deep', () => {
    const chain = Array.from({ length: 20_000 }, (_, i) => ({ activity: `B${i + 1}`, includes: `B${i}` }))
    assert.equal(cycleIn(chain), undefined)
    assert.equal(cycleIn([...chain, { activity: 'B0', includes: 'B20000' }])?.length, 20_002)
  })
})
