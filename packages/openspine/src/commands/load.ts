import { syntheticPeople } from '@openspine/services/demographics'
import { SpineError } from '@openspine/standards/error'
import type { Command } from 'commander'
import { action, globalOptions, settingsOf, withPlatform } from '../context.ts'
import { makeServices } from '../house.ts'
import { duration, output, progressBar } from '../terminal.ts'

export function loadCommands(program: Command): void {
  const load = program.command('load').description('load synthetic data')

  load
    .command('people')
    .requiredOption('--count <n>', 'how many people', Number)
    .option('--seed <seed>', 'the same seed gives the same people', Number, 1)
    .description('load invented people into demographics; run again to go on where it stopped')
    .action(
      action(async (command, options: { count: number; seed: number }) => {
        const { count, seed } = options
        if (!Number.isInteger(count) || count < 1)
          throw new SpineError('USAGE', {}, { explanation: '--count wants a whole number above zero.' })
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
}
