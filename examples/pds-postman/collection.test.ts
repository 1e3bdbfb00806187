/**
 * Runs the collection as its README says, with newman as a process of its own that trusts this Spine's CA and
 * nothing else of it; twice, because a collection that works on a fresh store alone is of no use to a client.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { loadSandbox, type Spine, startSpine } from 'openspine'

const newman = createRequire(import.meta.url).resolve('newman/bin/newman.js')
const here = (name: string) => join(import.meta.dirname, name)
const collection = here('pds-fhir.postman_collection.json')

let spine: Spine
let folder: string
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'openspine-newman-'))
  spine = await startSpine()
  await loadSandbox(spine)
})
after(async () => {
  await spine?.stop()
  rmSync(folder, { recursive: true, force: true })
})

interface Ran {
  readonly code: number
  readonly requests: number
  readonly assertions: number
  /** Item and assertion of each failure. */
  readonly failures: readonly string[]
}

async function run(file: string, ...more: readonly string[]): Promise<Ran> {
  const report = join(folder, 'report.json')
  rmSync(report, { force: true })
  const { NODE_OPTIONS: _, ...env } = process.env
  const [code, said] = await new Promise<readonly [number, string]>((resolve) => {
    execFile(
      process.execPath,
      [
        newman,
        'run',
        file,
        ...['--environment', here('sandbox.postman_environment.json')],
        ...['--env-var', `baseUrl=${spine.urls['api']}/personal-demographics/FHIR/R4`],
        ...['--ssl-extra-ca-certs', spine.platform.trust.files.bundle],
        ...['--reporters', 'json', '--reporter-json-export', report],
        ...more,
      ],
      { env, timeout: 100_000 },
      (error, stdout, stderr) =>
        resolve([typeof error?.code === 'number' ? error.code : error ? -1 : 0, stdout + stderr]),
    )
  })
  let text: string
  try {
    text = readFileSync(report, 'utf8')
  } catch {
    throw new Error(`newman ended with ${code} and no report: ${said}`)
  }
  const { stats, failures } = JSON.parse(text).run as {
    readonly stats: Readonly<Record<'requests' | 'assertions', { readonly total: number }>>
    readonly failures: readonly { readonly source?: { readonly name?: string }; readonly error: Error }[]
  }
  return {
    code,
    requests: stats.requests.total,
    assertions: stats.assertions.total,
    failures: failures.map(({ source, error }) => `${source?.name}: ${error.message}`),
  }
}

for (const time of ['once', 'and again on the same store'])
  test(`every assertion of the collection holds, ${time}`, async () => {
    const { code, requests, assertions, failures } = await run(collection)
    assert.deepEqual(failures, [])
    assert.equal(code, 0)
    // A run that skipped most of itself must not pass.
    assert.ok(requests >= 75 && assertions >= 2 * requests, `${requests} requests, ${assertions} assertions`)
  })

test('an assertion that does not hold fails the run', async () => {
  const spoilt = join(folder, 'spoilt.json')
  const text = readFileSync(collection, 'utf8')
  const wrong = text.replace("equal('1980-02-29')", "equal('1980-02-28')")
  assert.notEqual(wrong, text)
  writeFileSync(spoilt, wrong)
  const { code, failures } = await run(spoilt, '--folder', 'Retrieve')
  assert.equal(code, 1)
  assert.deepEqual(failures, ["A person: expected '1980-02-29' to equal '1980-02-28'"])
})
