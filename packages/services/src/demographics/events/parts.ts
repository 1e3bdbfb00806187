import { namingSystem } from '@openspine/standards/nhs'
import { asJson, isJson, type Json } from '../person.ts'

export const stu3 = (name: string) => `https://fhir.nhs.uk/STU3/${name}`
export const careConnect = (name: string) => `https://fhir.hl7.org.uk/STU3/${name}`
export const profile = (resource: string) => ({
  profile: [careConnect(`StructureDefinition/CareConnect-${resource}-1`)],
})

export const reference = (id: string): Json => ({ reference: `urn:uuid:${id}` })
export const concept = (system: string, code: string, display: string): Json => ({
  coding: [{ system, code, display }],
})

export function identifierOf(nhsNumber: string): Json {
  return {
    extension: [
      {
        url: careConnect('StructureDefinition/Extension-CareConnect-NHSNumberVerificationStatus-1'),
        valueCodeableConcept: concept(
          careConnect('CareConnect-NHSNumberVerificationStatus-1'),
          '01',
          'Number present and verified',
        ),
      },
    ],
    system: namingSystem.fhirNhsUk.nhsNumber,
    value: nhsNumber,
  }
}

export function organisation(odsCode: string, name: string | undefined): Json {
  return {
    resourceType: 'Organization',
    meta: profile('Organization'),
    identifier: [{ system: namingSystem.fhirNhsUk.odsOrganisation, value: odsCode }],
    ...(name === undefined ? {} : { name }),
  }
}

export function nameOf(name: Json): Json {
  const { prefix, given, family, suffix } = name
  return {
    use: 'official',
    ...(family === undefined ? {} : { family }),
    ...(given === undefined ? {} : { given }),
    ...(prefix === undefined ? {} : { prefix }),
    ...(suffix === undefined ? {} : { suffix }),
  }
}

export function addressOf(address: unknown, use: 'home' | 'old'): Json | undefined {
  if (!isJson(address)) return undefined
  const { line, postalCode, period } = address
  const lines = Array.isArray(line)
    ? line.filter((part): part is string => typeof part === 'string' && part !== '')
    : []
  const { start, end } = asJson(period)
  return {
    use,
    ...(lines.length > 0 && {
      text: [...lines, ...(typeof postalCode === 'string' ? [postalCode] : [])].join(', '),
      line: lines,
    }),
    ...(typeof postalCode === 'string' && { postalCode }),
    ...(start === undefined ? {} : { period: { start, ...(end === undefined ? {} : { end }) } }),
  }
}
