import { dayNumber } from '../fold.ts'
import { outcomes } from '../outcomes.ts'
import type { SnippetRule } from './snippet.ts'

/** Rules of the gender: `other` can be read, and never written. */
export const genderRules: readonly SnippetRule[] = [
  {
    name: 'gender is one that can be written',
    clause: '§2, §10.3',
    explanation: 'gender is male, female or unknown.',
    refusal: ({ value, path }) =>
      value === 'male' || value === 'female' || value === 'unknown' ? undefined : outcomes.invalidField(value, path),
  },
]

/** Rules of the date of birth. */
export const birthDateRules: readonly SnippetRule[] = [
  {
    name: 'birthDate is a day that has come',
    clause: '§2, §10.3',
    explanation: 'birthDate is a whole date, yyyy-mm-dd, and not in the future.',
    refusal({ value, path, today }) {
      const day = typeof value === 'string' ? dayNumber(value) : undefined
      return day === undefined || day > (dayNumber(today) ?? 0) ? outcomes.invalidField(value, path) : undefined
    },
  },
]

/** Rules of the date of death. */
export const deceasedRules: readonly SnippetRule[] = [
  {
    name: 'deceasedDateTime is a day that has come',
    clause: '§2, §10.3',
    explanation:
      'deceasedDateTime is yyyy-mm-dd or yyyy-mm-ddThh:mm:ss, with no offset but +00:00, and not in the future.',
    refusal({ value, path, today }) {
      const form = /^\d{4}-\d{2}-\d{2}(T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\+00:00)?)?$/
      const day = typeof value === 'string' && form.test(value) ? dayNumber(value.slice(0, 10)) : undefined
      return day === undefined || day > (dayNumber(today) ?? 0) ? outcomes.invalidField(value, path) : undefined
    },
  },
]

/** Rules of the order in a multiple birth: 1 to 7, 8 not applicable, 9 not known. */
export const multipleBirthRules: readonly SnippetRule[] = [
  {
    name: 'multipleBirthInteger is 1 to 9',
    clause: '§2',
    explanation: 'multipleBirthInteger is 1 to 7, 8 (not applicable) or 9 (not known).',
    refusal: ({ value, path }) =>
      typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 9
        ? undefined
        : outcomes.invalidField(value, path),
  },
]
