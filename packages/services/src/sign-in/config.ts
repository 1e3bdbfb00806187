import { z } from 'zod'

const path = z.string().regex(/^\/[A-Za-z0-9._~/-]*[A-Za-z0-9._~-]$/, 'begins with a slash and does not end with one')

/** Section `signIn` of the configuration. */
export const signInConfig = z.object({
  cis2Path: path
    .default('/openam/oauth2/realms/root/realms/oidc')
    .describe('Path of the CIS2-like provider on the door `api`; its issuer is the address of the door and this.'),
  cis2Issuer: z
    .string()
    .default('')
    .describe(
      'Issuer of the CIS2-like provider where another address leads to the door, exactly as clients shall compare it: nationally it holds `:443`. Empty: the address of the door `api`. Its path must be cis2Path.',
    ),
  cis2Realm: z.string().default('/oidc').describe('Claim `realm` of its tokens.'),
  nhsLoginPath: path.default('/nhs-login').describe('Path of the NHS-login-like provider on the door `api`.'),
  nhsLoginIssuer: z
    .string()
    .default('')
    .describe(
      'Issuer of the NHS-login-like provider where another address leads to it. Its path must be nhsLoginPath.',
    ),
  nhsLoginAssertions: z
    .array(z.enum(['RS512', 'RS256']))
    .min(1)
    .default(['RS512'])
    .describe(
      'Algorithms of the assertions that relying parties of the NHS-login-like provider sign. NHS login takes RS512 alone; Apache’s mod_auth_openidc signs with RS256 alone, and needs it in this list.',
    ),
  offeredPatients: z
    .array(z.string())
    .default([])
    .describe('NHS numbers that the sign-in page of patients offers. Empty: invented ones of the sandbox.'),
  mockRedirects: z
    .array(z.string())
    .default(['https://example.org/callback', 'http://localhost/callback'])
    .describe(
      'Redirects of the client that GET /mock-jwks/keycloak-client-credentials gives to test packs, for both mock realms.',
    ),
  staffIdleMinutes: z.int().min(1).max(1440).default(60).describe('A staff sign-on ends after so long without use.'),
  staffHours: z.int().min(1).max(24).default(12).describe('A staff sign-on ends so long after signing in.'),
  patientIdleMinutes: z
    .int()
    .min(1)
    .max(1440)
    .default(30)
    .describe('A patient sign-on ends after so long without use.'),
  patientHours: z.int().min(1).max(24).default(12).describe('A patient sign-on ends so long after signing in.'),
  keyDays: z.int().min(2).max(3650).default(90).describe('A signing key is followed by a new one after so many days.'),
  keyNoticeHours: z
    .int()
    .min(1)
    .max(168)
    .default(24)
    .describe('A new key is published so long before it signs, and an old one so long after: caches of key sets.'),
  privateAddresses: z
    .boolean()
    .default(true)
    .describe('Whether key sets and logout addresses of relying parties may be at loopback or private addresses.'),
  passkeys: z
    .enum(['registered', 'always'])
    .default('registered')
    .describe(
      'Who signs in with “Security key or passkey” (staff) or “Passkey” (patients) has to use one: those who have registered one, or everybody. The others are taken at their word, as with all other ways.',
    ),
  answers: z
    .enum(['sandbox', 'always', 'never'])
    .default('sandbox')
    .describe(
      'When the providers answer. Whoever reaches their pages signs in as anybody, without a secret: only in the profile sandbox, unless always.',
    ),
})

export type SignInConfig = z.infer<typeof signInConfig>
