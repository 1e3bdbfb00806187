import type { Owner } from '@openspine/services/gateway/contract'
import type { Command } from 'commander'
import { action, globalOptions } from '../context.ts'
import { output, table } from '../terminal.ts'
import { named } from './applications-shown.ts'
import { by, withGateway } from './gateway-beside.ts'

/** Whose applications are, and what they were refused. */
export function ownerCommands(app: Command): void {
  app
    .command('owner')
    .argument('<name>', 'of the company or developer')
    .option('--developer', 'a single developer; otherwise it is a company')
    .option('--inactive', 'its applications are refused from now on')
    .description('add an owner of applications, or make it inactive or active again')
    .addHelpText(
      'after',
      `
Examples:
  $ openspine app owner "Invented Software Ltd"
  $ openspine app set <application> --owner "Invented Software Ltd"
  $ openspine app owner "Invented Software Ltd" --inactive`,
    )
    .action(
      action(async (command, name: string, options: { developer?: boolean; inactive?: boolean }) => {
        const owner = await withGateway(command, async (gateway): Promise<Owner> => {
          const before = gateway.owners().find((each) => each.name === name)
          const kind = options.developer === true ? 'developer' : (before?.kind ?? 'company')
          const made: Owner = { name, kind, status: options.inactive === true ? 'inactive' : 'active' }
          await gateway.defineOwner(made, by)
          return made
        })
        if (globalOptions(command).json) return void output.json(owner)
        output.line(`${owner.kind} ${owner.name}  ${owner.status}`)
      }),
    )

  app
    .command('owners')
    .description('companies and developers, and how many applications each has')
    .action(
      action(async (command) => {
        const owners = await withGateway(command, async (gateway) => {
          const having = Map.groupBy(gateway.applications(), ({ owner }) => owner)
          return gateway.owners().map((owner) => ({ ...owner, applications: having.get(owner.name)?.length ?? 0 }))
        })
        if (globalOptions(command).json) return void output.json(owners)
        if (owners.length === 0) output.line('No owner is known: openspine app owner adds one.')
        for (const line of table(
          owners.map(({ name, kind, status, applications }) => [name, kind, status, `applications: ${applications}`]),
        ))
          output.line(line)
      }),
    )

  app
    .command('refusals')
    .argument('<application>', 'name or id of the application')
    .description('the last hundred refusals of an application: what was said, why, and what to mend')
    .action(
      action(async (command, given: string) => {
        const refusals = await withGateway(command, (gateway) => gateway.refusals(named(gateway, given).id))
        if (globalOptions(command).json) return void output.json(refusals)
        if (refusals.length === 0) output.line('Nothing was refused.')
        for (const { at, where, status, check, says, explanation, id } of refusals) {
          output.line(`${new Date(at).toISOString()}  ${status}  ${where}  ${says}`)
          output.line(`  ${check}: ${explanation}`)
          output.line(`  openspine explain ${id}`)
        }
      }),
    )
}
