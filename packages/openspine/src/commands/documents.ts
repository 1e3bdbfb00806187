import { writeFileSync } from 'node:fs'
import type { DocumentEntry } from '@openspine/client'
import { SpineError } from '@openspine/standards/error'
import type { Command } from 'commander'
import { action, globalOptions } from '../context.ts'
import { bold, output, shown, table } from '../terminal.ts'
import {
  day,
  formatOption,
  nhsNumberOf,
  practiceFor,
  practiceOption,
  saved,
  showDuties,
  showExchange,
  withSession,
} from './consumer-session.ts'

type Format = { readonly format: 'json' | 'xml' }

/** Letters and scans of a record (GP Connect Access Document). */
export function documentCommands(program: Command): void {
  const documents = program
    .command('documents')
    .description('list and read the documents of a GP record (GP Connect Access Document)')
    .addHelpText(
      'after',
      `
Examples:
  $ openspine documents list 9990548609
  $ openspine documents get <url> --practice A20047 --save letter.pdf
`,
    )
  documents
    .command('list')
    .argument('<nhs number>', 'whose')
    .option('--from <yyyy-mm-dd>', 'created on this day or later', day)
    .option('--to <yyyy-mm-dd>', 'created on this day or earlier', day)
    .option('--author <ods code>', 'written by this organisation')
    .option('--description <word>', 'with this word in the description')
    .addOption(practiceOption())
    .addOption(formatOption())
    .description('which documents there are, the newest first')
    .action(
      action(
        async (
          command,
          given: string,
          options: Format & { from?: string; to?: string; author?: string; description?: string; practice?: string },
        ) => {
          const nhsNumber = nhsNumberOf(given)
          const { format, from, to, author, description } = options
          await withSession(command, async (session) => {
            const odsCode = await practiceFor(session, nhsNumber, options.practice)
            const found = await session.documents({
              nhsNumber,
              odsCode,
              format,
              created: { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) },
              ...(author === undefined ? {} : { author }),
              ...(description === undefined ? {} : { description }),
            })
            if (globalOptions(command).json) return output.json(found)
            showDuties(found)
            for (const line of readableDocuments(found.documents)) output.line(line)
            showExchange(found)
          })
          return undefined
        },
      ),
    )
  documents
    .command('get')
    .argument('<document>', 'its URL, as `list` shows it, or its id')
    .requiredOption('--practice <ods code>', 'the practice that has it')
    .option('--save <file>', 'write the content to this file; without it, text is printed')
    .addOption(formatOption())
    .description('the content of a document')
    .action(
      action(async (command, document: string, options: Format & { practice: string; save?: string }) => {
        const { save, format, practice: odsCode } = options
        const { json } = globalOptions(command)
        const { content, ...about } = await withSession(command, (session) =>
          session.document({ odsCode, document, format }),
        )
        const isText = /^text\/(plain|csv)\b/.test(about.contentType)
        if (save === undefined && !json && !isText)
          throw new SpineError(
            'USAGE',
            { contentType: about.contentType },
            { explanation: `This is ${about.contentType}, which a terminal cannot show: use --save.` },
          )
        if (save !== undefined) writeFileSync(save, content)
        if (json)
          output.json({
            ...about,
            bytes: content.length,
            ...(save === undefined ? { content: content.toString('base64') } : { saved: save }),
          })
        else {
          if (save === undefined) output.line(shown(content.toString('utf8')))
          showExchange(about, `  ${shown(about.contentType)}  ${content.length} bytes${saved(save)}`)
        }
        return undefined
      }),
    )
}

function readableDocuments(documents: readonly DocumentEntry[]): string[] {
  if (documents.length === 0) return ['No documents.']
  const rows = documents.map((one) => [
    one.created?.slice(0, 10) ?? '',
    one.type ?? '',
    one.description ?? '',
    one.contentType ?? '',
    one.size === undefined ? '' : `${one.size.toLocaleString('en-GB')} bytes`,
    one.url ?? `not to be had: ${one.absent}`,
  ])
  return table([
    ['created', 'type', 'description', 'content', 'size', 'document'],
    ...rows.map((row) => row.map(shown)),
  ]).map((line, i) => (i === 0 ? bold(line) : line))
}
