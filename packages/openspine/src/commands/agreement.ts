import { SpineError } from '@openspine/standards/error'
import type { Command } from 'commander'
import { action, globalOptions, withRegistration } from '../context.ts'
import { bold, output, table } from '../terminal.ts'
import { actor } from './registration.ts'

/** Sharing agreements: without one the secure proxy answers 403. */
export function agreementCommands(program: Command): void {
  const agreement = program
    .command('agreement')
    .description('sharing agreements: who may read from whom through the secure proxy')

  agreement
    .command('add')
    .requiredOption('--from <ods code or asid>', 'the consumer')
    .requiredOption('--to <ods code or asid>', 'the provider')
    .option(
      '--interaction <id>',
      'one interaction id, or the beginning of one followed by *',
      'urn:nhs:names:services:gpconnect:*',
    )
    .addOption(actor())
    .description('let one side read from the other; running servers see it within a second')
    .action(
      action(async (command, options: { from: string; to: string; interaction: string; by: string }) => {
        const { by, ...sides } = options
        const added = await withRegistration(command, ({ registration }) => registration.agreements.agree(sides, by))
        if (globalOptions(command).json) return void output.json(added)
        output.line(`${bold(added.id)}  ${added.from} may read from ${added.to}  ${added.interaction}`)
      }),
    )

  agreement
    .command('list')
    .description('the agreements in force')
    .action(
      action(async (command) => {
        const all = await withRegistration(command, async ({ registration }) => registration.agreements.list())
        if (globalOptions(command).json) return void output.json(all)
        for (const line of table(all.map(({ id, from, to, interaction }) => [id, from, to, interaction])))
          output.line(line)
      }),
    )

  agreement
    .command('withdraw')
    .argument('<id>', 'of the agreement, as agreement list shows it')
    .addOption(actor())
    .description('end an agreement')
    .action(
      action(async (command, id: string, options: { by: string }) => {
        const ended = await withRegistration(command, ({ registration }) =>
          registration.agreements.withdraw(id, options.by),
        )
        if (!ended) throw new SpineError('CLIENT_NOT_FOUND', { id }, { explanation: `No agreement ${id} is in force.` })
        if (globalOptions(command).json) return void output.json({ id, withdrawn: true })
        output.line(`${id}  withdrawn`)
      }),
    )
}
