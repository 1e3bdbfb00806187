import type { Command } from 'commander'
import { appointmentCommands } from './appointments.ts'
import { documentCommands } from './documents.ts'
import { lookupCommand } from './lookup.ts'
import { recordCommand } from './record.ts'
import { traceCommand } from './trace.ts'

/** Commands that act as a consumer on the network, with the addresses and the certificate of the section `client`. */
export function consumerCommands(program: Command): void {
  traceCommand(program)
  lookupCommand(program)
  recordCommand(program)
  appointmentCommands(program)
  documentCommands(program)
}
