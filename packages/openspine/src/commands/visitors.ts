import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { RecordedStatus, StatusChange, Visitors } from '@openspine/services/visitors/contract'
import { categories } from '@openspine/services/visitors/contract'
import { readCsv } from '@openspine/standards/csv'
import { SpineError } from '@openspine/standards/error'
import type { Command } from 'commander'
import { action, globalOptions, settingsOf, withPlatform } from '../context.ts'
import { makeServices } from '../house.ts'
import { exitCode, output, table } from '../terminal.ts'
import { momentOf, second } from './moment.ts'

/** Opens visitors beside a running server, which shows at once what is recorded. */
function withVisitors<Result>(command: Command, work: (visitors: Visitors) => Promise<Result>): Promise<Result> {
  const settings = settingsOf(command, { logLevel: 'warn' })
  return withPlatform(command, async (platform) => {
    const { demographics, visitors } = makeServices(platform, settings)
    // Who was merged into whom is asked as well.
    for (const { name, migrations = {} } of [demographics, visitors]) await platform.store.migrate(name, migrations)
    return work(visitors.contract)
  })
}

const row = ({ version, effectiveAt, basic, category, source, recordedBy }: RecordedStatus) => [
  String(version),
  second(effectiveAt),
  basic,
  `${category} ${categories[category]}`,
  source,
  recordedBy,
]

async function* changesIn(file: string): AsyncGenerator<StatusChange> {
  for await (const { fields, line } of readCsv(createReadStream(file, 'utf8'))) {
    const [nhsNumber = '', basic = '', category = '', source = '', effective = ''] = fields
    // A line of headings, where the file has one.
    if (line === 1 && !/^\d/.test(nhsNumber)) continue
    yield { nhsNumber, basic, category, source, effectiveAt: momentOf(effective) } as StatusChange
  }
}

export function visitorsCommands(program: Command): void {
  const visitors = program
    .command('visitors')
    .description('chargeable status of overseas visitors and migrants; works beside a running server')

  visitors
    .command('load')
    .argument('<csv>', 'NHS number, basic status, category, source, day or time')
    .option('--by <name>', 'who loads', 'openspine visitors')
    .description('record decisions from a file; run again to go on where it stopped')
    .action(
      action(async (command, file: string, options: { by: string }) => {
        const found = await stat(file).catch(() => undefined)
        if (found?.isFile() !== true)
          throw new SpineError('CONFIG_NO_FILE', { file }, { explanation: `There is no file ${file}.` })
        const recorded = await withVisitors(command, (service) => service.record(changesIn(file), options.by))
        if (globalOptions(command).json) return void output.json({ recorded })
        output.line(`${recorded} decisions recorded; those that were there already were passed over`)
      }),
    )

  visitors
    .command('set')
    .argument('<nhs number>')
    .requiredOption('--basic <status>', 'Y chargeable, N not chargeable, U unknown')
    .requiredOption('--category <category>', Object.keys(categories).join(', '))
    .option('--source <source>', 'home-office or overseas-visitor-manager', 'overseas-visitor-manager')
    .option('--from <time>', 'since when it holds (default: now)')
    .option('--by <name>', 'who decides', 'openspine visitors')
    .description('record one decision about a person')
    .action(
      action(
        async (
          command,
          nhsNumber: string,
          options: { basic: string; category: string; source: string; from?: string; by: string },
        ) => {
          const { basic, category, source, from, by } = options
          const effectiveAt = from === undefined ? Math.floor(Date.now() / 1000) * 1000 : momentOf(from)
          const change = { nhsNumber, basic, category, source, effectiveAt } as StatusChange
          const history = await withVisitors(command, async (service) => {
            await service.record([change], by)
            return service.history(nhsNumber)
          })
          if (globalOptions(command).json) return void output.json(history)
          for (const line of table(history.map(row))) output.line(line)
        },
      ),
    )

  visitors
    .command('history')
    .argument('<nhs number>')
    .description('every decision about a person, the first one first')
    .action(
      action(async (command, nhsNumber: string) => {
        const history = await withVisitors(command, (service) => service.history(nhsNumber))
        if (globalOptions(command).json) output.json(history)
        else if (history.length === 0) output.line(`nothing was decided about ${nhsNumber}`)
        else for (const line of table(history.map(row))) output.line(line)
        return history.length === 0 ? exitCode.refused : exitCode.done
      }),
    )
}
