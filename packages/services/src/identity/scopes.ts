import type { AuthorisationLevel, Product } from '../gateway/contract.ts'

/** Who stands behind a grant: the application alone, or a person whom a provider has vouched for (§2.8). */
export type Standing =
  | { readonly kind: 'app' }
  | { readonly kind: 'nhs-cis2'; readonly level: string | undefined }
  | { readonly kind: 'nhs-login'; readonly level: string | undefined }

/** What an ID token's claims say of the person's level: `1` to `3`, or `P0`, `P5`, `P9`; undefined when nothing usable. */
export function levelOf(kind: 'nhs-cis2' | 'nhs-login', claims: Readonly<Record<string, unknown>>): string | undefined {
  const claim = claims[kind === 'nhs-cis2' ? 'authentication_assurance_level' : 'identity_proofing_level']
  if (typeof claim !== 'string') return undefined
  const level = kind === 'nhs-cis2' ? claim : claim.slice(0, 2)
  return (kind === 'nhs-cis2' ? /^[123]$/ : /^P[059]$/).test(level) ? level : undefined
}

export const authorisationLevel = (standing: Standing): AuthorisationLevel =>
  standing.kind === 'app'
    ? 'level3'
    : ((standing.kind === 'nhs-cis2' ? `aal${standing.level}` : standing.level?.toLowerCase()) as AuthorisationLevel)

/** Third and fourth segment of the scopes that are granted: compared whole, so that a level is never a pattern. */
function wanted(standing: Standing): readonly string[] {
  if (standing.kind === 'app') return ['app:level3']
  const { kind, level } = standing
  if (level === undefined) return []
  if (kind === 'nhs-login') return [`user-nhs-login:${level}`]
  // The older spelling is still in use for the highest level.
  return [`user-nhs-cis2:aal${level}`, ...(level === '3' ? ['user-nhs-id:aal3'] : [])]
}

/** The scopes of all these products that the standing is granted; a higher level does not imply a lower one. */
export function grantedScopes(products: readonly Product[], standing: Standing): readonly string[] {
  const forms = wanted(standing)
  const granted = products
    .flatMap(({ scopes }) => scopes)
    .filter((scope) => {
      const [urn, nhsd, apim, kind, level, ...api] = scope.split(':')
      return (
        urn === 'urn' &&
        nhsd === 'nhsd' &&
        apim === 'apim' &&
        api.join(':') !== '' &&
        forms.includes(`${kind}:${level}`)
      )
    })
  return [...new Set(granted)]
}
