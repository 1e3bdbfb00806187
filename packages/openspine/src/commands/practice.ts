import { createReadStream, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import {
  type CsvKind,
  csvKinds,
  formatOfName,
  type PopulationFault,
  type PopulationReport,
  type PopulationSource,
  type PracticeContract,
} from '@openspine/practice'
import { SpineError } from '@openspine/standards/error'
import type { Command } from 'commander'
import { action, globalOptions, settingsOf, withPlatform } from '../context.ts'
import { makeServices } from '../house.ts'
import { bold, counter, dim, duration, exitCode, output, table } from '../terminal.ts'

interface LoadOptions {
  readonly practice?: string
  readonly format: string
  readonly kind?: string
  readonly complete?: boolean
  readonly keepGoing?: boolean
  readonly ignoreUnknown?: boolean
  readonly dryRun?: boolean
}

const formats = ['auto', 'csv', 'fhir', 'practice-file']

/** The practices of the practice system, and how a population gets into one. */
export function practiceCommands(program: Command): void {
  const group = program.command('practice').description('practices of the practice system: list them, load patients')

  group
    .command('load')
    .argument(
      '<file or folder...>',
      'CSV files, FHIR (JSON, NDJSON, XML), or one practice file; a folder stands for its files',
    )
    .option(
      '--practice <ods code>',
      'the practice that gets all the patients; absent: each goes to the practice that the files name',
    )
    .option('--format <format>', formats.join(', '), 'auto')
    .option('--kind <kind>', `what the rows of CSV files are, where their names do not tell: ${csvKinds.join(', ')}`)
    .option('--complete', 'remove the other patients of these practices')
    .option('--keep-going', 'write what is right, and leave out what has faults')
    .option('--ignore-unknown', 'pass over columns that are not known')
    .option('--dry-run', 'read and check alone')
    .description('load a test population: all of it, or nothing where anything is wrong')
    .addHelpText(
      'after',
      `
CSV files have a header row; docs/guides/load-a-test-population.md has the columns. Of FHIR, versions DSTU2, STU3 and R4
are read. Practices must be there (a practice file makes them); those that are missing are named. What a record has no
place for is counted, and --json tells where it stands and why. Exit code 3: faults were found (each is named by file,
line and path), and without --keep-going nothing was written. May be repeated: unchanged records keep their version.

Examples:
  $ openspine practice load patients.csv allergies.csv --practice A20047 --dry-run
  $ openspine practice load population/ --practice A20047 --complete
  $ openspine practice load PDS.csv
  $ openspine practice load practice.json --format practice-file
`,
    )
    .action(
      action(async (command, paths: readonly string[], options: LoadOptions) => {
        checkOptions(options)
        const files = paths.flatMap(filesAt)
        if (files.length === 0)
          throw usage('There is nothing to load: a folder is looked through for .csv, .json, .jsonl, .ndjson and .xml.')
        const started = performance.now()
        if (options.format === 'practice-file') {
          if (options.complete || options.keepGoing || options.dryRun || options.practice !== undefined)
            throw usage('A practice file is loaded as it is: it takes no other option.')
          const loaded = await withPractice(command, async (practice) => {
            const sums = { practices: 0, patients: 0 }
            for (const file of files) {
              const { practices, patients } = await practice.load(file)
              sums.practices += practices
              sums.patients += patients
            }
            return sums
          })
          if (globalOptions(command).json) return void output.json(loaded)
          return void output.line(`${loaded.practices} practices with ${loaded.patients} patients loaded`)
        }
        const { practice: odsCode } = options
        const report = await withPractice(command, (practice) =>
          practice.loadPopulation(
            files.map((file) => sourceOf(file, options)),
            {
              ...(odsCode === undefined ? {} : { odsCode: odsCode.toUpperCase() }),
              complete: options.complete === true,
              keepGoing: options.keepGoing === true,
              ignoreUnknown: options.ignoreUnknown === true,
              dryRun: options.dryRun === true,
              progress: counter('patients checked'),
            },
          ),
        )
        const code = report.faultCount > 0 ? exitCode.refused : exitCode.done
        if (globalOptions(command).json) output.json({ ...report, ms: performance.now() - started })
        else for (const line of reportLines(report, performance.now() - started)) output.line(line)
        return code
      }),
    )

  group
    .command('list')
    .description('the practices with their ASIDs, service roots and numbers of patients')
    .action(
      action(async (command) => {
        const all = await withPractice(command, (practice) => practice.practices())
        if (globalOptions(command).json) return void output.json(all)
        for (const line of table(
          all.map(({ odsCode, asid, name, serviceRoot, gpConnect, patients }) => [
            bold(odsCode),
            asid,
            name,
            `${patients} patients`,
            gpConnect ? 'on' : 'off',
            serviceRoot,
          ]),
        ))
          output.line(line)
      }),
    )
}

const usage = (explanation: string) => new SpineError('USAGE', {}, { explanation })

function checkOptions({ format, kind, complete, keepGoing }: LoadOptions): void {
  if (!formats.includes(format)) throw usage(`--format wants one of ${formats.join(', ')}.`)
  if (kind !== undefined && !csvKinds.some((each) => each === kind))
    throw usage(`--kind wants one of ${csvKinds.join(', ')}.`)
  if (complete && keepGoing)
    throw usage('--complete and --keep-going do not go together: patients with faults would be removed.')
}

/** The file itself, or the files of a folder that can be read, in the order of their names. */
function filesAt(path: string): string[] {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined)
    throw new SpineError('CONFIG_NO_FILE', { path }, { explanation: `There is no file or folder ${path}.` })
  if (!found.isDirectory()) return [path]
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && formatOfName(entry.name) !== undefined)
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}

