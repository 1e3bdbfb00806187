import { SpineError } from '../error.ts'

/** One record of an LDIF file (RFC 2849). Names as written, values as text; a record without `changeType` is an entry. */
export interface LdifRecord {
  readonly dn: string
  readonly attributes: readonly (readonly [name: string, value: string])[]
  readonly changeType?: 'add' | 'delete' | 'modify' | 'modrdn' | 'moddn'
  /** Groups of a `modify`, in order. */
  readonly modifications?: readonly LdifModification[]
  /** Line on which the record begins, from 1. */
  readonly line: number
}

export interface LdifModification {
  readonly kind: 'add' | 'replace' | 'delete'
  readonly attribute: string
  readonly values: readonly string[]
}

const maxLine = 1 << 20

function ldifError(line: number, explanation: string): SpineError<{ readonly line: number }> {
  return new SpineError('LDIF_SYNTAX', { line }, { explanation: `Line ${line}: ${explanation}` })
}

/** RFC 2849 SAFE-STRING, and no trailing space, which editors lose. */
function safe(value: string): boolean {
  return (
    /^(?:[\x01-\x09\x0b\x0c\x0e-\x1f\x21-\x39\x3b\x3d-\x7f][\x01-\x09\x0b\x0c\x0e-\x7f]*)?$/.test(value) &&
    !value.endsWith(' ')
  )
}

/** One `name: value` line, base64 where needed, folded at 76 columns. */
export function ldifLine(name: string, value: string): string {
  const line = safe(value)
    ? `${name}:${value === '' ? '' : ` ${value}`}`
    : `${name}:: ${Buffer.from(value).toString('base64')}`
  if (line.length <= 76) return `${line}\n`
  let folded = line.slice(0, 76)
  for (let at = 76; at < line.length; at += 75) folded += `\n ${line.slice(at, at + 75)}`
  return `${folded}\n`
}

/** Attributes as lines: what the change log shows of an addition. */
export function ldifAttributes(attributes: Readonly<Record<string, readonly string[]>>): string {
  return Object.entries(attributes)
    .flatMap(([name, values]) => values.map((value) => ldifLine(name, value)))
    .join('')
}

/** Groups of a modification as the change log shows them, each ended by `-`. */
export function ldifModifications(modifications: readonly LdifModification[]): string {
  return modifications
    .map(
      ({ kind, attribute, values }) =>
        `${ldifLine(kind, attribute)}${values.map((value) => ldifLine(attribute, value)).join('')}-\n`,
    )
    .join('')
}

/** A whole file of entries. */
export function* writeLdif(
  entries: Iterable<{ readonly dn: string; readonly attributes: Readonly<Record<string, readonly string[]>> }>,
): IterableIterator<string> {
  yield 'version: 1\n'
  for (const { dn, attributes } of entries) yield `\n${ldifLine('dn', dn)}${ldifAttributes(attributes)}`
}

interface Line {
  readonly number: number
  readonly text: string
}

/** Joins folded lines, drops comments, and cuts the text into records at empty lines. */
function* blocks(text: string, firstLine: number): IterableIterator<Line[]> {
  let block: Line[] = []
  let comment = false
  let number = firstLine - 1
  for (let at = 0; at <= text.length; ) {
    const newline = text.indexOf('\n', at)
    const end = newline < 0 ? text.length : newline
    const raw = text.slice(at, text[end - 1] === '\r' && end > at ? end - 1 : end)
    at = end + 1
    number++
    if (raw.startsWith(' ')) {
      const last = block.at(-1)
      if (comment) continue
      if (last === undefined) throw ldifError(number, 'a continuation continues nothing')
      if (last.text.length + raw.length > maxLine) throw ldifError(number, 'the line is too long')
      block[block.length - 1] = { number: last.number, text: last.text + raw.slice(1) }
      continue
    }
    comment = raw.startsWith('#')
    if (comment) continue
    if (raw === '') {
      if (block.length > 0) yield block
      block = []
    } else block.push({ number, text: raw })
  }
  if (block.length > 0) yield block
}

