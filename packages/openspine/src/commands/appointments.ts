import type { Appointment, AppointmentAnswer, ClientSession, FreeSlot } from '@openspine/client'
import { SpineError } from '@openspine/standards/error'
import type { Command } from 'commander'
import { action, globalOptions } from '../context.ts'
import { readableAppointment, readableAppointments, readableSlots } from '../readable-appointments.ts'
import { output } from '../terminal.ts'
import {
  day,
  daysFromNow,
  formatOption,
  nhsNumberOf,
  practiceFor,
  practiceOption,
  showDuties,
  showExchange,
  withSession,
} from './consumer-session.ts'

interface Window {
  readonly from?: string
  readonly to?: string
}

interface Filters {
  readonly organisationType?: string
  readonly organisation?: string
  readonly service?: string
}

type Format = { readonly format: 'json' | 'xml' }

const usage = (explanation: string) => new SpineError('USAGE', {}, { explanation })
const many = (one: string, before: readonly string[] = []) => [...before, one]

/** Days to look through. A fortnight is the most that a practice answers at once (§10.1). */
function days({ from = daysFromNow(0), to }: Window, more: number) {
  const start = Date.parse(`${from}T00:00:00Z`)
  return { start: from, end: to ?? new Date(start + more * 86_400_000).toISOString().slice(0, 10) }
}

/** What a terminal shows, and what a choice is made from. */
const shownDays = 2
const searchedDays = 13

function filtersOf({ organisationType, organisation, service }: Filters) {
  return {
    filters: {
      ...(organisationType === undefined ? {} : { organisationType }),
      ...(organisation === undefined ? {} : { organisation }),
      ...(service === undefined ? {} : { service }),
    },
  }
}

function slotOptions(command: Command, more: number): Command {
  return command
    .option('--from <yyyy-mm-dd>', 'first day (default: today)', day)
    .option('--to <yyyy-mm-dd>', `last day, at most 14 days on (default: ${more} days after the first)`, day)
    .option('--organisation-type <code>', 'also slots kept for this type of organisation, for example urgent-care')
    .option('--organisation <ods code>', 'also slots kept for this organisation')
    .option('--service <id>', 'only slots of this service (DoS service id)')
    .addOption(formatOption())
}

function show(command: Command, answer: AppointmentAnswer, done: string): void {
  if (globalOptions(command).json) return void output.json(answer)
  if (done !== '') output.line(done)
  for (const line of readableAppointment(answer.appointment)) output.line(line)
  showExchange(answer)
}

/** Slots, bookings and their changes at a GP practice (GP Connect Appointment Management). */
export function appointmentCommands(program: Command): void {
  const appointments = program
    .command('appointments')
    .description('find, book, read, amend and cancel appointments at a GP practice (GP Connect 1.x)')
    .addHelpText(
      'after',
      `
Examples:
  $ openspine appointments slots A20047 --from 2026-12-01
  $ openspine appointments book 9990548609 --slot <slot> --description "Chest pain, from 111"
  $ openspine appointments list 9990548609
  $ openspine appointments amend <appointment> --practice A20047 --comment "needs a ramp"
  $ openspine appointments cancel <appointment> --practice A20047 --reason "feels better"

What books or changes is never repeated by itself. A slot that is gone, or an appointment that somebody else changed
meanwhile, ends with exit code 3.
`,
    )
  slotsCommand(appointments)
  bookCommand(appointments)
  listCommand(appointments)
  changeCommands(appointments)
}

function slotsCommand(appointments: Command): void {
  slotOptions(
    appointments.command('slots').argument('<ods code>', 'the practice').description('free slots that may be booked'),
    shownDays,
  ).action(
    action(async (command, odsCode: string, options: Window & Filters & Format) => {
      const found = await withSession(command, (session) =>
        session.slots({ odsCode, format: options.format, ...days(options, shownDays), ...filtersOf(options) }),
      )
      if (globalOptions(command).json) {
        const { bundle: _bundle, ...rest } = found
        output.json(rest)
        return undefined
      }
      showDuties(found)
      for (const line of readableSlots(found.slots)) output.line(line)
      showExchange(found)
      return undefined
    }),
  )
}

/** The slots of these ids, or the first free one that is still to come; what is no longer free is named. */
function chosen(free: readonly FreeSlot[], ids: readonly string[] | undefined): readonly FreeSlot[] {
  if (ids === undefined) {
    const first = free.find(({ start }) => Date.parse(start) > Date.now())
    if (first) return [first]
    throw new SpineError(
      'CLIENT_NOT_FOUND',
      {},
      { explanation: 'There is no free slot in this time that is still to come.' },
    )
  }
  return ids.map((id) => {
    const slot = free.find((one) => one.id === id)
    if (slot) return slot
    throw new SpineError(
      'CLIENT_NOT_FOUND',
      { slot: id },
      { explanation: `Slot ${id} is not among the free ones of this time: widen --from and --to, or choose another.` },
    )
  })
}

