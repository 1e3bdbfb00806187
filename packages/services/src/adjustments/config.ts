import { z } from 'zod'
import { withoutTokenSettings } from '../gateway/contract.ts'

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
  ...withoutTokenSettings,
})

export type AdjustmentsConfig = z.infer<typeof adjustmentsConfig>
