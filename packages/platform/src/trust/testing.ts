import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { systemClock } from '../clock.ts'
import { makeLog } from '../log.ts'
import { type OpenTrust, openTrust, type TrustOptions } from './open.ts'

/** For the tests of trust and doors: folders that vanish, and the tools of the outside world. */

export async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'openspine-trust-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

export const quiet = makeLog({ level: 'silent', environment: 'test' })

export async function testTrust(t: TestContext, options: Partial<TrustOptions> = {}): Promise<OpenTrust> {
  const directory = options.directory ?? (await temporaryFolder(t))
  const trust = await openTrust({
    environment: 'test',
    clock: systemClock,
    log: quiet,
    // Elliptic keys are made at once; those tests that are about RSA say so.
    authorityKeys: 'ec',
    keyType: 'ec',
    ...options,
    directory,
  })
  t.after(() => trust.close())
  return trust
}

export interface Ran {
  readonly code: number
  readonly out: string
}

/** Runs a program; its output and error output together. `input` goes to its standard input. */
export function run(program: string, args: readonly string[], input = ''): Promise<Ran> {
  return new Promise((resolve) => {
    const child = execFile(program, args, { timeout: 15_000 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 127
      resolve({ code, out: stdout + stderr })
    })
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(input)
  })
}

/** True when the tool is there; otherwise the test is skipped, or fails where nothing may be skipped. */
export async function toolOrSkip(t: TestContext, tool: string, args: readonly string[]): Promise<boolean> {
  if ((await run(tool, args)).code === 0) return true
  if (process.env['OPENSPINE_STRICT_TESTS'] === '1') throw new Error(`${tool} is missing`)
  t.skip(`${tool} is not installed`)
  return false
}

/** The next change that `trust` tells of, or an error after `ms`. */
export function nextChange(trust: Pick<OpenTrust, 'onChange'>, ms = 5_000): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no change within ${ms} ms`)), ms)
    const forget = trust.onChange(() => {
      clearTimeout(timer)
      forget()
      resolve()
    })
  })
}

/** A signing request made by openssl, as an outsider would make it. */
export async function signingRequest(
  folder: string,
  subject: string,
  key: readonly string[] = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  more: readonly string[] = [],
): Promise<string> {
  const made = await run('openssl', [
    ...['req', '-new', ...key, '-nodes', '-keyout', join(folder, 'request.key'), '-subj', subject, '-batch'],
    ...more,
  ])
  const found = /-----BEGIN CERTIFICATE REQUEST-----[\s\S]+-----END CERTIFICATE REQUEST-----/.exec(made.out)
  if (found === null) throw new Error(made.out)
  return found[0]
}
