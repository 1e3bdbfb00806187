import type { QueryParameters } from '@openspine/standards/hl7v3'
import { criteriaFor, genderWords } from '../asked.ts'
import type { Row } from '../batch/trace-row.ts'
import type { Criteria, DayRange } from '../criteria.ts'
import type { Claim } from '../cross-check.ts'
import { daysOfInterval } from './interval.ts'

/** Most people that an advanced trace answers with. */
const mostPeople = 50

const days = (found: DayRange | 'wrong' | undefined) => (found === 'wrong' ? undefined : found)
const text = (value: string | undefined) => (value === undefined || value === '' ? undefined : value)

/** What the two traces have in common. */
function askedIn({
  birthTime,
  deceasedTime,
  personName,
  gender,
  personAddress,
  postcode,
  primaryCareId,
}: QueryParameters) {
  const [name] = personName
  const birth = days(daysOfInterval(birthTime[0]))
  const death = days(daysOfInterval(deceasedTime[0]))
  const family = text(name?.family[0])
  const word = genderWords[gender[0]?.code ?? '']
  const code = text(personAddress[0]?.postalCode) ?? text(postcode[0]?.postalCode)
  const gp = text(primaryCareId[0]?.extension)
  return {
    ...(birth && { birth }),
    ...(death && { death }),
    ...(family === undefined ? {} : { family }),
    given: name?.given ?? [],
    ...(word === undefined ? {} : { gender: word }),
    ...(code === undefined ? {} : { postcode: code }),
    ...(gp === undefined ? {} : { gp }),
  }
}

/** A simple trace: equality, no wildcards, one person or none (§18). */
export const criteriaOfSimpleTrace = (parameters: QueryParameters): Criteria | undefined =>
  criteriaFor({ ...askedIn(parameters), max: 1 })

/** An advanced trace: alphanumeric (1) with wildcards and ranges, or algorithmic (2), which takes no wildcards. */
export function criteriaOfTrace(parameters: QueryParameters): Criteria | undefined {
  const { searchParameter, historicDataIndicator, ignoreHistoryIndicator } = parameters
  const fuzzy = searchParameter[0]?.code === '2'
  const asked = askedIn(parameters)
  const wild = [asked.family, asked.postcode, ...asked.given].some((value) => value?.includes('*') === true)
  if (fuzzy && wild) return undefined
  return criteriaFor({
    ...asked,
    fuzzy,
    wildcards: true,
    history: historicDataIndicator[0]?.code === '1' && ignoreHistoryIndicator[0]?.code !== '1',
    max: mostPeople,
  })
}

/** The claim of a cross-check; undefined where its date cannot be read. */
export function claimOf({ personId, birthTime, personName }: QueryParameters): Claim | undefined {
  const birth = days(daysOfInterval(birthTime[0]))
  if (birth === undefined) return undefined
  const [name] = personName
  const family = text(name?.family[0])
  return {
    nhsNumber: personId[0]?.extension ?? '',
    birth,
    ...(family === undefined ? {} : { family }),
    given: (name?.given ?? []).filter((given) => given !== ''),
  }
}

/** What a batch trace asks, as a row of a file does (§21). */
export function batchRowOf({
  personId,
  birthTime,
  deceasedTime,
  personName,
  gender,
  personAddress,
  postcode,
}: QueryParameters): Row {
  const [name] = personName
  const [given] = name?.given ?? []
  const told: Readonly<Record<keyof Row, string | undefined>> = {
    'UNIQUE REFERENCE': 'query',
    NHS_NO: personId[0]?.extension,
    DATE_OF_BIRTH: birthTime[0]?.value,
    DATE_OF_DEATH: deceasedTime[0]?.value,
    FAMILY_NAME: name?.family[0],
    GIVEN_NAME: given,
    GENDER: gender[0]?.code,
    POSTCODE: personAddress[0]?.postalCode ?? postcode[0]?.postalCode,
  } as Readonly<Record<keyof Row, string | undefined>>
  return Object.fromEntries(Object.entries(told).filter(([, each]) => each !== undefined)) as Row
}
