/**
 * Loaded into every test process before its file, by `--import` of scripts/test.ts: tells at the end what the
 * file has cost.
 */
import { appendFileSync, readFileSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'

const costs = process.env['TEST_COSTS']
if (isMainThread && costs !== undefined)
  process.on('exit', () => {
    appendFileSync(costs, `${JSON.stringify({ file: process.argv[1], took: process.uptime(), used: used() })}\n`)
  })

/** Seconds of the processor: this process, and the processes that it started and whose end it has seen. */
function used(): number {
  const { user, system } = process.cpuUsage()
  // Fields 16 and 17 of proc(5), counted after the name, which may hold anything; in ticks of 10 ms.
  const fields =
    process.platform === 'linux' ? readFileSync('/proc/self/stat', 'utf8').split(') ').at(-1)?.split(' ') : []
  return (user + system) / 1e6 + (Number(fields?.[13] ?? 0) + Number(fields?.[14] ?? 0)) / 100
}