function pair({ number, text }: Line): [name: string, value: string] {
  const colon = text.indexOf(':')
  if (colon < 1) throw ldifError(number, 'there is no attribute name')
  const name = text.slice(0, colon)
  if (text[colon + 1] === '<') throw ldifError(number, 'values from URLs are not read')
  if (text[colon + 1] === ':') {
    const digits = text.slice(colon + 2).trim()
    if (!/^[A-Za-z0-9+/]*={0,2}$/.test(digits) || digits.length % 4 !== 0)
      throw ldifError(number, 'the base64 is malformed')
    return [name, Buffer.from(digits, 'base64').toString('utf8')]
  }
  return [name, text.slice(colon + 1).replace(/^ +/, '')]
}

/**
 * Reads LDIF text record by record: folding, comments, base64, change records. Throws `LDIF_SYNTAX` with the line.
 */
export function readLdif(text: string): IterableIterator<LdifRecord> {
  return recordsFrom(text, 1)
}

/** Most characters of one record that arrives in pieces. */
const maxRecord = 1 << 24

/**
 * Reads LDIF that arrives in pieces, cut anywhere: holds no more than one piece and one record. Throws `LDIF_SYNTAX`
 * with the line, also for a record of more than 16 million characters.
 */
export async function* readLdifPieces(
  pieces: AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>,
): AsyncIterableIterator<LdifRecord> {
  const decoder = new TextDecoder()
  let held = ''
  let line = 1
  for await (const piece of pieces) {
    held += typeof piece === 'string' ? piece : decoder.decode(piece, { stream: true })
    // Whole records end at the last empty line.
    const end = Math.max(held.lastIndexOf('\n\n'), held.lastIndexOf('\n\r\n'))
    if (end < 0) {
      if (held.length > maxRecord) throw ldifError(line, 'the record is too long')
      continue
    }
    const whole = held.slice(0, end + 1)
    held = held.slice(end + 1)
    yield* recordsFrom(whole, line)
    for (let at = whole.indexOf('\n'); at >= 0; at = whole.indexOf('\n', at + 1)) line++
  }
  yield* recordsFrom(held + decoder.decode(), line)
}

function* recordsFrom(text: string, firstLine: number): IterableIterator<LdifRecord> {
  let first = firstLine === 1
  for (const block of blocks(text, firstLine)) {
    let lines = block
    if (first && lines[0] !== undefined && /^version:/i.test(lines[0].text)) {
      if (!/^version:\s*1\s*$/i.test(lines[0].text)) throw ldifError(lines[0].number, 'only version 1 is known')
      lines = lines.slice(1)
    }
    first = false
    const [head, ...rest] = lines
    if (head !== undefined) yield record(head, rest)
  }
}

function record(head: Line, lines: readonly Line[]): LdifRecord {
  const [key, dn] = pair(head)
  if (key.toLowerCase() !== 'dn') throw ldifError(head.number, 'a record begins with its dn')
  const start = lines.findIndex((line) => !/^control:/i.test(line.text))
  const body = start < 0 ? [] : lines.slice(start)
  const type = body[0] === undefined ? undefined : pair(body[0])
  if (type?.[0].toLowerCase() !== 'changetype') return { dn, attributes: body.map(pair), line: head.number }
  const changeType = type[1].trim().toLowerCase()
  const rest = body.slice(1)
  switch (changeType) {
    case 'modify':
      return { dn, attributes: [], changeType, modifications: modifications(rest), line: head.number }
    case 'add':
    case 'delete':
    case 'modrdn':
    case 'moddn':
      return { dn, attributes: rest.map(pair), changeType, line: head.number }
    default:
      throw ldifError(head.number, 'the changetype is unknown')
  }
}

function modifications(lines: readonly Line[]): LdifModification[] {
  const all: LdifModification[] = []
  let open: { kind: LdifModification['kind']; attribute: string; values: string[] } | undefined
  for (const line of lines) {
    if (line.text === '-') {
      if (open === undefined) throw ldifError(line.number, 'a group ends that was not begun')
      all.push(open)
      open = undefined
      continue
    }
    const [name, value] = pair(line)
    if (open === undefined) {
      const kind = name.toLowerCase()
      if (kind !== 'add' && kind !== 'replace' && kind !== 'delete')
        throw ldifError(line.number, 'a group begins with add, replace or delete')
      open = { kind, attribute: value, values: [] }
    } else if (name.toLowerCase() === open.attribute.toLowerCase()) open.values.push(value)
    else throw ldifError(line.number, 'the value belongs to another attribute')
  }
  // The last group's "-" is often left out in practice.
  if (open !== undefined) all.push(open)
  return all
}
