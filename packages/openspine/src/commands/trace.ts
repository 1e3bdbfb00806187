import { SpineError } from '@openspine/standards/error'
import { type Command, Option } from 'commander'
import { action, globalOptions } from '../context.ts'
import { bold, dim, duration, exitCode, output } from '../terminal.ts'
import { nhsNumberOf, withSession } from './consumer-session.ts'
import { askWhyTraced, showTraceExplanation } from './explain-trace.ts'
import { batchTrace } from './trace-batch.ts'

export function traceCommand(program: Command): void {
  program
    .command('trace')
    .argument('[nhs number]', 'retrieve this person; without it, search by the details')
    .option('--family <name>')
    .option('--given <name>')
    .option('--birth-date <yyyy-mm-dd>')
    .addOption(new Option('--gender <gender>').choices(['male', 'female', 'other', 'unknown']))
    .option('--postcode <postcode>')
    .option('--fuzzy', 'allow other spellings')
    .option('--explain', 'say how every field was compared, of who matched and who came near (asks this environment)')
    .option('--history', 'with --explain: consider former names and addresses too')
    .option('--batch <in and out...>', 'trace the rows of a CSV file into another; run again to go on where it stopped')
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
            explain?: boolean
            history?: boolean
            batch?: string[]
          },
        ) => {
          const { family, birthDate, explain, history, batch, ...rest } = options
          if (batch !== undefined) return void (await batchTrace(command, batch))
          if (explain === true) return explained(command, nhsNumber, { family, birthDate, history, ...rest })
          if (history === true) throw new SpineError('USAGE', {}, { explanation: '--history goes with --explain.' })
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
}

async function explained(
  command: Command,
  nhsNumber: string | undefined,
  options: Readonly<Record<string, string | boolean | undefined>>,
): Promise<number> {
  if (options['birthDate'] === undefined)
    throw new SpineError(
      'USAGE',
      {},
      {
        explanation: 'An explanation is about a search: give --birth-date and names, and a number to ask about it too.',
      },
    )
  const parameters = Object.entries(parameterOf).flatMap(([option, parameter]): (readonly [string, string])[] =>
    options[option] === undefined ? [] : [[parameter, String(options[option])]],
  )
  const also = nhsNumber === undefined ? undefined : nhsNumberOf(nhsNumber)
  const answer = await askWhyTraced(command, { parameters, ...(also === undefined ? {} : { also }) })
  if (globalOptions(command).json) output.json(answer)
  else showTraceExplanation(answer, also)
  return answer.found.length > 0 ? exitCode.done : exitCode.refused
}

/** Options of this command as parameters of `GET /Patient`. */
const parameterOf: Readonly<Record<string, string>> = {
  family: 'family',
  given: 'given',
  birthDate: 'birthdate',
  gender: 'gender',
  postcode: 'address-postalcode',
  fuzzy: '_fuzzy-match',
  history: '_history',
}
