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
    facts: factsOf,
    size: ({ dn, filter }) => String(dn).length + (typeof filter === 'string' ? filter.length : 0),
    faultText: 'The audit of directory searches cannot be written: clients will be kept waiting.',
  })
}

function short(text: string): string {
  return text.length > longestText ? `${text.slice(0, longestText)}…` : text
}

function factsOf({ report, caller, boundAs }: Entry): Record<string, unknown> {
  const { operation, code, startedAt, endedAt, dn, scope, filter, attributes, entries, oid } = report
  return {
    operation,
    at: startedAt,
    ms: endedAt - startedAt,
    code,
    client: caller.fqdn,
    serial: caller.serial,
    address: caller.address,
    connection: caller.connection,
    ...(boundAs === '' ? {} : { boundAs }),
    dn: short(dn),
    ...(scope === undefined ? {} : { scope: scopes[scope] }),
    ...(filter === undefined ? {} : { filter: short(filterText(filter)) }),
    ...(attributes === undefined || attributes.length === 0 ? {} : { attributes: short(attributes.join(' ')) }),
    ...(entries === undefined ? {} : { entries }),
    ...(oid === undefined ? {} : { oid: short(oid) }),
  }
}
