import type { AuditRecord } from '@openspine/platform/audit'
import { escapeDnValue, escapeFilterValue } from '@openspine/standards/ldap'
import { checks } from './checks.ts'

/** What the audit holds of a request; any stored record can be read. */
export type ProxyRecord = Pick<AuditRecord, 'at' | 'trace' | 'facts'>

/** One check of the admission, and what became of it. */
export interface CheckVerdict {
  readonly name: string
  readonly clause: string
  readonly asks: string
  readonly verdict: 'passed' | 'failed' | 'not reached'
}

/** What happened to one request, told from its audit record alone. Members that the record does not tell are absent. */
export interface ProxyExplanation {
  readonly trace?: string
  /** When its first byte came; ISO 8601, UTC. */
  readonly at: string
  readonly verb?: string
  readonly target?: string
  readonly interaction?: string
  readonly sender?: SystemExplanation
  readonly receiver?: SystemExplanation
  readonly certificate?: { readonly subject: string; readonly serial?: string; readonly issuer?: string }
  /** Distinguished names of the directory entries that were used. */
  readonly directory: readonly string[]
  /** Id of the data sharing agreement that permits it. */
  readonly agreement?: string
  /** Every check, in order. */
  readonly checks: readonly CheckVerdict[]
  /** relayed, refused, failed, consumer-left, closed or answered. */
  readonly ending?: string
  readonly status?: number
  /** The ending in a sentence. */
  readonly verdict: string
  /** What stopped it. */
  readonly cause?: {
    readonly check: string
    readonly clause?: string
    readonly explanation?: string
    /** What was compared with what. */
    readonly compared: Readonly<Record<string, unknown>>
  }
  readonly tokenFault?: string
  /** On whose behalf, why and for what, as the token says. */
  readonly token?: { readonly sub: unknown; readonly reason: unknown; readonly scope: unknown }
  readonly totalMs?: number
  readonly providerMs?: number
  readonly bytesIn?: number
  readonly bytesOut?: number
}

interface SystemExplanation {
  readonly asid: string
  /** Absent when the directory does not have the system, or was not asked. */
  readonly odsCode?: string
  readonly partyKey?: string
}

const endings: Readonly<Record<string, string>> = {
  relayed: 'The request was relayed and the provider’s answer passed on whole.',
  refused: 'The proxy refused the request; the provider never saw it.',
  failed: 'The request was admitted, but the exchange with the provider failed.',
  'consumer-left': 'The consumer closed its connection before the answer was complete.',
  closed: 'The connection was closed without an answer.',
  answered: 'The proxy answered the request itself (OPTIONS is never relayed).',
}

/** How many of the checks the request passed, in their order. */
export function checksPassed(facts: ProxyRecord['facts']): number {
  const failed = checks.findIndex(({ name }) => name === facts['check'])
  if (failed >= 0) return failed
  // The agreement is looked up last but two, and those two have names of their own when they fail.
  if (facts['agreement'] !== undefined) return checks.length
  return facts['ending'] === 'answered' ? 2 : 0
}

/** Whether the request passed the check of this name. */
export function passed(facts: ProxyRecord['facts'], name: string): boolean {
  return checks.findIndex((check) => check.name === name) < checksPassed(facts)
}

/** What a `proxy.request` record means. Reads any stored record; never throws. */
export function explainProxyRequest({ at, trace, facts }: ProxyRecord): ProxyExplanation {
  const word = (name: string): string | undefined => {
    const value = facts[name]
    return (typeof value === 'string' && value !== '') || typeof value === 'number' ? String(value) : undefined
  }
  const number = (name: string): number | undefined => {
    const value = facts[name]
    return typeof value === 'number' ? value : undefined
  }
  const system = (asid: string | undefined, of: string): SystemExplanation | undefined =>
    asid === undefined ? undefined : present({ asid, odsCode: word(`${of}Ods`), partyKey: word(`${of}PartyKey`) })
  const done = checksPassed(facts)
  const subject = word('subject')
  const check = word('check')
  const { compared, token } = facts
  const said = typeof token === 'object' && token !== null ? (token as Record<string, unknown>) : undefined
  return present({
    trace,
    at: Number.isFinite(at) && Math.abs(at) < 8.64e15 ? new Date(at).toISOString() : 'unknown time',
    verb: word('verb'),
    target: word('target'),
    interaction: word('interaction'),
    sender: system(word('from'), 'sender'),
    receiver: system(word('to'), 'receiver'),
    certificate:
      subject === undefined ? undefined : present({ subject, serial: word('serial'), issuer: word('issuer') }),
    directory: [
      word('senderOds') === undefined ? undefined : entryName(word('from')),
      word('receiverOds') === undefined ? undefined : entryName(word('to')),
      entryName(word('cpaId')),
    ].filter((entry) => entry !== undefined),
    agreement: word('agreement'),
    checks: checks.map(
      ({ name, clause, asks }, index): CheckVerdict => ({
        name,
        clause,
        asks,
        verdict: index < done ? 'passed' : name === check ? 'failed' : 'not reached',
      }),
    ),
    ending: word('ending'),
    status: number('status'),
    verdict: endings[word('ending') ?? ''] ?? 'How it ended is not recorded.',
    cause:
      check === undefined
        ? undefined
        : present({
            check,
            clause: word('clause'),
            explanation: word('explanation'),
            compared: typeof compared === 'object' && compared !== null ? (compared as Record<string, unknown>) : {},
          }),
    tokenFault: word('tokenFault'),
    token:
      said === undefined
        ? undefined
        : { sub: said['sub'] ?? null, reason: said['reason_for_request'] ?? null, scope: said['scope'] ?? null },
    totalMs: number('totalMs'),
    providerMs: number('providerMs'),
    bytesIn: number('bytesIn'),
    bytesOut: number('bytesOut'),
  })
}

