/** What an application keeps about one of its patients at NHS login: `client_user_metadata` (§4.2). */
import type { Random } from '@openspine/platform/clock'
import { digestOf } from './records.ts'
import type { SignInStore } from './store.ts'

/** Characters, not octets. */
const longest = 1024

/** Of one patient for one application: no other application reads it. */
export interface ClientMetadata {
  of(clientId: string, subject: string): Promise<string | undefined>
  /** `''` clears it, and `auto` puts a new text of the provider's own in its place. */
  put(clientId: string, subject: string, value: string): Promise<void>
}

export function clientMetadata({
  rows,
  random,
}: {
  readonly rows: SignInStore
  readonly random: Random
}): ClientMetadata {
  const keyOf = (clientId: string, subject: string) => ({
    issuer: 'nhs-login',
    model: 'ClientMetadata',
    id: digestOf(JSON.stringify([clientId, subject])),
  })
  return {
    async of(clientId, subject) {
      const value = (await rows.find(keyOf(clientId, subject)))?.payload['value']
      return typeof value === 'string' ? value : undefined
    },
    async put(clientId, subject, value) {
      const key = keyOf(clientId, subject)
      if (value === '') await rows.remove(key)
      else await rows.put({ ...key, payload: { value: value === 'auto' ? random.uuid() : value } })
    },
  }
}

/** The value of a body `{"client_user_metadata":"…"}`, or what is wrong with it. */
export function metadataIn(body: string): { readonly value: string } | { readonly fault: string } {
  let given: unknown
  try {
    given = JSON.parse(body)
  } catch {
    return { fault: 'the body is not JSON' }
  }
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    return { fault: 'the body is no JSON object' }
  const other = Object.keys(given).find((name) => name !== 'client_user_metadata')
  if (other !== undefined) return { fault: 'only client_user_metadata can be changed' }
  const value: unknown = Reflect.get(given, 'client_user_metadata')
  if (typeof value !== 'string') return { fault: 'client_user_metadata is missing, or no text' }
  if ([...value].length > longest) return { fault: `client_user_metadata is longer than ${longest} characters` }
  return { value }
}