function bookCommand(appointments: Command): void {
  slotOptions(
    appointments
      .command('book')
      .argument('<nhs number>', 'for whom')
      .option('--slot <id>', 'which slot; repeat it for several that follow each other', many)
      .option('--first', 'the first free slot instead')
      .requiredOption('--description <text>', 'what it is about, at most 100 characters')
      .option('--comment <text>', 'more, at most 500 characters')
      .addOption(practiceOption())
      .description('book an appointment'),
    searchedDays,
  ).action(
    action(
      async (
        command,
        given: string,
        options: Window &
          Filters &
          Format & { slot?: string[]; first?: boolean; description: string; comment?: string; practice?: string },
      ) => {
        if ((options.slot === undefined) === (options.first !== true)) throw usage('Give --slot, or --first.')
        const nhsNumber = nhsNumberOf(given)
        const { format, description, comment, organisationType } = options
        await withSession(command, async (session) => {
          const odsCode = await practiceFor(session, nhsNumber, options.practice)
          const patient = await session.findPatient({ nhsNumber, odsCode, format })
          if (!globalOptions(command).json) showDuties(patient)
          const free = await session.slots({ odsCode, format, ...days(options, searchedDays), ...filtersOf(options) })
          const answer = await session.bookAppointment({
            odsCode,
            format,
            patientId: patient.id,
            slots: chosen(free.slots, options.slot),
            description,
            ...(comment === undefined ? {} : { comment }),
            ...(organisationType === undefined ? {} : { organisationType }),
          })
          show(command, answer, 'Booked.')
        })
        return undefined
      },
    ),
  )
}

function listCommand(appointments: Command): void {
  appointments
    .command('list')
    .argument('<nhs number>', 'whose')
    .option('--from <yyyy-mm-dd>', 'first day, today or later (default: today)', day)
    .option('--to <yyyy-mm-dd>', 'last day (default: a year on)', day)
    .addOption(practiceOption())
    .addOption(formatOption())
    .description('appointments that are still to come, cancelled ones too')
    .action(
      action(async (command, given: string, options: Window & Format & { practice?: string }) => {
        const nhsNumber = nhsNumberOf(given)
        const { format, from = daysFromNow(0), to = daysFromNow(365) } = options
        await withSession(command, async (session) => {
          const odsCode = await practiceFor(session, nhsNumber, options.practice)
          const patient = await session.findPatient({ nhsNumber, odsCode, format })
          const found = await session.appointments({ odsCode, patientId: patient.id, from, to, format })
          if (globalOptions(command).json) return output.json({ ...found, comparison: patient.comparison })
          showDuties({ ...patient, incomplete: [...patient.incomplete, ...found.incomplete] })
          for (const line of readableAppointments(found.appointments)) output.line(line)
          showExchange(found)
        })
        return undefined
      }),
    )
}

type Change = Format & {
  readonly practice: string
  readonly ifVersion?: string
  readonly description?: string
  readonly comment?: string
  readonly reason?: string
}

/** Reads the appointment, and goes on with it as it was read, or as the version that the user read. */
async function afterReading(
  command: Command,
  id: string,
  { practice: odsCode, format, ifVersion }: Change,
  work: (session: ClientSession, appointment: Appointment) => Promise<AppointmentAnswer>,
): Promise<AppointmentAnswer> {
  return withSession(command, async (session) => {
    const answer = await session.readAppointment({ odsCode, id, format })
    return work(session, ifVersion === undefined ? answer.appointment : { ...answer.appointment, version: ifVersion })
  })
}

function one(appointments: Command, name: string): Command {
  return appointments
    .command(name)
    .argument('<appointment id>', 'as `list` shows it')
    .requiredOption('--practice <ods code>', 'the practice that has it')
    .addOption(formatOption())
}

const ifVersion = ['--if-version <version>', 'only if this is still its version, as `show` said it'] as const

function changeCommands(appointments: Command): void {
  one(appointments, 'show')
    .description('one appointment, with its version')
    .action(
      action(async (command, id: string, { practice: odsCode, format }: Change) => {
        show(command, await withSession(command, (session) => session.readAppointment({ odsCode, id, format })), '')
        return undefined
      }),
    )

  one(appointments, 'amend')
    .option('--description <text>', 'the new description, at most 100 characters')
    .option('--comment <text>', 'the new comment, at most 500 characters')
    .option(...ifVersion)
    .description('give an appointment another description or comment')
    .action(
      action(async (command, id: string, options: Change) => {
        const { practice: odsCode, format, description, comment } = options
        if (description === undefined && comment === undefined) throw usage('Give --description or --comment.')
        const answer = await afterReading(command, id, options, (session, appointment) =>
          session.amendAppointment({
            odsCode,
            appointment,
            format,
            ...(description === undefined ? {} : { description }),
            ...(comment === undefined ? {} : { comment }),
          }),
        )
        show(command, answer, 'Amended.')
        return undefined
      }),
    )

  one(appointments, 'cancel')
    .requiredOption('--reason <text>', 'why')
    .option(...ifVersion)
    .description('cancel an appointment; its slots become free again')
    .action(
      action(async (command, id: string, options: Change) => {
        const { practice: odsCode, format, reason = '' } = options
        const answer = await afterReading(command, id, options, (session, appointment) =>
          session.cancelAppointment({ odsCode, appointment, reason, format }),
        )
        show(command, answer, 'Cancelled.')
        return undefined
      }),
    )
}
