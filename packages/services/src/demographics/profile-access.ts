import type { Authenticate } from './access.ts'
import { authorizationChecks, firstRefusal } from './checks.ts'
import { outcomes, refuse } from './outcomes.ts'

/**
 * Where there is no API platform no token can be verified, so none is accepted. Without an Authorization header a
 * request acts as a healthcare worker where the configuration says so (profile `sandbox`), and is refused otherwise.
 */
export function profileAccess(withoutToken: 'user-restricted' | 'refused'): Authenticate {
  return async ({ authorization }) => {
    if (authorization === undefined && withoutToken === 'user-restricted')
      return { mode: 'user-restricted', user: { id: 'anonymous' } }
    const refused = firstRefusal(authorizationChecks, authorization)
    if (refused) throw refuse(refused.outcome, refused.check.explanation, refused.check.name)
    throw refuse(
      outcomes.accessDenied('Invalid Access Token'),
      'The access token was not issued by this environment. No token verifier is installed, so no token is valid yet.',
    )
  }
}
