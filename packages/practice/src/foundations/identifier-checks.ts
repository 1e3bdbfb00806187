/** Searches by identifier (§4.3): how the one parameter must be written, whatever it identifies. */
import { isNhsNumber } from '@openspine/standards/nhs'
import type { Check } from '../checks/check.ts'
import { queryParameters } from '../checks/query.ts'
import type { Sheet } from '../sheet.ts'
import { systems } from '../stu3/systems.ts'

/** What these checks find. */
export interface IdentifierSheet extends Sheet {
  /** Value of the parameter `identifier`, without its system. */
  identifier?: string
}

const identifiersOf = ({ query }: Sheet): string[] =>
  queryParameters(query)
    .filter(({ name }) => name === 'identifier')
    .map(({ value }) => value)

const partsOf = (sheet: Sheet): string[] | undefined => identifiersOf(sheet)[0]?.split('|')

/**
 * The checks of `?identifier=[system]|[value]` for resources with one system. An NHS number is put on the sheet as
 * `nhsNumber`; every value as `identifier`. `optional`: a search without the parameter is for everything.
 */
export function identifierChecks(
  system: string,
  { optional = false }: { readonly optional?: boolean } = {},
): readonly Check[] {
  const times = optional ? 'at most once' : 'exactly once'
  const present: Check = {
    name: 'identifier given',
    clause: '4.3',
    outcome: 'BAD_REQUEST',
    explains: `Send the parameter identifier ${times}; its name is case-sensitive.`,
    examine(sheet) {
      const { length } = identifiersOf(sheet)
      return length === 1 || (optional && length === 0)
        ? undefined
        : `The parameter identifier must be given ${times}, and is given ${length === 0 ? 'not at all' : `${length} times`}.`
    },
  }
  const form: Check = {
    name: 'identifier form',
    clause: '4.3',
    outcome: 'INVALID_PARAMETER',
    explains: `Write the identifier as a system, one vertical bar (percent-encoded), and a value: ${system}%7C…`,
    examine(sheet) {
      const parts = partsOf(sheet)
      return parts === undefined || (parts.length === 2 && parts.every((part) => part.trim() !== ''))
        ? undefined
        : 'The parameter identifier is not a system and a value with one vertical bar between them.'
    },
  }
  const known: Check = {
    name: 'identifier system',
    clause: '4.3',
    outcome: 'INVALID_IDENTIFIER_SYSTEM',
    explains: `The system of the identifier must be ${system}.`,
    examine(sheet: IdentifierSheet) {
      const parts = partsOf(sheet)
      if (parts === undefined) return undefined
      if (parts[0] !== system) return `The system of the parameter identifier is not ${system}.`
      sheet.identifier = parts[1] ?? ''
      return undefined
    },
  }
  const nhsNumber: Check = {
    name: 'identifier is an NHS number',
    clause: '4.3',
    outcome: 'INVALID_NHS_NUMBER',
    explains: 'The value must be an NHS number: ten digits, the last of which is the check digit.',
    examine(sheet: IdentifierSheet) {
      if (!isNhsNumber(sheet.identifier ?? '')) return 'The value of the parameter identifier is not an NHS number.'
      sheet.nhsNumber = sheet.identifier ?? ''
      return undefined
    },
  }
  return [present, form, known, ...(system === systems.nhsNumber ? [nhsNumber] : [])]
}
