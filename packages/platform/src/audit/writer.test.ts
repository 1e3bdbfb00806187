import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { abandonedAt, isAlive, silentMs, thisWriter } from './writer.ts'

const now = Date.UTC(2026, 10, 20)

test('a writer on this machine is judged by its process, however long it was silent', async () => {
  const own = thisWriter()
  assert.equal(isAlive(own, now - 10 * silentMs, now), true)
  const child = spawn(process.execPath, ['-e', ''], { stdio: 'ignore' })
  await once(child, 'exit')
  assert.ok(child.pid)
  assert.equal(isAlive({ ...own, pid: child.pid }, now, now), false)
})

test('a process id that was given to another process does not count', {
  skip: existsSync('/proc/self/stat') ? false : 'start times of processes are known on Linux only',
}, () => {
  assert.equal(isAlive({ ...thisWriter(), started: '1' }, now, now), false)
})

test('a writer in another container or on another machine is judged by its last sign of life', () => {
  const elsewhere = { ...thisWriter(), realm: 'another' }
  assert.equal(isAlive(elsewhere, now - silentMs + 1, now), true)
  assert.equal(isAlive(elsewhere, now - silentMs, now), false)
})

test('a writer that has left its files is gone, though its process lives', () => {
  assert.equal(isAlive(thisWriter(), abandonedAt, now), false)
})
