import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { strictTests } from '@openspine/platform/testing'
import { chromium } from 'playwright-core'

const run = promisify(execFile)
const program = '/usr/bin/chromium'
const installed = existsSync(program) && existsSync('/usr/bin/certutil')

/** Why tests with a browser are left out; false when they run. */
export const skipChromium = installed || strictTests ? false : 'chromium and libnss3-tools are not installed'

/**
 * Chromium with a profile of its own that trusts these authorities. They stand in its own certificate database, so
 * that it judges our certificates as it judges everybody's: passkeys are refused where a fault was waved through.
 * Names below `example` are this host's.
 */
export async function openChromium(authorities: readonly string[]) {
  const home = await mkdtemp(join(tmpdir(), 'openspine-chromium-'))
  const remove = () => rm(home, { recursive: true, force: true, maxRetries: 5 })
  try {
    const database = join(home, '.pki/nssdb')
    await mkdir(database, { recursive: true })
    await run('certutil', ['-d', `sql:${database}`, '-N', '--empty-password'])
    for (const [place, authority] of authorities.entries()) {
      const file = join(home, `authority-${place}.pem`)
      await writeFile(file, authority)
      await run('certutil', ['-d', `sql:${database}`, '-A', '-t', 'C,,', '-n', `authority ${place}`, '-i', file])
    }
    const browser = await chromium.launch({
      executablePath: program,
      env: { ...process.env, HOME: home, XDG_CONFIG_HOME: home, XDG_CACHE_HOME: home },
      // As root Chromium cannot have its sandbox, and it opens nothing here but pages of ours.
      chromiumSandbox: process.getuid?.() !== 0,
      args: ['--host-resolver-rules=MAP *.example 127.0.0.1'],
    })
    return {
      browser,
      async close() {
        await browser.close()
        await remove()
      },
    }
  } catch (error) {
    await remove()
    throw error
  }
}
