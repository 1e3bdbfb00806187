import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type Holder, isAlive, takeLock } from './lock.ts'

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'openspine-lock-'))
  t.after(() => rm(path, { recursive: true, force: true }))
  return path
}

async function ourHolder(directory: string): Promise<Holder> {
  const outcome = await takeLock(directory, '/socket')
  assert.ok('lock' in outcome)
  const holder: Holder = JSON.parse(await readFile(join(directory, 'lock'), 'utf8'))
  await outcome.lock.release()
  return holder
}

function deadPid(): number {
  const { pid } = spawnSync(process.execPath, ['--version'])
  return pid
}

test('the lock is given once, and again after its release', async (t) => {
  const directory = await folder(t)
  const first = await takeLock(directory, '/socket')
  assert.ok('lock' in first)
  const second = await takeLock(directory, '/socket')
  assert.ok('heldBy' in second)
  assert.equal(second.heldBy?.pid, process.pid)
  assert.equal(second.heldBy?.socket, '/socket')
  await first.lock.release()
  assert.deepEqual(await readdir(directory), [])
  await ourHolder(directory)
})

test('whose lock is alive', async (t) => {
  const us = await ourHolder(await folder(t))
  assert.equal(isAlive(us, us, 0), true)
  assert.equal(isAlive({ ...us, pid: deadPid() }, us, 0), false)
  assert.equal(isAlive({ ...us, start: '1' }, us, 0), process.platform !== 'linux' && us.start === '1')
  assert.equal(isAlive({ ...us, boot: 'before' }, us, 0), false)
  assert.equal(isAlive({ ...us, host: 'elsewhere' }, us, 29_000), true)
  assert.equal(isAlive({ ...us, host: 'elsewhere' }, us, 31_000), false)
})

test('the file alone keeps others out where the kernel lock does not reach', async (t) => {
  const directory = await folder(t)
  const us = await ourHolder(directory)
  const file = join(directory, 'lock')
  await writeFile(file, JSON.stringify({ ...us, host: 'elsewhere', id: 'theirs' }))
  const held = await takeLock(directory, '/socket')
  assert.ok('heldBy' in held)
  assert.equal(held.heldBy?.host, 'elsewhere')
  const minuteAgo = new Date(Date.now() - 60_000)
  await utimes(file, minuteAgo, minuteAgo)
  const taken = await takeLock(directory, '/socket')
  assert.ok('lock' in taken)
  await taken.lock.release()
})

test('the holder learns that it was taken over, and does not remove the lock of another', async (t) => {
  const directory = await folder(t)
  const outcome = await takeLock(directory, '/socket', 10)
  assert.ok('lock' in outcome)
  const file = join(directory, 'lock')
  const theirs = JSON.stringify({ ...JSON.parse(await readFile(file, 'utf8')), id: 'theirs' })
  await writeFile(file, theirs)
  await outcome.lock.lost
  await outcome.lock.release()
  assert.equal(await readFile(file, 'utf8'), theirs)
})

test('six at once over a stale lock: exactly one gets it', async (t) => {
  const directory = await folder(t)
  const us = await ourHolder(directory)
  await writeFile(join(directory, 'lock'), JSON.stringify({ ...us, pid: deadPid(), id: 'dead' }))
  const script = `
    import { takeLock } from ${JSON.stringify(new URL('./lock.ts', import.meta.url).href)}
    process.stdin.once('data', async () => {
      const outcome = await takeLock(${JSON.stringify(directory)}, '/socket')
      process.stdout.write('lock' in outcome ? 'taken\\n' : 'held\\n')
    })
    process.stdout.write('ready\\n')
    process.stdin.once('end', () => process.exit(0))
  `
  const children = Array.from({ length: 6 }, () =>
    spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: ['pipe', 'pipe', 'inherit'] }),
  )
  t.after(() => {
    for (const one of children) one.kill('SIGKILL')
  })
  const line = async (one: (typeof children)[number]) => String((await once(one.stdout, 'data'))[0]).trim()
  assert.deepEqual(new Set(await Promise.all(children.map(line))), new Set(['ready']))
  const answers = children.map(line)
  for (const one of children) one.stdin.write('go\n')
  const outcomes = await Promise.all(answers)
  assert.equal(outcomes.filter((outcome) => outcome === 'taken').length, 1)
  assert.equal(outcomes.filter((outcome) => outcome === 'held').length, 5)
  const closed = children.map((one) => once(one, 'close'))
  for (const one of children) one.stdin.end()
  await Promise.all(closed)
})
