/** The Parameters of `$setPermission`: judged in order, and read. */
import { asJson, items, type Json, text } from '@openspine/standards/fhir/untrusted'
import { isNhsNumber } from '@openspine/standards/nhs'
import { type ScrCheck, shown } from './checks.ts'
import { type Permission, permissions } from './contract.ts'

export const permissionSystem = 'https://fhir.nhs.uk/CodeSystem/SCR-ACSPermission'

export type PermissionCheck = ScrCheck<Json>

const check = (name: string, explains: string, fault: PermissionCheck['fault']): PermissionCheck => ({
  name,
  clause: '§26',
  outcome: 'value',
  explains,
  fault,
})

const parameters = ({ parameter }: Json) => items(parameter).filter(({ name }) => name === 'setPermissions')
const parts = (body: Json, name: string) => items(parameters(body)[0]?.['part']).filter((part) => part['name'] === name)
const numbers = (body: Json) => parts(body, 'nhsNumber').flatMap(({ valueString }) => text(valueString) ?? [])
const codes = (body: Json) =>
  parts(body, 'permissionCode')
    .map(({ valueCoding }) => asJson(valueCoding))
    .filter(({ system }) => system === permissionSystem)

const decided = (code: unknown): Permission | undefined =>
  permissions.find((each) => typeof code === 'string' && each.toLowerCase() === code.toLowerCase())

export const permissionChecks: readonly PermissionCheck[] = [
  check('Parameters', 'The body is a Parameters resource.', ({ resourceType }) =>
    resourceType === 'Parameters'
      ? undefined
      : `Incorrect resource type found, expected "Parameters" but found "${shown(String(resourceType))}"`,
  ),
  check('setPermissions', 'There is exactly one parameter named setPermissions.', (body) => {
    const { length } = parameters(body)
    if (length === 1) return undefined
    return length === 0
      ? "Parameter named 'setPermissions' name not found"
      : "Exactly 1 parameter named 'setPermissions' expected"
  }),
  check('nhsNumber', 'It has exactly one part named nhsNumber with a valueString.', (body) => {
    const { length } = numbers(body)
    if (length === 1) return undefined
    return length === 0
      ? "Missing value for Parameter.Part 'nhsNumber'"
      : "Exactly 1 Parameter.Part named 'nhsNumber' with not empty value expected"
  }),
  check(
    'permissionCode',
    `It has exactly one part named permissionCode with a valueCoding of the system ${permissionSystem}.`,
    (body) => {
      const { length } = codes(body)
      if (length === 1) return undefined
      return length === 0
        ? `Parameter.Part named 'permissionCode' with valueCoding.system ${permissionSystem} not found`
        : `Exactly 1 Parameter.Part named 'permissionCode' with valueCoding.system ${permissionSystem} expected`
    },
  ),
  check('Code', `The code is one of ${permissions.join(', ')}, in whatever case.`, (body) => {
    const code = codes(body)[0]?.['code']
    return decided(code) === undefined
      ? `Invalid value - ${code === undefined ? 'null' : shown(String(code))} in field 'valueCoding.code'`
      : undefined
  }),
  check('NHS number', 'The NHS number has a right check digit.', (body) => {
    const { nhsNumber } = permissionIn(body)
    return isNhsNumber(nhsNumber) ? undefined : `Invalid value - ${shown(nhsNumber)} in field 'nhsNumber'`
  }),
]

/** What sound Parameters say. */
export const permissionIn = (body: Json): { readonly nhsNumber: string; readonly permission: Permission } => ({
  nhsNumber: numbers(body)[0] ?? '',
  permission: decided(codes(body)[0]?.['code']) ?? 'No',
})
