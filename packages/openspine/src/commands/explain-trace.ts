import { type ExplainedCandidate, type ExplainedTrace, fieldLine } from '@openspine/services/demographics'
import type { Command } from 'commander'
import { settingsOf, terminalUser, withPlatform } from '../context.ts'
import { makeServices } from '../house.ts'
import { bold, dim, green, output, red, shown } from '../terminal.ts'

/** What is searched for, and the person whose absence is to be explained. */
export interface TraceQuestion {
  readonly parameters: readonly (readonly [name: string, value: string])[]
  readonly also?: string
}

/** Asks this environment's demographics itself, beside the server where one runs: on the wire the national service explains nothing. */
export function askWhyTraced(command: Command, question: TraceQuestion): Promise<ExplainedTrace> {
  return withPlatform(command, async (platform) => {
    const { demographics } = makeServices(platform, settingsOf(command))
    await platform.store.migrate(demographics.name, demographics.migrations ?? {})
    return demographics.contract.explain({ ...question, by: terminalUser.id })
  })
}

const answers: Readonly<Record<ExplainedTrace['explanation']['answer'], string>> = {
  none: red('✖ nobody matches'),
  one: `${green('✔')} one person matches`,
  several: `${green('✔')} several people match`,
  'too many': red('✖ more people match than may be returned: ask for more details'),
}

/** An explanation for people. */
export function showTraceExplanation({ found, explanation }: ExplainedTrace, also: string | undefined): void {
  output.line(bold(answers[explanation.answer]))
  const people = new Map(found.map(({ nhsNumber, patient }) => [nhsNumber, patient]))
  for (const candidate of explanation.candidates) showCandidate(candidate, people.get(candidate.nhsNumber))
  if (explanation.more > 0) output.line(dim(`${explanation.more} more came near`))
  if (also !== undefined && !explanation.candidates.some(({ nhsNumber }) => nhsNumber === also))
    output.line(
      `${also}: no search like this one shows a person of this number (unknown, merged, invalid or withheld; restricted people are not found by place or contact)`,
    )
}

function showCandidate(candidate: ExplainedCandidate, patient: Readonly<Record<string, unknown>> | undefined): void {
  const { nhsNumber, score, fields, possible, rejected, foundWith } = candidate
  output.line(
    `${rejected ? red('✖') : green('✔')} ${bold(nhsNumber)}  ${rejected ? rejected.because : `score ${score}`}${patient ? `  ${who(patient)}` : ''}`,
  )
  if (possible) output.line(`    only a possible match: ${possible.because}`)
  for (const field of fields) output.line((field.worth === 0 ? red : dim)(`    ${fieldLine(field)}`))
  if (foundWith) output.line(`    found with ${foundWith.join(' or with ')}`)
}

/** Name and date of birth, out of what the search shows of the person. */
function who(patient: Readonly<Record<string, unknown>>): string {
  const names = patient['name'] as
    | readonly { readonly use?: string; readonly given?: readonly string[]; readonly family?: string }[]
    | undefined
  const name = names?.find(({ use }) => use === 'usual') ?? names?.[0]
  const words = [...(name?.given ?? []), name?.family, patient['birthDate']]
  return shown(words.filter((word) => typeof word === 'string').join(' '))
}
