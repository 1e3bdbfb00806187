/** The commands of a consumer of GP Connect 1.x against a small fake practice. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it, type TestContext } from 'node:test'
import { nhsNumber, practiceServer } from '@openspine/client/testing/practice'
import { CommanderError } from 'commander'
import { openspineProgram } from '../program.ts'
import { exitCode } from '../terminal.ts'
import { consumerCommands } from './consumer.ts'

let folder: string

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'openspine-consumer-'))
  writeFileSync(join(folder, 'any.pem'), 'the fakes speak without TLS\n')
})
after(() => rmSync(folder, { recursive: true }))

/** What a command prints and ends with, without a process of its own: starting one takes longer than all its work. */
async function runCommand(t: TestContext, args: readonly string[]) {
  const printed = { stdout: '', stderr: '' }
  const capture = (name: 'stdout' | 'stderr') => {
    const write = process[name].write.bind(process[name])
    return t.mock.method(process[name], 'write', (piece: string | Uint8Array, ...rest: []) => {
      // The test runner reports in bytes.
      if (typeof piece !== 'string') return write(piece, ...rest)
      printed[name] += piece
      return true
    })
  }
  const captures = [capture('stdout'), capture('stderr')]
  let code: number = exitCode.done
  try {
    const program = openspineProgram((error) => {
      throw error
    })
    consumerCommands(program)
    await program.parseAsync(args, { from: 'user' })
    code = Number(process.exitCode ?? exitCode.done)
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    code = error.exitCode === 0 ? exitCode.done : exitCode.usage
  } finally {
    for (const one of captures) one.mock.restore()
    process.exitCode = 0
  }
  return { code, ...printed }
}

async function practice(t: TestContext) {
  const fake = await practiceServer(t)
  const pem = join(folder, 'any.pem')
  const client = {
    pdsUrl: fake.settings.pdsUrl,
    directoryUrl: fake.settings.directoryUrl,
    proxyUrl: fake.settings.proxyUrl,
    caFile: pem,
    certificateFile: pem,
    keyFile: pem,
  }
  const sets = Object.entries({
    dataDir: join(folder, 'data'),
    ...Object.fromEntries(Object.entries(client).map(([name, value]) => [`client.${name}`, value])),
  })
  const run = (...args: readonly string[]) =>
    runCommand(t, [...args, ...sets.flatMap(([name, value]) => ['--set', `${name}=${value}`])])
  return { ...fake, run }
}

describe('openspine record --structured', () => {
  it('prints lists by area with warnings, empty reasons and differences, and nothing that steers a terminal', async (t) => {
    const { run, seen } = await practice(t)
    const ran = await run('record', nhsNumber, '--structured', '--include', 'allergies,medication,problems')
    assert.equal(ran.code, 0, ran.stderr)
    assert.deepEqual(ran.stdout.replace(/https:.*\n$/, '').split('\n'), [
      '≠ birth date: demographics say 1980-03-01, the practice says 1980-02-29',
      '! incomplete: includeDiaryEntries is an unrecognised parameter',
      'Testcase, Arlo   999 054 8609   born 1980-02-29   male',
      '',
      'Medications and medical devices  1',
      '  ! confidential-items',
      '  Items excluded due to confidentiality and/or patient preferences.',
      '  2025-01-02  Inventedicin 5 mg tablets  one a day, with food  active',
      '',
      'Allergies and adverse reactions  1',
      '  2019-05-06  Allergy to \ufffd[31minvented nuts  Rash, severe',
      '',
      'Ended allergies  1',
      '  2001-01-01  Allergy to invented dust    ended 2010-03-04: grew out of it',
      '',
      'Problems  0',
      '  Information not available',
      '  No Content Recorded',
      '',
    ])
    const names = JSON.parse(seen[0]?.text ?? '').parameter.map(({ name }: { name: string }) => name)
    assert.deepEqual(names, ['patientNHSNumber', 'includeAllergies', 'includeMedication', 'includeProblems'])
  })

  it('saves and prints FHIR JSON, also when it travelled as XML', async (t) => {
    const { run } = await practice(t)
    const file = join(folder, 'record.json')
    const ran = await run(
      'record',
      nhsNumber,
      '--structured',
      '--json',
      '--save',
      file,
      '--format',
      'xml',
      '--practice',
      'A20047',
    )
    assert.equal(ran.code, 0, ran.stderr)
    const printed = JSON.parse(ran.stdout)
    assert.equal(printed.complete, false)
    assert.equal(printed.bundle.resourceType, 'Bundle')
    assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), printed.bundle)
  })

  it('says what cannot be asked together, and which areas there are', async (t) => {
    const { run } = await practice(t)
    for (const [args, says] of [
      [['--structured', '--section', 'ALL'], /leave them out with --structured/],
      [['--include', 'allergies'], /--include goes with --structured/],
      [['--structured', '--include', 'allergies,letters'], /There is no area letters. Areas: allergies, medication/],
    ] as const) {
      const ran = await run('record', nhsNumber, ...args)
      assert.equal(ran.code, 2)
      assert.match(ran.stderr, says)
    }
  })
})

