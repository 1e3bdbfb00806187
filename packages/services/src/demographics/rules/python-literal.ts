import { FhirDecimal } from '@openspine/standards/fhir'

/**
 * A JSON value as Python prints it: the diagnostics of PDS FHIR quote values in this form (§7, §10.4). A string alone
 * stands without quotes, one inside of something else with them.
 */
export function pythonText(value: unknown): string {
  return typeof value === 'string' ? value : pythonLiteral(value)
}

/** Name of the type that Python has for a JSON value. */
export function pythonType(value: unknown): string {
  if (value === null || value === undefined) return 'NoneType'
  if (Array.isArray(value)) return 'list'
  if (value instanceof FhirDecimal) return 'float'
  switch (typeof value) {
    case 'string':
      return 'str'
    case 'boolean':
      return 'bool'
    case 'number':
      return Number.isInteger(value) ? 'int' : 'float'
    default:
      return 'dict'
  }
}

export function pythonLiteral(value: unknown): string {
  if (value === null || value === undefined) return 'None'
  if (value === true) return 'True'
  if (value === false) return 'False'
  if (typeof value === 'string') return quoted(value)
  if (value instanceof FhirDecimal) return value.text
  if (Array.isArray(value)) return `[${value.map(pythonLiteral).join(', ')}]`
  if (typeof value === 'object')
    return `{${Object.entries(value)
      .map(([key, member]) => `${quoted(key)}: ${pythonLiteral(member)}`)
      .join(', ')}}`
  return String(value)
}

const named: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\\': '\\\\' }

/** Single quotes, unless the text has some and no double ones. */
function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'"
  const inside = text.replaceAll(/[\\\n\r\t\p{Cc}]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0
    return named[character] ?? `\\x${code.toString(16).padStart(2, '0')}`
  })
  return quote + (quote === "'" ? inside.replaceAll("'", "\\'") : inside) + quote
}
