/** Values held against the schemas of an OpenAPI description. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'

/** The subset of JSON Schema that our descriptions use. */
export interface Schema {
  readonly $ref?: string
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean'
  readonly nullable?: boolean
  readonly enum?: readonly string[]
  readonly pattern?: string
  readonly format?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly items?: Schema
  readonly minItems?: number
  readonly maxItems?: number
  readonly required?: readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: boolean | Schema
  readonly anyOf?: readonly Schema[]
  readonly description?: string
}

/** What a `$ref` of this description points to; anything else is itself. */
export function resolver(
  description: unknown,
): <Value extends object>(value: Value | { readonly $ref: string }) => Value {
  return <Value extends object>(value: Value | { readonly $ref: string }): Value => {
    if (!('$ref' in value) || value.$ref === undefined) return value as Value
    const parts = value.$ref.replace('#/', '').split('/')
    return parts.reduce<unknown>((at, part) => (at as Record<string, unknown>)[part], description) as Value
  }
}

/** Throws an AssertionError where a value is not as the schema says. */
export type Conforms = (schema: Schema, value: unknown, at?: string) => void

/**
 * What holds values against the schemas of one description.
 *
 * @example
 * conformance(description)({ $ref: '#/components/schemas/Patient' }, answer.json())
 */
export function conformance(description: unknown): Conforms {
  const resolved = resolver(description)
  const conforms: Conforms = (schema, value, at = '$') => {
    const { type, nullable, anyOf, ...rules } = resolved<Schema>(schema)
    if (value === null && nullable) return
    if (anyOf !== undefined) {
      const reasons = anyOf.map((one) => {
        try {
          conforms(one, value, at)
          return undefined
        } catch (error) {
          return error instanceof Error ? error.message : String(error)
        }
      })
      assert.ok(reasons.includes(undefined), `${at} fits nothing: ${reasons.join('; ')}`)
      return
    }
    switch (type) {
      case 'string':
        assert.ok(typeof value === 'string', `${at} is no string`)
        if (rules.enum !== undefined) assert.ok(rules.enum.includes(value), `${at}: ${value}`)
        if (rules.pattern !== undefined) assert.match(value, new RegExp(rules.pattern), at)
        if (rules.format === 'uuid') assert.match(value, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, at)
        assert.ok(value.length >= (rules.minLength ?? 0) && value.length <= (rules.maxLength ?? 1e9), `${at}: ${value}`)
        return
      case 'integer':
      case 'number':
        assert.ok(type === 'number' ? typeof value === 'number' : Number.isInteger(value), `${at} is no ${type}`)
        assert.ok(
          Number(value) >= (rules.minimum ?? -1e15) && Number(value) <= (rules.maximum ?? 1e15),
          `${at}: ${value}`,
        )
        return
      case 'boolean':
        assert.ok(typeof value === 'boolean', `${at} is no boolean`)
        return
      case 'array':
        assert.ok(Array.isArray(value), `${at} is no array`)
        assert.ok(
          value.length >= (rules.minItems ?? 0) && value.length <= (rules.maxItems ?? 1e6),
          `${at}: ${value.length}`,
        )
        for (const [place, item] of value.entries()) conforms(rules.items ?? {}, item, `${at}[${place}]`)
        return
      case 'object':
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
  return conforms
}

export interface Content {
  readonly schema: Schema
  readonly examples?: Readonly<Record<string, { readonly $ref?: string; readonly value?: unknown }>>
}

export interface Response {
  readonly headers?: Readonly<Record<string, object>>
  /** Absent: the body is empty. */
  readonly content?: Readonly<Record<string, Content>>
}

export interface Operation {
  readonly operationId: string
  readonly parameters: readonly ({ readonly $ref: string } | Parameter)[]
  readonly requestBody?: { readonly content: Readonly<Record<string, Content>> }
  readonly responses: Readonly<Record<string, Response | { readonly $ref: string }>>
}

export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
}

/** An OpenAPI description, as far as answers are held against it. */
export interface Description {
  readonly servers: readonly [{ readonly url: string }]
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: {
    readonly examples: Readonly<Record<string, { readonly summary: string; readonly value: unknown }>>
  }
}

/** Reads a description. After a first line of comment the file is JSON, which is YAML. */
export const readDescription = (file: URL): Description => JSON.parse(readFileSync(file, 'utf8').replace(/^#.*\n/, ''))

/** What holds the answers of an API against its description. */
export function describing(description: Description) {
  const conforms = conformance(description)
  const resolved = resolver(description)

  /** The operation for a method and a path as it was asked for, below the base; undefined where there is none. */
  function operationAt(method: string, path: string): Operation | undefined {
    const segments = path.split('?')[0]?.split('/') ?? []
    const fitting = Object.entries(description.paths)
      .map(([template, methods]) => ({ template: template.split('/'), operation: methods[method.toLowerCase()] }))
      .filter(
        ({ template }) =>
          template.length === segments.length &&
          template.every((part, place) => part.startsWith('{') || part === segments[place]),
      )
    const open = (template: readonly string[]) => template.filter((part) => part.startsWith('{')).length
    return fitting.toSorted((a, b) => open(a.template) - open(b.template))[0]?.operation
  }

  /** Throws where an answer is not as the description says. What it does not describe is an outcome all the same. */
  function describedAs(
    asked: { readonly method: string; readonly path: string },
    answer: { readonly status: number; readonly headers: Readonly<Record<string, unknown>>; readonly body: string },
  ): void {
    const operation = operationAt(asked.method, asked.path)
    const at = `${asked.method} ${asked.path}: ${answer.status}`
    if (operation === undefined) {
      if (answer.body !== '') conforms({ $ref: '#/components/schemas/OperationOutcome' }, JSON.parse(answer.body), at)
      return
    }
    const found = operation.responses[answer.status]
    assert.ok(found !== undefined, `${at} is not described`)
    const response = resolved<Response>(found)
    for (const name of Object.keys(response.headers ?? {}))
      assert.ok(answer.headers[name] !== undefined, `${at}: header ${name}`)
    if (response.content === undefined) {
      assert.equal(answer.body, '', at)
      return
    }
    const content = response.content[String(answer.headers['content-type']).split(';')[0] ?? '']
    assert.ok(content !== undefined, `${at}: ${String(answer.headers['content-type'])} is not described`)
    conforms(content.schema, JSON.parse(answer.body), at)
  }

  return { conforms, resolved, operationAt, describedAs }
}
