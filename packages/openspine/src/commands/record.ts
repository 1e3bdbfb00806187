import { writeFileSync } from 'node:fs'
import { type ClientSession, type RecordSection, recordSections, type StructuredInclude } from '@openspine/client'
import { SpineError } from '@openspine/standards/error'
import { escapeText } from '@openspine/standards/xml'
import { type Command, Option } from 'commander'
import { action, globalOptions } from '../context.ts'
import { readableHtml } from '../readable-html.ts'
import { readableStructured } from '../readable-structured.ts'
import { dim, output } from '../terminal.ts'
import {
  formatOption,
  nhsNumberOf,
  practiceFor,
  practiceOption,
  saved,
  showDuties,
  showExchange,
  withSession,
} from './consumer-session.ts'

/** Each area as it is asked for when nothing narrows it. */
const areas = {
  allergies: { resolved: true },
  medication: {},
  consultations: {},
  problems: [],
  immunisations: {},
  uncategorised: {},
  investigations: {},
  referrals: {},
  diary: {},
} as const satisfies Required<StructuredInclude>

type Area = keyof typeof areas

interface RecordOptions {
  readonly section?: RecordSection
  readonly structured?: boolean
  readonly include?: string
  readonly practice?: string
  readonly from?: string
  readonly to?: string
  readonly format: 'json' | 'xml'
  readonly save?: string
}

interface Asked {
  readonly nhsNumber: string
  readonly odsCode: string
  readonly format: 'json' | 'xml'
}

const usage = (explanation: string) => new SpineError('USAGE', {}, { explanation })

function included(given: string | undefined): StructuredInclude {
  const names =
    given === undefined || given === 'all' ? Object.keys(areas) : given.split(',').map((name) => name.trim())
  return Object.fromEntries(
    names.map((name) => {
      if (!Object.hasOwn(areas, name))
        throw usage(`There is no area ${name}. Areas: ${Object.keys(areas).join(', ')}, or all.`)
      return [name, areas[name as Area]]
    }),
  )
}

export function recordCommand(program: Command): void {
  program
    .command('record')
    .argument('<nhs number>')
    .addOption(
      new Option(
        '--section <code>',
        `${Object.entries(recordSections)
          .map(([code, title]) => `${code} ${title}`)
          .join(', ')} (default: SUM)`,
      ).choices(Object.keys(recordSections)),
    )
    .option('--structured', 'the record as data, area by area, instead of a section in HTML')
    .option('--include <areas>', `with --structured: ${Object.keys(areas).join(',')}, or all (the default)`)
    .addOption(practiceOption())
    .option('--from <date>', 'with --section: start of the period, yyyy, yyyy-mm or yyyy-mm-dd')
    .option('--to <date>', 'with --section: end of the period')
    .addOption(formatOption())
    .option(
      '--save <file>',
      "write the section's HTML, made safe to show, or the FHIR JSON of --structured to this file",
    )
    .description('read a GP record through the secure proxy (GP Connect Access Record HTML, or Structured)')
    .addHelpText(
      'after',
      `
Examples:
  $ openspine record 9990548609 --section ALL
  $ openspine record 9990548609 --structured --include allergies,medication
  $ openspine record 9990548609 --structured --save record.json
`,
    )
    .action(
      action(async (command, given: string, options: RecordOptions) => {
        const { section, structured, include, from, to } = options
        if (structured && (section !== undefined || from !== undefined || to !== undefined))
          throw usage('--section, --from and --to belong to the record in HTML: leave them out with --structured.')
        if (!structured && include !== undefined) throw usage('--include goes with --structured.')
        const areasAsked = structured ? included(include) : undefined
        const nhsNumber = nhsNumberOf(given)
        await withSession(command, async (session) => {
          const odsCode = await practiceFor(session, nhsNumber, options.practice)
          const asked = { nhsNumber, odsCode, format: options.format }
          if (areasAsked) await structuredRecord(command, session, asked, areasAsked, options.save)
          else await htmlSection(command, session, asked, options)
        })
        return undefined
      }),
    )
}

async function htmlSection(
  command: Command,
  session: ClientSession,
  asked: Asked,
  options: RecordOptions,
): Promise<void> {
  const { section = 'SUM', from, to, save } = options
  const period =
    from === undefined && to === undefined
      ? {}
      : { period: { ...(from === undefined ? {} : { start: from }), ...(to === undefined ? {} : { end: to }) } }
  const record = await session.careRecord({ ...asked, section, ...period })
  if (save !== undefined)
    writeFileSync(
      save,
      `<!doctype html><meta charset="utf-8"><title>${escapeText(record.title)}</title>${record.safe.html}\n`,
    )
  if (globalOptions(command).json) return output.json(record)
  showDuties(record)
  for (const line of readableHtml(record.safe.html)) output.line(line)
  if (record.safe.removed.length > 0) output.line(dim(`removed as unsafe: ${record.safe.removed.join(', ')}`))
  showExchange(record, saved(save))
}

async function structuredRecord(
  command: Command,
  session: ClientSession,
  asked: Asked,
  include: StructuredInclude,
  save: string | undefined,
): Promise<void> {
  const record = await session.structuredRecord({ ...asked, include })
  if (save !== undefined) writeFileSync(save, `${JSON.stringify(record.bundle, undefined, 2)}\n`)
  if (globalOptions(command).json) {
    // The lists point into the bundle: it is printed once.
    const { lists: _lists, patient: _patient, ...rest } = record
    return output.json(rest)
  }
  showDuties(record)
  for (const line of readableStructured(record)) output.line(line)
  showExchange(record, saved(save))
}
