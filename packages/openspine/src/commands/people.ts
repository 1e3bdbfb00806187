import { createReadStream, createWriteStream } from 'node:fs'
import { rename, rm, stat } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { linesOf } from '@openspine/services/demographics'
import { SpineError } from '@openspine/standards/error'
import type { Command } from 'commander'
import { action, globalOptions, settingsOf, terminalUser, withPlatform } from '../context.ts'
import { makeServices } from '../house.ts'
import { counter, duration, exitCode, output } from '../terminal.ts'
import { recordCommands } from './people-records.ts'

/** The people of demographics as FHIR NDJSON, out and in. */
export function peopleCommands(program: Command): void {
  const people = program
    .command('people')
    .description('the people of demographics: export and import as FHIR NDJSON, history, merges, restrictions, events')

  people
    .command('export')
    .argument('<file>', 'is written anew; with .gz at the end it is compressed')
    .description('write everybody, whole and unmasked, one FHIR R4 Patient a line')
    .action(
      action(async (command, file: string) => {
        const started = performance.now()
        const written = await withDemographics(command, 'pds.export', async ({ contract }) => {
          const count = { people: 0 }
          const said = counter('exporting')
          async function* lines(): AsyncGenerator<string> {
            for await (const line of contract.export()) {
              yield `${line}\n`
              said(++count.people)
            }
          }
          await writeWhole(file, lines())
          return count
        })
        const ms = performance.now() - started
        if (globalOptions(command).json) output.json({ ...written, file, ms })
        else output.line(`${written.people} people written to ${file} in ${duration(ms)}`)
      }),
    )

  people
    .command('import')
    .argument('<file>', 'FHIR R4 Patients, one a line; with .gz at the end it is unpacked')
    .description('load the people of a file who are not there yet; run again to go on where it stopped')
    .addHelpText(
      'after',
      `
The NHS number is read from the identifier of https://fhir.nhs.uk/Id/nhs-number. People who are there stay as they are.
Lines that are no people are left out and listed (--json has up to a thousand of them); then the exit code is 3.`,
    )
    .action(
      action(async (command, file: string) => {
        if (!(await stat(file).catch(() => undefined))?.isFile())
          throw new SpineError('CONFIG_NO_FILE', { file }, { explanation: `There is no file ${file}.` })
        const started = performance.now()
        const report = await withDemographics(command, 'pds.import', ({ contract }) => {
          const said = counter('importing')
          async function* lines(): AsyncGenerator<string> {
            let read = 0
            for await (const line of linesOf(textOf(file))) {
              yield line
              said(++read)
            }
          }
          return contract.import(lines())
        })
        const ms = performance.now() - started
        const code = report.rejected > 0 ? exitCode.refused : exitCode.done
        if (globalOptions(command).json) {
          output.json({ ...report, ms })
          return code
        }
        const already = report.read - report.rejected - report.written
        output.line(
          `${report.written} people loaded in ${duration(ms)}${already > 0 ? `, ${already} were there already` : ''}`,
        )
        if (report.rejected > 0) output.line(`${report.rejected} lines left out:`)
        for (const { line, reason } of report.rejections.slice(0, 20)) output.line(`  line ${line} ${reason}`)
        return code
      }),
    )

  recordCommands(people)
}

type DemographicsService = ReturnType<typeof makeServices>['demographics']

/** What is done to everybody's records is audited with its result: numbers of lines, nothing of a person. */
function withDemographics<Result extends object>(
  command: Command,
  event: 'pds.export' | 'pds.import',
  work: (demographics: DemographicsService) => Promise<Result>,
): Promise<Result> {
  return withPlatform(command, async (platform) => {
    const { demographics } = makeServices(platform, settingsOf(command))
    await platform.store.migrate(demographics.name, demographics.migrations ?? {})
    const result = await work(demographics)
    const facts = Object.fromEntries(Object.entries(result).filter(([, value]) => typeof value === 'number'))
    await platform.audit.append({ event, at: platform.clock.now(), facts: { by: terminalUser.id, ...facts } })
    return result
  })
}

/** Everything or nothing under this name, and readable by its owner alone: it holds the records of people. */
async function writeWhole(file: string, lines: AsyncIterable<string>): Promise<void> {
  const partial = `${file}.partial`
  const target = createWriteStream(partial, { mode: 0o600 })
  try {
    await (file.endsWith('.gz') ? pipeline(lines, createGzip({ level: 3 }), target) : pipeline(lines, target))
    await rename(partial, file)
  } catch (error) {
    await rm(partial, { force: true })
    throw fileError(error, file)
  }
}

async function* textOf(file: string): AsyncGenerator<string> {
  const source = createReadStream(file)
  const bytes: AsyncIterable<Buffer> = file.endsWith('.gz') ? source.pipe(createGunzip()) : source
  const decoder = new TextDecoder()
  source.on('error', (error) => bytes !== source && (bytes as ReturnType<typeof createGunzip>).destroy(error))
  try {
    for await (const chunk of bytes) yield decoder.decode(chunk, { stream: true })
    yield decoder.decode()
  } catch (error) {
    throw fileError(error, file)
  }
}

const fileError = (cause: unknown, file: string): Error =>
  cause instanceof Error && 'code' in cause && /^(E[A-Z]+|Z_[A-Z_]+)$/.test(String(cause.code))
    ? new SpineError(
        'DEMOGRAPHICS_FILE',
        { file },
        { explanation: `${file} cannot be read or written: ${cause.message}`, cause },
      )
    : (cause as Error)
