import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { connect } from 'node:tls'
import { promisify } from 'node:util'
import { strictTests } from '@openspine/platform/testing'
import { listening } from './raw-provider.ts'

const installed = await promisify(execFile)('nginx', ['-v']).then(
  () => true,
  () => false,
)

/** The module that passes TCP through, of a package of its own. */
export const streamModule = '/usr/lib/nginx/modules/ngx_stream_module.so'

/** Why tests with nginx are left out; false when they run. */
export const skipNginx = installed || strictTests ? false : 'nginx is not installed'
export const skipStream =
  (installed && existsSync(streamModule)) || strictTests ? false : 'nginx and its stream module are not installed'

/** What a section `http` needs so that all its files stay in the folder. */
export const temporaryPaths = (folder: string) =>
  ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`).join(' ')

/** A port that is free now. */
export async function freePort(): Promise<number> {
  const probe = createServer()
  const port = await listening(probe)
  probe.close()
  await once(probe, 'close')
  return port
}

/** Runs nginx in the foreground with these sections, and waits until every one of the ports answers. */
export async function startNginx(
  folder: string,
  ports: readonly number[],
  sections: string,
): Promise<{ stop(): Promise<void> }> {
  const file = join(folder, 'nginx.conf')
  const errors = join(folder, 'error.log')
  writeFileSync(
    file,
    `daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log ${errors} info;
${process.getuid?.() === 0 ? 'user root;' : ''}
${sections}`,
  )
  const nginx: ChildProcess = spawn('nginx', ['-c', file, '-p', folder], { stdio: 'ignore' })
  const stop = async () => {
    if (nginx.exitCode !== null) return
    nginx.kill('SIGTERM')
    await once(nginx, 'exit')
  }
  try {
    for (const port of ports) await answering(nginx, port, errors)
  } catch (error) {
    await stop()
    throw error
  }
  return { stop }
}

async function answering(nginx: ChildProcess, port: number, errors: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    if (tries === 100 || nginx.exitCode !== null)
      throw new Error(`nginx does not listen: ${existsSync(errors) ? readFileSync(errors, 'utf8') : 'no log'}`)
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
    const there = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(() => false),
    ]).catch(() => false)
    socket.on('error', () => {})
    socket.destroy()
    if (there) return
    await wait(50)
  }
}
