/** Checks of a request body: that it is there, can be read, and is a resource of the line's FHIR version (§4.1, §7.2). */
import { isSpineError } from '@openspine/standards/error'
import { type AnyResource, bodyFormat, type FhirCodec, parseJson } from '@openspine/standards/fhir'
import { dstu2 } from '@openspine/standards/fhir/dstu2'
import { stu3 } from '@openspine/standards/fhir/stu3'
import type { Generation } from '../record/services.ts'
import type { ReadBody, Sheet } from '../sheet.ts'
import { type Check, header } from './check.ts'

const codecs: Readonly<Record<Generation, FhirCodec>> = { dstu2, stu3 }
const deepest = 32

/** Faults of the text itself; every other fault is one of the resource. */
const unreadable = new Set([
  'FHIR_JSON_INVALID',
  'FHIR_JSON_DUPLICATE_KEY',
  'FHIR_TOO_LARGE',
  'FHIR_TOO_DEEP',
  'FHIR_WRONG_NAMESPACE',
  'FHIR_UNEXPECTED_TEXT',
])
/** Reads a body in the format that its Content-Type names. */
export function readBody(body: Uint8Array, contentType: string, generation: Generation): ReadBody {
  try {
    if (bodyFormat(contentType, generation) === 'xml')
      return { kind: 'resource', resource: codecs[generation].fromXml(body, { depth: deepest }) }
    const value = parseJson(body, { depth: deepest })
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return { kind: 'unreadable', fault: 'The body is not a JSON object.' }
    const fault = codecs[generation].structureFault(value)
    return fault === undefined
      ? { kind: 'resource', resource: value as unknown as AnyResource }
      : { kind: 'invalid', fault }
  } catch (error) {
    if (!isSpineError(error)) throw error
    const fault = error.explanation ?? error.code
    return error.code.startsWith('FHIR_') && !unreadable.has(error.code)
      ? { kind: 'invalid', fault }
      : { kind: 'unreadable', fault }
  }
}

/** The resource that was read; one of no type where there is none. */
export function bodyOf({ content }: Sheet): AnyResource {
  return content?.kind === 'resource' ? content.resource : { resourceType: '' }
}

/** `resourceType` is what the body must be. */
export function bodyChecks(resourceType: string): readonly Check[] {
  const named = `${/^[AEIOU]/.test(resourceType) ? 'an' : 'a'} ${resourceType}`
  return [
    {
      name: 'body present',
      clause: '7.2',
      outcome: 'BAD_REQUEST',
      explains: `Send ${named} resource.`,
      examine: ({ body: bytes }) =>
        bytes === undefined || bytes.every((byte) => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d))
          ? 'The body is empty.'
          : undefined,
    },
    {
      name: 'body readable',
      clause: '7.2',
      outcome: 'BAD_REQUEST',
      explains: 'The body must be JSON or XML, as Content-Type says.',
      examine(sheet) {
        const content = readBody(sheet.body ?? new Uint8Array(), header(sheet, 'content-type') ?? '', sheet.generation)
        sheet.content = content
        return content.kind === 'unreadable' ? `The body cannot be read: ${content.fault}` : undefined
      },
    },
    {
      name: 'body is a resource',
      clause: '7.2',
      outcome: 'INVALID_RESOURCE',
      explains: "The body must be a resource of the line's FHIR version without unknown elements.",
      examine: ({ content }) =>
        content?.kind === 'invalid' ? `The body is not a valid resource: ${content.fault}` : undefined,
    },
    {
      name: `body is ${resourceType}`,
      clause: '7.2',
      outcome: 'INVALID_RESOURCE',
      explains: `The body must be ${named} resource.`,
      examine: (sheet) =>
        bodyOf(sheet).resourceType === resourceType ? undefined : `The body is not ${named} resource.`,
    },
  ]
}
