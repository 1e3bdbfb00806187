import { isAddressRange } from '@openspine/platform/doors'
import { z } from 'zod'

const path = z.string().regex(/^(\/[A-Za-z0-9._~-]+)+$/, 'a path that begins with a slash and does not end with one')
const words = (text: string) => text.trim().split(/\s+/)

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
  trustedFrontEnds: z
    .array(z.string().refine(isAddressRange, 'an address, or a range such as 192.0.2.0/24'))
    .max(1000)
    .default([])
    .describe(
      'Addresses and ranges of front ends that pass TCP through to the door `directory`, each connection with a header of the PROXY protocol. Empty: off.',
    )
    .meta({ follows: 'trustedFrontEnds' }),
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
  searchesPerSecond: z
    .number()
    .min(0)
    .max(1_000_000)
    .default(0)
    .describe(
      'Searches and compares a second of one client, by the FQDN of its certificate (by address on the plain port), over all its connections; twice as many after a rest. More are answered busy (51). 0: no limit.',
    )
    .meta({ strict: 500 }),
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
  odsOrdPath: path.default('/ORD/2-0-0').describe('Base path of the ORD API on the door `api`.'),
  odsStu3Path: path.default('/STU3').describe('Base path of ODS over FHIR STU3 on the door `api`.'),
  odsR4Path: path
    .default('/organisation-data-terminology-api/fhir')
    .describe('Base path of Organisation Data Terminology (FHIR R4) on the door `api`.'),
  odsPublicUrl: z
    .union([z.literal(''), z.url({ protocol: /^https?$/ }).regex(/[^/]$/)])
    .default('')
    .describe('Origin that links between organisations name; empty: the one that the caller asked.'),
  odsRequestsPerSecond: z
    .number()
    .min(-1)
    .max(100_000)
    .default(-1)
    .describe(
      'Requests a second that one caller of the ODS APIs may make, then 429. 0: any number; -1: 5 in the profile strict (the fair use of the live service), any number in sandbox.',
    ),
  odsCodesFile: z
    .string()
    .default('')
    .describe('JSON file with further ODS roles and organisation type codes; empty: the built-in tables alone.'),
  odsStu3Json: z
    .enum(['standard', 'live'])
    .default('standard')
    .describe(
      'Shape of STU3 JSON: `live` sends identifier, type, coding, address and meta.profile as single values, as the retired service did; `standard` as lists.',
    ),
  fhirBasePath: path
    .default('/spine-directory/FHIR/R4')
    .describe('Path on the door `api` under which the SDS FHIR API is served.'),
  fhirPublicUrl: z
    .string()
    .regex(/^(https:\/\/[^/\s]+(\/[^\s]*[^/\s])?)?$/, 'an https URL without a slash at the end, or nothing')
    .default('')
    .describe(
      'Base of `fullUrl` and `link` in its bundles: the URL of the base path by which clients know this environment. Empty: host and port as the client named them.',
    ),
  staleSeconds: z
    .number()
    .positive()
    .max(86_400)
    .default(30)
    .describe(
      'When the store has not confirmed for so long that this process shows the newest state, look-ups over HTTP are answered 504 rather than from what may be out of date.',
    ),
  routeLookupPath: z
    .union([path, z.literal('')])
    .default('/spine-route-lookup')
    .describe(
      'Path on the door `api` under which the old "spine route lookup" is served, which asks nobody for a key. Empty: not at all.',
    )
    .meta({ strict: '' }),
  coreOdsCode: z
    .string()
    .min(1)
    .default('YES')
    .describe("ODS code of the Spine itself: whose intermediaries' addresses are given for forwarded messages."),
  forwardServices: z
    .array(z.string())
    .default(words('cc ebs ebsepr ebsnpr gp2gp pat itk dis ed op caf adm ooh am mh nd dir'))
    .describe('Services (second last part of the interaction id) whose messages may be forwarded by an intermediary.'),
  forwardReliable: z
    .array(z.string())
    .default(
      words(`COPC_IN000001UK01 PRSC_IN040000UK08 PRSC_IN080000UK07 PRPA_IN010000UK07 PRPA_IN020000UK06
        PRSC_IN050000UK06 PRSC_IN090000UK09 PRPA_IN030000UK08 PRSC_IN100000UK06 PRSC_IN070000UK08 PRSC_IN140000UK06
        RCMR_IN010000UK05 RCMR_IN030000UK06 PRSC_IN130000UK07 PRSC_IN110000UK08 PRSC_IN060000UK06 PRSC_IN150000UK06
        POLB_IN020006UK01 POLB_IN020005UK01 COMT_IN000004GB01 MCCI_IN010000UK13`),
    )
    .describe('Messages of these services that go through the reliable intermediary.'),
  forwardExpress: z
    .array(z.string())
    .default(words('PRSC_IN080000UK03 PRSC_IN040000UK03'))
    .describe('Messages of these services that go through the express intermediary.'),
})

export type DirectoryConfig = z.infer<typeof directoryConfig>
