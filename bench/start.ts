/** How long `openspine start` takes on an existing embedded store, and on none. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const rounds = 7

export async function run(): Promise<Readonly<Record<string, unknown>>> {
  const first: number[] = []
  const again: { wall: number; ready: number }[] = []
  for (let round = 0; round < 3; round++) {
    const dataDir = mkdtempSync(join(tmpdir(), 'openspine-bench-start-'))
    try {
      first.push(start(dataDir, ['--demo']).wall)
      for (let i = 0; i < rounds; i++) again.push(start(dataDir, []))
    } finally {
      rmSync(dataDir, { recursive: true, force: true })
    }
  }
  const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
  const result = {
    firstStartWithDemoMs: Math.round(median(first)),
    existingStoreReadyMs: Math.round(median(again.map(({ ready }) => ready))),
    existingStoreStartAndStopMs: Math.round(median(again.map(({ wall }) => wall))),
    worstReadyMs: Math.round(Math.max(...again.map(({ ready }) => ready))),
  }
  process.stdout.write(
    `first start, demo run and stop ${result.firstStartWithDemoMs} ms; existing store ready in ${result.existingStoreReadyMs} ms (worst ${result.worstReadyMs}), started and stopped in ${result.existingStoreStartAndStopMs} ms\n`,
  )
  return result
}

/** `ready` is from the start of the process to the first line of the command, which comes when every door is open. */
function start(dataDir: string, options: readonly string[]): { wall: number; ready: number } {
  const began = performance.now()
  const ports = ['apiPort', 'spinePort', 'pkiPort', 'directory.port', 'proxy.port', 'practice.port'].flatMap((name) => [
    '--set',
    `${name}=0`,
  ])
  const printed = execFileSync(
    process.execPath,
    [
      resolve('packages/openspine/bin/openspine.mjs'),
      '--json',
      '--set',
      `dataDir=${dataDir}`,
      ...ports,
      'start',
      '--once',
      ...options,
    ],
    { encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '--conditions=source' } },
  )
  const wall = performance.now() - began
  const ready = /"readyMs": ([\d.]+)/.exec(printed)
  const atProcessStart = /"processMs": ([\d.]+)/.exec(printed)
  return { wall, ready: Number(atProcessStart?.[1] ?? ready?.[1]) }
}

if (import.meta.main) await run()