describe('openspine appointments', () => {
  it('finds, books, lists, shows, amends and cancels', async (t) => {
    const { run } = await practice(t)
    const slots = await run('appointments', 'slots', 'A20047', '--from', '2099-12-01')
    assert.equal(slots.code, 0, slots.stderr)
    assert.match(
      slots.stdout,
      /^slot +time +kind +how +who +where\ns-1 +2099-12-01 09:00–09:10 +General consultation +In-person +Dr Grace Invented +Building A\ns-2 /,
    )
    const booked = await run(
      ...['appointments', 'book', nhsNumber, '--slot', 's-1', '--slot', 's-2', '--from', '2099-12-01'],
      ...['--description', 'Invented cough', '--comment', 'since Monday'],
    )
    assert.equal(booked.code, 0, booked.stderr)
    assert.match(booked.stdout, /^≠ birth date: .*\nBooked\.\nap-1 {2}version 1\n {2}time +2099-12-01 09:00–09:20\n/)
    const listed = await run('appointments', 'list', nhsNumber, '--json')
    assert.equal(JSON.parse(listed.stdout).appointments[0].comment, 'since Monday')
    const amended = await run(
      'appointments',
      'amend',
      'ap-1',
      '--practice',
      'A20047',
      '--comment',
      'since Sunday',
      '--format',
      'xml',
    )
    assert.match(amended.stdout, /^Amended\.\nap-1 {2}version 2\n(.*\n)* {2}comment +since Sunday\n/)
    const conflict = await run(
      'appointments',
      'cancel',
      'ap-1',
      '--practice',
      'A20047',
      '--reason',
      'better',
      '--if-version',
      '1',
    )
    assert.equal(conflict.code, 3)
    assert.match(conflict.stderr, /changed since version 1 was read.*\[CLIENT_CONFLICT\]/)
    const cancelled = await run('appointments', 'cancel', 'ap-1', '--practice', 'A20047', '--reason', 'better')
    assert.match(
      cancelled.stdout,
      /^Cancelled\.\nap-1 {2}version 3\n(.*\n)* {2}status +cancelled\n(.*\n)* {2}cancelled +better\n/,
    )
    const shown = await run('appointments', 'show', 'ap-1', '--practice', 'A20047', '--json')
    assert.equal(JSON.parse(shown.stdout).appointment.status, 'cancelled')
  })

  it('ends with 3 for what a practice refuses, with 2 for what cannot be asked, and helps', async (t) => {
    const { run, seen } = await practice(t)
    const taken = [
      'appointments',
      'book',
      nhsNumber,
      '--first',
      '--from',
      '2099-12-01',
      '--description',
      'x',
      '--practice',
      'A20047',
    ]
    assert.equal((await run(...taken)).code, 0)
    const again = await run(...taken)
    assert.equal(again.code, 3)
    assert.match(again.stderr, /409: DUPLICATE_REJECTED/)
    const before = seen.length
    for (const args of [
      ['book', nhsNumber, '--description', 'x'],
      ['book', '9990548608', '--first', '--description', 'x'],
      ['slots', 'A20047', '--from', '2026-02-30'],
      ['amend', 'ap-1', '--practice', 'A20047'],
      ['cancel', 'ap-1', '--practice', 'A20047'],
    ])
      assert.equal((await run('appointments', ...args)).code, 2, args.join(' '))
    assert.equal(seen.length, before, 'nothing was asked')
    assert.equal((await run('appointments', 'show', 'none', '--practice', 'A20047')).code, 3)
    const gone = await run(
      'appointments',
      'book',
      nhsNumber,
      '--slot',
      's-9',
      '--description',
      'x',
      '--practice',
      'A20047',
    )
    assert.equal(gone.code, 3)
    const help = await run('appointments', '--help')
    assert.equal(help.code, 0)
    for (const name of ['slots', 'book', 'list', 'show', 'amend', 'cancel', 'Examples:'])
      assert.match(help.stdout, new RegExp(name))
  })
})

describe('openspine documents', () => {
  it('lists documents and gets one by the URL that the list shows', async (t) => {
    const { run } = await practice(t)
    const listed = await run('documents', 'list', nhsNumber)
    assert.equal(listed.code, 0, listed.stderr)
    assert.match(listed.stdout, /2025-01-01 +Scan .*not to be had: The document is too large\n/)
    const url =
      /2024-04-05 +Discharge letter +Invented stay +text\/plain +5 bytes +(\S+)/.exec(listed.stdout)?.[1] ?? ''
    const file = join(folder, 'letter.txt')
    const saved = await run('documents', 'get', url, '--practice', 'A20047', '--save', file)
    assert.equal(saved.code, 0, saved.stderr)
    assert.equal(readFileSync(file, 'utf8'), 'hello')
    const printed = await run('documents', 'get', 'b-1', '--practice', 'A20047')
    assert.match(printed.stdout, /^hello\n/)
    const elsewhere = await run('documents', 'get', 'https://x.example/Binary/b-1', '--practice', 'A20047')
    assert.equal(elsewhere.code, 1)
    assert.match(elsewhere.stderr, /not followed/)
  })
})
