import { z } from 'zod'
import { allocatedRange } from './register/numbers.ts'

/** Section `demographics` of the configuration. */
export const demographicsConfig = z.object({
  basePath: z
    .string()
    .regex(/^(\/[A-Za-z0-9._~-]+)+$/, 'a path that begins with a slash and does not end with one')
    .default('/personal-demographics/FHIR/R4')
    .describe('Path on the door `api` under which PDS FHIR is served.'),
  publicUrl: z
    .string()
    .regex(/^(https:\/\/[^/\s]+(\/[^\s]*[^/\s])?)?$/, 'an https URL without a slash at the end, or nothing')
    .default('')
    .describe(
      'Base of `fullUrl` in bundles: the URL of the base path by which clients know this environment. Empty: host and port as the client named them.',
    ),
  accessWithoutToken: z
    .enum(['user-restricted', 'refused'])
    .default('user-restricted')
    .describe(
      'What a request without an Authorization header may do: act as a healthcare worker, or nothing. The profile strict always refuses.',
    )
    .meta({ strict: 'refused' }),
  asidRequired: z
    .boolean()
    .default(false)
    .describe('Whether an app must have an ASID registered to use the API (otherwise 400 MISSING_VALUE).'),
  statusApiKey: z
    .string()
    .default('')
    .describe('Value of the header `apikey` that /_status asks for; empty serves it to everyone.')
    .meta({ secret: true }),
  rbac: z
    .enum(['off', 'record', 'enforce'])
    .default('record')
    .describe(
      'National role-based access control of healthcare workers: B0820 to trace and retrieve, B0825 to change. `record` puts every decision into the audit and answers as the national service, whose order of checks has no such refusal; `enforce` refuses with 403; `off` does not ask.',
    ),
  waitSeconds: z
    .number()
    .min(0.25)
    .max(29)
    .default(10)
    .describe(
      'How long a request may take before it is answered 503 with Retry-After; X-Sync-Wait asks for another time.',
    ),
  slowAnswers: z
    .enum(['retry', 'poll'])
    .default('retry')
    .describe(
      'What a write is answered that takes longer than `waitSeconds`: 503 and a repeat of the request, or 202 and `/_poll/{X-Request-ID}`, the form of before.',
    ),
  updates: z
    .enum(['kept', 'computed'])
    .default('kept')
    .describe(
      'What becomes of an update: kept, or computed and answered without being kept, as in the public sandbox of PDS FHIR.',
    )
    .meta({ strict: 'kept' }),
  answersKeptHours: z
    .int()
    .min(1)
    .max(720)
    .default(24)
    .describe('For how long a repeated X-Request-ID gets the answer of the first write again.'),
  eventsKeptDays: z
    .int()
    .min(1)
    .max(365)
    .default(30)
    .describe('How long events of changes wait to be published before they are dropped.'),
  hl7v3Paths: z
    .array(z.string().regex(/^(\/[A-Za-z0-9._~-]+)+$/, 'a path that begins with a slash and does not end with one'))
    .default(['/sync-service', '/syncservice-pds/pds'])
    .describe(
      'Paths on the door `spine` under which the synchronous messages of PDS in HL7 V3 are served; none: not at all.',
    ),
  hl7v3From: z
    .string()
    .min(1)
    .default('https://pdsquery.national.ncrs.nhs.uk/syncservice')
    .describe('Address that replies in HL7 V3 give as their sender (wsa:From).'),
  smspPath: z
    .string()
    .regex(/^((\/[A-Za-z0-9._~-]+)+)?$/, 'a path that begins with a slash and does not end with one, or nothing')
    .default('/smsp/pds')
    .describe('Path on the door `spine` of the demographics Mini Services; empty: they are not served.'),
  smspTimestamps: z
    .enum(['in-time', 'ignored'])
    .default('in-time')
    .describe(
      'What becomes of a Mini Service request whose time stamp (wsu:Timestamp) has expired: refused, or served. Clients in use are known to send one that never changes.',
    )
    .meta({ strict: 'in-time' }),
  allocateFrom: z
    .int()
    .min(100_000_000)
    .max(999_999_999)
    .default(allocatedRange.from)
    .describe('First nine digits of the first NHS number that is given to a new person; the tenth is the check digit.'),
  allocateTo: z
    .int()
    .min(100_000_000)
    .max(999_999_999)
    .default(allocatedRange.to)
    .describe('First nine digits of the last NHS number that is given to a new person.'),
  createsPerSecond: z
    .int()
    .min(0)
    .max(100_000)
    .default(0)
    .describe(
      'How many new people may be registered in a second, in each process; more are answered 429, in HL7 V3 503. 0: any number.',
    )
    .meta({ strict: 3 }),
  fuzzyBlock: z
    .int()
    .min(100)
    .max(100_000)
    .default(10_000)
    .describe('Most name rows that one fuzzy search reads; a search that needs more answers TOO_MANY_MATCHES.'),
  explainSearches: z
    .boolean()
    .default(false)
    .describe(
      'Whether a search may ask `_explain=true` (or an NHS number) and is told how every field was compared, also of people who came near. For developers: the national service does not know the parameter, and the profile strict never does.',
    )
    .meta({ strict: false }),
})

export type DemographicsConfig = z.infer<typeof demographicsConfig>
