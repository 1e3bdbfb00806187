import { namingSystem } from '@openspine/standards/nhs'
import { outcomes } from '../outcomes.ts'
import { asJson } from '../person.ts'
import { isObject, objectOf, periodFault, type Snippet, type SnippetRule } from './snippet.ts'

export const isOdsCode = (value: unknown): value is string =>
  typeof value === 'string' && /^[A-Za-z0-9]{3,10}$/.test(value)

/** An identifier that names an organisation. */
export function odsIdentifierFault(identifier: unknown, path: string) {
  const { system, value } = asJson(identifier)
  if (identifier === undefined) return outcomes.missingField(path)
  if (value === undefined) return outcomes.missingField(`${path}/value`)
  if (system !== undefined && system !== namingSystem.fhirNhsUk.odsOrganisation)
    return outcomes.invalidField(system, `${path}/system`)
  return isOdsCode(value) ? undefined : outcomes.invalidField(value, `${path}/value`)
}

const identifierPath = ({ path }: Snippet) => `${path}/identifier`

/** Rules of the registered general practice. */
export const generalPractitionerRules: readonly SnippetRule[] = [
  isObject,
  {
    name: 'General practice is named by its ODS code',
    clause: '§10.3',
    explanation: 'generalPractitioner has an identifier with the ODS code of the practice.',
    refusal: (snippet) => odsIdentifierFault(objectOf(snippet)['identifier'], identifierPath(snippet)),
  },
  {
    name: 'Registration has begun and has no end',
    clause: '§10.3',
    explanation: 'The period of a registration has a start that is not in the future, and no end.',
    refusal(snippet) {
      const { period } = asJson(objectOf(snippet)['identifier'])
      const path = `${identifierPath(snippet)}/period`
      const { end } = asJson(period)
      return (
        periodFault(period, path, snippet.today) ??
        (end === undefined ? undefined : outcomes.invalidField(end, `${path}/end`))
      )
    },
  },
]
