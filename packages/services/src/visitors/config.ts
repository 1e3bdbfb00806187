import { z } from 'zod'

/** Section `visitors` of the configuration. */
export const visitorsConfig = z.object({
  basePath: z
    .string()
    .regex(/^(\/[A-Za-z0-9._~-]+)+$/, 'a path that begins with a slash and does not end with one')
    .default('/visitorsandmigrants')
    .describe('Path on the door `spine` under which Visitors & Migrants is served.'),
  publicUrl: z
    .string()
    .regex(/^(https:\/\/[^/\s]+(\/[^\s]*[^/\s])?)?$/, 'an https URL without a slash at the end, or nothing')
    .default('')
    .describe('Base of `fullUrl` in bundles. Empty: host and port as the client named them.'),
  clockToleranceSeconds: z
    .int()
    .min(0)
    .max(86_400)
    .default(600)
    .describe('How far in the future the claim `iat` of a token may lie.'),
})

export type VisitorsConfig = z.infer<typeof visitorsConfig>
