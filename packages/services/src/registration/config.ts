import { z } from 'zod'

/** Section `registration` of the configuration. */
export const registrationConfig = z.object({
  maxAgreements: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(100_000)
    .describe('Most sharing agreements that may be in force: all are held in memory.'),
})

export type RegistrationConfig = z.infer<typeof registrationConfig>
