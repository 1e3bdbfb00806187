import type { Adjustments, FlagSummary, KeptFlag } from '@openspine/services/adjustments/contract'
import type { Command } from 'commander'
import { action, globalOptions, settingsOf, withPlatform } from '../context.ts'
import { makeServices } from '../house.ts'
import { exitCode, output, shown, table } from '../terminal.ts'
import { usage } from './registration.ts'

/** Opens adjustments beside a running server, which shows at once what is raised. */
function withAdjustments<Result>(command: Command, work: (flags: Adjustments) => Promise<Result>): Promise<Result> {
  const settings = settingsOf(command, { logLevel: 'warn' })
  return withPlatform(command, async (platform) => {
    const { adjustments, demographics, directory } = makeServices(platform, settings)
    for (const { name, migrations = {} } of [directory, demographics, adjustments])
      await platform.store.migrate(name, migrations)
    await directory.start?.()
    try {
      return await work(adjustments.contract)
    } finally {
      await directory.stop?.(1000)
    }
  })
}

const kinds: Readonly<Record<string, KeptFlag>> = {
  'child-protection': 'child-protection-information-system-flag',
  fgm: 'female-genital-mutilation-flag',
}

function kindOf(name: string): KeptFlag {
  const code = kinds[name]
  if (code === undefined) throw usage(`There is no flag ${name} to be raised here: ${Object.keys(kinds).join(', ')}.`)
  return code
}

const row = ({ code, version, since, notes = '' }: FlagSummary) => [
  code,
  `version ${version}`,
  new Date(since).toISOString().replace('.000', ''),
  shown(notes.replaceAll('\n', ' / ')),
]

export function flagsCommands(program: Command): void {
  const flags = program
    .command('flags')
    .description('flags at the top of patients’ records; works beside a running server')

  flags
    .command('list')
    .argument('<nhs number>')
    .description('the flags that are active')
    .action(
      action(async (command, nhsNumber: string) => {
        const found = await withAdjustments(command, (service) => service.flags(nhsNumber))
        if (globalOptions(command).json) output.json(found)
        else if (found.length === 0) output.line(`no flag of ${nhsNumber} is active`)
        else for (const line of table(found.map(row))) output.line(line)
        return found.length === 0 ? exitCode.refused : exitCode.done
      }),
    )

  flags
    .command('raise')
    .argument('<nhs number>')
    .argument('<flag>', Object.keys(kinds).join(', '))
    .requiredOption('--by <ods code>', 'organisation that decides, for example the local authority')
    .option('--notes <text>', 'what whoever sees the flag shall know')
    .option('--team <name>', 'child protection: the team that cares for the child')
    .description('raise a flag that the network may not, as a local authority does')
    .action(
      action(
        async (command, nhsNumber: string, flag: string, options: { by: string; notes?: string; team?: string }) => {
          const { by: odsCode, notes, team } = options
          const about = {
            nhsNumber,
            code: kindOf(flag),
            ...(notes === undefined ? {} : { notes }),
            ...(team === undefined ? {} : { team }),
          }
          const raised = await withAdjustments(command, (service) => service.raise(about, { odsCode }))
          if (globalOptions(command).json) output.json({ raised })
          else output.line(raised ? 'raised' : 'it is active already')
          return raised ? exitCode.done : exitCode.refused
        },
      ),
    )

  flags
    .command('lower')
    .argument('<nhs number>')
    .argument('<flag>', Object.keys(kinds).join(', '))
    .requiredOption('--by <ods code>', 'organisation that decides')
    .requiredOption('--reason <text>', 'why it is taken away')
    .description('take it away again')
    .action(
      action(async (command, nhsNumber: string, flag: string, options: { by: string; reason: string }) => {
        const about = { nhsNumber, code: kindOf(flag), reason: options.reason }
        const lowered = await withAdjustments(command, (service) => service.lower(about, { odsCode: options.by }))
        if (globalOptions(command).json) output.json({ lowered })
        else output.line(lowered ? 'lowered' : 'it is not active')
        return lowered ? exitCode.done : exitCode.refused
      }),
    )
}
