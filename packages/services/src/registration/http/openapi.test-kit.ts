import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'

/** The subset of JSON Schema that the description uses. */
interface Schema {
  readonly $ref?: string
  readonly type?: 'object' | 'array' | 'string' | 'integer'
  readonly nullable?: boolean
  readonly enum?: readonly string[]
  readonly pattern?: string
  readonly format?: string
  readonly items?: Schema
  readonly minItems?: number
  readonly maxItems?: number
  readonly required?: readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: boolean | Schema
  readonly anyOf?: readonly Schema[]
  readonly description?: string
}

interface Described {
  readonly content: { readonly 'application/json': { readonly schema: Schema } }
}

interface Description {
  readonly paths: Readonly<
    Record<
      string,
      Readonly<
        Record<
          string,
          {
            readonly requestBody?: Described
            readonly responses: Readonly<Record<string, Described | { $ref: string }>>
          }
        >
      >
    >
  >
}

/** JSON is YAML: the file needs no reader of its own. */
export const description: Description = JSON.parse(readFileSync(new URL('../openapi.yaml', import.meta.url), 'utf8'))

function resolved<Value extends object>(value: Value | { readonly $ref: string }): Value {
  if (!('$ref' in value) || value.$ref === undefined) return value as Value
  const parts = value.$ref.replace('#/', '').split('/')
  return parts.reduce<unknown>((at, part) => (at as Record<string, unknown>)[part], description) as Value
}

/** Throws where a value is not as the schema says. */
export function conforms(schema: Schema, value: unknown, at = '$'): void {
  const { type, nullable, anyOf, ...rules } = resolved<Schema>(schema)
  if (value === null && nullable) return
  if (anyOf !== undefined) {
    assert.ok(
      anyOf.some((one) => {
        try {
          conforms(one, value, at)
          return true
        } catch {
          return false
        }
      }),
      `${at} fits nothing`,
    )
    return
  }
  if (type === 'string') {
    assert.ok(typeof value === 'string', `${at} is no string`)
    if (rules.enum !== undefined) assert.ok(rules.enum.includes(value), `${at}: ${value}`)
    if (rules.pattern !== undefined) assert.match(value, new RegExp(rules.pattern), at)
    if (rules.format === 'uuid') assert.match(value, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, at)
  } else if (type === 'integer') assert.ok(Number.isInteger(value), `${at} is no integer`)
  else if (type === 'array') {
    assert.ok(Array.isArray(value), `${at} is no array`)
    assert.ok(
      value.length >= (rules.minItems ?? 0) && value.length <= (rules.maxItems ?? 1e6),
      `${at}: ${value.length}`,
    )
    for (const [place, item] of value.entries()) conforms(rules.items ?? {}, item, `${at}[${place}]`)
  } else if (type === 'object') {
    assert.ok(typeof value === 'object' && value !== null && !Array.isArray(value), `${at} is no object`)
    for (const name of rules.required ?? []) assert.ok(Object.hasOwn(value, name), `${at}.${name} is missing`)
    for (const [name, member] of Object.entries(value)) {
      const known = rules.properties?.[name]
      const { additionalProperties: more = true } = rules
      if (known !== undefined) conforms(known, member, `${at}.${name}`)
      else if (typeof more === 'object') conforms(more, member, `${at}.${name}`)
      else assert.ok(more, `${at}.${name} is not described`)
    }
  }
}

/** Operation of a path as it was asked for; undefined where there is none. */
function operationAt(method: string, path: string) {
  const segments = path.split('?')[0]?.split('/') ?? []
  const fitting = Object.entries(description.paths)
    .map(([template, methods]) => ({ template: template.split('/'), operation: methods[method.toLowerCase()] }))
    .filter(({ template }) => template.length === segments.length)
    .filter(({ template }) => template.every((part, place) => part.startsWith('{') || part === segments[place]))
    .filter(({ operation }) => operation !== undefined)
  const open = (template: readonly string[]) => template.filter((part) => part.startsWith('{')).length
  return fitting.toSorted((a, b) => open(a.template) - open(b.template))[0]?.operation
}

/** Throws where an answer is not as the description says; a request that was granted must be as it says, too. */
export function describedAs(
  asked: { readonly method: string; readonly path: string; readonly body: unknown },
  answer: { readonly status: number; readonly json: unknown },
): void {
  const operation = operationAt(asked.method, asked.path)
  const response = operation?.responses[answer.status]
  if (operation !== undefined) assert.ok(response, `${asked.method} ${asked.path}: ${answer.status} is not described`)
  const { schema } =
    response === undefined
      ? { schema: { $ref: '#/components/schemas/Errors' } }
      : resolved<Described>(response).content['application/json']
  conforms(schema, answer.json)
  if (answer.status >= 300 || asked.body === undefined) return
  assert.ok(operation?.requestBody, `${asked.method} ${asked.path}: a body is not described`)
  conforms(operation.requestBody.content['application/json'].schema, asked.body)
}
