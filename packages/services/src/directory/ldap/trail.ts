import { type Audit, AuditTrail } from '@openspine/platform/audit'
import type { Clock } from '@openspine/platform/clock'
import type { Logger } from '@openspine/platform/log'
import { filterText, type OperationReport } from '@openspine/standards/ldap'

/** Who asked: fixed for the life of a connection. */
export interface Caller {
  /** Subject CN of the client certificate; empty on the plain port. */
  readonly fqdn: string
  readonly serial: string
  readonly address: string
  /** Tells the connections of one process apart. */
  readonly connection: number
}

interface Entry {
  readonly report: OperationReport
  readonly caller: Caller
  readonly boundAs: string
}

const scopes = ['base', 'one', 'sub', 'children'] as const
const longestText = 4000

/** The audit trail of the LDAP face: every operation. When it is `full`, the connections stop reading until `onRoom`. */
export type Trail = AuditTrail<Entry>

export function ldapTrail(needs: { readonly audit: Audit; readonly clock: Clock; readonly log: Logger }): Trail {
  return new AuditTrail<Entry>({
    ...needs,
    event: 'directory.search',
    json: factsOf,
    faultText: 'The audit of directory searches cannot be written: clients will be kept waiting.',
  })
}

const plain = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/

/** As a JSON string, cut where it is very long. */
function quoted(text: string): string {
  const short = text.length > longestText ? `${text.slice(0, longestText)}…` : text
  return plain.test(short) ? `"${short}"` : JSON.stringify(short)
}

/** Written once for each connection. */
const callers = new WeakMap<Caller, string>()

function callerText(caller: Caller): string {
  let text = callers.get(caller)
  if (text === undefined) {
    const { fqdn, serial, address, connection } = caller
    text = `"client":${quoted(fqdn)},"serial":${quoted(serial)},"address":${quoted(address)},"connection":${connection}`
    callers.set(caller, text)
  }
  return text
}

/** The facts of one operation as JSON. */
function factsOf({ report, caller, boundAs }: Entry): string {
  const { operation, code, startedAt, endedAt, dn, scope, filter, attributes, entries, oid } = report
  let text = `{"operation":"${operation}","at":${startedAt},"ms":${endedAt - startedAt},"code":${code},${callerText(caller)}`
  if (boundAs !== '') text += `,"boundAs":${quoted(boundAs)}`
  text += `,"dn":${quoted(dn)}`
  if (scope !== undefined) text += `,"scope":"${scopes[scope]}"`
  if (filter !== undefined) text += `,"filter":${quoted(filterText(filter))}`
  if (attributes !== undefined && attributes.length > 0) text += `,"attributes":${quoted(attributes.join(' '))}`
  if (entries !== undefined) text += `,"entries":${entries}`
  if (oid !== undefined) text += `,"oid":${quoted(oid)}`
  return `${text}}`
}
