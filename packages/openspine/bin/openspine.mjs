#!/usr/bin/env node
// The published package holds compiled JavaScript; a checkout runs its TypeScript as it stands, for which
// Node must be new enough and resolve the workspaces to their sources. Where it is not so, start again so.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import nodeModule from 'node:module'
import { dirname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const built = join(here, '../dist/cli.js')
const source = join(here, '../src/cli.ts')
const fromSource = !here.split(sep).includes('node_modules') && existsSync(source)
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
const newEnough = major > 22 || (major === 22 && minor >= 18)
const resolves = process.execArgv
  .concat(process.env.NODE_OPTIONS ?? '')
  .join(' ')
  .includes('--conditions=source')

if (!fromSource || (newEnough && resolves)) {
  if (!newEnough) {
    process.stderr.write(`OpenSpine needs Node 22.18 or later; this is ${process.versions.node}.\n`)
    process.exit(1)
  }
  // Most of a quick command's time is compiling modules: keep what was compiled.
  nodeModule.enableCompileCache?.()
  await import(fromSource ? source : built)
} else {
  const pinned = join(here, '../../../node_modules/node/bin/node')
  const node = newEnough ? process.execPath : pinned
  if (!existsSync(node)) {
    process.stderr.write(
      `OpenSpine needs Node 22.18 or later; this is ${process.versions.node}. \`npm ci\` installs the pinned one.\n`,
    )
    process.exit(1)
  }
  // A server makes much that lives for one request: with a larger young generation less of it is carried on. Its code
  // is large, too: on large pages the processor finds it sooner (docs/benchmarks.md has what both are worth).
  const forServer = process.argv.includes('start') ? ['--max-semi-space-size=32', '--use-largepages=silent'] : []
  const child = spawn(
    node,
    ['--conditions=source', ...forServer, fileURLToPath(import.meta.url), ...process.argv.slice(2)],
    { stdio: 'inherit' },
  )
  // A terminal's Ctrl-C reaches both; a signal sent to this process alone is passed on.
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'))
  child.on('exit', (code, signal) => (signal ? process.kill(process.pid, signal) : process.exit(code ?? 1)))
}
