/** The `Parameters` of `$gpc.getcarerecord` (§7.1), read without trust in their shape. */
import type { AnyResource } from '@openspine/standards/fhir'

type Json = Readonly<Record<string, unknown>>

/** Name, the one form of value that it takes, and how often it stands. */
export const parameterForms = [
  { name: 'patientNHSNumber', value: 'valueIdentifier', required: true },
  { name: 'recordSection', value: 'valueCodeableConcept', required: true },
  { name: 'timePeriod', value: 'valuePeriod', required: false },
] as const

export type ParameterName = (typeof parameterForms)[number]['name']

function object(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {}
}

function objects(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value.map(object) : []
}

/** Every parameter of the resource, in order. */
export function parametersOf(resource: AnyResource): readonly Json[] {
  return objects(resource['parameter'])
}

/** Those of one name. */
export function parametersNamed(resource: AnyResource, name: ParameterName): readonly Json[] {
  return parametersOf(resource).filter((parameter) => parameter['name'] === name)
}

/** The forms of value (`valueString`, `resource`, `part`) that a parameter has. */
export function valueForms(parameter: Json): readonly string[] {
  return Object.keys(parameter).filter((key) => key.startsWith('value') || key === 'resource' || key === 'part')
}

function valueIn(resource: AnyResource, name: ParameterName): Json {
  const form = parameterForms.find((it) => it.name === name)
  return object(parametersNamed(resource, name)[0]?.[form?.value ?? ''])
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

export function patientIdentifier(resource: AnyResource): { readonly system: string; readonly value: string } {
  const identifier = valueIn(resource, 'patientNHSNumber')
  return { system: text(identifier['system']), value: text(identifier['value']) }
}

/** The one coding of the section; empty texts where there is none, or more than one. */
export function sectionCoding(resource: AnyResource): { readonly system: string; readonly code: string } {
  const codings = objects(valueIn(resource, 'recordSection')['coding'])
  const [coding] = codings
  return coding === undefined || codings.length > 1
    ? { system: '', code: '' }
    : { system: text(coding['system']), code: text(coding['code']) }
}

/** The period asked for; undefined where the parameter does not stand. */
export function requestedPeriod(
  resource: AnyResource,
): { readonly start: string | undefined; readonly end: string | undefined } | undefined {
  if (parametersNamed(resource, 'timePeriod').length === 0) return undefined
  const period = valueIn(resource, 'timePeriod')
  const bound = (value: unknown): string | undefined => (value === undefined ? undefined : text(value))
  return { start: bound(period['start']), end: bound(period['end']) }
}
