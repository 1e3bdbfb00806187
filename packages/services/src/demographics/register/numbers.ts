import { nhsNumberCheckDigit } from '@openspine/standards/nhs'
import type { ChangeStore } from '../changes/store.ts'
import { outcomes, refuse } from '../outcomes.ts'
import type { PersonStore } from '../store.ts'

/** First nine digits of the numbers that are given to new people, both ends within. */
export interface NumberRange {
  readonly from: number
  readonly to: number
}

/**
 * Where new numbers come from by default: the end of the range 999, which is kept for tests. Invented people are never made
 * with these numbers.
 */
export const allocatedRange: NumberRange = { from: 999_900_000, to: 999_999_999 }

/** Beginnings that are reserved at once. Those that are left when the process ends are given to nobody. */
const reservedAtOnce = 16

/**
 * New NHS numbers, each of them given once, whoever asks and however often the process is started: the beginnings are
 * reserved in the store, those without a check digit and those of people who are there already are passed over.
 * `PDS_SERVICE_UNAVAILABLE` when the range is used up.
 */
export function numberSource(parts: {
  readonly changes: Pick<ChangeStore, 'reserve'>
  readonly people: Pick<PersonStore, 'existing'>
  readonly range: NumberRange
}): () => Promise<string> {
  const { changes, people, range } = parts
  const name = `nhs-number/${range.from}`
  let ready: string[] = []
  let turn: Promise<unknown> = Promise.resolve()

  const refill = async () => {
    while (ready.length === 0) {
      const first = await changes.reserve(name, range.from, reservedAtOnce)
      if (first > range.to)
        throw refuse(outcomes.serviceUnavailable, 'No NHS number is left in the range for new people.')
      const valid: string[] = []
      for (let digits = first; digits < first + reservedAtOnce && digits <= range.to; digits++) {
        const check = nhsNumberCheckDigit(String(digits))
        if (check !== undefined) valid.push(`${digits}${check}`)
      }
      const taken = await people.existing(valid.map(Number))
      ready = valid.filter((number) => !taken.has(Number(number)))
    }
  }

  return () => {
    const next = turn.then(async () => {
      if (ready.length === 0) await refill()
      return ready.shift() as string
    })
    turn = next.catch(() => undefined)
    return next
  }
}
