import { outcomes, type PdsOutcome } from '../outcomes.ts'
import { asJson, isJson, items } from '../person.ts'
import { isObject, objectOf, oneOf, periodIsSound, type SnippetRule } from './snippet.ts'

const systems: ReadonlySet<string> = new Set(['phone', 'fax', 'email', 'other'])
const longestValue = 80

/** Something@something of 7 to 89 characters. */
export const isEmail = (value: unknown): value is string =>
  typeof value === 'string' && value.length >= 7 && value.length <= 89 && /^[^\s@]+@[^\s@]+$/.test(value)

const valueIsThere: SnippetRule = {
  name: 'value is there',
  clause: '§2',
  explanation: `A telephone number or address has a value of at most ${longestValue} characters.`,
  refusal(snippet) {
    const { system, value } = objectOf(snippet)
    const field = `${snippet.path}/value`
    if (value === undefined) return outcomes.missingField(field)
    const sound =
      typeof value === 'string' && value.trim() !== '' && (system === 'email' || value.length <= longestValue)
    return sound ? undefined : outcomes.invalidField(value, field)
  },
}

/** Apart for those who say it in other words: a new record does. */
export const emailIsOne: SnippetRule = {
  name: 'An e-mail address is one',
  clause: '§2',
  explanation: 'An e-mail address has an @ with something on both sides, and 7 to 89 characters.',
  refusal(snippet) {
    const { system, value } = objectOf(snippet)
    return system !== 'email' || isEmail(value) ? undefined : outcomes.invalidField(value, `${snippet.path}/value`)
  },
}

/** Rules of one telecom. */
export const telecomRules: readonly SnippetRule[] = [
  isObject,
  oneOf('system', systems, { clause: '§2', explanation: 'A telecom is a phone, fax, email or other.' }),
  oneOf('use', new Set(['home', 'work', 'temp', 'mobile']), {
    clause: '§2',
    explanation: 'A telecom is used as home, work, temp or mobile.',
  }),
  valueIsThere,
  emailIsOne,
  periodIsSound,
]

const contactSystems = new Set([...systems].filter((system) => system !== 'fax'))

const contactTelecomRules: readonly SnippetRule[] = [
  isObject,
  oneOf('system', contactSystems, { clause: '§2', explanation: 'An emergency contact has no fax.' }),
  valueIsThere,
  emailIsOne,
]

/** Rules of one emergency contact. */
export const contactRules: readonly SnippetRule[] = [
  isObject,
  {
    name: 'relationship is C',
    clause: '§2',
    explanation: 'The only relationship of a contact is C, emergency contact.',
    refusal(snippet) {
      const { relationship } = objectOf(snippet)
      const field = `${snippet.path}/relationship`
      if (relationship === undefined) return outcomes.missingField(field)
      const code = items(asJson(items(relationship)[0])['coding'])[0]?.['code']
      return code === 'C' ? undefined : outcomes.invalidField(code ?? relationship, `${field}/0/coding/0/code`)
    },
  },
  {
    name: 'telecom of a contact is sound',
    clause: '§2',
    explanation: 'A contact has telecoms with system and value, without use; the period is that of the contact.',
    refusal(snippet): PdsOutcome | undefined {
      const { telecom } = objectOf(snippet)
      const field = `${snippet.path}/telecom`
      if (telecom === undefined) return outcomes.missingField(field)
      if (!Array.isArray(telecom) || telecom.length === 0) return outcomes.invalidField(telecom, field)
      for (const [index, value] of telecom.entries()) {
        const path = `${field}/${index}`
        for (const rule of contactTelecomRules) {
          const outcome = rule.refusal({ ...snippet, value, path })
          if (outcome) return outcome
        }
        for (const member of ['use', 'period'])
          if (isJson(value) && value[member] !== undefined)
            return outcomes.invalidField(value[member], `${path}/${member}`)
      }
      return undefined
    },
  },
  periodIsSound,
]
