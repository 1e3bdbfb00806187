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
  apiBasePath: z
    .string()
    .regex(/^(\/[A-Za-z0-9._~-]+)+$/)
    .default('/connecting-party-manager')
    .describe('Path of the registration API on the door `api`.'),
  apiApplications: z
    .array(z.string())
    .default([])
    .describe(
      'Applications (ids of `openspine app list`) that may use the registration API; none: in the profile sandbox anyone, in strict nobody.',
    ),
  apiEnvironments: z
    .array(z.enum(['dev', 'qa', 'ref', 'int', 'prod']))
    .default([])
    .describe(
      'Names under which the registration API addresses this environment; none: its own name, or `dev` where that is none of them.',
    ),
})

export type RegistrationConfig = z.infer<typeof registrationConfig>
