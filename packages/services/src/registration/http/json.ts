import { invalid } from './refusal.ts'

/** Objects and arrays that may stand in each other. */
const deepest = 32

/** Where a text stops being JSON: message and place as Python's decoder words them, which the dialect shows. */
interface Fault {
  readonly says: string
  readonly at: number
}

const blank = /[ \t\n\r]*/y
const scalar = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|null/y
const text = /"(?:[^"\\\x00-\x1f]+|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y

/** Reads without recursion, so that no depth of nesting can exhaust the stack. */
function faultOf(source: string): Fault | undefined {
  const open: ('{' | '[')[] = []
  let at = 0
  const skip = () => {
    blank.lastIndex = at
    blank.test(source)
    at = blank.lastIndex
  }
  const take = (token: RegExp): boolean => {
    token.lastIndex = at
    if (!token.test(source)) return false
    at = token.lastIndex
    return true
  }
  const propertyName = (): Fault | undefined => {
    skip()
    if (!take(text)) return { says: 'Expecting property name enclosed in double quotes', at }
    skip()
    if (source[at] !== ':') return { says: "Expecting ':' delimiter", at }
    at++
    return undefined
  }
  for (;;) {
    skip()
    const first = source[at]
    if (first === '{' || first === '[') {
      open.push(first)
      if (open.length > deepest) return { says: 'Nested too deeply', at }
      at++
      skip()
      const empty = source[at] === (first === '{' ? '}' : ']')
      if (!empty) {
        const fault = first === '{' ? propertyName() : undefined
        if (fault !== undefined) return fault
        continue
      }
    } else if (!take(text) && !take(scalar)) return { says: 'Expecting value', at }
    // A value has ended: close what it completes, or go on to the next.
    for (;;) {
      skip()
      const around = open.at(-1)
      if (around === undefined) return at < source.length ? { says: 'Extra data', at } : undefined
      if (source[at] === (around === '{' ? '}' : ']')) {
        open.pop()
        at++
        continue
      }
      if (source[at] !== ',') return { says: "Expecting ',' delimiter", at }
      at++
      const fault = around === '{' ? propertyName() : undefined
      if (fault !== undefined) return fault
      break
    }
  }
}

/** The value of a JSON text. Throws the dialect's refusal, which tells where the text is broken. */
export function readJson(bytes: Buffer): unknown {
  let source: string
  try {
    source = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw invalid('Invalid JSON body was provided: it is not UTF-8')
  }
  const fault = faultOf(source)
  if (fault === undefined) return JSON.parse(source)
  const before = source.slice(0, fault.at)
  const line = before.split('\n').length
  const column = fault.at - before.lastIndexOf('\n')
  const nested = fault.says === 'Nested too deeply' ? 'nested too deeply: ' : ''
  throw invalid(`Invalid JSON body was provided: ${nested}line ${line} column ${column} (char ${fault.at})`)
}
