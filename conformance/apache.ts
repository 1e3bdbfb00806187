import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { connect } from 'node:tls'
import { strictTests } from '@openspine/platform/testing'

const program = '/usr/sbin/apache2'
const modules = '/usr/lib/apache2/modules'
const relyingParty = `${modules}/mod_auth_openidc.so`

/** Why tests with Apache as a relying party are left out; false when they run. */
export const skipApache =
  (existsSync(program) && existsSync(relyingParty)) || strictTests
    ? false
    : 'apache2 and libapache2-mod-auth-openidc are not installed'

/** Runs Apache in the foreground with these sections beside what every one needs, and waits until every one of the ports answers. */
export async function startApache(
  folder: string,
  ports: readonly number[],
  sections: string,
): Promise<{ log(): string; stop(): Promise<void> }> {
  const at = (name: string) => join(folder, name)
  const log = () => (existsSync(at('error.log')) ? readFileSync(at('error.log'), 'utf8') : 'no log')
  const load = ['mpm_event', 'authn_core', 'authz_core', 'authz_user', 'mime', 'dir', 'include', 'ssl', 'auth_openidc']
  writeFileSync(
    at('apache.conf'),
    `ServerRoot ${folder}
ServerName localhost
DefaultRuntimeDir ${folder}
PidFile ${at('apache.pid')}
Mutex fcntl:${folder} default
ErrorLog ${at('error.log')}
LogLevel warn auth_openidc:info
${load.map((name) => `LoadModule ${name}_module ${modules}/mod_${name}.so`).join('\n')}
TypesConfig /dev/null
${process.getuid?.() === 0 ? 'User www-data\nGroup www-data' : ''}
StartServers 1
ServerLimit 1
ThreadsPerChild 8
MaxRequestWorkers 8
${ports.map((port) => `Listen 127.0.0.1:${port}`).join('\n')}
${sections}
`,
  )
  // Its workers are somebody else than who started it.
  chmodSync(folder, 0o755)
  const apache: ChildProcess = spawn(program, ['-f', at('apache.conf'), '-D', 'FOREGROUND'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let complaint = ''
  apache.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaint += text
  })
  const stop = async () => {
    if (apache.exitCode !== null) return
    apache.kill('SIGTERM')
    await once(apache, 'exit')
  }
  try {
    for (const port of ports)
      for (let tries = 0; !(await answers(port)); tries++) {
        if (tries === 200 || apache.exitCode !== null) throw new Error(`Apache does not listen: ${complaint}\n${log()}`)
        await wait(50)
      }
  } catch (error) {
    await stop()
    throw error
  }
  return { log, stop }
}

async function answers(port: number): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
  const there = await Promise.race([
    once(socket, 'connect').then(() => true),
    once(socket, 'error').then(() => false),
  ]).catch(() => false)
  socket.on('error', () => {})
  socket.destroy()
  return there
}
