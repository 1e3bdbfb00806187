import { z } from 'zod'

/** Section `registration` of the configuration. */
export const registrationConfig = z.object({
  maxAgreements: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(100_000)
    .describe('Most sharing agreements that may be in force: all are held in memory.'),
  fqdnSuffixes: z
    .array(z.string())
    .default([])
    .describe('Domains under which the FQDN of an endpoint must lie; none: any.')
    .meta({ strict: ['.nhs.uk'] }),
  onePersonSuffices: z
    .boolean()
    .default(false)
    .describe('Whether who requested an endpoint may also approve it; profile sandbox alone, elsewhere never.'),
})

export type RegistrationConfig = z.infer<typeof registrationConfig>
