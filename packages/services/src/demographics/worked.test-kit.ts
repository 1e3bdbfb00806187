/** The worked people in memory, under the real rules: what the faces over SOAP are tested on. */
import type { Peer } from '@openspine/platform/doors'
import { crossCheck } from './cross-check.ts'
import type { UseCases } from './hl7v3/run.ts'
import { readPerson } from './keys.ts'
import { match } from './match.ts'
import { storedPerson } from './person.ts'
import { retrieve } from './retrieve.ts'
import { workedPeople } from './worked-people.ts'

export const peerFqdn = 'consumer.openspine.example'

export const validPeer: Peer = {
  state: 'valid',
  fqdn: peerFqdn,
  names: [peerFqdn],
  serial: '01',
  issuer: 'CN=Test',
  notBefore: 0,
  notAfter: Number.MAX_SAFE_INTEGER,
  authority: '',
  authoritySerial: '',
}

/** Retrieval, matcher and cross-check as they are, over people in memory; `broken`: the store does not answer. */
export function workedCases(about: { readonly broken?: boolean } = {}): UseCases {
  const people = new Map(workedPeople().map((record) => [record.nhsNumber, storedPerson(record)]))
  const away = () => {
    if (about.broken === true) throw new Error('the store is away')
  }
  const store = {
    async find(nhsNumber: string) {
      away()
      return people.get(nhsNumber)
    },
  }
  return {
    retrieve: (nhsNumber) => retrieve(store, nhsNumber),
    crossCheck: (claim) => crossCheck(store, claim),
    async search(criteria) {
      away()
      const found = [...people.values()]
        .filter(({ status }) => status === 'current')
        .map(readPerson)
        .flatMap((read) => {
          const matched = match(criteria, read.subject)
          return matched ? [{ ...read, match: matched }] : []
        })
      if (found.length > criteria.max) return { tooMany: true }
      return { found: found.sort((a, b) => b.match.score - a.match.score) }
    },
  }
}
