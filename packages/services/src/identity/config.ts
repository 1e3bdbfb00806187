import { z } from 'zod'

/** An identity provider that the platform sends people to (§2.3, §2.4), as configuration. */
export const providerConfig = z.strictObject({
  kind: z.enum(['nhs-cis2', 'nhs-login']),
  /** Under which base path of the platform it is the one of its kind. */
  base: z.enum(['/oauth2', '/oauth2-mock']).default('/oauth2'),
  /** Compared as an exact string, `:443` included. */
  issuer: z.string().min(1),
  authorizeUrl: z.url(),
  tokenUrl: z.url(),
  jwksUrl: z.url(),
  userinfoUrl: z.url().optional(),
  /** What the platform is to this provider. */
  clientId: z.string().min(1),
  /** Sent as a form field; or, without it, the platform signs an assertion with the key of `keyFile`. */
  secret: z.string().min(1).optional(),
  /** PEM of a private RSA key, and the id that the provider knows it by. */
  keyFile: z.string().min(1).optional(),
  keyId: z.string().min(1).optional(),
  /** Whether a nonce is sent, and asked for in the ID token. */
  nonce: z.boolean().default(true),
  /** Addresses or networks that logout tokens may come from. */
  logoutFrom: z.array(z.string()).default([]),
})

/** Section `identity` of the configuration. */
export const identityConfig = z.object({
  compat: z
    .enum(['national', 'hardened'])
    .default('hardened')
    .describe(
      'The authorisation server answers exactly as the national one (`national`), or with the same texts in the same order and its weaknesses closed (`hardened`: assertions checked for nbf and iat, repeated parameters refused, reuse of a code revokes, keys fetched again when they change).',
    ),
  origins: z
    .array(z.string().regex(/^https?:\/\/[^/?#\s]+$/, 'scheme and host alone, such as https://api.example'))
    .default([])
    .describe(
      'Origins at which clients reach the platform (`https://api.example`); the audience of assertions is one of them and /oauth2/token. Empty: the host that a request names; in the profile strict publicHost alone, with any port.',
    ),
  providers: z
    .array(providerConfig)
    .default([])
    .describe('Identity providers that people are sent to: a JSON list, see the README of the service.')
    .meta({ secret: true }),
  product: z
    .string()
    .default('')
    .describe(
      'API that an approved product must open before an application may sign people in. Empty: any approved product will do.',
    ),
  fetchAllow: z
    .array(z.string())
    .default(['127.0.0.0/8', '::1'])
    .describe(
      'Networks (10.0.0.0/8) and hosts (keys.local:8443) with loopback, private or special-use addresses from which key sets may be fetched all the same.',
    )
    .meta({ strict: [] }),
  fetchSeconds: z
    .number()
    .positive()
    .max(60)
    .default(5)
    .describe('How long fetching a key set, or asking an identity provider, may take.'),
  loginRefreshSeconds: z
    .int()
    .min(1)
    .max(86_400)
    .default(3_600)
    .describe('How long after the first sign-in by NHS login its tokens may be refreshed.'),
})

export type IdentityConfig = z.infer<typeof identityConfig>
export type ProviderConfig = z.infer<typeof providerConfig>
