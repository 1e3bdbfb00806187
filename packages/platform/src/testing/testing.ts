/** The testing kit: stores on every engine, and a whole platform without sockets. */
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import pg from 'pg'
import { type Clock, type Random, systemClock, systemRandom } from '../clock.ts'
import { makeLog } from '../log.ts'
import { makeMetrics } from '../metrics.ts'
import { sealingWith } from '../sealing.ts'
import type { Platform } from '../service.ts'
import { openStore, type Store } from '../store/open.ts'

export { manualClock } from '../clock.ts'

/** True when a missing tool is a failure, not a skip. */
export const strictTests = process.env['OPENSPINE_STRICT_TESTS'] === '1'

/** True, and the test marked as skipped, when this program is not installed; a failure with OPENSPINE_STRICT_TESTS=1. */
export function skipWithout(t: TestContext, program: string): boolean {
  const { error } = spawnSync(program, ['--version'], { stdio: 'ignore' })
  if (!error) return false
  if (strictTests) throw new Error(`${program} is not installed, and OPENSPINE_STRICT_TESTS=1 wants every test`)
  t.skip(`${program} is not installed`)
  return true
}

/** Waits until something holds that another process or a timer brings about; throws when it does not within `ms`. */
export async function within(ms: number, what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const until = Date.now() + ms
  while (!(await holds())) {
    if (Date.now() > until) throw new Error(`not within ${ms} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** A log that says nothing. */
export function silentLog() {
  return makeLog({ level: 'silent', environment: 'test' })
}

/** A memory store of its own; close it. */
export function openMemoryStore(): Promise<Store> {
  return openStore({ memory: true, log: silentLog(), clock: systemClock })
}

/** A fresh database on the server at TEST_DATABASE_URL; it is dropped when the store is closed. */
export async function openTestDatabase(server: string): Promise<Store> {
  const name = `openspine_test_${randomBytes(6).toString('hex')}`
  await administer(server, `create database ${name}`)
  const drop = () => administer(server, `drop database if exists ${name} with (force)`)
  const url = new URL(server)
  url.pathname = `/${name}`
  try {
    const store = await openStore({ databaseUrl: url.href, log: silentLog(), clock: systemClock, poolSize: 8 })
    return {
      ...store,
      async close() {
        await store.close()
        await drop()
      },
    }
  } catch (error) {
    await drop()
    throw error
  }
}

async function administer(server: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: server })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

/**
 * Declares the suite once per engine: always `memory`; `postgresql` when TEST_DATABASE_URL names a
 * server, otherwise a visible skip (a failure with OPENSPINE_STRICT_TESTS=1). `open` gives a fresh,
 * empty store, which the suite closes.
 *
 * @example
 * forEachStore((open, engine) => {
 *   test('keeps what it is given', async (t) => {
 *     const store = await open()
 *     t.after(() => store.close())
 *   })
 * })
 */
export function forEachStore(suite: (open: () => Promise<Store>, engine: 'memory' | 'postgresql') => void): void {
  describe('memory', () => suite(openMemoryStore, 'memory'))
  const server = process.env['TEST_DATABASE_URL']
  if (server) describe('postgresql', () => suite(() => openTestDatabase(server), 'postgresql'))
  else
    test('postgresql', { skip: strictTests ? false : 'TEST_DATABASE_URL is not set' }, () => {
      throw new Error('TEST_DATABASE_URL is not set, and OPENSPINE_STRICT_TESTS=1 wants both engines')
    })
}

export interface TestPlatform extends Platform {
  /** Closes what this kit opened (not what was given), and removes its folder. */
  close(): Promise<void>
}

/**
 * A platform for tests of a service: memory store, temporary folder, silent log, real trust, audit and
 * jobs. Whatever is given in `overrides` is used as it is and stays the caller's to close.
 */
export async function testPlatform(overrides: Partial<Platform> = {}): Promise<TestPlatform> {
  const closers: (() => Promise<void>)[] = []
  const close = async () => {
    for (const closer of closers.reverse()) await closer()
    closers.length = 0
  }
  try {
    const clock: Clock = overrides.clock ?? systemClock
    const random: Random = overrides.random ?? systemRandom
    const log = overrides.log ?? silentLog()
    const environment = overrides.environment ?? 'test'
    let dataDir = overrides.dataDir
    if (dataDir === undefined) {
      const folder = await mkdtemp(join(tmpdir(), 'openspine-test-'))
      closers.push(() => rm(folder, { recursive: true, force: true }))
      dataDir = folder
    }
    const keep = <Part extends { close(): Promise<void> }>(part: Part): Part => {
      closers.push(() => part.close())
      return part
    }
    const metrics = overrides.metrics ?? makeMetrics()
    const store = overrides.store ?? keep(await openStore({ memory: true, log, clock }))
    const trust = overrides.trust ?? keep(await trustOf({ directory: join(dataDir, 'trust'), environment, clock, log }))
    const audit =
      overrides.audit ?? keep(await auditOf({ store, clock, random, log, metrics, journalDir: join(dataDir, 'audit') }))
    const jobs = overrides.jobs ?? keep(await jobsOf({ store, clock, random, log, metrics }))
    return {
      environment,
      profile: overrides.profile ?? 'sandbox',
      dataDir,
      clock,
      random,
      log,
      metrics,
      store,
      trust,
      audit,
      jobs,
      // Processes of a test that share a store share it too.
      sealing: overrides.sealing ?? sealingWith('the sealing key of every test', random),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

// Imported when needed: a test of the store does not load the parts that stand on it.

async function trustOf(options: Parameters<typeof import('../trust/open.ts').openTrust>[0]) {
  const { openTrust } = await import('../trust/open.ts')
  return openTrust(options)
}

async function auditOf(options: Parameters<typeof import('../audit/open.ts').openAudit>[0]) {
  const { openAudit } = await import('../audit/open.ts')
  return openAudit(options)
}

async function jobsOf(options: Parameters<typeof import('../jobs/open.ts').openJobs>[0]) {
  const { openJobs } = await import('../jobs/open.ts')
  return openJobs(options)
}