/** The same in plain words, a line each. */
export function explainProxyRecord(record: ProxyRecord): string[] {
  const told = explainProxyRequest(record)
  const lines: string[] = []
  const say = (line: string | undefined) => {
    if (line !== undefined) lines.push(line)
  }
  const who = (name: string, system: SystemExplanation | undefined) => {
    if (system === undefined) return
    const { asid, odsCode, partyKey } = system
    say(
      `${name}: ASID ${asid}${odsCode === undefined ? ' (not found in the directory, or not looked up)' : ` of organisation ${odsCode}, party key ${partyKey}`}.`,
    )
  }
  say(`${told.at}: ${told.verb ?? 'a request'} ${told.target ?? '(no target)'}`)
  say(told.trace === undefined ? undefined : `Trace: ${told.trace}`)
  who('Sender', told.sender)
  who('Receiver', told.receiver)
  say(told.interaction === undefined ? undefined : `Interaction: ${told.interaction}`)
  say(told.directory.length === 0 ? undefined : `Directory entries used: ${told.directory.join('; ')}`)
  say(
    told.certificate === undefined
      ? 'Certificate: none was shown.'
      : `Certificate: ${told.certificate.subject}, serial ${told.certificate.serial}.`,
  )
  const named = (verdict: CheckVerdict['verdict']) =>
    told.checks
      .filter((one) => one.verdict === verdict)
      .map(({ name }) => name)
      .join(', ')
  say(named('passed') === '' ? 'Checks passed: none.' : `Checks passed: ${named('passed')}.`)
  say(`${told.verdict} Status ${told.status ?? 'unknown'}.`)
  if (told.cause !== undefined) {
    say(`What stopped it: ${told.cause.check} (${told.cause.clause}).`)
    say(told.cause.explanation === undefined ? undefined : `Why: ${told.cause.explanation}`)
    for (const [name, value] of Object.entries(told.cause.compared))
      say(`  ${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
  }
  say(named('not reached') === '' ? undefined : `Checks not reached: ${named('not reached')}.`)
  if (told.ending === 'refused' && told.receiver !== undefined) {
    const { interaction } = told
    const filter = `(&(objectClass=nhsAs)(uniqueIdentifier=${escapeFilterValue(told.receiver.asid)})${interaction === undefined ? '' : `(nhsAsSvcIA=${escapeFilterValue(interaction)})`})`
    // A quote would end the shell's word: written as its escape, it means the same to the filter.
    say(`What the directory says of the receiver: openspine lookup --filter '${filter.replaceAll("'", '\\27')}'`)
  }
  say(told.agreement === undefined ? undefined : `Permitted by data sharing agreement ${told.agreement}.`)
  say(told.tokenFault === undefined ? undefined : `The token could not be read: ${told.tokenFault}`)
  if (told.token !== undefined) {
    const { sub, reason, scope } = told.token
    say(
      `The token says: on behalf of ${JSON.stringify(sub)}, for ${JSON.stringify(reason)}, scope ${JSON.stringify(scope)}.`,
    )
  }
  if (told.totalMs !== undefined)
    say(
      `Took ${told.totalMs} ms${told.providerMs === undefined ? '' : `, of which the provider ${told.providerMs} ms`}; ${told.bytesIn} bytes in, ${told.bytesOut} bytes out.`,
    )
  return lines
}

/** Systems and endpoints stand flat below one branch (directory specification §2). */
function entryName(identifier: string | undefined): string | undefined {
  return identifier === undefined ? undefined : `uniqueIdentifier=${escapeDnValue(identifier)},ou=Services,o=nhs`
}

/** Without the members that are undefined. */
function present<Value extends object>(value: Value): Present<Value> {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as Present<Value>
}

type Present<Value> = {
  [Name in keyof Value as undefined extends Value[Name] ? never : Name]: Value[Name]
} & { [Name in keyof Value as undefined extends Value[Name] ? Name : never]?: Exclude<Value[Name], undefined> }
