import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { type Conforms, conformance, resolver, type Schema } from '@openspine/platform/testing/openapi'

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

const resolved = resolver(description)

/** Throws where a value is not as the schema says. */
export const conforms: Conforms = conformance(description)

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
