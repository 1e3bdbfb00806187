import { z } from 'zod'
import { isAddressRange } from '../doors/front-ends.ts'

/** The keys of the whole Spine: section `''`. */
export const spineConfig = z.object({
  environment: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,30}$/, 'lower-case letters, digits and hyphens')
    .default('local')
    .describe('Name of this environment; certificates carry it, and those of another environment are refused.'),
  profile: z
    .enum(['sandbox', 'strict'])
    .default('sandbox')
    .describe('sandbox: conveniences on, and announced at the start. strict: the specification and nothing else.'),
  dataDir: z
    .string()
    .min(1)
    .default('.openspine')
    .describe('Folder of certificates, embedded store and audit journal.'),
  databaseUrl: z
    .string()
    .refine(
      (url) => url === '' || /^postgres(ql)?:\/\//.test(url),
      'a URL that begins with postgres:// or postgresql://',
    )
    .default('')
    .describe('PostgreSQL 15 or later to use instead of the embedded store.')
    .meta({ secret: true, env: 'DATABASE_URL' }),
  sealingKey: z
    .string()
    .refine((key) => key === '' || key.length >= 32, 'at least 32 characters')
    .default('')
    .describe(
      'Secret with which private signing keys and what is known of grants are sealed in the store; the same for all processes of an environment. Empty: a key of the data folder (sealing.key), made at the first start.',
    )
    .meta({ secret: true }),
  storePoolSize: z.int().min(1).max(100).default(8).describe('Connections to the store in this process.'),
  host: z.string().default('127.0.0.1').describe('Address on which every door listens.'),
  publicHost: z
    .string()
    .regex(/^[a-zA-Z0-9.-]+$/)
    .default('localhost')
    .describe('Host name by which clients reach the doors; server certificates carry it.'),
  trustedFrontEnds: z
    .array(z.string().refine(isAddressRange, 'an address, or a range such as 192.0.2.0/24'))
    .max(1000)
    .default([])
    .describe(
      'Addresses and ranges of front ends that pass TCP through to the doors `api`, `spine`, `proxy` and `directory`. Their connections must begin with a header of the PROXY protocol (version 1 or 2), whose source then counts as the client’s address; all others must not. Empty: off.',
    ),
  auditDurability: z
    .enum(['process', 'disk'])
    .default('process')
    .describe(
      'When an audited answer may go out: once its record survives the end of the process (kill -9), or once it survives a power cut as well.',
    ),
  apiPort: z.int().min(0).max(65535).default(8443).describe('Port of the door `api` (https).'),
  spinePort: z.int().min(0).max(65535).default(9443).describe('Port of the door `spine` (https, mutual TLS).'),
  pkiOpen: z.boolean().default(true).describe('Whether the door `pki` is opened.'),
  pkiPort: z
    .int()
    .min(0)
    .max(65535)
    .default(8088)
    .describe('Port of the door `pki` (plain http): CRLs, CA certificates and OCSP, which certificates point to.'),
  metricsOpen: z
    .boolean()
    .default(true)
    .describe('Whether /metrics and the details of /_status are served on the door `api`.')
    .meta({ strict: false }),
  logLevel: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .describe('Lowest level of log lines that are written.'),
  stopSeconds: z.number().min(0).max(300).default(10).describe('How long a stop waits for what is in flight.'),
})
