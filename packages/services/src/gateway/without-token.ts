import { z } from 'zod'
import type { Caller } from './admission.ts'

/** Settings of an API that answers without a token in the sandbox: a part of its section of the configuration. */
export const withoutTokenSettings = {
  accessWithoutToken: z
    .enum(['user-restricted', 'refused'])
    .default('user-restricted')
    .describe(
      'What a request on the door `api` without an Authorization header may do: act as a healthcare worker, or nothing. The profile strict always refuses.',
    )
    .meta({ strict: 'refused' }),
  anonymousAsid: z
    .string()
    .default('200000100000')
    .describe('ASID as which a request without an Authorization header acts.'),
  anonymousOdsCode: z.string().default('X26').describe('Organisation for which it acts.'),
} as const

/** Who acts in a request without an Authorization header; nobody, where a token is always needed. */
export function withoutToken(
  profile: 'sandbox' | 'strict',
  config: {
    readonly accessWithoutToken: 'user-restricted' | 'refused'
    readonly anonymousAsid: string
    readonly anonymousOdsCode: string
  },
): { readonly anonymous?: Caller } {
  if (profile === 'strict' || config.accessWithoutToken === 'refused') return {}
  const { anonymousAsid: asid, anonymousOdsCode: odsCode } = config
  return { anonymous: { mode: 'user-restricted', user: 'anonymous', asid, odsCode } }
}
