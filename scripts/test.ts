/**
 * `npm test [-- path …]`: every test, on both stores. Starts a PostgreSQL of its own on a free port where
 * one is installed (scripts/test-tools installs it); TEST_DATABASE_URL names another one to use instead.
 * `--slowest 40` tells of that many files at the end, those that took longest, instead of 10.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync, mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { postgresBinaries, startPostgres, type TemporaryPostgres } from '@openspine/platform/testing/postgres'

const roots = ['packages/*/src', 'conformance', 'scripts', 'examples', 'bench']
const all = globSync(
  roots.map((root) => `${root}/**/*.test.ts`),
  { exclude: (name) => name === 'node_modules' },
).sort()
const { values: flags, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: { slowest: { type: 'string', default: '10' } },
})
const files = wanted.length === 0 ? all : all.filter((file) => wanted.some((part) => file.includes(part)))
if (files.length === 0) {
  process.stderr.write(`no test file matches ${wanted.join(' ')}\n`)
  process.exit(1)
}
// A suite that found only part of itself must not pass.
if (wanted.length === 0 && files.length < 30) {
  process.stderr.write(`only ${files.length} test files were found: the search is broken\n`)
  process.exit(1)
}

let postgres: TemporaryPostgres | undefined
const folder = mkdtempSync(join(tmpdir(), 'openspine-tests-'))
const env: NodeJS.ProcessEnv = {
  // Each of some hundred processes compiles the same modules: what one has made of them, the next one reads.
  NODE_COMPILE_CACHE: resolve('node_modules/.cache/openspine-compiled'),
  ...process.env,
  TEST_COSTS: join(folder, 'costs'),
  TEST_SLOWEST: flags.slowest,
}
if (!env['TEST_DATABASE_URL']) {
  if (postgresBinaries()) {
    postgres = await startPostgres()
    env['TEST_DATABASE_URL'] = postgres.url
  } else {
    process.stderr.write(
      'PostgreSQL is not installed (scripts/test-tools installs it): its half of the store tests is skipped\n',
    )
  }
}
const started = performance.now()
const run = spawn(
  process.execPath,
  [
    // The embedded engine is 9 MB of WebAssembly. A file's tests ask it too little to win back what the
    // optimizing compiler costs: the same code, the same answers, from the baseline compiler alone.
    '--liftoff-only',
    '--test',
    // Tests wait, too: for timers, for processes, for the disk. Two more than there are processors fill the gaps.
    `--test-concurrency=${availableParallelism() + 2}`,
    '--test-reporter=./scripts/test-reporter.ts',
    // For what hangs, not for what is slow beside other work.
    '--test-timeout=300000',
    `--import=${import.meta.resolve('./test-process.ts')}`,
    ...files,
  ],
  { env, stdio: 'inherit' },
)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => run.kill(signal))
// A test that hangs in a way that its own time limit does not end must not hang the whole run.
const patience = setTimeout(() => {
  process.stderr.write('the tests did not end within 40 minutes: ending them\n')
  run.kill('SIGKILL')
}, 40 * 60_000)
const [code] = (await once(run, 'exit')) as [number | null]
clearTimeout(patience)
await postgres?.stop()
rmSync(folder, { recursive: true, force: true })
process.stderr.write(`${files.length} test files in ${((performance.now() - started) / 1000).toFixed(0)} s\n`)
process.exitCode = code ?? 1
