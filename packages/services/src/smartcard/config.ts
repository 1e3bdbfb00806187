import { z } from 'zod'

/** Section `smartcard` of the configuration. */
export const smartcardConfig = z.object({
  issuer: z
    .string()
    .default('')
    .describe('Issuer in role assertions: URL of the Spine Security Broker. Empty: https and `publicHost`.'),
  sessionMinutes: z
    .int()
    .min(1)
    .max(10_080)
    .default(720)
    .describe('How long a sign-on with a smartcard lasts at most; the card must then be put in again.'),
  idleMinutes: z
    .int()
    .min(0)
    .max(10_080)
    .default(0)
    .describe('After how many minutes without a role assertion a sign-on ends; 0: never before its time.'),
  agentPort: z
    .int()
    .min(-1)
    .max(65_535)
    .default(-1)
    .describe(
      'Port on the loopback address of the simulated identity agent (plain http), in the profile sandbox alone; 0 takes a free one, -1: none.',
    ),
  pin: z
    .string()
    .regex(/^\d{4,8}$/)
    .default('1234')
    .describe('PIN of every simulated smartcard.')
    .meta({ secret: true }),
})

export type SmartcardConfig = z.infer<typeof smartcardConfig>
