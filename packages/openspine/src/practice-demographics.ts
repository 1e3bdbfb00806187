import type { LookUp, TracedPerson } from '@openspine/practice'
import type { Demographics } from '@openspine/services/demographics/contract'

/** The parts of a FHIR R4 Patient that a practice asks for. */
interface Traced {
  readonly name?: readonly { readonly use?: string; readonly family?: string; readonly given?: readonly string[] }[]
  readonly birthDate?: string
  readonly gender?: NonNullable<TracedPerson['gender']>
  readonly deceasedDateTime?: string
  readonly extension?: readonly { readonly url: string }[]
}

/** A death that was notified and is not registered yet stands in this extension alone. */
const deathNotified = /\/Extension-UKCore-DeathNotificationStatus$/

/**
 * Lets practices trace people in the demographics service of this house. Restricted and very restricted records are
 * both sensitive to a practice, which is told nothing else of them.
 */
export function tracesIn(demographics: Pick<Demographics, 'find'>): LookUp {
  return async (nhsNumber) => {
    const person = await demographics.find(nhsNumber)
    if (person === undefined) return undefined
    const { name = [], birthDate, gender, deceasedDateTime, extension = [] } = person.patient as Traced
    const { family = '', given = [] } = name.find(({ use }) => use === 'usual') ?? name[0] ?? {}
    return {
      family,
      given,
      ...(birthDate === undefined ? {} : { birthDate }),
      ...(gender === undefined ? {} : { gender }),
      deceased: deceasedDateTime !== undefined || extension.some(({ url }) => deathNotified.test(url)),
      sensitive: (person.sensitivity ?? 'U') !== 'U',
      status: person.status ?? 'current',
    }
  }
}
