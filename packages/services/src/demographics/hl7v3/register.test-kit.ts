/** Registrations and births as client systems write them. */
import {
  noBirth,
  noChanges,
  noRegistration,
  oid,
  type PdsBirth,
  type PdsRegistration,
  writePdsBirth,
  writePdsRegistration,
} from '@openspine/standards/hl7v3'
import { message, type RequestOptions } from './hl7v3.test-kit.ts'

export const item = <Value>(value: Value, periods = 0) => ({ value, periods })
export const from = (value: string) => ({ bounds: [{ bound: 'low', value } as const] })

const authorities = [
  { code: { code: 'g', codeSystem: oid.registeringAuthority }, ids: [{ root: oid.organisation, extension: 'RGS' }] },
]
const name = (family: string, ...given: readonly string[]) => ({
  use: 'L',
  prefix: ['Ms'],
  given,
  family: [family],
  suffix: [],
})
const home = {
  use: 'H',
  lines: ['', '31 Sample Street', '', 'Testham', ''],
  postalCode: 'ZZ99 3CZ',
  useablePeriod: from('20200101'),
}

/** Somebody who is in nobody's record; whatever is given replaces a member. */
export const newcomer = (more: Partial<PdsRegistration['person']> = {}): PdsRegistration['person'] => ({
  ...noChanges,
  names: [item(name('ToRemove', 'Ottilie', 'Fern'))],
  gender: { code: '2' },
  birthTime: { value: '19840701' },
  addresses: [item(home, 1)],
  ...more,
})

/** A request for a new number. */
export const registration = (
  more: Partial<PdsRegistration> = {},
  options: RequestOptions & { readonly interaction?: string } = {},
) =>
  message(
    options.interaction ?? 'PRPA_IN000200UK03',
    writePdsRegistration({
      ...noRegistration,
      requests: 1,
      patients: 1,
      authorities,
      person: newcomer(),
      previousContacts: [{ code: '0', codeSystem: oid.previousContact }],
      ...more,
    }),
    options,
  )

/** A birth four days before 20 November 2026. */
export const birthOf = (more: Partial<PdsBirth> = {}): PdsBirth => ({
  ...noBirth,
  events: 1,
  babies: 1,
  authorities,
  ignoreDuplicates: ['false'],
  baby: {
    ...noChanges,
    names: [item({ ...name('ToRemove', 'Isla'), prefix: [] })],
    gender: { code: '2' },
    birthTime: { value: '202611160411' },
    multipleBirth: { value: '1' },
    addresses: [item({ ...home, useablePeriod: from('20261116') }, 1)],
  },
  ethnicGroups: [{ code: 'A', codeSystem: oid.ethnicCategory }],
  weights: ['3405'],
  abnormalities: [{ code: 'N', codeSystem: oid.congenitalAbnormality }],
  stillbirths: [{ code: '1', codeSystem: oid.stillbirth }],
  foetuses: ['1'],
  gestations: ['39'],
  deliveries: 1,
  notifiers: [name('Attends', 'Joan')],
  places: [
    {
      code: { code: '0', codeSystem: oid.placeOfBirth },
      id: { root: oid.sdsOrganisation, extension: 'RR8G5' },
      addr: { lines: ['Infirmary', '1 High Road', '', 'Testham', 'Mockshire'] },
      name: 'Testham Infirmary',
    },
  ],
  partners: [{ root: oid.sdsOrganisation, extension: 'RR801' }],
  responsible: [{ root: oid.sdsOrganisation, extension: 'Y98765' }],
  mothers: [
    {
      ids: [{ root: oid.nhsNumber, extension: '9990548617' }],
      birthTime: { value: '19831107' },
      names: [name('Testcase', 'Brenna')],
      practices: [{ root: oid.organisation, extension: 'A20047' }],
    },
  ],
  ...more,
})

/** The notification of a birth. */
export const birth = (more: Partial<PdsBirth> = {}, options: RequestOptions & { readonly interaction?: string } = {}) =>
  message(options.interaction ?? 'PRPA_IN000205UK03', writePdsBirth(birthOf(more)), options)
