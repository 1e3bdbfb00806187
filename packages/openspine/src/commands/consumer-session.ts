import type { ClientSession, Comparison, Exchange, Shortcoming } from '@openspine/client'
import { SpineError } from '@openspine/standards/error'
import { isNhsNumber } from '@openspine/standards/nhs'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { consumerClient, consumerMaterial, settingsOf, terminalUser } from '../context.ts'
import { dim, duration, output, red, shown } from '../terminal.ts'
import { withTrust } from './certificates.ts'

/** What the commands of a consumer have in common: the session, who and where, and what every answer says beside its content. */
export async function withSession<Result>(
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

const usage = (explanation: string) => new SpineError('USAGE', {}, { explanation })

/** An NHS number as people write it. */
export function nhsNumberOf(given: string): string {
  const nhsNumber = given.replaceAll(' ', '')
  if (!isNhsNumber(nhsNumber)) throw usage(`${given} is not an NHS number: ten digits with a right check digit.`)
  return nhsNumber
}

/** The practice that is named, or the one that demographics name; then what it returns is compared with them. */
export async function practiceFor(
  session: ClientSession,
  nhsNumber: string,
  named: string | undefined,
): Promise<string> {
  const odsCode = named ?? (await session.trace({ nhsNumber })).person.practice
  if (odsCode !== undefined) return odsCode
  throw new SpineError(
    'CLIENT_NOT_FOUND',
    {},
    { explanation: 'Demographics names no GP practice for this person: use --practice.' },
  )
}

export const practiceOption = () =>
  new Option('--practice <ods code>', 'ask this practice; without it, the one that demographics names')

export const formatOption = () =>
  new Option('--format <format>', 'how resources travel').choices(['json', 'xml']).default('json')

/** A day as the wire wants it. */
export function day(given: string): string {
  const time = Date.parse(`${given}T00:00:00Z`)
  if (!/^\d{4}-\d{2}-\d{2}$/.test(given) || new Date(time).toISOString().slice(0, 10) !== given)
    throw new InvalidArgumentError('Write a day as yyyy-mm-dd.')
  return given
}

/** Today and so many days on, in the time zone of this machine. */
export function daysFromNow(days: number): string {
  const at = new Date()
  at.setDate(at.getDate() + days)
  return [at.getFullYear(), at.getMonth() + 1, at.getDate()].map((part) => String(part).padStart(2, '0')).join('-')
}

const fieldNames: Readonly<Record<string, string>> = { birthDate: 'birth date', deceased: 'date of death' }

/** What a user must see before the content: another person's details, and that something is missing. */
export function showDuties(answer: {
  readonly comparison?: Comparison
  readonly incomplete: readonly Shortcoming[]
}): void {
  for (const { field, local, returned } of answer.comparison?.differences ?? [])
    output.line(
      red(
        shown(
          `≠ ${fieldNames[field] ?? field}: demographics say ${local ?? 'nothing'}, the practice says ${returned ?? 'nothing'}`,
        ),
      ),
    )
  for (const field of answer.comparison?.notCompared ?? [])
    output.line(dim(`${fieldNames[field] ?? field} could not be compared with demographics`))
  for (const { text } of answer.incomplete) output.line(red(shown(`! incomplete: ${text}`)))
}

/** Where the answer came from, for whoever asks why. */
export function showExchange({ endpoint, traceId, ms }: Exchange, more = ''): void {
  output.line(dim(`${endpoint}  trace ${traceId}  ${duration(ms)}${more}`))
}

export function saved(file: string | undefined): string {
  return file === undefined ? '' : `  saved to ${file}`
}
