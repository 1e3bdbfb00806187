import { z } from 'zod'

/** Settings of the practice system; each practice's own switches stand in its file. */
export const practiceConfig = z.object({
  host: z
    .string()
    .default('127.0.0.1')
    .describe('Address on which the practice system listens.')
    .meta({ follows: 'host' }),
  port: z.int().min(0).max(65_535).default(9543).describe('Port of its https listener; 0 takes a free one.'),
  serverName: z
    .string()
    .regex(/^[a-zA-Z0-9.-]+$/)
    .default('localhost')
    .describe("FQDN of its server certificate, and the host of its practices' service root URLs.")
    .meta({ follows: 'publicHost' }),
  proxyFqdn: z
    .string()
    .regex(/^[a-zA-Z0-9.-]+$/)
    .default('proxy.spine.localhost')
    .describe('FQDN of the secure proxy: the one client certificate that is let in.'),
  files: z
    .array(z.string().min(1))
    .default([])
    .describe('Practice files (JSON) that are loaded at every start. Unchanged records keep their versions.'),
  quoteSingleDates: z
    .boolean()
    .default(true)
    .describe(
      "Date banner with one bound: true writes Data items from '04-Jan-2018' (as acceptance tests want), false leaves the quotation marks out (as the page has it).",
    ),
  tokenAudience: z
    .enum(['any', 'service-root'])
    .default('any')
    .describe(
      'What the claim aud of a 1.x token must be: any text, as published tests send it, or exactly the service root that is called.',
    ),
  maxBodyBytes: z.int().min(1024).max(16_777_216).default(262_144).describe('Longest request body, in bytes.'),
  maxConcurrent: z.int().min(1).max(10_000).default(200).describe('Requests in work at once; more are answered 503.'),
  requestSeconds: z.number().min(1).max(300).default(30).describe('How long a client may take to send one request.'),
})

export type PracticeConfig = z.infer<typeof practiceConfig>
