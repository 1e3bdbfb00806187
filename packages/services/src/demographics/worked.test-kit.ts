/** The worked people in memory, under the real rules: what the faces over SOAP are tested on. */
import type { Peer } from '@openspine/platform/doors'
import type { KeptAnswer, RequestKey } from './changes/change.ts'
import type { PersonRecord } from './contract.ts'
import { crossCheck } from './cross-check.ts'
import type { QueryCases } from './hl7v3/run.ts'
import type { UpdateCase } from './hl7v3/run-update.ts'
import { readPerson } from './keys.ts'
import { match } from './match.ts'
import { storedPerson } from './person.ts'
import { related } from './related.ts'
import { retrieve } from './retrieve.ts'
import { update } from './update/update.ts'
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

/** Retrieval, matcher, cross-check and update as they are, over people in memory; `broken`: the store does not answer. */
export function workedCases(
  about: { readonly broken?: boolean; readonly people?: readonly PersonRecord[] } = {},
): QueryCases & UpdateCase {
  const people = new Map(
    [...workedPeople(), ...(about.people ?? [])].map((record) => [record.nhsNumber, storedPerson(record)]),
  )
  const away = () => {
    if (about.broken === true) throw new Error('the store is away')
  }
  const store = {
    async find(nhsNumber: string) {
      away()
      return people.get(nhsNumber)
    },
  }
  const answers = new Map<string, KeptAnswer>()
  const keyOf = ({ caller, id }: RequestKey) => `${caller} ${id}`
  let objects = 0
  return {
    update: (asked) =>
      update(
        {
          people: store,
          changes: {
            keptAnswer: async (request) => answers.get(keyOf(request)),
            async write({ before, after, request }) {
              if (people.get(after.nhsNumber)?.version !== before?.version) return 'stale'
              people.set(after.nhsNumber, after)
              if (request) answers.set(keyOf(request), request.answer)
              return 'written'
            },
          },
          clock: { now: () => Date.parse('2026-11-26T01:02:03Z') } as never,
          random: { bytes: (length: number) => Buffer.alloc(length, ++objects) } as never,
          kept: true,
        },
        asked,
      ),
    retrieve: (nhsNumber) => retrieve(store, nhsNumber),
    related: (nhsNumber) => related(store, nhsNumber),
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
