import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** The command and its flags of V8: those of the tests (scripts/test.ts), so that the engine within costs as little. */
const command = [
  ...process.execArgv.filter((flag) => flag === '--liftoff-only'),
  fileURLToPath(import.meta.resolve('openspine')).replace(/src\/openspine\.ts$/, 'bin/openspine.mjs'),
]

export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** One environment on disk with free ports, whose commands are run as a user runs them: as processes. */
export class Environment {
  readonly dataDir = mkdtempSync(join(tmpdir(), 'openspine-conformance-'))
  readonly settings: Readonly<Record<string, string>>
  readonly #running = new Set<ChildProcess>()

  private constructor(ports: readonly number[], more: Readonly<Record<string, string>>) {
    const [api, spine, directory, proxy, practice, pki] = ports.map(String)
    this.settings = {
      OPENSPINE_DATA_DIR: this.dataDir,
      OPENSPINE_API_PORT: String(api),
      OPENSPINE_SPINE_PORT: String(spine),
      OPENSPINE_PKI_PORT: String(pki),
      OPENSPINE_DIRECTORY_PORT: String(directory),
      OPENSPINE_PROXY_PORT: String(proxy),
      OPENSPINE_PRACTICE_PORT: String(practice),
      ...more,
    }
  }

  static async create(more: Readonly<Record<string, string>> = {}): Promise<Environment> {
    const probes = Array.from({ length: 6 }, () => createServer().listen(0, '127.0.0.1'))
    const ports = await Promise.all(
      probes.map(async (probe) => {
        await once(probe, 'listening')
        const address = probe.address()
        return typeof address === 'object' && address !== null ? address.port : 0
      }),
    )
    for (const probe of probes) probe.close()
    return new Environment(ports, more)
  }

  get #env(): NodeJS.ProcessEnv {
    return { ...process.env, NODE_OPTIONS: '--conditions=source', NO_COLOR: '1', ...this.settings }
  }

  /** Runs a command to its end. */
  run(...args: readonly string[]): Promise<Ran> {
    return this.runOn('', ...args)
  }

  /** Runs a command to its end, with that on its standard input. */
  runOn(input: string, ...args: readonly string[]): Promise<Ran> {
    return new Promise((resolve) => {
      const child = execFile(
        process.execPath,
        [...command, ...args],
        { env: this.#env, maxBuffer: 64 * 1024 * 1024 },
        (error, stdout, stderr) =>
          resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, stdout, stderr }),
      )
      child.stdin?.on('error', () => {}).end(input)
    })
  }

  /** Runs a command and closes its output after so many pieces. */
  async runFor(pieces: number, ...args: readonly string[]): Promise<Ran> {
    const child = spawn(process.execPath, [...command, ...args], { env: this.#env, stdio: ['ignore', 'pipe', 'pipe'] })
    let stdout = ''
    let stderr = ''
    let seen = 0
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
    })
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
      if (++seen === pieces) child.stdout.destroy()
    })
    const [code] = (await once(child, 'close')) as [number | null]
    return { code: code ?? -1, stdout, stderr }
  }

  /** Runs a command on a terminal of its own (util-linux `script`) that types `answer`. */
  async onTerminal(answer: string, ...args: readonly string[]): Promise<Ran> {
    const line = [process.execPath, ...command, ...args].map((arg) => `'${arg.replaceAll("'", "'\\''")}'`).join(' ')
    const child = spawn('script', ['-qec', line, '/dev/null'], { env: this.#env, stdio: ['pipe', 'pipe', 'pipe'] })
    const told = { stdout: '', stderr: '' }
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      told.stderr += text
    })
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      told.stdout += text
      if (text.includes('[y/N]')) child.stdin.write(answer)
    })
    const [code] = (await once(child, 'close')) as [number | null]
    return { code: code ?? -1, ...told }
  }

  /** Starts the server and waits until it says that it is ready; what it prints until then is in `printed`. */
  async start(...args: readonly string[]): Promise<{ readonly process: ChildProcess; readonly printed: string[] }> {
    const child = spawn(process.execPath, [...command, ...args], { env: this.#env, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#running.add(child)
    child.once('exit', () => this.#running.delete(child))
    const printed: string[] = []
    let complaints = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaints += text
    })
    await new Promise<void>((resolve, reject) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        printed.push(line)
        if (line.includes('Ctrl-C stops it')) resolve()
      })
      child.once('exit', (code) =>
        reject(new Error(`openspine ${args.join(' ')} ended with ${code}: ${complaints}\n${printed.join('\n')}`)),
      )
    })
    return { process: child, printed }
  }

  async remove(): Promise<void> {
    for (const child of this.#running) {
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    rmSync(this.dataDir, { recursive: true, force: true })
  }
}
