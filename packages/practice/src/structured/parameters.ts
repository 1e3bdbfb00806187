/** The `Parameters` of a structured record (§9.1), read without trust in their shape. */
import type { AnyResource } from '@openspine/standards/fhir'
import { parametersOf, valueForms } from '../access-record/parameters.ts'
import { type Day, isDay } from '../record/dates.ts'
import { isFrom } from '../record/services.ts'
import type { Area, PartForm, Parts, PartType, PartValue } from './area.ts'

type Json = Readonly<Record<string, unknown>>

export const patientParameter = 'patientNHSNumber'

/** The one form of value of each type of part. */
export const valueForm: Readonly<Record<PartType, string>> = {
  boolean: 'valueBoolean',
  date: 'valueDate',
  period: 'valuePeriod',
  code: 'valueCode',
  positiveInt: 'valuePositiveInt',
}

export const nameOf = ({ name }: Json): string => (typeof name === 'string' ? name : '')

export const named = (resource: AnyResource, name: string): readonly Json[] =>
  parametersOf(resource).filter((parameter) => parameter['name'] === name)

/** Value of the patient's parameter. */
export function patientIdentifier(resource: AnyResource): { readonly system: string; readonly value: string } {
  const [parameter] = named(resource, patientParameter)
  const { system, value } = (parameter?.['valueIdentifier'] ?? {}) as Json
  return { system: text(system), value: text(value) }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** The parts of a parameter, in order. */
export function partsOf(parameter: Json): readonly Json[] {
  const { part } = parameter
  return Array.isArray(part) ? (part as readonly Json[]) : []
}

/** The areas that a service of this version knows. */
export function areasOf(areas: readonly Area[], version: string): readonly Area[] {
  return areas.filter(({ since }) => isFrom(version, since))
}

/** One part that stands, with its form and the parameter it belongs to. */
export interface GivenPart {
  readonly area: Area
  readonly form: PartForm
  readonly part: Json
}

/** Every part of a known name in a parameter of a known area. */
export function givenParts(resource: AnyResource, areas: readonly Area[]): readonly GivenPart[] {
  return areas.flatMap((area) =>
    named(resource, area.parameter).flatMap((parameter) =>
      partsOf(parameter).flatMap((part) => {
        const form = area.parts.find(({ name }) => name === nameOf(part))
        return form === undefined ? [] : [{ area, form, part }]
      }),
    ),
  )
}

/** The texts of a date part, or of the bounds of a period, by what they are called; undefined where one is not text. */
export function datesIn({ form, part }: GivenPart): readonly { readonly bound: string; readonly text: unknown }[] {
  const value = part[valueForm[form.type]]
  if (form.type === 'date') return [{ bound: form.name, text: value }]
  if (form.type !== 'period') return []
  const { start, end } = value as Json
  return [
    ...(start === undefined ? [] : [{ bound: `${form.name}.start`, text: start }]),
    ...(end === undefined ? [] : [{ bound: `${form.name}.end`, text: end }]),
  ]
}

export const isWholeDay = (value: unknown): value is Day => typeof value === 'string' && isDay(value)

/** Whole number of a positiveInt; NaN where it is none. */
export const integerOf = (value: unknown): number => (/^\d{1,9}$/.test(String(value)) ? Number(String(value)) : NaN)

/** What is asked of an area, once the checks have passed; undefined when the area is not asked for. */
export function askedOf(resource: AnyResource, area: Area): readonly Parts[] | undefined {
  const parameters = named(resource, area.parameter)
  if (parameters.length === 0) return undefined
  return parameters.map((parameter) =>
    Object.fromEntries(
      partsOf(parameter).flatMap((part): [string, PartValue][] => {
        const form = area.parts.find(({ name }) => name === nameOf(part))
        return form === undefined ? [] : [[form.name, valueIn(form, part)]]
      }),
    ),
  )
}

function valueIn({ type }: PartForm, part: Json): PartValue {
  const value = part[valueForm[type]]
  if (type === 'positiveInt') return integerOf(value)
  if (type !== 'period') return value as PartValue
  const { start, end } = value as { readonly start?: Day; readonly end?: Day }
  return { ...(start === undefined ? {} : { first: start }), ...(end === undefined ? {} : { last: end }) }
}

/** Names of the parameters, and of the parts of known parameters, that these areas do not know: each once. */
export function unrecognised(resource: AnyResource, areas: readonly Area[], others: readonly string[]): string[] {
  return [
    ...new Set(
      parametersOf(resource).flatMap((parameter) => {
        const name = nameOf(parameter)
        if (others.includes(name)) return []
        const area = areas.find((it) => it.parameter === name)
        if (area === undefined) return [name]
        return partsOf(parameter)
          .map(nameOf)
          .filter((part) => !area.parts.some((form) => form.name === part))
          .map((part) => `${name}.${part}`)
      }),
    ),
  ]
}

export { parametersOf, valueForms }
