/** People of one test alone, and patches of them. */
import { randomUUID } from 'node:crypto'
import type { Access } from '../access.ts'
import { openPds, type TestPds } from '../testing.ts'

function* validNumbers(): Generator<string, never> {
  for (let beginning = 990_000_000; ; beginning++) {
    const digits = String(beginning)
    const sum = [...digits].reduce((total, digit, index) => total + Number(digit) * (10 - index), 0)
    const check = (11 - (sum % 11)) % 11
    if (check !== 10) yield digits + check
  }
}
const numbers = validNumbers()

export const home = {
  id: 'A1',
  use: 'home',
  period: { start: '2020-01-01' },
  line: ['1 Test Way', '', '', 'Testham'],
  postalCode: 'ZZ9 9ZZ',
}
export const mobile = {
  id: 'T1',
  use: 'mobile',
  system: 'phone',
  period: { start: '2020-01-01' },
  value: '07700900001',
}

/** What of a request is unlike that of a healthcare worker who has read version 1. */
export interface Sent {
  readonly version?: number | string | null
  readonly headers?: Readonly<Record<string, string>>
  readonly as?: Access
  readonly body?: string
}

/** PDS FHIR with people for one test each. */
export async function openUpdates(): Promise<{
  readonly pds: TestPds
  /** Loads a person with a number of their own. */
  person(patient?: Readonly<Record<string, unknown>>, more?: { sensitivity?: 'U' | 'R' | 'V' }): Promise<string>
  patch(nhsNumber: string, patches: unknown, sent?: Sent): ReturnType<TestPds['ask']>
}> {
  const pds = await openPds()
  return {
    pds,
    async person(patient = {}, more = {}) {
      const nhsNumber = numbers.next().value
      await pds.contract.load([
        {
          nhsNumber,
          ...more,
          patient: {
            name: [
              { id: 'N1', use: 'usual', period: { start: '2020-01-01' }, given: ['Arlo', 'Ben'], family: 'Testcase' },
            ],
            gender: 'male',
            birthDate: '1980-02-29',
            ...patient,
          },
        },
      ])
      return nhsNumber
    },
    patch(nhsNumber, patches, { version = 1, headers = {}, as, body } = {}) {
      return pds.ask(`/Patient/${nhsNumber}`, {
        method: 'PATCH',
        headers: {
          'x-request-id': randomUUID(),
          'content-type': 'application/json-patch+json',
          ...(version === null ? {} : { 'if-match': typeof version === 'string' ? version : `W/"${version}"` }),
          ...headers,
        },
        payload: body ?? JSON.stringify({ patches }),
        ...(as && { as }),
      })
    },
  }
}
