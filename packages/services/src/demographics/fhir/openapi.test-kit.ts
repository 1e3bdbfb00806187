import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { conformance, resolver, type Schema } from '@openspine/platform/testing/openapi'

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

export interface Description {
  readonly servers: readonly [{ readonly url: string }]
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: {
    readonly examples: Readonly<Record<string, { readonly summary: string; readonly value: unknown }>>
  }
}

/** The contract of PDS FHIR. After its first line the file is JSON, which is YAML. */
export const description: Description = JSON.parse(
  readFileSync(new URL('./openapi.yaml', import.meta.url), 'utf8').replace(/^#.*\n/, ''),
)

export const conforms = conformance(description)
export const resolved = resolver(description)

/** The operation for a method and a path as it was asked for, below the base; undefined where there is none. */
export function operationAt(method: string, path: string): Operation | undefined {
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
export function describedAs(
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