function sourceOf(name: string, { format, kind }: LoadOptions): PopulationSource {
  return {
    name,
    text: () => createReadStream(name, 'utf8'),
    ...(kind === undefined ? {} : { kind: kind as CsvKind }),
    ...(format === 'csv' || format === 'fhir' ? { format } : {}),
  }
}

/** The practice system beside the server where one runs; none of its doors is opened. */
function withPractice<Result>(
  command: Command,
  work: (practice: PracticeContract) => Promise<Result>,
): Promise<Result> {
  const settings = settingsOf(command)
  return withPlatform(command, async (platform) => {
    const { practice } = makeServices(platform, settings)
    await platform.store.migrate(practice.name, practice.migrations ?? {})
    return work(practice.contract)
  })
}

const shownFaults = 20

/** A report in plain words. */
export function reportLines(report: PopulationReport, ms: number): readonly string[] {
  const { practices, missingPractices, written, patients, resources, unmapped, faults, faultCount } = report
  const where = practices.map(({ odsCode }) => odsCode).join(', ') || 'no practice'
  const counts = (kinds: Readonly<Record<string, number>>) =>
    table(Object.entries(kinds).map(([kind, n]) => [`  ${kind}`, String(n)]))
  return [
    written
      ? `${patients} patients loaded into ${where} in ${duration(ms)}`
      : faultCount === 0
        ? `${patients} patients could be loaded into ${where}: nothing was written (--dry-run)`
        : `nothing was written; ${patients} patients have no fault of their own`,
    ...(practices.length < 2
      ? []
      : table(practices.map(({ odsCode, patients: own }) => [`  ${odsCode}`, `${own} patients`]))),
    ...counts(resources),
    ...(Object.keys(unmapped).length === 0 ? [] : ['no place in a record:', ...counts(unmapped)]),
    ...(missingPractices.length === 0
      ? []
      : [
          'practices that are not there; a practice file makes them:',
          ...table(
            missingPractices.map(({ odsCode, name, patients: own }) => [`  ${odsCode}`, `${own} patients`, name ?? '']),
          ),
        ]),
    ...(faultCount === 0 ? [] : [`${faultCount} faults:`]),
    ...faults.slice(0, shownFaults).map((fault) => `  ${faultLine(fault)}`),
    ...(faultCount > shownFaults
      ? [dim(`  … and ${faultCount - shownFaults} more (--json lists up to a thousand)`)]
      : []),
  ]
}

export function faultLine({ source, line, path, problem }: PopulationFault): string {
  return `${[source, line].filter((part) => part !== undefined).join(':')} ${path === undefined ? '' : `${path} `}${problem}`
}
