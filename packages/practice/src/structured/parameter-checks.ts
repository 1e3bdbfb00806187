/** Checks of the body of `$gpc.getstructuredrecord` (§9.1). */
import { isNhsNumber } from '@openspine/standards/nhs'
import { bodyChecks, bodyOf } from '../checks/body.ts'
import type { Check } from '../checks/check.ts'
import type { OutcomeName } from '../outcome.ts'
import { dayAt } from '../record/dates.ts'
import { found, type Sheet } from '../sheet.ts'
import { systems } from '../stu3/systems.ts'
import type { Area } from './area.ts'
import {
  areasOf,
  datesIn,
  type GivenPart,
  givenParts,
  integerOf,
  isWholeDay,
  named,
  nameOf,
  parametersOf,
  partsOf,
  patientIdentifier,
  patientParameter,
  valueForm,
  valueForms,
} from './parameters.ts'

const clause = '9.1'

/** The body of both operations: whatever cannot be read does not conform either (§9.1). */
export const bodyConforms: readonly Check[] = [
  ...bodyChecks('Parameters').map((check): Check => ({ ...check, clause, outcome: 'INVALID_RESOURCE' })),
  {
    name: 'parameters have names',
    clause,
    outcome: 'INVALID_RESOURCE',
    explains: 'Every parameter, and every part of one, must have a name.',
    examine: (sheet) =>
      parametersOf(bodyOf(sheet)).every(
        (one) => nameOf(one) !== '' && partsOf(one).every((part) => nameOf(part) !== ''),
      )
        ? undefined
        : 'There is a parameter, or a part of one, without a name.',
  },
]

/** The patient of both operations. */
export const patientNamed: readonly Check[] = [
  {
    name: 'patientNHSNumber once',
    clause,
    outcome: 'INVALID_PARAMETER',
    explains: `The parameter ${patientParameter} must stand exactly once; names are case-sensitive.`,
    examine(sheet) {
      const { length } = named(bodyOf(sheet), patientParameter)
      if (length > 1) return `The parameter ${patientParameter} stands more than once.`
      return length === 0 ? `The parameter ${patientParameter} is missing.` : undefined
    },
  },
  {
    name: 'patientNHSNumber type',
    clause,
    outcome: 'INVALID_PARAMETER',
    explains: `The parameter ${patientParameter} must have a valueIdentifier and nothing else.`,
    examine: (sheet) =>
      named(bodyOf(sheet), patientParameter).every((one) => valueForms(one).join() === 'valueIdentifier')
        ? undefined
        : `The parameter ${patientParameter} is not a valueIdentifier.`,
  },
  {
    name: 'NHS number system',
    clause,
    outcome: 'INVALID_IDENTIFIER_SYSTEM',
    explains: `${patientParameter} must be of the system ${systems.nhsNumber}.`,
    examine: (sheet) =>
      patientIdentifier(bodyOf(sheet)).system === systems.nhsNumber
        ? undefined
        : `The system of ${patientParameter} is not ${systems.nhsNumber}.`,
  },
  {
    name: 'NHS number',
    clause,
    outcome: 'INVALID_NHS_NUMBER',
    explains: `${patientParameter} must be ten digits whose last is the right check digit.`,
    examine(sheet) {
      const { value } = patientIdentifier(bodyOf(sheet))
      if (!isNhsNumber(value)) return `The value of ${patientParameter} is not a valid NHS number.`
      sheet.nhsNumber = value
      return undefined
    },
  },
]

/** The areas that the service of this request knows. */
function known(sheet: Sheet, areas: readonly Area[]): readonly Area[] {
  return areasOf(areas, found(sheet, 'service').specificationVersion)
}

