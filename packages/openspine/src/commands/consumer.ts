import { writeFileSync } from 'node:fs'
import { type ClientSession, type RecordSection, recordSections } from '@openspine/client'
import { SpineError } from '@openspine/standards/error'
import { isNhsNumber } from '@openspine/standards/nhs'
import { type Command, Option } from 'commander'
import {
  action,
  consumerClient,
  consumerMaterial,
  globalOptions,
  localUrls,
  settingsOf,
  terminalUser,
} from '../context.ts'
import { readableHtml } from '../readable-html.ts'
import { bold, dim, duration, exitCode, output } from '../terminal.ts'
import { withTrust } from './certificates.ts'
import { askWhy, foundAll, showExplanation } from './explain-lookup.ts'

async function withSession<Result>(
  command: Command,
  work: (session: ClientSession) => Promise<Result>,
): Promise<Result> {
  const settings = settingsOf(command)
  const material = await withTrust(command, (trust) => consumerMaterial(settings, async () => trust))
  const client = consumerClient(settings, material)
  try {
    return await work(client.session({ practitioner: terminalUser }))
  } finally {
    await client.close()
  }
}

const namePrefix = 'urn:nhs:names:services:'
const whole = (interaction: string) => (interaction.startsWith(namePrefix) ? interaction : namePrefix + interaction)

/** Commands that act as a consumer on the network, with the addresses and the certificate of the section `client`. */
export function consumerCommands(program: Command): void {
  program
    .command('trace')
    .argument('[nhs number]', 'retrieve this person; without it, search by the details')
    .option('--family <name>')
    .option('--given <name>')
    .option('--birth-date <yyyy-mm-dd>')
    .addOption(new Option('--gender <gender>').choices(['male', 'female', 'other', 'unknown']))
    .option('--postcode <postcode>')
    .option('--fuzzy', 'allow other spellings')
    .description('find a person in demographics (PDS)')
    .action(
      action(
        async (
          command,
          nhsNumber: string | undefined,
          options: {
            family?: string
            given?: string
            birthDate?: string
            gender?: 'male' | 'female' | 'other' | 'unknown'
            postcode?: string
            fuzzy?: boolean
          },
        ) => {
          const { family, birthDate, ...rest } = options
          if (nhsNumber === undefined && (family === undefined || birthDate === undefined))
            throw new SpineError('USAGE', {}, { explanation: 'Give an NHS number, or --family and --birth-date.' })
          const query =
            nhsNumber === undefined
              ? { family: family as string, birthDate: birthDate as string, ...rest }
              : { nhsNumber: nhsNumber.replaceAll(' ', '') }
          const { person, requestId, ms } = await withSession(command, (session) => session.trace(query))
          if (globalOptions(command).json) return void output.json({ ...person, requestId, ms })
          output.line(
            `${bold(person.nhsNumber)}  ${person.verified ? 'verified' : 'not verified'}  practice ${person.practice ?? 'none'}  ${dim(duration(ms))}`,
          )
          output.line(JSON.stringify(person.patient, undefined, 2))
        },
      ),
    )

  program
    .command('lookup')
    .argument('[ods code]', 'organisation, for example A20047')
    .argument('[interaction]', `interaction id; ${namePrefix} may be left out`)
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

  program
    .command('record')
    .argument('<nhs number>')
    .addOption(
      new Option(
        '--section <code>',
        Object.entries(recordSections)
          .map(([code, title]) => `${code} ${title}`)
          .join(', '),
      )
        .choices(Object.keys(recordSections))
        .default('SUM'),
    )
    .option('--practice <ods code>', 'ask this practice; without it, the one that demographics names')
    .option('--from <date>', 'start of the period: yyyy, yyyy-mm or yyyy-mm-dd')
    .option('--to <date>', 'end of the period')
    .addOption(new Option('--format <format>', 'how the bundle travels').choices(['json', 'xml']).default('json'))
    .option('--save <file>', "write the section's HTML to this file")
    .description('read one section of a GP record through the secure proxy (GP Connect Access Record HTML)')
    .action(
      action(
        async (
          command,
          given: string,
          options: {
            section: RecordSection
            practice?: string
            from?: string
            to?: string
            format: 'json' | 'xml'
            save?: string
          },
        ) => {
          const nhsNumber = given.replaceAll(' ', '')
          if (!isNhsNumber(nhsNumber))
            throw new SpineError(
              'USAGE',
              {},
              { explanation: `${given} is not an NHS number: ten digits with a right check digit.` },
            )
          const { section, format } = options
          const period =
            options.from === undefined && options.to === undefined
              ? {}
              : {
                  period: {
                    ...(options.from === undefined ? {} : { start: options.from }),
                    ...(options.to === undefined ? {} : { end: options.to }),
                  },
                }
          const record = await withSession(command, async (session) => {
            const odsCode = options.practice ?? (await session.trace({ nhsNumber })).person.practice
            if (odsCode === undefined)
              throw new SpineError(
                'CLIENT_NOT_FOUND',
                {},
                { explanation: 'Demographics names no GP practice for this person: use --practice.' },
              )
            return session.careRecord({ nhsNumber, odsCode, section, format, ...period })
          })
          if (options.save !== undefined)
            writeFileSync(
              options.save,
              `<!doctype html><meta charset="utf-8"><title>${record.title}</title>${record.html}\n`,
            )
          if (globalOptions(command).json) return void output.json(record)
          for (const line of readableHtml(record.html)) output.line(line)
          output.line(
            dim(
              `${record.endpoint}  trace ${record.traceId}  ${duration(record.ms)}${options.save === undefined ? '' : `  saved to ${options.save}`}`,
            ),
          )
        },
      ),
    )
}
