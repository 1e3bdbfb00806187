import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'

/** The subset of JSON Schema that the descriptions use. */
interface Schema {
  readonly $ref?: string
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'boolean'
  readonly enum?: readonly string[]
  readonly pattern?: string
  readonly format?: string
  readonly items?: Schema
  readonly minItems?: number
  readonly maxItems?: number
  readonly required?: readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: boolean
  readonly anyOf?: readonly Schema[]
}

type Described = {
  readonly $ref?: string
  readonly content?: Readonly<Record<string, { readonly schema: Schema }>>
  readonly headers?: Readonly<Record<string, unknown>>
}

interface Parameter {
  readonly $ref?: string
  readonly name: string
  readonly in: string
}

interface Operation {
  readonly parameters?: readonly Parameter[]
  readonly responses: Readonly<Record<string, Described>>
}

interface Description {
  readonly servers: readonly [{ readonly url: string }]
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

/** An answer of a service. */
export interface Answered {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
}

/**
 * Reads a description (JSON is YAML; a line of comment may stand before it), and holds answers against it. With `closed`,
 * members that it does not name are faults even where it does not say so, but for those of extensions, which carry
 * their value under one of many names.
 */
export function openApi(file: string, options: { readonly closed?: true } = {}) {
  const description = JSON.parse(
    readFileSync(new URL(file, import.meta.url), 'utf8').replace(/^#.*\n/, ''),
  ) as Description

  function resolved<Value extends object>(value: Value & { readonly $ref?: string }): Value {
    if (value.$ref === undefined) return value
    const parts = value.$ref.replace('#/', '').split('/')
    const found = parts.reduce<unknown>((at, part) => (at as Record<string, unknown>)[part], description)
    assert.ok(found !== undefined, value.$ref)
    return found as Value
  }

  /** Where a value is not as the schema says. */
  function faults(given: Schema, value: unknown, at = '$'): string[] {
    const schema = resolved<Schema>(given)
    if (schema.anyOf !== undefined) {
      const each = schema.anyOf.map((one) => faults(one, value, at))
      return each.some((found) => found.length === 0) ? [] : (each.toSorted((a, b) => a.length - b.length)[0] ?? [])
    }
    switch (schema.type) {
      case 'object': {
        if (typeof value !== 'object' || value === null || Array.isArray(value)) return [`${at}: no object`]
        const missing = (schema.required ?? []).filter((name) => !Object.hasOwn(value, name))
        const loose = !options.closed || schema.properties === undefined || /extension/i.test(at)
        const more = schema.additionalProperties ?? loose
        return [
          ...missing.map((name) => `${at}.${name}: missing`),
          ...Object.entries(value).flatMap(([name, member]) => {
            const known = schema.properties?.[name]
            if (known !== undefined) return faults(known, member, `${at}.${name}`)
            return more ? [] : [`${at}.${name}: not described`]
          }),
        ]
      }
      case 'array': {
        if (!Array.isArray(value)) return [`${at}: no list`]
        const { items = {}, minItems = 0, maxItems = Number.POSITIVE_INFINITY } = schema
        const size = value.length < minItems || value.length > maxItems ? [`${at}: ${value.length} items`] : []
        return [...size, ...value.flatMap((member, index) => faults(items, member, `${at}[${index}]`))]
      }
      case 'integer':
        return Number.isInteger(value) ? [] : [`${at}: no integer`]
      case 'boolean':
        return typeof value === 'boolean' ? [] : [`${at}: no boolean`]
      case 'string': {
        if (typeof value !== 'string') return [`${at}: no string`]
        if (schema.enum !== undefined && !schema.enum.includes(value)) return [`${at}: ${value} is not listed`]
        const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
        if (schema.format === 'uuid' && !uuid.test(value)) return [`${at}: ${value} is no UUID`]
        return schema.pattern === undefined || new RegExp(schema.pattern).test(value) ? [] : [`${at}: ${value}`]
      }
      default:
        return []
    }
  }

  function described(operation: string): Operation {
    const [method = '', path = ''] = operation.split(' ')
    const found = description.paths[path]?.[method]
    assert.ok(found !== undefined, `${operation} is not described`)
    return found
  }

  return {
    server: description.servers[0].url,
    /** `get /Observation`, in the order of the description. */
    operations: Object.entries(description.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    ),
    /** The statuses of an operation (`get /Flag/{id}`). */
    statuses: (operation: string) => Object.keys(described(operation).responses),
    /** The names of its parameters in that place (`query`, `header`). */
    parameters: (operation: string, place: string) =>
      (described(operation).parameters ?? [])
        .map((each) => resolved<Parameter>(each))
        .filter((each) => each.in === place)
        .map(({ name }) => name),
    /** Fails where the answer to this operation (`get /Flag/{id}`) is not as the description says. */
    holds(operation: string, { status, headers, text }: Answered): void {
      const found = described(operation).responses[String(status)]
      assert.ok(found !== undefined, `${operation}: ${status} is not described: ${text}`)
      const answer = resolved<Described>(found)
      for (const name of Object.keys(answer.headers ?? {}))
        assert.ok(headers[name.toLowerCase()] !== undefined, `${operation} ${status}: no header ${name}`)
      if (answer.content === undefined) {
        assert.equal(text, '', `${operation} ${status}`)
        return
      }
      const type = String(headers['content-type']).split(';')[0] ?? ''
      const content = answer.content[type]
      assert.ok(content !== undefined, `${operation} ${status}: ${type} is not described`)
      if (/json/.test(type)) assert.deepEqual(faults(content.schema, JSON.parse(text)), [], `${operation} ${status}`)
    },
  }
}
