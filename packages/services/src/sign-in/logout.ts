import type { Clock, Random } from '@openspine/platform/clock'
import type { JobHandler, Jobs } from '@openspine/platform/jobs'
import type { Logger } from '@openspine/platform/log'
import type { Database } from '@openspine/platform/store'
import type { RelyingParty } from './contract.ts'
import type { Issuer } from './issuer.ts'
import type { Algorithm } from './jwt.ts'
import type { outgoing } from './outgoing.ts'
import type { SignInStore, StoredRecord } from './store.ts'

const queue = 'sign_in.logout'

/** Milliseconds after each failed try; after the last no more (§3.5: a few times over minutes). */
const retries = [5_000, 30_000, 120_000, 300_000]

/** Tells relying parties that a sign-on has ended (§3.5, OpenID Connect Back-Channel Logout 1.0). */
export function backChannel(needs: {
  readonly rows: SignInStore
  readonly jobs: Jobs
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly issuer: () => Issuer
  readonly party: (clientId: string) => Promise<RelyingParty | undefined>
  readonly fetch: ReturnType<typeof outgoing>
}) {
  const { rows, jobs, clock, random, log, issuer, party, fetch } = needs

  /** The sign-on, all tokens given out in it, and the notices about it: gone, gone and written in one transaction. */
  async function end(uid: string): Promise<boolean> {
    const ended = await rows.endSession('cis2', uid, async ({ payload }: StoredRecord, db: Database) => {
      const authorizations = (payload['authorizations'] ?? {}) as Readonly<Record<string, { readonly sid?: string }>>
      for (const [clientId, { sid }] of Object.entries(authorizations)) {
        if (sid === undefined) continue
        const id = random.uuid()
        const subject = String(payload['accountId'])
        await rows.addLogout({ id, issuer: 'cis2', clientId, subject, sid }, clock.now(), db)
        await jobs.enqueue(queue, { id }, { id, transaction: db })
      }
    })
    return ended !== undefined
  }

  async function deliver(id: string): Promise<string | undefined> {
    const row = await rows.logout(id)
    if (row === undefined || row.state !== 'waiting') return undefined
    const found = await party(row.clientId)
    // Those who asked for no notice get none.
    if (found?.backchannelLogoutUri === undefined) return undefined
    const now = Math.floor(clock.now() / 1000)
    const token = issuer().signed(
      {
        iss: issuer().issuer,
        aud: row.clientId,
        iat: now,
        exp: now + 120,
        jti: random.uuid(),
        sid: row.sid,
        sub: row.subject,
        events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
      },
      (found.idTokenAlgorithm ?? 'RS256') as Algorithm,
    )
    try {
      const { status } = await fetch(found.backchannelLogoutUri, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ logout_token: token }).toString(),
      })
      return status === 200 || status === 204 ? undefined : `HTTP ${status}`
    } catch (error) {
      return error instanceof Error ? error.message : 'no answer'
    }
  }

  const handler: JobHandler = {
    queue,
    async run({ body, attempt }) {
      const { id } = body as { readonly id: string }
      const problem = await deliver(id)
      const last = attempt > retries.length
      await rows.tried(id, problem === undefined ? 'delivered' : last ? 'failed' : 'waiting', problem)
      if (problem === undefined) return
      log.warn({ logout: id, attempt, problem }, 'a relying party was not told that a sign-on has ended')
      if (!last) throw new Error(problem)
    },
    retryAfterMs: (attempt) => retries[attempt - 1],
  }
  return { end, handler }
}
