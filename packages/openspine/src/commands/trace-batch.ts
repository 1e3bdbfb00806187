import { createReadStream, createWriteStream } from 'node:fs'
import { open, rename, stat } from 'node:fs/promises'
import { finished } from 'node:stream/promises'
import { SpineError } from '@openspine/standards/error'
import type { Command } from 'commander'
import { globalOptions, settingsOf, withPlatform } from '../context.ts'
import { makeServices } from '../house.ts'
import { duration, output, progressBar } from '../terminal.ts'

/** Rows that are whole in a file that a run may have left in the middle of one, and where the last of them ends. */
async function wholeRows(file: string): Promise<{ readonly rows: number; readonly bytes: number }> {
  let [rows, bytes, at, quoted] = [0, 0, 0, false]
  for await (const piece of createReadStream(file)) {
    for (const byte of piece as Buffer) {
      at++
      if (byte === 0x22) quoted = !quoted
      if (byte !== 0x0a || quoted) continue
      rows++
      bytes = at
    }
  }
  return { rows, bytes }
}

const there = (file: string) =>
  stat(file).then(
    ({ size }) => size,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined
      throw error
    },
  )

/** What a broken run wrote last may be half a row. */
async function truncateTo(file: string, bytes: number): Promise<void> {
  const handle = await open(file, 'r+')
  try {
    await handle.truncate(bytes)
  } finally {
    await handle.close()
  }
}

/**
 * `trace --batch IN OUT`: answers grow in `OUT.part`, which becomes OUT when all are there; a run that finds one goes on
 * behind its last whole row.
 */
export async function batchTrace(command: Command, files: readonly string[]): Promise<void> {
  const [input, result, ...more] = files
  if (input === undefined || result === undefined || more.length > 0)
    throw new SpineError(
      'USAGE',
      {},
      { explanation: '--batch wants two files: the one to trace, and the one to write.' },
    )
  const size = await there(input)
  if (size === undefined) throw new SpineError('USAGE', {}, { explanation: `There is no file ${input}.` })
  if ((await there(result)) !== undefined)
    throw new SpineError('USAGE', {}, { explanation: `${result} is there already; nothing was traced.` })
  const part = `${result}.part`
  const left = (await there(part)) === undefined ? { rows: 0, bytes: 0 } : await wholeRows(part)
  const skip = Math.max(0, left.rows - 1)
  // With nothing but a header in it, it begins anew.
  if ((await there(part)) !== undefined) await truncateTo(part, skip === 0 ? 0 : left.bytes)
  const settings = settingsOf(command)
  const started = performance.now()
  const summary = await withPlatform(command, async (platform) => {
    const { demographics } = makeServices(platform, settings)
    await platform.store.migrate(demographics.name, demographics.migrations ?? {})
    const source = createReadStream(input, 'utf8')
    const target = createWriteStream(part, { flags: 'a' })
    const bar = progressBar('tracing, bytes', size)
    let summary: { rows: number; codes: Readonly<Record<string, number>> } = { rows: skip, codes: {} }
    const answers = demographics.contract.traceBatch(source, {
      by: 'terminal',
      skip,
      progress(rows, codes) {
        summary = { rows, codes: { ...codes } }
        bar.update(Math.min(size, source.bytesRead))
      },
    })
    try {
      for await (const piece of answers)
        if (!target.write(piece)) await new Promise<void>((resolve) => target.once('drain', resolve))
    } finally {
      target.end()
      await finished(target)
      bar.end()
    }
    return summary
  })
  const written = await open(part, 'r+')
  await written.sync()
  await written.close()
  await rename(part, result)
  const ms = performance.now() - started
  if (globalOptions(command).json) return void output.json({ ...summary, resumedAt: skip, file: result, ms })
  const codes = Object.entries(summary.codes).sort(([a], [b]) => (a < b ? -1 : 1))
  output.line(
    `${summary.rows} rows traced in ${duration(ms)}${skip > 0 ? `, ${skip} of them by an earlier run` : ''}: ${result}`,
  )
  for (const [code, count] of codes) output.line(`  ${code}  ${count.toLocaleString('en-GB')}`)
}
