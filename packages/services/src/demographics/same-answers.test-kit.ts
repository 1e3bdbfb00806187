/** The requests over SOAP to which every store must give the same answers: HL7 V3, and the Mini Services. */
import { oid } from '@openspine/standards/hl7v3'
import type { PersonRecord } from './contract.ts'
import { at, directory, indicator, named, number, request, sound, updateRequest } from './hl7v3/hl7v3.test-kit.ts'
import { actionOf, changes, interactions } from './hl7v3/interactions.ts'
import { birth, birthOf, item, newcomer, registration } from './hl7v3/register.test-kit.ts'
import { items } from './person.ts'
import { type Operation, operations, actionOf as serviceActionOf } from './smsp/operations.ts'
import { type Said, request as serviceRequest } from './smsp/smsp.test-kit.ts'

/** A message to the door `spine`. */
export interface Posted {
  readonly action: string
  readonly path: string
  /** Number of the person whose version the message names. */
  readonly about?: string
  /** The message, with an id of its own and the version that the person has by then. */
  readonly message: (id: string, version: string) => string
  /** What carries the same word is one message, sent again. */
  readonly again?: string
}

/** The system that sends all of this may also ask the Mini Services. */
export const everySystem = {
  ...directory,
  accreditedSystem(asid: string) {
    const found = directory.accreditedSystem(asid)
    if (found === undefined) return undefined
    const services = operations.map((operation) => `urn:nhs:names:services:pds-simple:${operation}Request-v1-0`)
    return { ...found, interactions: new Set([...found.interactions, ...services]) }
  },
} as typeof directory

const query = (
  interaction: string,
  parameters: (typeof sound)[keyof typeof sound],
  style: 'schema' | 'live' = 'schema',
): Posted => ({
  path: '/sync-service',
  action: actionOf(interaction),
  message: (id) => request(interaction, parameters, { id, style }),
})

const service = (operation: Operation, said: Said): Posted => ({
  path: '/smsp/pds',
  action: serviceActionOf(operation),
  message: () => serviceRequest(operation, said),
})

/** What somebody asks who knows this of a person. */
interface Known {
  readonly nhsNumber: string
  readonly family: string
  readonly given: string
  /** YYYYMMDD, or less of it. */
  readonly born: string
  readonly gender: string
  readonly postcode: string
}

function known({ nhsNumber, patient }: PersonRecord): Known {
  const [name] = items(patient['name'])
  const [home] = items(patient['address'])
  const [given = ''] = (name?.['given'] ?? []) as string[]
  const genders: Readonly<Record<string, string>> = { male: '1', female: '2', other: '9' }
  return {
    nhsNumber,
    given,
    family: String(name?.['family']),
    born: String(patient['birthDate']).replaceAll('-', ''),
    gender: genders[String(patient['gender'])] ?? '0',
    postcode: String(home?.['postalCode'] ?? ''),
  }
}

/** One query of each kind about every one of many people, in turn each edition and both styles. */
export function* asked(people: readonly PersonRecord[]): Generator<Posted> {
  for (const [place, person] of people.entries()) {
    const { nhsNumber, family, given, born, gender, postcode } = known(person)
    const { request: interaction, kind } = interactions[place % interactions.length] ?? { request: '', kind: undefined }
    const birthTime = [at(born)]
    const personName = [named(family, given)]
    const style = place % 2 === 0 ? 'schema' : 'live'
    const byKind = {
      'simple trace': { birthTime, personName, gender: [{ code: gender }] },
      'advanced trace': {
        birthTime: [{ bounds: [{ bound: 'low', value: `${born.slice(0, 4)}0101` } as const] }],
        personName: [named(`${family.slice(0, 3)}*`)],
        historicDataIndicator: [indicator('1')],
        searchParameter: [{ code: '2', codeSystem: oid.searchParameter }],
      },
      'batch trace': { birthTime, personName, gender: [{ code: gender }] },
      retrieval: { ...sound.retrieval, personId: [number(nhsNumber)], historicDataIndicator: [indicator('1')] },
      'cross-check': { birthTime, personId: [number(nhsNumber)] },
      confirmation: { personId: [number(nhsNumber)] },
    }
    if (kind !== undefined) yield query(interaction, byKind[kind], style)
    if (kind !== 'retrieval') yield query('QUPA_IN000008UK05', byKind.retrieval, style)
    const operation = operations[place % operations.length] ?? 'verifyNHSNumber'
    const said = { DateOfBirth: born }
    yield operation === 'getNHSNumber' || operation === 'getPatientDetailsBySearch'
      ? service(operation, { ...said, Gender: gender, Family: family, ...(postcode && { Postcode: postcode }) })
      : service(operation, { ...said, NHSNumber: nhsNumber })
  }
}

