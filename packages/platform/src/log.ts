import { type DestinationStream, type Logger as PinoLogger, pino } from 'pino'

/** JSON lines. Never a body, a secret or an NHS number: those belong to the audit alone. */
export type Logger = PinoLogger

export function makeLog(
  options: { readonly level: string; readonly environment: string },
  to?: DestinationStream,
): Logger {
  return pino(
    {
      level: options.level,
      base: { environment: options.environment },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: ['authorization', '*.authorization', 'headers.authorization', 'key', '*.key'],
        censor: '[hidden]',
      },
    },
    to ?? pino.destination({ dest: 2, sync: false }),
  )
}
