import { configReference, shownValue } from '@openspine/platform/config'
import type { Command } from 'commander'
import { action, globalOptions, settingsOf } from '../context.ts'
import { sections } from '../settings.ts'
import { output, table } from '../terminal.ts'

export function configCommand(program: Command): void {
  program
    .command('config')
    .description('print the settings in force and where each came from; secrets are masked')
    .option('--reference', 'print the reference page of every setting instead')
    .action(
      action(async (command, options: { reference?: boolean }) => {
        if (options.reference) {
          output.line(configReference(sections).trimEnd())
          return
        }
        const { entries } = settingsOf(command)
        if (globalOptions(command).json) {
          output.json(
            entries.map((entry) => ({
              name: entry.name,
              value: entry.secret ? shownValue(entry) : entry.value,
              origin: entry.origin,
            })),
          )
          return
        }
        for (const line of table(entries.map((entry) => [entry.name, shownValue(entry), entry.origin])))
          output.line(line)
      }),
    )
}
