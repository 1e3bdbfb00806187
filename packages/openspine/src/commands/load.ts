import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { syntheticCapacity, syntheticPeople } from '@openspine/services/demographics'
import {
  type FileType,
  fileTypeOf,
  fileTypes,
  inventedOrganisations,
  loadOrganisations,
  mostInvented,
  organisationsOfCsv,
} from '@openspine/services/directory'
import { SpineError } from '@openspine/standards/error'
import type { Command } from 'commander'
import { action, globalOptions, settingsOf, withPlatform } from '../context.ts'
import { makeServices } from '../house.ts'
import { counter, duration, exitCode, output, progressBar } from '../terminal.ts'

export function loadCommands(program: Command): void {
  const load = program
    .command('load')
    .description('load data: invented people and organisations, or the public files of ODS')

  load
    .command('people')
    .requiredOption('--count <n>', 'how many people', Number)
    .option('--seed <seed>', 'the same seed gives the same people', Number, 1)
    .description('load invented people into demographics; run again to go on where it stopped')
    .action(
      action(async (command, options: { count: number; seed: number }) => {
        const { count, seed } = options
        if (!Number.isInteger(count) || count < 1 || count > syntheticCapacity)
          throw new SpineError(
            'USAGE',
            {},
            { explanation: `--count wants a whole number from 1 to ${syntheticCapacity}.` },
          )
        if (!Number.isInteger(seed)) throw new SpineError('USAGE', {}, { explanation: '--seed wants a whole number.' })
        const settings = settingsOf(command)
        const started = performance.now()
        const result = await withPlatform(command, async (platform) => {
          const { demographics } = makeServices(platform, settings)
          await platform.store.migrate(demographics.name, demographics.migrations ?? {})
          const bar = progressBar('loading', count)
          let written = 0
          // People are there or not by their number, so a load that was cut off goes on where it stopped.
          for (let from = 0; from < count; from += 5000) {
            const size = Math.min(5000, count - from)
            written += await demographics.contract.load(syntheticPeople({ seed, from, count: size }))
            bar.update(from + size)
          }
          bar.end()
          return { written, total: await demographics.contract.count() }
        })
        const ms = performance.now() - started
        if (globalOptions(command).json) return void output.json({ ...result, ms })
        const already = count - result.written
        output.line(
          `${result.written} people loaded in ${duration(ms)} (${Math.round(result.written / (ms / 1000))}/s)${already > 0 ? `, ${already} were there already` : ''}; demographics holds ${result.total}`,
        )
      }),
    )

  load
    .command('organisations')
    .option('--file <csv>', 'a public ODS file: headerless, 27 columns (epraccur.csv, etr.csv, ets.csv, …)')
    .option('--type <type>', `what the file holds, where its name does not tell: ${Object.keys(fileTypes).join(', ')}`)
    .option('--count <n>', 'how many invented organisations', Number)
    .option('--seed <seed>', 'the same seed gives the same organisations', Number, 1)
    .description('load organisations into the directory; run again to go on where it stopped')
    .addHelpText(
      'after',
      `
Columns of the file: 1 code, 2 name, 3 national grouping, 4 high level health geography, 5-9 address,
10 postcode, 11 open date, 12 close date (YYYYMMDD), 13 status, 15 commissioner or parent, 16 join date,
17 left date, 18 telephone, 26 prescribing setting. Rows that cannot be organisations are left out and
listed (--json has up to a thousand of them); then the exit code is 3.`,
    )
    .action(
      action(async (command, options: { file?: string; type?: string; count?: number; seed: number }) => {
        const source = await organisationSource(options)
        const settings = settingsOf(command)
        const started = performance.now()
        const result = await withPlatform(command, async (platform) => {
          const { directory } = makeServices(platform, settings)
          await platform.store.migrate(directory.name, directory.migrations ?? {})
          await directory.start?.()
          try {
            return await loadOrganisations(directory.contract, source.rows, 'openspine load', source.progress)
          } finally {
            source.end()
            await directory.stop?.(5_000)
          }
        })
        const ms = performance.now() - started
        const code = result.rejected > 0 ? exitCode.refused : exitCode.done
        if (globalOptions(command).json) {
          output.json({ ...result, ms })
          return code
        }
        output.line(
          `${result.accepted} organisations in the directory in ${duration(ms)} (${Math.round(result.accepted / (ms / 1000))}/s), ${result.changed} of them new or changed`,
        )
        if (result.rejected > 0) output.line(`${result.rejected} rows left out:`)
        for (const { row, reason } of result.rejections.slice(0, 20)) output.line(`  line ${row} ${reason}`)
        return code
      }),
    )
}

/** Where the organisations come from, and how it is told how far they are. */
async function organisationSource(options: { file?: string; type?: string; count?: number; seed: number }) {
  const { file, count, seed } = options
  const usage = (explanation: string) => new SpineError('USAGE', {}, { explanation })
  if ((file === undefined) === (count === undefined)) throw usage('Give either --file or --count.')
  if (file === undefined) {
    if (count === undefined || !Number.isInteger(count) || count < 1 || count > mostInvented) {
      throw usage(`--count wants a whole number from 1 to ${mostInvented}.`)
    }
    if (!Number.isInteger(seed)) throw usage('--seed wants a whole number.')
    const bar = progressBar('loading', count)
    return {
      rows: inventedOrganisations(seed, count),
      progress: (done: number) => bar.update(done),
      end: () => bar.end(),
    }
  }
  const type = options.type ?? fileTypeOf(file)
  if (type === undefined || !Object.hasOwn(fileTypes, type)) {
    throw usage(`--type wants one of ${Object.keys(fileTypes).join(', ')}: the name of the file does not tell.`)
  }
  const found = await stat(file).catch(() => undefined)
  if (found?.isFile() !== true)
    throw new SpineError('CONFIG_NO_FILE', { file }, { explanation: `There is no file ${file}.` })
  return {
    rows: organisationsOfCsv(createReadStream(file, 'utf8'), type as FileType),
    progress: counter('loading'),
    end: () => {},
  }
}
