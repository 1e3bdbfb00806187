/** What a whole record that moves to another practice asks for, and who may ask (§9.6). */
import { requestedConfidentiality } from '@openspine/standards/audit-token'
import { bodyOf } from '../checks/body.ts'
import type { Check } from '../checks/check.ts'
import type { Sheet } from '../sheet.ts'
import { systems } from '../stu3/systems.ts'
import { named, nameOf, partsOf, valueForms } from './parameters.ts'

export const wholeParameter = 'includeFullRecord'
const sensitivePart = 'includeSensitiveInformation'

/** Whether confidential items are asked for; undefined where that is not said as it must be. */
export function asksForSensitive(sheet: Sheet): boolean | undefined {
  const [parameter] = named(bodyOf(sheet), wholeParameter)
  const [part, ...others] = partsOf(parameter ?? {}).filter((one) => nameOf(one) === sensitivePart)
  if (part === undefined || others.length > 0 || valueForms(part).join() !== 'valueBoolean') return undefined
  return part['valueBoolean'] === true
}

/** ODS codes of the organisation that asks, as its token says. */
function askingOrganisations({ token }: Sheet): readonly string[] {
  const organisation = token?.claims['requesting_organization'] as
    | { readonly identifier?: readonly { readonly system?: unknown; readonly value?: unknown }[] }
    | undefined
  const identifiers = Array.isArray(organisation?.identifier) ? organisation.identifier : []
  return identifiers.flatMap(({ system, value }) =>
    system === systems.odsOrganisation && typeof value === 'string' ? [value.toUpperCase()] : [],
  )
}

export const wholeRecordAsked: readonly Check[] = [
  {
    name: 'includeFullRecord once',
    clause: '9.6',
    outcome: 'INVALID_PARAMETER',
    explains: `The parameter ${wholeParameter} must stand exactly once, without a value.`,
    examine(sheet) {
      const [parameter, ...others] = named(bodyOf(sheet), wholeParameter)
      if (parameter === undefined) return `The parameter ${wholeParameter} is missing.`
      if (others.length > 0) return `The parameter ${wholeParameter} stands more than once.`
      return valueForms(parameter).some((form) => form !== 'part')
        ? `The parameter ${wholeParameter} has a value.`
        : undefined
    },
  },
  {
    name: 'includeSensitiveInformation',
    clause: '9.6',
    outcome: 'INVALID_PARAMETER',
    explains: `${wholeParameter} needs its part ${sensitivePart} once, with a valueBoolean.`,
    examine: (sheet) =>
      asksForSensitive(sheet) === undefined
        ? `The part ${wholeParameter}.${sensitivePart} does not stand once with a valueBoolean.`
        : undefined,
  },
  {
    name: 'scope for sensitive information',
    clause: '9.6',
    outcome: 'NOT_AUTHORISED',
    explains: 'Sensitive information is only given for a token whose requested_scope has conf/R.',
    examine: (sheet) =>
      asksForSensitive(sheet) && requestedConfidentiality(sheet.token?.claims ?? {}) !== 'R'
        ? 'The token does not ask for sensitive information: its scope has no conf/R.'
        : undefined,
  },
]

/** The record goes to the practice at which the patient is registered now, and to no other. */
export const askedByRegisteredPractice: Check = {
  name: 'asked by the registered practice',
  clause: '9.6',
  outcome: 'NOT_AUTHORISED',
  explains: 'The requesting_organization of the token must be the practice at which the patient is registered.',
  examine(sheet) {
    const registered = sheet.record?.patient.registeredAt ?? sheet.practice?.practice.odsCode
    return registered !== undefined && askingOrganisations(sheet).includes(registered.toUpperCase())
      ? undefined
      : 'The requesting organisation is not the practice at which the patient is registered.'
  },
}
