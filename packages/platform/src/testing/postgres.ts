import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A PostgreSQL of our own, for tests and benchmarks: temporary folder, free loopback port, no system service. */
export interface TemporaryPostgres {
  readonly url: string
  readonly pid: number
  stop(): Promise<void>
}

/** The folder with `initdb` and `postgres` of the newest installed version; undefined where there is none. */
export function postgresBinaries(): string | undefined {
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : []
  const folders = [
    ...versions.map((version) => join(debian, version, 'bin')),
    ...(process.env['PATH'] ?? '').split(':'),
  ]
  return folders.find((folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')))
}

/** `durable` keeps fsync on: for benchmarks. Rejects when PostgreSQL is not installed. */
export async function startPostgres(
  options: { readonly durable?: boolean; readonly settings?: readonly string[] } = {},
): Promise<TemporaryPostgres> {
  const binaries = postgresBinaries()
  if (!binaries) throw new Error('PostgreSQL is not installed: run scripts/test-tools')
  const folder = mkdtempSync(join(tmpdir(), 'openspine-pg-'))
  const data = join(folder, 'data')
  // PostgreSQL refuses to run as root, so root hands over to the package's own user.
  const user = process.getuid?.() === 0 ? unprivilegedUser() : undefined
  if (user) chownSync(folder, user.uid, user.gid)
  execFileSync(
    join(binaries, 'initdb'),
    ['-D', data, '-A', 'trust', '-U', 'postgres', '-E', 'UTF8', '--locale=C', '--no-sync'],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
      cwd: folder,
      ...user,
    },
  )
  const port = await freePort()
  const settings = [
    `port=${port}`,
    'listen_addresses=127.0.0.1',
    `unix_socket_directories=${folder}`,
    'max_connections=200',
  ]
  if (!options.durable) settings.push('fsync=off', 'full_page_writes=off')
  settings.push(...(options.settings ?? []))
  const server = spawn(join(binaries, 'postgres'), ['-D', data, ...settings.flatMap((setting) => ['-c', setting])], {
    stdio: ['ignore', 'ignore', 'pipe'],
    cwd: folder,
    ...user,
  })
  const ended = once(server, 'exit')
  let said = ''
  await new Promise<void>((resolve, reject) => {
    server.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-10_000)
      if (said.includes('ready to accept connections')) resolve()
    })
    server.once('exit', (code) => reject(new Error(`PostgreSQL ended with ${code}: ${said}`)))
  })
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    pid: server.pid as number,
    async stop() {
      server.kill('SIGINT')
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function unprivilegedUser(): { readonly uid: number; readonly gid: number } {
  for (const name of ['postgres', 'nobody']) {
    try {
      const id = (flag: string) =>
        Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }))
      return { uid: id('-u'), gid: id('-g') }
    } catch {
      // no such user: try the next
    }
  }
  throw new Error('PostgreSQL refuses to run as root and there is no user postgres or nobody to run it as')
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  if (typeof address !== 'object' || address === null) throw new Error('no free port')
  return address.port
}
