import { z } from 'zod'

/** Section `directory` of the configuration. */
export const directoryConfig = z.object({
  host: z
    .string()
    .default('127.0.0.1')
    .describe('Address on which the directory listens for LDAP over TLS.')
    .meta({ follows: 'host' }),
  port: z.int().min(0).max(65_535).default(1636).describe('Port of the door `directory` (ldaps, mutual TLS); 0: any.'),
  fqdn: z
    .string()
    .regex(/^[a-zA-Z0-9.-]+$/)
    .default('localhost')
    .describe('Host name by which clients reach the directory; its server certificate carries it.')
    .meta({ follows: 'publicHost' }),
  alternativeNames: z
    .array(z.string())
    .default(['localhost', '127.0.0.1'])
    .describe('Further names and addresses in the server certificate.'),
  plainPort: z
    .int()
    .min(-1)
    .max(65_535)
    .default(-1)
    .describe('Port for LDAP without TLS, as OpenTest offered it: anyone may then read the directory. -1: none.'),
  strictMatching: z
    .boolean()
    .default(false)
    .describe(
      'Where the schema declares no matching rule: false compares without case, as the newer live servers do; true never matches, as OpenLDAP does.',
    ),
  sizeLimit: z.int().min(1).max(1_000_000).default(1000).describe('Most entries of one search, or of one page.'),
  timeLimitSeconds: z.number().positive().max(3600).default(60).describe('Longest time of one search.'),
  idleSeconds: z
    .number()
    .positive()
    .max(86_400)
    .default(900)
    .describe('A connection that asks nothing for so long is closed.'),
  partialSeconds: z
    .number()
    .positive()
    .max(3600)
    .default(30)
    .describe('A message that has begun must be complete within this time.'),
  maxConnections: z.int().min(1).max(100_000).default(4000).describe('Connections at the same time; more are refused.'),
  maxPduBytes: z
    .int()
    .min(1024)
    .max(64 * 1024 * 1024)
    .default(1024 * 1024)
    .describe('Largest LDAP message that is read.'),
  maxOutstanding: z
    .int()
    .min(1)
    .max(10_000)
    .default(100)
    .describe('Operations under way on one connection; more wait unread.'),
  bindDn: z.string().default('').describe('Name with which clients may bind; empty: anonymous binds alone.'),
  bindPassword: z.string().default('').describe('Password of that name.').meta({ secret: true }),
  changeLogSize: z
    .int()
    .min(100)
    .max(1_000_000)
    .default(10_000)
    .describe('Changes kept in cn=Changelog,o=nhs; a follower further behind must read the whole tree again.'),
  organisations: z
    .enum(['when-loaded', 'always', 'never'])
    .default('when-loaded')
    .describe(
      'Whether the ODS code of a system must belong to an open organisation of ou=Organisations; `when-loaded`: as soon as it holds any.',
    ),
})

export type DirectoryConfig = z.infer<typeof directoryConfig>
