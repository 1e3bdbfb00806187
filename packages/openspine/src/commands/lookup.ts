import { SpineError } from '@openspine/standards/error'
import { serviceNamePrefix } from '@openspine/standards/nhs/interactions'
import { type Command, Option } from 'commander'
import { action, consumerMaterial, globalOptions, localUrls, settingsOf } from '../context.ts'
import { bold, dim, duration, exitCode, output } from '../terminal.ts'
import { withTrust } from './certificates.ts'
import { withSession } from './consumer-session.ts'
import { askWhy, foundAll, showExplanation } from './explain-lookup.ts'

const whole = (interaction: string) =>
  interaction.startsWith(serviceNamePrefix) ? interaction : serviceNamePrefix + interaction

export function lookupCommand(program: Command): void {
  program
    .command('lookup')
    .argument('[ods code]', 'organisation, for example A20047')
    .argument('[interaction]', `interaction id; ${serviceNamePrefix} may be left out`)
    .option('--explain', 'say which conditions hold for how many records, and what the nearest have instead')
    .option('--filter <filter>', 'explain this LDAP search instead, for example (nhsIDCode=A20047)')
    .option('--base <dn>', 'where that search begins (default: o=nhs)')
    .addOption(new Option('--scope <scope>', 'how far it reaches').choices(['base', 'one', 'sub', 'children']))
    .description('which endpoint and which accredited system serve this interaction (SDS over LDAP), or why none does')
    .action(
      action(
        async (
          command,
          odsCode: string | undefined,
          interaction: string | undefined,
          options: { explain?: boolean; filter?: string; base?: string; scope?: string },
        ) => {
          const { filter, base, scope } = options
          if (
            filter === undefined &&
            (odsCode === undefined || interaction === undefined || base !== undefined || scope !== undefined)
          )
            throw new SpineError(
              'USAGE',
              {},
              { explanation: 'Give an ODS code and an interaction, or --filter (with --base and --scope).' },
            )
          if (filter !== undefined && odsCode !== undefined)
            throw new SpineError(
              'USAGE',
              {},
              { explanation: 'Give an ODS code and an interaction, or --filter, not both.' },
            )
          const { json } = globalOptions(command)
          if (filter !== undefined || options.explain === true) {
            const settings = settingsOf(command)
            const { ca } = await withTrust(command, (trust) => consumerMaterial(settings, async () => trust))
            const asked =
              filter === undefined
                ? { organization: odsCode ?? '', interaction: whole(interaction ?? '') }
                : { filter, ...(base === undefined ? {} : { base }), ...(scope === undefined ? {} : { scope }) }
            const explained = await askWhy(settings, ca, localUrls(settings).pds, asked)
            if (json) output.json(explained)
            else showExplanation(explained)
            return foundAll(explained) ? exitCode.done : exitCode.refused
          }
          const found = await withSession(command, (session) =>
            session.lookup({ odsCode: odsCode ?? '', interaction: whole(interaction ?? '') }),
          )
          if (json) return void output.json(found)
          output.line(`endpoint   ${bold(found.endpoint)}`)
          output.line(`asid       ${bold(found.asid)}`)
          output.line(`party key  ${found.partyKey}`)
          for (const search of found.searches)
            output.line(dim(`searched   ${search.filter}  ${search.found} found  ${duration(search.ms)}`))
        },
      ),
    )
}
