/** What the provider's audit keeps of every request, answered or refused (§2.11): never a body. */
import type { AuditRecord } from '@openspine/platform/audit'
import { auditedClaims } from '@openspine/standards/audit-token'
import { isUuid } from '@openspine/standards/nhs'
import type { Answer } from '../answer.ts'

/** Bounds what a stranger may write into the audit. */
function short(text: string | undefined): string | undefined {
  return text?.slice(0, 500)
}

/** The record of one request; its sequence number is that of the audit's chain. */
export function auditRecord(
  { status, sheet, failed }: Answer,
  about: {
    readonly clientAddress: string | undefined
    readonly serverName: string
    readonly bytesIn: number
    readonly bytesOut: number
    readonly milliseconds: number
  },
): AuditRecord {
  const { request, practice, service, endpoint, token, tokenFault, nhsNumber, section, period, record, audited } = sheet
  const { peer, headers, method, target, at } = request
  const trace = headers.get('ssp-traceid')
  const facts = {
    method,
    target: short(`https://${headers.get('host') ?? about.serverName}${target}`),
    action: endpoint?.action,
    base: service?.base,
    odsCode: practice?.practice.odsCode,
    from: short(headers.get('ssp-from')),
    to: short(headers.get('ssp-to')),
    interaction: short(headers.get('ssp-interactionid')),
    traceAsSent: isUuid(trace) ? undefined : short(trace),
    clientAddress: about.clientAddress,
    forwarded: short(headers.get('forwarded')),
    certificate:
      peer.state === 'none'
        ? { state: 'none' }
        : {
            state: peer.state,
            fqdn: peer.fqdn,
            serial: peer.serial,
            issuer: peer.issuer,
            reason: peer.state === 'invalid' ? peer.reason : undefined,
          },
    status,
    check: failed?.check,
    outcome: failed?.outcome,
    claims: token && auditedClaims(token.claims),
    tokenFault,
    nhsNumber,
    section,
    period,
    patientVersion: record?.version,
    ...audited,
    bytesIn: about.bytesIn,
    bytesOut: about.bytesOut,
    milliseconds: about.milliseconds,
  }
  return {
    event: 'practice.request',
    at,
    ...(isUuid(trace) ? { trace } : {}),
    facts: Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined)),
  }
}
