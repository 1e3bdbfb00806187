/** Loading, exporting and importing people with the command itself, a process of its own. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { syntheticPeople } from '@openspine/services/demographics'

const cli = fileURLToPath(new URL('../cli.ts', import.meta.url))
const count = 12_000
let folder: string

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'openspine-people-'))
})
after(() => rmSync(folder, { recursive: true, force: true }))

function start(data: string, ...args: readonly string[]) {
  const child = spawn(
    process.execPath,
    ['--conditions=source', cli, ...args, '--json', '--set', `dataDir=${join(folder, data)}`],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NODE_OPTIONS: '' } },
  )
  const printed = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => {
      printed[name] += text
    })
  return { child, printed }
}

async function run(data: string, ...args: readonly string[]) {
  const { child, printed } = start(data, ...args)
  const [code] = await once(child, 'close')
  return { code, json: printed.stdout === '' ? {} : JSON.parse(printed.stdout), stderr: printed.stderr }
}

it('a load that is killed in the middle is finished by the next one, and leaves what an undisturbed one leaves', async () => {
  const { child, printed } = start('killed', 'load', 'people', '--count', String(count))
  // Progress says that some are written and some are not.
  const middle = new Promise<void>((resolve) => {
    child.stderr.on('data', () => /loading +[1-9]\d? %/.test(printed.stderr) && resolve())
  })
  const ended = once(child, 'close')
  await Promise.race([middle, ended])
  child.kill('SIGKILL')
  const [, signal] = await ended
  assert.equal(signal, 'SIGKILL', `it had ended before it could be killed: ${printed.stdout}${printed.stderr}`)
  const again = await run('killed', 'load', 'people', '--count', String(count))
  assert.equal(again.code, 0, again.stderr)
  assert.ok(again.json.written > 0 && again.json.written < count, `${again.json.written} were left to be written`)
  assert.equal(again.json.total, count)

  const file = join(folder, 'people.ndjson.gz')
  const exported = await run('killed', 'people', 'export', file)
  assert.deepEqual([exported.code, exported.json.people], [0, count])
  const lines = gunzipSync(readFileSync(file)).toString().trimEnd().split('\n')
  let at = 0
  for (const { nhsNumber, patient } of syntheticPeople({ seed: 1, from: 0, count })) {
    const { id, name, birthDate } = JSON.parse(lines[at++] ?? '{}')
    assert.deepEqual(
      [id, name[0].family, birthDate],
      [nhsNumber, (patient['name'] as { family: string }[])[0]?.family, patient['birthDate']],
    )
  }

  // Into another environment, with a line that is none; and a match there is explained.
  const some = join(folder, 'some.ndjson')
  writeFileSync(some, `${lines.slice(0, 50).join('\n')}\n{"resourceType":"Patient"}\n`)
  const imported = await run('other', 'people', 'import', some)
  assert.equal(imported.code, 3)
  assert.deepEqual([imported.json.read, imported.json.written, imported.json.rejected], [51, 50, 1])
  const { name, birthDate, id } = JSON.parse(lines[0] ?? '{}')
  const search = ['--family', name[0].family, '--birth-date', birthDate, '--given']
  const found = await run('other', 'trace', '--explain', ...search, name[0].given[0])
  assert.equal(found.code, 0, found.stderr)
  assert.equal(found.json.found[0].nhsNumber, id)
  const missed = await run('other', 'trace', id, '--explain', ...search, 'Zebedee')
  assert.equal(missed.code, 3)
  assert.equal(missed.json.explanation.candidates[0].rejected.rule, 'names')
  const unreadable = await run('other', 'people', 'import', folder)
  assert.equal(unreadable.code, 2)
})
