import { createHash } from 'node:crypto'
import type { Clock } from '@openspine/platform/clock'
import { type Adapter, type AdapterPayload, errors } from 'oidc-provider'
import type { IssuerName } from './contract.ts'
import type { SignInStore, StoredRecord } from './store.ts'

export const digestOf = (id: string) => createHash('sha256').update(id).digest('base64url')

/** Whose values are used once and are never to be found again in clear. */
const bearer = new Set([
  'AuthorizationCode',
  'AccessToken',
  'RefreshToken',
  'Session',
  'Interaction',
  'ReplayDetection',
])

/**
 * Milliseconds in which a second use counts as the same request sent twice: it is refused, and what the first one gave
 * lives on. Later ones are theft, and end it.
 */
const sameRequestMs = 2_000

/**
 * What the provider library asks of a store (§12.1). Everything is durable and shared between processes; `consume` and
 * the record of a used assertion are atomic, which the library itself, looking first and writing then, is not.
 */
export function recordAdapter(needs: {
  readonly issuer: IssuerName
  readonly rows: SignInStore
  readonly clock: Clock
  /** Metadata of a relying party by client id. */
  readonly client: (clientId: string) => Promise<Readonly<Record<string, unknown>> | undefined>
}): (model: string) => Adapter {
  const { issuer, rows, clock, client } = needs
  return (model) => {
    const keyOf = (id: string) => ({ issuer, model, id: digestOf(id) })
    const payloadOf = (record: StoredRecord, id: string | undefined): AdapterPayload | undefined => {
      if (record.expiresAt !== undefined && record.expiresAt <= clock.now()) return undefined
      return {
        ...record.payload,
        ...(id === undefined ? {} : { jti: id }),
        ...(record.consumedAt === undefined || record.consumedAt > clock.now() - sameRequestMs
          ? {}
          : { consumed: Math.floor(record.consumedAt / 1000) }),
      }
    }
    return {
      async upsert(id, payload, expiresIn) {
        const { jti, consumed: _, ...rest } = payload
        const session = model === 'Session' ? payload.uid : payload.sessionUid
        const record: StoredRecord = {
          ...keyOf(id),
          // The jti is the bearer's secret; a session is found by its uid also, and then needs it.
          payload: bearer.has(model) && model !== 'Session' ? rest : { ...rest, jti },
          ...(typeof payload.grantId === 'string' && model !== 'Interaction' ? { grantId: payload.grantId } : {}),
          ...(typeof session === 'string' ? { session } : {}),
          ...(typeof payload.accountId === 'string' ? { account: payload.accountId } : {}),
          ...(expiresIn !== undefined && expiresIn > 0 ? { expiresAt: clock.now() + expiresIn * 1000 } : {}),
        }
        if (model !== 'ReplayDetection') return rows.put(record)
        if (!(await rows.insert(record, clock.now())))
          throw new errors.InvalidClientAuth('client assertion tokens must only be used once')
      },
      async find(id) {
        if (model === 'Client') return client(id)
        const record = await rows.find(keyOf(id))
        return record === undefined ? undefined : payloadOf(record, id)
      },
      async findByUid(uid) {
        const record = await rows.findSession(issuer, uid)
        return record === undefined ? undefined : payloadOf(record, undefined)
      },
      async findByUserCode() {
        return undefined
      },
      async consume(id) {
        if (!(await rows.consume(keyOf(id), clock.now()))) throw new errors.InvalidGrant('already consumed')
      },
      destroy: (id) => rows.remove(keyOf(id)),
      revokeByGrantId: (grantId) => rows.removeGrant(issuer, grantId),
    }
  }
}
