import type { Profile } from '@openspine/platform/service'
import type { Gateway } from '../../gateway/contract.ts'
import type { Admit } from './face.ts'

/**
 * Who may register by API: the applications that the configuration names, by the keys that the gateway knows. Where it
 * names none, anyone in the profile sandbox and nobody in strict: a key that opens look-ups does not open this.
 */
export function registrars(about: {
  readonly gateway: Gateway
  readonly applications: readonly string[]
  readonly profile: Profile
}): Admit {
  const { gateway, applications, profile } = about
  return async ({ apikey }) => {
    const judged = gateway.admit({ api: 'registration', apikey: typeof apikey === 'string' ? apikey : undefined })
    if (!judged.admitted) return undefined
    const { application, name } = judged.caller
    if (applications.length === 0) return profile === 'sandbox' ? (name ?? 'sandbox') : undefined
    return application !== undefined && applications.includes(application) ? name : undefined
  }
}
