/**
 * PostgreSQL's text form of a value for a column of that type, which `COPY` and a cast from `text`
 * read alike; null for SQL's null. A string for a `json` column is JSON text already.
 */
export function textForm(value: unknown, type: string): string | null {
  if (value === null || value === undefined) return null
  if (type.endsWith('[]')) {
    if (typeof value === 'string') return value
    if (!Array.isArray(value)) throw new TypeError(`a column of type ${type} takes an array`)
    return arrayForm(value, type.slice(0, -2))
  }
  if (typeof value === 'string') return value
  if (type === 'json' || type === 'jsonb') return JSON.stringify(value)
  if (value instanceof Uint8Array)
    return `\\x${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}`
  if (value instanceof Date) return value.toISOString()
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value)
  throw new TypeError(`a column of type ${type} does not take a ${typeof value}`)
}

function arrayForm(values: readonly unknown[], type: string): string {
  const elements = values.map((value) => {
    if (Array.isArray(value) && type !== 'json' && type !== 'jsonb') return arrayForm(value, type)
    const text = textForm(value, type)
    return text === null ? 'NULL' : `"${text.replace(/["\\]/g, '\\$&')}"`
  })
  return `{${elements.join(',')}}`
}

const copyEscapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** One line of `COPY … FROM STDIN` in text format. */
export function copyLine(texts: readonly (string | null)[]): string {
  const fields = texts.map((text) =>
    text === null ? '\\N' : text.replace(/[\\\n\r\t]/g, (character) => copyEscapes[character] ?? character),
  )
  return `${fields.join('\t')}\n`
}
