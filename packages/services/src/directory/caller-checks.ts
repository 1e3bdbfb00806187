import type { Peer } from '@openspine/platform/doors'
import { callerFault } from './callers.ts'
import type { DirectorySnapshot } from './contract.ts'

/** A request of a system over mutual TLS, as the checks of who calls look at it. */
export interface MutualRequest {
  readonly peer: Peer
  readonly snapshot: Pick<DirectorySnapshot, 'accreditedSystem'>
  header(name: string): string | undefined
}

/** One check: what it asks, where it is written, and the outcome of the service that it ends in. */
export interface CallerCheck<Request extends MutualRequest> {
  readonly name: string
  readonly clause: string
  readonly outcome: 'accessDeniedSsl' | 'asidCheckFailed'
  /** Plain words for whoever has to mend the request. */
  readonly explains: string
  /** What is wrong, as `diagnostics`; undefined where nothing is. */
  fault(request: Request): string | undefined
}

/**
 * What every FHIR service of the door `spine` asks of its caller: a certificate of this environment, before all else,
 * and, once the headers are there, that both systems are registered and the certificate is that of the sender.
 */
export function callerChecks<Request extends MutualRequest>(about: {
  readonly clause: string
  /** Names of the headers with the two ASIDs. */
  readonly from: string
  readonly to: string
  /** What the systems are registered for, in the words of the reference. */
  readonly registration: string
  /** Names under which that is registered; one of them is enough. */
  interactions(request: Request): readonly string[]
}): { readonly certificate: CallerCheck<Request>; readonly systems: CallerCheck<Request> } {
  const { clause, from, to, registration, interactions } = about
  return {
    certificate: {
      name: 'Certificate',
      clause,
      outcome: 'accessDeniedSsl',
      explains: 'The connection is made with a certificate of this environment that is in time and not revoked.',
      fault({ peer }) {
        if (peer.state === 'valid') return undefined
        return peer.state === 'none'
          ? 'No client certificate was presented'
          : `The client certificate is not accepted: ${peer.reason}`
      },
    },
    systems: {
      name: 'Sender and receiver',
      clause,
      outcome: 'asidCheckFailed',
      explains: `Both systems are registered in the directory for ${registration}, and the certificate is that of the sender.`,
      fault(request) {
        const { header, peer, snapshot } = request
        return callerFault(snapshot, {
          from: header(from) ?? '',
          to: header(to) ?? '',
          names: peer.state === 'valid' ? peer.names : [],
          interactions: interactions(request),
        })
      },
    },
  }
}
