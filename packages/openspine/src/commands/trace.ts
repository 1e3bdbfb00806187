import { SpineError } from '@openspine/standards/error'
import { type Command, Option } from 'commander'
import { action, globalOptions } from '../context.ts'
import { bold, dim, duration, output } from '../terminal.ts'
import { withSession } from './consumer-session.ts'

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
}
