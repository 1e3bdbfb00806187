import { hash as digest } from 'node:crypto'
import { type AuditRecord, type StoredAuditRecord, WrittenFacts } from './audit.ts'

/**
 * How a record is written down, in the journal and (column by column) in the store: tab-separated
 * `hash seq at event trace facts`. The hash covers the previous hash and everything after its own tab,
 * so every column is bound, and the facts are kept to the byte. Event and trace hold printable ASCII only
 * (everything else escaped as in JSON) and JSON has no raw tab or line feed, so splitting is safe in SQL too.
 */
export interface AuditLine {
  readonly hash: string
  readonly seq: number
  readonly at: number
  readonly event: string
  /** Escaped; undefined when the record has none. */
  readonly trace: string | undefined
  /** JSON, exactly as it was hashed. */
  readonly facts: string
}

/** What stands for "no trace": no escaped text can be equal to it. */
export const noTrace = '\\N'

/** How many characters of a trace the index holds; the whole trace is compared all the same. */
export const indexedTraceLength = 64

const eventName = /^[A-Za-z0-9._-]{1,64}$/
const plain = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/
const lineShape =
  /^[0-9a-f]{64}\t[1-9]\d{0,15}\t-?\d{1,16}\t[A-Za-z0-9._-]{1,64}\t(?:\\N|[\x20-\x7e]*)\t\{[^\t\n\r\0]*\}$/

export const isEventName = (event: string): boolean => eventName.test(event)

/** The hash before the first record of a chain: binds the records to the chain's name. */
export function chainSeed(chain: string): string {
  return digest('sha256', `openspine audit chain ${chain}`, 'hex')
}

/** Hash of a record, from the hash before it and the text after its own tab. */
export function recordHash(previous: string, text: string): string {
  return digest('sha256', previous + text, 'hex')
}

/** The same, of the bytes of both together. */
export function bytesHash(previousAndText: Uint8Array): string {
  return digest('sha256', previousAndText, 'hex')
}

/** What stands between the hash and the facts. */
export function recordStart(seq: number, record: AuditRecord): string {
  const trace = record.trace === undefined ? noTrace : escapeTrace(record.trace)
  return `${seq}\t${record.at}\t${record.event}\t${trace}\t`
}

/** The facts of a line, in parts. Throws when they are no JSON. */
export function recordFacts({ facts }: AuditRecord): readonly (string | Buffer)[] {
  return facts instanceof WrittenFacts ? facts.parts : [JSON.stringify(facts)]
}

/** The same text from what the store or the journal holds. */
export function lineText(line: AuditLine): string {
  return `${line.seq}\t${line.at}\t${line.event}\t${line.trace ?? noTrace}\t${line.facts}`
}

export function escapeTrace(trace: string): string {
  if (plain.test(trace)) return trace
  return JSON.stringify(trace)
    .slice(1, -1)
    .replace(/[\x7f-\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function unescapeTrace(escaped: string): string {
  if (!escaped.includes('\\')) return escaped
  try {
    return String(JSON.parse(`"${escaped}"`))
  } catch {
    return escaped // damaged: verify names the record; whoever searches sees what is there
  }
}

/** Undefined when the text is no record line. */
export function readLine(text: string): AuditLine | undefined {
  if (!lineShape.test(text)) return undefined
  const [hash, seq, at, event, trace] = text.split('\t', 5)
  if (hash === undefined || event === undefined || trace === undefined) return undefined
  return {
    hash,
    seq: Number(seq),
    at: Number(at),
    event,
    trace: trace === noTrace ? undefined : trace,
    facts: text.slice(text.lastIndexOf('\t') + 1),
  }
}

/** As callers see it. Damaged facts come out as `{ damaged: text }`, so that a search never fails on them. */
export function storedRecord(chain: string, line: AuditLine): StoredAuditRecord {
  return {
    chain,
    seq: line.seq,
    hash: line.hash,
    event: line.event,
    at: line.at,
    ...(line.trace === undefined ? {} : { trace: unescapeTrace(line.trace) }),
    facts: readFacts(line.facts),
  }
}

function readFacts(text: string): Readonly<Record<string, unknown>> {
  try {
    const facts: unknown = JSON.parse(text)
    if (typeof facts === 'object' && facts !== null && !Array.isArray(facts)) return facts as Record<string, unknown>
  } catch {
    // told below
  }
  return { damaged: text }
}
