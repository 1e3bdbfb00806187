/** `openspine practice` as a user meets it: populations go in whole or not at all, and faults say where they are. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { workedExample } from '@openspine/practice'
import { Environment } from './openspine-process.ts'

let environment: Environment
before(async () => {
  environment = await Environment.create()
})
after(() => environment?.remove())

test('openspine practice load', async () => {
  const at = (...path: readonly string[]) => join(environment.dataDir, ...path)
  writeFileSync(at('practice.json'), JSON.stringify(workedExample({ asid: '200000100001', today: '2026-11-20' })))
  const made = await environment.run('practice', 'load', at('practice.json'), '--format', 'practice-file')
  assert.equal(made.code, 0, made.stderr)
  assert.match(made.stdout, /^1 practices with \d+ patients loaded\n$/)

  mkdirSync(at('people'))
  writeFileSync(at('people', 'patients.csv'), 'nhsNumber,family,birthDate\n9990548609,Testcase,1980-02-29\n')
  writeFileSync(
    at('people', 'problems.csv'),
    'nhsNumber,entry,status\n9990548609,Asthma,active\n9990548608,Gout,active\n',
  )
  const refused = await environment.run('practice', 'load', at('people'), '--practice', 'A20047')
  assert.equal(refused.code, 3, refused.stderr)
  assert.match(refused.stdout, /nothing was written/)
  assert.match(refused.stdout, /problems\.csv:3 nhsNumber is no NHS number/)
  assert.ok(!refused.stdout.includes('9990548608'))

  writeFileSync(at('people', 'problems.csv'), 'nhsNumber,entry,status\n9990548609,Asthma,active\n')
  const loaded = await environment.run('practice', 'load', at('people'), '--practice', 'a20047', '--complete', '--json')
  assert.equal(loaded.code, 0, loaded.stderr)
  const { written, patients, resources } = JSON.parse(loaded.stdout)
  assert.deepEqual([written, patients, resources], [true, 1, { patients: 1, problems: 1 }])

  writeFileSync(
    at('people', 'patients.csv'),
    'nhsNumber,family,birthDate,practice\n9990548609,Testcase,1980-02-29,A20047\n9990100004,Sample,1990-01-01,C81001\n',
  )
  const parted = await environment.run('practice', 'load', at('people'))
  assert.equal(parted.code, 3, parted.stderr)
  assert.match(parted.stdout, /practices that are not there.*\n\s+C81001\s+1 patients/)

  const list = await environment.run('practice', 'list', '--json')
  assert.deepEqual(
    JSON.parse(list.stdout).map(({ odsCode, patients: n }: { odsCode: string; patients: number }) => [odsCode, n]),
    [['A20047', 1]],
  )
})

const misused: readonly (readonly [RegExp, ...(readonly string[])])[] = [
  [/no file or folder/, 'no-such-folder', '--practice', 'A20047'],
  [/do not go together/, 'x.csv', '--practice', 'A20047', '--complete', '--keep-going'],
]
for (const [says, ...args] of misused)
  test(`openspine practice load ${args.join(' ')} ends with 2`, async () => {
    const ran = await environment.run('practice', 'load', ...args)
    assert.equal(ran.code, 2, ran.stdout)
    assert.match(ran.stderr, says)
  })
