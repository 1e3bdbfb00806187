/** Checks of the body of `$gpc.getcarerecord` (§7.2). */
import { requestedRecord } from '@openspine/standards/audit-token'
import { isNhsNumber } from '@openspine/standards/nhs'
import { bodyChecks, bodyOf } from '../checks/body.ts'
import type { Check } from '../checks/check.ts'
import { systems } from '../dstu2/systems.ts'
import { type DayRange, daysOf } from '../record/dates.ts'
import { isSectionCode, sections } from '../record/sections.ts'
import {
  parameterForms,
  parametersNamed,
  parametersOf,
  patientIdentifier,
  requestedPeriod,
  sectionCoding,
  valueForms,
} from './parameters.ts'

export const parameterChecks: readonly Check[] = [
  ...bodyChecks('Parameters'),
  ...parameterForms.map(
    ({ name, required }): Check => ({
      name: `parameter ${name} once`,
      clause: '7.2',
      outcome: 'BAD_REQUEST',
      explains: required
        ? `The parameter ${name} must stand exactly once.`
        : `The parameter ${name} may stand at most once.`,
      examine(sheet) {
        const { length } = parametersNamed(bodyOf(sheet), name)
        if (length > 1) return `The parameter ${name} stands more than once.`
        return required && length === 0 ? `The parameter ${name} is missing.` : undefined
      },
    }),
  ),
  ...parameterForms.map(
    ({ name, value }): Check => ({
      name: `parameter ${name} type`,
      clause: '7.2',
      outcome: 'BAD_REQUEST',
      explains: `The parameter ${name} must have a ${value}.`,
      examine: (sheet) =>
        parametersNamed(bodyOf(sheet), name).every((it) => {
          const forms = valueForms(it)
          return forms.length === 1 && forms[0] === value
        })
          ? undefined
          : `The parameter ${name} is not a ${value}.`,
    }),
  ),
  {
    name: 'parameters known',
    clause: '7.2',
    outcome: 'INVALID_PARAMETER',
    explains: `The operation knows ${parameterForms.map(({ name }) => name).join(', ')} and nothing else.`,
    examine: (sheet) =>
      parametersOf(bodyOf(sheet)).every((it) => parameterForms.some(({ name }) => name === it['name']))
        ? undefined
        : 'There is a parameter that this operation does not know.',
  },
  {
    name: 'NHS number system',
    clause: '7.2',
    outcome: 'INVALID_IDENTIFIER_SYSTEM',
    explains: `patientNHSNumber must be of the system ${systems.nhsNumber}.`,
    examine: (sheet) =>
      patientIdentifier(bodyOf(sheet)).system === systems.nhsNumber
        ? undefined
        : `The system of patientNHSNumber is not ${systems.nhsNumber}.`,
  },
  {
    name: 'NHS number',
    clause: '7.2',
    outcome: 'INVALID_NHS_NUMBER',
    explains: 'patientNHSNumber must be ten digits whose last is the right check digit.',
    examine(sheet) {
      const { value } = patientIdentifier(bodyOf(sheet))
      if (!isNhsNumber(value)) return 'The value of patientNHSNumber is not a valid NHS number.'
      sheet.nhsNumber = value
      return undefined
    },
  },
  {
    name: 'token: requested_record is the patient asked for',
    clause: '3.3',
    outcome: 'BAD_REQUEST',
    explains: 'The NHS number of the claim requested_record must be that of the parameter patientNHSNumber.',
    examine: (sheet) =>
      requestedRecord(sheet.token?.claims ?? {}, 'Patient') === sheet.nhsNumber
        ? undefined
        : 'The claim requested_record is not about the patient of patientNHSNumber.',
  },
  {
    name: 'section system present',
    clause: '7.2',
    outcome: 'INVALID_PARAMETER',
    explains: `recordSection must have one coding of the system ${systems.section}.`,
    examine: (sheet) =>
      sectionCoding(bodyOf(sheet)).system === ''
        ? 'recordSection has not exactly one coding with a system.'
        : undefined,
  },
  {
    name: 'section system',
    clause: '7.2',
    outcome: 'BAD_REQUEST',
    explains: `recordSection must be of the system ${systems.section}.`,
    examine: (sheet) =>
      sectionCoding(bodyOf(sheet)).system === systems.section
        ? undefined
        : `The coding system of recordSection is not ${systems.section}.`,
  },
  {
    name: 'section code',
    clause: '7.2',
    outcome: 'INVALID_PARAMETER',
    explains: `The sections are ${Object.keys(sections).join(', ')}, in upper case.`,
    examine(sheet) {
      const { code } = sectionCoding(bodyOf(sheet))
      if (!isSectionCode(code)) return 'The code of recordSection is not a section of the record.'
      sheet.section = code
      return undefined
    },
  },
  {
    name: 'timePeriod allowed',
    clause: '7.2',
    outcome: 'BAD_REQUEST',
    explains: 'The sections ALL, IMM and SUM are always complete: leave timePeriod out.',
    examine: (sheet) =>
      requestedPeriod(bodyOf(sheet)) !== undefined && sheet.section !== undefined && !sections[sheet.section].period
        ? `timePeriod may not be given for the section ${sheet.section}.`
        : undefined,
  },
  {
    name: 'timePeriod',
    clause: '7.2',
    outcome: 'INVALID_PARAMETER',
    explains:
      'timePeriod needs start or end or both, each a dateTime (a time with seconds and zone), start not after end.',
    examine(sheet) {
      const asked = requestedPeriod(bodyOf(sheet))
      if (asked === undefined) return undefined
      const start = asked.start === undefined ? undefined : daysOf(asked.start)
      const end = asked.end === undefined ? undefined : daysOf(asked.end)
      if (asked.start === undefined && asked.end === undefined) return 'timePeriod has neither start nor end.'
      if (asked.start !== undefined && start === undefined) return 'timePeriod.start is not a dateTime.'
      if (asked.end !== undefined && end === undefined) return 'timePeriod.end is not a dateTime.'
      if (asked.start !== undefined && asked.end !== undefined && isAfter(asked.start, asked.end))
        return 'timePeriod.start is after timePeriod.end.'
      const period: DayRange = {
        ...(start === undefined ? {} : { first: start.first }),
        ...(end === undefined ? {} : { last: end.last }),
      }
      sheet.period = period
      return undefined
    },
  },
]

/** Whether the start lies after the end: by the moment where both have a time, otherwise by the day. */
function isAfter(start: string, end: string): boolean {
  if (start.includes('T') && end.includes('T')) return Date.parse(start) > Date.parse(end)
  return (daysOf(start)?.first ?? '') > (daysOf(end)?.last ?? '')
}