/** Every query and service about these people, who have something special each. */
export function* askedOf(numbers: readonly string[]): Generator<Posted> {
  for (const { request: interaction, kind } of interactions) {
    yield query(interaction, sound[kind], 'live')
    yield query(interaction, {})
    for (const one of numbers) yield query(interaction, { ...sound[kind], personId: [number(one)] })
  }
  for (const operation of operations) {
    for (const one of numbers) yield service(operation, { DateOfBirth: '19850525', NHSNumber: one })
    yield service(operation, { DateOfBirth: '19850525', Gender: '2', Family: 'Restricted' })
    yield service(operation, { Family: 'Restricted' })
  }
}

/** Changes of the people of these numbers, in turn by each message, each sent twice; then people who are new. */
export function* changed(numbers: readonly string[]): Generator<Posted> {
  const updates = changes.filter(({ kind }) => kind.endsWith('update'))
  const change = (about: string, place: number, update: Parameters<typeof updateRequest>[1]): Posted => {
    const { request: interaction } = updates[place % updates.length] ?? { request: '' }
    return {
      path: '/sync-service',
      action: actionOf(interaction),
      about,
      again: `${about} ${place} ${JSON.stringify(update)}`,
      message: (id, version) => updateRequest({ number: about, version }, update, { id, interaction }),
    }
  }
  const mobile = { use: 'HP', value: 'mailto:soap@example.com', updateMode: 'added' }
  for (const [place, one] of numbers.entries())
    for (const update of [
      { gender: { code: '2', updateMode: 'altered' } },
      { telecoms: [item(mobile, 1)] },
      { gender: { code: '7', updateMode: 'altered' } },
      { gender: { updateMode: 'removed' } },
    ]) {
      yield change(one, place, update)
      yield change(one, place, update)
    }
  const post = (interaction: string, again: string, message: Posted['message']): Posted => ({
    path: '/sync-service',
    action: actionOf(interaction),
    again,
    message,
  })
  for (const [family, born] of [
    ['Soapone', '20261110'],
    ['Soaptwo', '20261112'],
    ['Soapthree', '20261116'],
  ] as const) {
    const person = newcomer({ names: [item(named(family, 'Ann'))] })
    for (const again of [family, family, `${family} once more`])
      yield post('PRPA_IN000200UK04', again, (id) => registration({ person }, { id, interaction: 'PRPA_IN000200UK04' }))
    const { baby } = birthOf()
    const addresses = baby.addresses.map(({ value }) =>
      item({ ...value, useablePeriod: { bounds: [{ bound: 'low', value: born } as const] } }, 1),
    )
    const child = {
      ...baby,
      addresses,
      names: [item(named(`${family}baby`, 'Bo'))],
      birthTime: { value: `${born}0411` },
    }
    for (const again of [`${family} baby`, `${family} baby`])
      yield post('PRPA_IN000205UK03', again, (id) => birth({ baby: child, ignoreDuplicates: ['true'] }, { id }))
  }
  yield post('PRPA_IN000200UK03', 'nobody', (id) => registration({ person: newcomer({ names: [] }) }, { id }))
  yield post('PRPA_IN000205UK03', 'unborn', (id) => birth({ weights: [] }, { id }))
}