/** Checks of what is asked of the areas. */
export function areaChecks(areas: readonly Area[]): readonly Check[] {
  /** A check of one area at a time; it answers the first fault. */
  const ofAreas = (
    name: string,
    explains: string,
    fault: (area: Area, sheet: Sheet) => string | undefined,
    outcome: OutcomeName = 'INVALID_PARAMETER',
  ): Check => ({
    name,
    clause,
    outcome,
    explains,
    examine(sheet) {
      for (const area of known(sheet, areas)) {
        const diagnostics = fault(area, sheet)
        if (diagnostics !== undefined) return diagnostics
      }
      return undefined
    },
  })
  /** A check of one part at a time. */
  const ofParts = (
    name: string,
    explains: string,
    fault: (given: GivenPart, today: string) => string | undefined,
  ): Check => ({
    name,
    clause,
    outcome: 'INVALID_PARAMETER',
    explains,
    examine(sheet, { clock }) {
      for (const given of givenParts(bodyOf(sheet), known(sheet, areas))) {
        const diagnostics = fault(given, dayAt(clock.now()))
        if (diagnostics !== undefined) return diagnostics
      }
      return undefined
    },
  })

  return [
    ofAreas('areas once', 'Each parameter may stand once, but for includeProblems.', (area, sheet) =>
      !area.repeats && named(bodyOf(sheet), area.parameter).length > 1
        ? `The parameter ${area.parameter} stands more than once.`
        : undefined,
    ),
    ofAreas(
      'areas without values',
      'The parameters of the areas have parts or nothing, never a value.',
      (area, sheet) =>
        named(bodyOf(sheet), area.parameter).some((one) => valueForms(one).some((form) => form !== 'part'))
          ? `The parameter ${area.parameter} has a value.`
          : undefined,
    ),
    ofAreas('parts once', 'Each part may stand once in its parameter.', (area, sheet) => {
      for (const parameter of named(bodyOf(sheet), area.parameter))
        for (const { name } of area.parts)
          if (partsOf(parameter).filter((part) => nameOf(part) === name).length > 1)
            return `The part ${area.parameter}.${name} stands more than once.`
      return undefined
    }),
    ofAreas('parts required', 'includeAllergies needs its part includeResolvedAllergies.', (area, sheet) => {
      for (const parameter of named(bodyOf(sheet), area.parameter))
        for (const { name, required } of area.parts)
          if (required && !partsOf(parameter).some((part) => nameOf(part) === name))
            return `The part ${area.parameter}.${name} is missing.`
      return undefined
    }),
    ofParts('part types', 'Each part has one value, of its own type.', ({ area, form, part }) =>
      valueForms(part).join() === valueForm[form.type] && part[valueForm[form.type]] !== ''
        ? undefined
        : `The part ${area.parameter}.${form.name} is not one ${valueForm[form.type]}.`,
    ),
    ofParts('part codes', 'filterStatus is active or inactive, filterSignificance is major or minor.', (given) => {
      const { area, form, part } = given
      return form.values === undefined || form.values.includes(String(part[valueForm[form.type]]))
        ? undefined
        : `The part ${area.parameter}.${form.name} is none of ${form.values.join(', ')}.`
    }),
    ofParts('part numbers', 'includeNumberOfMostRecent is a whole number above nought.', ({ area, form, part }) =>
      form.type !== 'positiveInt' || integerOf(part[valueForm[form.type]]) >= 1
        ? undefined
        : `The part ${area.parameter}.${form.name} is not a positive whole number.`,
    ),
    ofParts('dates whole', 'Dates are whole days, yyyy-mm-dd: no partial dates, no time.', (given) => {
      const dates = datesIn(given)
      const { area, form } = given
      if (form.type === 'period' && dates.length === 0)
        return `The part ${area.parameter}.${form.name} has neither start nor end.`
      const wrong = dates.find(({ text }) => !isWholeDay(text))
      return wrong && `${area.parameter}.${wrong.bound} is not a whole date.`
    }),
    ofParts(
      'dates within limits',
      'Dates of searches may not lie in the future; those of diary entries not in the past.',
      (given, today) => {
        const { area, form } = given
        const wrong = datesIn(given).find(({ text }) =>
          form.bound === 'untilToday' ? String(text) > today : form.bound === 'fromToday' && String(text) < today,
        )
        return (
          wrong &&
          `${area.parameter}.${wrong.bound} lies ${form.bound === 'fromToday' ? 'in the past' : 'in the future'}.`
        )
      },
    ),
    ofParts('periods in order', 'A period may not start after its end.', (given) => {
      const [start, end] = datesIn(given)
      return start !== undefined && end !== undefined && String(start.text) > String(end.text)
        ? `The part ${given.area.parameter}.${given.form.name} starts after its end.`
        : undefined
    }),
    ofAreas(
      'parts that exclude each other',
      'Ask for consultations of a period or for the most recent ones, not for both.',
      ({ parameter, exclusive = [] }, sheet) => {
        for (const one of named(bodyOf(sheet), parameter)) {
          const names = partsOf(one).map(nameOf)
          const both = exclusive.find((pair) => pair.every((name) => names.includes(name)))
          if (both !== undefined) return `${parameter} may not have both ${both.join(' and ')}.`
        }
        return undefined
      },
      'INVALID_RESOURCE',
    ),
    ofAreas(
      'allowed together',
      'Some parts may not be asked for together with consultations or problems: ask for them apart.',
      ({ parameter, forbids = [] }, sheet) => {
        if (named(bodyOf(sheet), parameter).length === 0) return undefined
        const wrong = givenParts(bodyOf(sheet), known(sheet, areas)).find(({ form }) => forbids.includes(form.name))
        return wrong && `${wrong.area.parameter}.${wrong.form.name} may not be asked for together with ${parameter}.`
      },
    ),
  ]
}
