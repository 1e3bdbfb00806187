import { z } from 'zod'
import { withoutTokenSettings } from '../gateway/contract.ts'

/** Section `summaryCareRecord` of the configuration. */
export const summaryCareRecordConfig = z.object({
  basePath: z
    .string()
    .regex(/^(\/[A-Za-z0-9._~-]+)+$/, 'a path that begins with a slash and does not end with one')
    .default('/summary-care-record/FHIR/R4')
    .describe('Path on the door `api` under which Summary Care Records are served.'),
  publicUrl: z
    .string()
    .regex(/^(https:\/\/[^/\s]+(\/[^\s]*[^/\s])?)?$/, 'an https URL without a slash at the end, or nothing')
    .default('')
    .describe('Base of the URLs in answers. Empty: host and port as the client named them.'),
  permissionUnset: z
    .enum(['Ask', 'Yes'])
    .default('Ask')
    .describe('Permission to view of patients about whom none was recorded. It is shown; both let the record be read.'),
  rbac: z
    .enum(['off', 'record', 'enforce'])
    .default('record')
    .describe(
      'National role-based access control of healthcare workers: an activity of the SCR viewer to read and to send alerts; B0380, B8028 or B8029 to upload, and B0020 beside it for permissions. `record` puts every decision into the audit; `enforce` refuses with 403; `off` does not ask.',
    ),
  replaces: z
    .enum(['any', 'latest'])
    .default('any')
    .describe(
      'What an upload may name as the summary that it replaces, where there is one: any, or the latest alone. The profile strict takes the latest alone.',
    )
    .meta({ strict: 'latest' }),
  longestUploadBytes: z
    .int()
    .min(65_536)
    .max(16 * 1024 * 1024)
    .default(5 * 1024 * 1024)
    .describe('Longest document that is taken.'),
  ...withoutTokenSettings,
})

export type SummaryCareRecordConfig = z.infer<typeof summaryCareRecordConfig>
