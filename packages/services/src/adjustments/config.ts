import { z } from 'zod'

const path = z.string().regex(/^(\/[A-Za-z0-9._~-]+)+$/, 'a path that begins with a slash and does not end with one')
const url = z
  .string()
  .regex(/^(https:\/\/[^/\s]+(\/[^\s]*[^/\s])?)?$/, 'an https URL without a slash at the end, or nothing')

/** Section `adjustments` of the configuration. */
export const adjustmentsConfig = z.object({
  directPath: path
    .default('/STU3')
    .describe('Path on the door `spine` under which Reasonable Adjustments are served over mutual TLS.'),
  directUrl: url.default('').describe('Base of the URLs of those. Empty: host and port as the client named them.'),
  gatewayPath: path
    .default('/reasonable-adjustment-flag/FHIR/STU3')
    .describe('Path on the door `api` under which Reasonable Adjustments are served behind the API platform.'),
  gatewayUrl: url.default('').describe('Base of the URLs of those. Empty: host and port as the client named them.'),
  patientFlagsPath: path
    .default('/patient-flags/FHIR/R4')
    .describe('Path on the door `api` under which Patient Flags are served.'),
  patientFlagsUrl: url
    .default('')
    .describe('Base of the URLs of those. Empty: host and port as the client named them.'),
  accessWithoutToken: z
    .enum(['user-restricted', 'refused'])
    .default('user-restricted')
    .describe(
      'What a request on the door `api` without an Authorization header may do: act as a healthcare worker, or nothing. The profile strict always refuses.',
    )
    .meta({ strict: 'refused' }),
  anonymousAsid: z
    .string()
    .default('200000100000')
    .describe('ASID as which a request without an Authorization header acts.'),
  anonymousOdsCode: z.string().default('X26').describe('Organisation for which it acts.'),
})

export type AdjustmentsConfig = z.infer<typeof adjustmentsConfig>
