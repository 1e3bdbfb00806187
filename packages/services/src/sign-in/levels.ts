/** Levels of authentication: the acr_values of CIS2 (§3.2) and the vectors of trust of NHS login (§4.1, §4.2). */

/** A way in which a member of staff proves who they are. `value` is the acr_values that names it alone. */
export interface Authenticator {
  readonly value: string
  readonly aal: 1 | 2 | 3
  /** Claim `amr`. */
  readonly amr: string
  readonly name: string
}

export const authenticators: readonly Authenticator[] = [
  { value: 'AAL3_SMARTCARD', aal: 3, amr: 'N3_SMARTCARD', name: 'Smartcard' },
  { value: 'AAL3_FIDO2', aal: 3, amr: 'FIDO2', name: 'Security key or passkey' },
  { value: 'AAL3_IOS', aal: 3, amr: 'IOS', name: 'Authenticator app on an iPad or iPhone' },
  { value: 'AAL2_TOTP', aal: 2, amr: 'TOTP', name: 'Password and a code from an authenticator app' },
  { value: 'AAL2_NHSMAIL', aal: 2, amr: 'NHSMAIL', name: 'Work email account with a second factor' },
  { value: 'AAL1_USERPASS', aal: 1, amr: 'USERPASS', name: 'User name and password' },
]

/** The authenticator that passkeys are. */
export const passkeyAuthenticator = 'AAL3_FIDO2'

/** Assurance level of a sign-on of staff. */
export const levelOf = (signOn: string) => authenticators.find(({ value }) => value === signOn)?.aal ?? 0

const named = (value: string) => (each: Authenticator) => each.value === value

/** Which authenticators satisfy each value of acr_values. */
export const acrValues: Readonly<Record<string, (authenticator: Authenticator) => boolean>> = {
  AAL3_ANY: ({ aal }) => aal === 3,
  AAL2_OR_AAL3_ANY: ({ aal }) => aal >= 2,
  AAL2_ANY: ({ aal }) => aal === 2,
  AAL1_USERPASS: named('AAL1_USERPASS'),
  AAL3_SMARTCARD: named('AAL3_SMARTCARD'),
  AAL3_N3_SMARTCARD: named('AAL3_SMARTCARD'),
  AAL3_CIS2_SMARTCARD: named('AAL3_SMARTCARD'),
  AAL3_FIDO2: named('AAL3_FIDO2'),
  AAL3_IOS: named('AAL3_IOS'),
  AAL2_TOTP: named('AAL2_TOTP'),
  AAL2_NHSMAIL: named('AAL2_NHSMAIL'),
}

export const defaultAcr = 'AAL3_ANY'

/** The values asked for, in order of preference; undefined when one is not in the table. */
export function acrAsked(parameter: string | undefined): readonly string[] | undefined {
  const values = (parameter ?? '').split(' ').filter((value) => value !== '')
  if (values.length === 0) return [defaultAcr]
  return values.every((value) => Object.hasOwn(acrValues, value)) ? values : undefined
}

/** The first value asked for that the authenticator satisfies: claim `acr`. */
export function acrMet(asked: readonly string[], used: string | undefined): string | undefined {
  const authenticator = authenticators.find(({ value }) => value === used)
  return authenticator === undefined ? undefined : asked.find((value) => acrValues[value]?.(authenticator))
}

export const proofings = ['P0', 'P5', 'P9'] as const

/** Credentials as NHS login names them, weakest first. */
export const credentials = [
  { value: 'Cp', name: 'Password' },
  { value: 'Cp.Cd', name: 'Password and a code sent to an enrolled telephone' },
  { value: 'Cp.Ck', name: 'Password and a code from an authenticator app' },
  { value: 'Cm', name: 'Passkey' },
] as const

/** The credential that passkeys are. */
export const passkeyCredential = 'Cm'

/** Whether a sign-on of a patient (`P9.Cp.Cd`) had a second factor. */
export const hadSecondFactor = (signOn: string) => signOn.split('.').some((part) => /^C[dkm]$/.test(part))

export const defaultVtr = ['P9.Cp.Cd', 'P9.Cp.Ck', 'P9.Cm']

/** The vectors asked for; undefined when the parameter is not a JSON array of vectors that exist. */
export function vtrAsked(parameter: string | undefined): readonly string[] | undefined {
  if (parameter === undefined) return defaultVtr
  let value: unknown
  try {
    value = JSON.parse(parameter)
  } catch {
    return undefined
  }
  if (!Array.isArray(value) || value.length === 0 || value.length > 20) return undefined
  const known = (each: unknown): each is string => typeof each === 'string' && vector.test(each)
  return value.every(known) ? value : undefined
}

const vector = /^(?:P[059](?:\.(?:Cp(?:\.C[dk])?|Cm))?|Cp(?:\.C[dk])?|Cm)$/

/** The first vector asked for that the sign-on (`P9.Cp.Cd`) satisfies: claim `vot`. Its parts are AND-ed; a part that is missing asks for nothing. */
export function vectorMet(asked: readonly string[], signOn: string | undefined): string | undefined {
  if (signOn === undefined) return undefined
  const [proofing, ...used] = signOn.split('.')
  return asked.find((each) =>
    each.split('.').every((part) => (part.startsWith('P') ? part === proofing : used.includes(part))),
  )
}
