import { z } from 'zod'

/** Section `gateway` of the configuration. */
export const gatewayConfig = z.object({
  apikey: z
    .enum(['any', 'registered'])
    .default('any')
    .describe(
      'Whom the APIs that a key alone opens answer: everyone, whatever the header `apikey` says, or registered applications alone. The profile strict always asks for a registered key.',
    )
    .meta({ strict: 'registered' }),
  compat: z
    .enum(['hardened', 'national'])
    .default('hardened')
    .describe(
      'Refusals at the door `api`: `national` sends exactly what the national gateway sends. `hardened` sends the same texts, with the media type of FHIR where they are FHIR, and the headers `Retry-After`, `RateLimit`, `WWW-Authenticate` and `OpenSpine-Message-ID`.',
    ),
  userInfoSeconds: z
    .int()
    .min(0)
    .max(600)
    .default(5)
    .describe(
      "How long the roles that an identity provider's userinfo tells hold for further requests with the same token; 0: it is asked at each. Staff of this environment's own provider are looked up in the directory at each request.",
    ),
  origins: z
    .enum(['any', 'registered'])
    .default('any')
    .describe(
      'Which pages in browsers may read answers (CORS): `any`, as nationally, where every origin is echoed; or `registered`, the origins that applications have registered and those of their callbacks, and of an answer to an application its own alone.',
    ),
  quotaPerMinute: z
    .int()
    .min(0)
    .max(10_000_000)
    .default(0)
    .describe(
      'Requests that one application may make of one API in a minute; 0: any number. An application may have limits of its own, also by the hour, day, week or month.',
    )
    .meta({ strict: 2400 }),
  spikePerSecond: z
    .int()
    .min(0)
    .max(1_000_000)
    .default(0)
    .describe(
      'Spike arrest: requests a second of one application to one API; as many may come at once after a pause. 0: any number.',
    )
    .meta({ strict: 40 }),
  apiQuotaPerMinute: z
    .int()
    .min(0)
    .max(100_000_000)
    .default(0)
    .describe('Requests to one API in a minute, of all applications together; 0: any number.'),
  apiSpikePerSecond: z
    .int()
    .min(0)
    .max(10_000_000)
    .default(0)
    .describe('Requests a second to one API, of all applications together; 0: any number.'),
  rateShareMs: z
    .int()
    .min(0)
    .max(60_000)
    .default(1000)
    .describe(
      'How often processes that share a store tell each other what they counted for the limits; a limit is exceeded at most by what the others admit in that time. 0: each counts for itself.',
    ),
  maxApplications: z
    .int()
    .min(1)
    .max(100_000)
    .default(10_000)
    .describe('Most applications that may be registered: all are held in memory.'),
  rememberedTokens: z
    .int()
    .min(100)
    .max(10_000_000)
    .default(100_000)
    .describe('Access tokens that a process remembers, so that it need not ask the store at each request.'),
})

export type GatewayConfig = z.infer<typeof gatewayConfig>
