import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { type ConfigSources, type LoadedConfig, loadConfig } from '@openspine/platform/config'
import { spineConfig } from '@openspine/platform/spine-config'
import { trustConfig } from '@openspine/platform/trust'
import { practiceConfig } from '@openspine/practice'
import { adjustmentsConfig } from '@openspine/services/adjustments'
import { demographicsConfig } from '@openspine/services/demographics'
import { directoryConfig } from '@openspine/services/directory'
import { gatewayConfig } from '@openspine/services/gateway'
import { identityConfig } from '@openspine/services/identity'
import { proxyConfig } from '@openspine/services/proxy'
import { registrationConfig } from '@openspine/services/registration'
import { signInConfig } from '@openspine/services/sign-in'
import { smartcardConfig } from '@openspine/services/smartcard'
import { summaryCareRecordConfig } from '@openspine/services/summary-care-record'
import { visitorsConfig } from '@openspine/services/visitors'
import { SpineError } from '@openspine/standards/error'
import { z } from 'zod'

/** Who the command line is when it acts as a consumer on the network, and where it finds the services. */
const clientConfig = z.object({
  pdsUrl: z.string().default('').describe('PDS FHIR base for trace. Empty: the door `api` of this environment.'),
  directoryUrl: z.string().default('').describe('Directory (ldaps://host:port) for lookup. Empty: this environment.'),
  proxyUrl: z.string().default('').describe('Secure proxy (https://host:port) for record. Empty: this environment.'),
  fqdn: z
    .string()
    .default('consumer.openspine.example')
    .describe("FQDN of the consumer system: its certificate is issued by this environment's CA when no file is named."),
  certificateFile: z.string().default('').describe('Client certificate with its chain, PEM, for another environment.'),
  keyFile: z.string().default('').describe('Key of that certificate, PEM.'),
  caFile: z.string().default('').describe('Trusted issuers, PEM, for another environment.'),
  asid: z.string().default('200000100000').describe('Accredited system id of the consumer (Ssp-From).'),
  odsCode: z.string().default('X26').describe('Organisation on whose behalf the consumer asks.'),
  organisationName: z.string().default('Invented Trust').describe('Name of that organisation.'),
  phone: z
    .string()
    .default('01632 960000')
    .describe('Telephone number of that organisation, which a practice may ring about a booking.'),
  accessToken: z.string().default('').describe('Bearer token for PDS. Empty: none is sent.').meta({ secret: true }),
  timeoutSeconds: z.number().positive().default(30).describe('How long one request may take.'),
})

/** Every setting of the house, section by section. */
export const sections = {
  '': spineConfig,
  trust: trustConfig,
  gateway: gatewayConfig,
  directory: directoryConfig,
  registration: registrationConfig,
  demographics: demographicsConfig,
  adjustments: adjustmentsConfig,
  visitors: visitorsConfig,
  summaryCareRecord: summaryCareRecordConfig,
  identity: identityConfig,
  proxy: proxyConfig,
  practice: practiceConfig,
  signIn: signInConfig,
  smartcard: smartcardConfig,
  client: clientConfig,
} as const

export type Settings = LoadedConfig<typeof sections>

/** Settings of this process: the file that is named, or `openspine.json` where there is one, then the environment, then `overrides`. */
export function readSettings(
  options: {
    readonly file?: string
    readonly env?: ConfigSources['env']
    readonly overrides?: Readonly<Record<string, unknown>>
  } = {},
): Settings {
  const { env = {}, overrides = {} } = options
  const named = options.file ?? env['OPENSPINE_CONFIG']
  const path = resolve(named ?? 'openspine.json')
  if (named !== undefined && !existsSync(path)) {
    throw new SpineError('CONFIG_NO_FILE', { path }, { explanation: `There is no configuration file ${path}.` })
  }
  const file = existsSync(path) ? { name: path, text: readFileSync(path, 'utf8') } : undefined
  return loadConfig(sections, { env, overrides, ...(file === undefined ? {} : { file }) })
}
