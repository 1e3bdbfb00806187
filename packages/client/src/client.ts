import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { type Capabilities, type CapabilitiesQuery, capabilities } from './capabilities.ts'
import { type CareRecord, type CareRecordQuery, careRecord } from './care-record.ts'
import { ldapDirectory } from './directory.ts'
import { httpClient } from './http.ts'
import type { ClientLine } from './line.ts'
import { type Lookup, type LookupQuery, lookup } from './lookup.ts'
import type { ClientSettings, Practitioner } from './settings.ts'
import { type Trace, type TraceQuery, trace } from './trace.ts'

export type { Capabilities, CapabilitiesQuery } from './capabilities.ts'
export type { CareRecord, CareRecordQuery, RecordSection } from './care-record.ts'
export { recordSections } from './care-record.ts'
export type { Lookup, LookupQuery } from './lookup.ts'
export type { ClientSettings, ClientTls, Practitioner } from './settings.ts'
export { gpConnectToken, type SpineTokenSubject, spineToken, type TokenSubject } from './token.ts'
export type { Trace, TracedPerson, TraceQuery } from './trace.ts'

/**
 * One user's work. What the directory answered is remembered for the session alone, as the consumer rules
 * ask: never across users or patient encounters.
 */
export interface ClientSession {
  /** Demographics: who is this, and where are they registered? */
  trace(query: TraceQuery): Promise<Trace>
  /** Directory: which endpoint of this organisation serves this interaction, and which system is it? */
  lookup(query: LookupQuery): Promise<Lookup>
  /** GP Connect 0.x `metadata`, through the secure proxy. */
  capabilities(query: CapabilitiesQuery): Promise<Capabilities>
  /** GP Connect 0.x `$gpc.getcarerecord`: one section of a record in HTML, through the secure proxy. */
  careRecord(query: CareRecordQuery): Promise<CareRecord>
}

export interface SpineClient {
  session(user: { readonly practitioner: Practitioner }): ClientSession
  /** Ends every kept-alive connection. */
  close(): Promise<void>
}

/**
 * A consumer of Spine services. Connections are reused; transient errors are repeated at most three times
 * with growing pauses, each with a trace id and a token of its own. What a service refuses arrives as a
 * SpineError `CLIENT_REFUSED` whose outcome keeps status, trace id and the OperationOutcome.
 *
 * @example
 * const spine = createClient({ pdsUrl, directoryUrl, proxyUrl, tls: { ca, cert, key }, asid, organisation, system })
 * const session = spine.session({ practitioner: { id: 'u-17', family: 'Jones' } })
 * const { person } = await session.trace({ family: 'Testcase', birthDate: '1980-02-29' })
 * const record = await session.careRecord({ nhsNumber: person.nhsNumber, odsCode: person.practice, section: 'ALL' })
 * await spine.close()
 */
export function createClient(settings: ClientSettings): SpineClient {
  const retries = Math.min(3, Math.max(0, settings.retries ?? 3))
  const timeoutMs = settings.timeoutMs ?? 30_000
  const sleep = settings.sleep ?? ((ms) => wait(ms))
  const http = httpClient({ tls: settings.tls, timeoutMs, retries, sleep })
  const directory = ldapDirectory({ url: settings.directoryUrl, tls: settings.tls, timeoutMs, retries, sleep })
  return {
    session({ practitioner }) {
      const answers = new Map<string, Promise<Lookup>>()
      const line: ClientLine = {
        settings,
        practitioner,
        http,
        directory,
        now: settings.clock?.now ?? Date.now,
        uuid: settings.uuid ?? randomUUID,
        lookup(query) {
          const key = `${query.odsCode.toUpperCase()} ${query.interaction}`
          let answer = answers.get(key)
          if (!answer) {
            answer = lookup(line, query)
            answers.set(key, answer)
            // Only what was found is remembered: a missing endpoint may be registered the next minute.
            answer.catch(() => answers.delete(key))
          }
          return answer
        },
      }
      return {
        trace: (query) => trace(line, query),
        lookup: (query) => line.lookup(query),
        capabilities: (query) => capabilities(line, query),
        careRecord: (query) => careRecord(line, query),
      }
    },
    async close() {
      await Promise.all([http.close(), directory.close()])
    },
  }
}
