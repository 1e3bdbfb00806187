/** The registry as files, as a user meets it: commands beside a running server, a folder, exit codes. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { skipWithout } from '@openspine/platform/testing'
import { Environment } from './openspine-process.ts'

let environment: Environment
let server: Awaited<ReturnType<Environment['start']>>
const folder = mkdtempSync(join(tmpdir(), 'openspine-registry-'))

before(async () => {
  environment = await Environment.create()
  server = await environment.start('start', '--demo')
})
after(async () => {
  await environment?.remove()
  rmSync(folder, { recursive: true, force: true })
})

const registry = (...args: readonly string[]) => environment.run('registry', ...args)
const services = join(folder, 'services/A20047.ldif')

function edit(path: string, from: string | RegExp, to: string) {
  const text = readFileSync(path, 'utf8')
  const changed = text.replace(from, to)
  assert.notEqual(changed, text)
  writeFileSync(path, changed)
}

/** The endpoints of an interaction, as a client on the network sees them. */
async function lookup(): Promise<string> {
  const found = await environment.run('--json', 'lookup', 'A20047', 'gpconnect:fhir:operation:gpc.getcarerecord')
  return found.stdout
}

describe('openspine registry', () => {
  it('exports the same bytes again, and finds no difference', async () => {
    const first = await registry('export', folder, '--json')
    assert.equal(first.code, 0, first.stdout + first.stderr)
    assert.ok(JSON.parse(first.stdout).written > 5)
    assert.deepEqual(readdirSync(join(folder, 'services')).includes('A20047.ldif'), true)
    const again = await registry('export', folder, '--json')
    assert.deepEqual([JSON.parse(again.stdout).written, JSON.parse(again.stdout).removed], [0, 0])
    const same = await registry('diff', folder)
    assert.deepEqual([same.code, same.stdout], [0, 'Nothing differs.\n'])
  })

  it('shows one edited value as one changed line, to git as to diff', async (t) => {
    const git = (...args: readonly string[]) =>
      execFileSync('git', ['-C', folder, '-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args]).toString()
    const withGit = !skipWithout(t, 'git')
    if (withGit) {
      git('init', '-q')
      git('add', '.')
      git('commit', '-qm', 'As it is')
    }
    edit(services, /^nhsMHSEndPoint: (.*)$/m, 'nhsMHSEndPoint: $1/moved')
    if (withGit) assert.match(git('diff', '--shortstat'), /1 file changed, 1 insertion\(\+\), 1 deletion\(-\)/)
    const differing = await registry('diff', folder)
    assert.equal(differing.code, 3)
    assert.match(
      differing.stdout,
      /^A20047\n {2}~ uniqueIdentifier=.*services\/A20047\.ldif:\d+\n {4}- nhsMHSEndPoint: .*\n {4}\+ nhsMHSEndPoint: .*\/moved\n\n0 to add, 1 to change, 0 to remove\.\n$/,
    )
  })

  it('applies nothing without a word, and with it publishes to clients of the running server', async () => {
    const silent = await registry('apply', folder)
    assert.equal(silent.code, 3, silent.stderr)
    assert.match(silent.stdout, /1 to change[\s\S]*Nothing was changed; --yes applies it\./)
    const applied = await registry('apply', folder, '--yes')
    assert.equal(applied.code, 0, applied.stdout + applied.stderr)
    assert.match(applied.stdout, /applied/)
    assert.match(await lookup(), /\/moved/, 'the running server shows it')
  })

  it('asks on a terminal, and takes no for an answer', async (t) => {
    if (skipWithout(t, 'script')) return
    edit(services, '/moved', '/again')
    const answered = (answer: string) => environment.onTerminal(answer, 'registry', 'apply', folder)
    const no = await answered('n\n')
    assert.match(no.stdout, /Apply this\? \[y\/N\][\s\S]*Nothing was changed/)
    assert.match((await answered('y\n')).stdout, /1 to change[\s\S]*applied/)
  })

  it('refuses a broken rule by file, line, entry and code, and changes nothing', async () => {
    edit(services, /^nhsMHSEndPoint: https:/m, 'nhsMHSEndPoint: http:')
    edit(
      join(folder, 'agreements.jsonl'),
      /$/,
      '{"from":"A20047","to":"X26","interaction":"urn:nhs:names:services:gpconnect:*"}\n',
    )
    const refused = await registry('apply', folder, '--yes')
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /services\/A20047\.ldif, line \d+: uniqueIdentifier=.*: http:.*\[DIRECTORY_ENDPOINT\]/)
    const left = JSON.parse((await registry('diff', folder, '--json')).stdout)
    assert.deepEqual([left.counts.add, left.counts.change], [1, 1])
  })

  it('refuses the folder of another environment until that is said', async () => {
    edit(services, 'nhsMHSEndPoint: http:', 'nhsMHSEndPoint: https:')
    edit(join(folder, 'registry.json'), '"local"', '"other"')
    const refused = await registry('apply', folder, '--yes', '--json')
    assert.equal(refused.code, 1)
    assert.equal(JSON.parse(refused.stdout).error.code, 'REGISTRY_ENVIRONMENT')
    const applied = await registry('apply', folder, '--yes', '--from-other-environment')
    assert.equal(applied.code, 0, applied.stdout + applied.stderr)
    edit(join(folder, 'registry.json'), '"other"', '"local"')
  })

  it('makes the registry elsewhere, without a server', async () => {
    const elsewhere = await Environment.create()
    try {
      const made = await elsewhere.run('registry', 'apply', folder, '--yes', '--json')
      assert.equal(made.code, 0, made.stdout + made.stderr)
      const entries = readFileSync(join(folder, 'order.txt'), 'utf8').trim().split('\n').length
      const agreements = readFileSync(join(folder, 'agreements.jsonl'), 'utf8').trim().split('\n').length
      const { counts, applied } = JSON.parse(made.stdout)
      assert.deepEqual([applied, counts], [true, { add: entries - 6 + agreements, change: 0, remove: 0, stay: 0 }])
    } finally {
      await elsewhere.remove()
    }
  })

  it('writes and reads LDIF', async () => {
    const dump = await registry('export', '--ldif', '-')
    assert.equal(dump.code, 0, dump.stderr)
    assert.match(dump.stdout, /^version: 1\n\ndn: o=nhs\n/)
    const file = join(folder, 'dump.ldif')
    writeFileSync(file, dump.stdout.replace('nhsIDCode: A20047\n', 'nhsIDCode: A20047\nnosuch: x\n'))
    const read = await registry('import', file)
    assert.equal(read.code, 0, read.stdout + read.stderr)
    assert.match(read.stdout, /line \d+: .*A20047.*: attribute nosuch left out/)
    assert.equal((await registry('export', folder, '--ldif', '-')).code, 2)
    assert.equal(server.process.exitCode, null)
  })
})
