import { SpineError } from '@openspine/standards/error'
import { r4 } from '@openspine/standards/fhir/r4'
import { isNhsNumber } from '@openspine/standards/nhs'
import { demographicsOf } from './demographics.ts'
import { type ClientLine, needed } from './line.ts'
import { refused, resourceOf } from './refusal.ts'

export type TraceQuery =
  | { readonly nhsNumber: string }
  | {
      readonly family: string
      /** `yyyy-mm-dd`. */
      readonly birthDate: string
      readonly given?: string
      readonly gender?: 'male' | 'female' | 'other' | 'unknown'
      readonly postcode?: string
      readonly fuzzy?: boolean
    }

export interface TracedPerson {
  readonly nhsNumber: string
  /** The number is present and verified (status 01). */
  readonly verified: boolean
  /** ODS code of the registered GP practice. */
  readonly practice?: string
  /** 0 to 1; 1 for a retrieve and for an exact match. */
  readonly score: number
  /** The FHIR R4 Patient. */
  readonly patient: Readonly<Record<string, unknown>>
}

export interface Trace {
  readonly person: TracedPerson
  readonly requestId: string
  readonly ms: number
}

interface PatientShape {
  readonly resourceType?: string
  readonly identifier?: readonly {
    system?: string
    value?: string
    extension?: readonly { url?: string; valueCodeableConcept?: { coding?: readonly { code?: string }[] } }[]
  }[]
  readonly generalPractitioner?: readonly { identifier?: { value?: string } }[]
}

/**
 * One person, or an error that says why not: CLIENT_NOT_FOUND, CLIENT_AMBIGUOUS (more than one person
 * fits), CLIENT_REFUSED.
 */
export async function trace(line: ClientLine, query: TraceQuery): Promise<Trace> {
  const base = new URL(needed(line.settings, 'pdsUrl'))
  if ('nhsNumber' in query && !isNhsNumber(query.nhsNumber)) {
    throw new SpineError(
      'CLIENT_NHS_NUMBER',
      { nhsNumber: query.nhsNumber },
      { explanation: 'That is not an NHS number: ten digits, of which the last is a check digit.' },
    )
  }
  const path =
    base.pathname.replace(/\/$/, '') +
    ('nhsNumber' in query ? `/Patient/${query.nhsNumber}` : `/Patient?${parameters(query)}`)
  let requestId = ''
  const answer = await line.http.send(async () => {
    requestId = line.uuid()
    const { accessToken, roleProfileId } = line.settings
    const token = await accessToken?.()
    return {
      method: 'GET',
      origin: base.origin,
      path,
      headers: {
        accept: 'application/fhir+json',
        'x-request-id': requestId,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(roleProfileId === undefined ? {} : { 'nhsd-session-urid': roleProfileId }),
      },
    }
  })
  const resource = resourceOf(answer, r4)
  if (answer.status !== 200 || !resource) throw refused('PDS', answer, requestId, resource)
  const done = { requestId, ms: answer.ms }
  const remembered = (found: TracedPerson): Trace => {
    line.traced.set(found.nhsNumber, demographicsOf(found.patient, found.practice))
    return { person: found, ...done }
  }
  if (resource['resourceType'] === 'Patient') return remembered(person(resource, 1))
  if (resource['resourceType'] !== 'Bundle') {
    const many = JSON.stringify(resource).includes('TOO_MANY_MATCHES')
    if (many) throw ambiguous(requestId)
    throw refused('PDS', answer, requestId, resource)
  }
  const entries = (resource['entry'] ?? []) as readonly {
    resource: PatientShape
    search?: { score?: number | { toString(): string } }
  }[]
  if (entries.length > 1) throw ambiguous(requestId)
  const only = entries[0]
  if (!only) {
    throw new SpineError(
      'CLIENT_NOT_FOUND',
      { requestId },
      {
        explanation:
          'Nobody in demographics fits these details. Check spelling and date of birth, or try a fuzzy search.',
      },
    )
  }
  return remembered(person(only.resource, Number(String(only.search?.score ?? 1))))
}

function ambiguous(requestId: string): SpineError {
  return new SpineError(
    'CLIENT_AMBIGUOUS',
    { requestId },
    { explanation: 'More than one person fits these details: add given name, gender or postcode.' },
  )
}

function parameters(query: Exclude<TraceQuery, { nhsNumber: string }>): string {
  const pairs: [string, string | undefined][] = [
    ['family', query.family],
    ['given', query.given],
    ['gender', query.gender],
    ['birthdate', `eq${query.birthDate}`],
    ['address-postalcode', query.postcode],
    ['_fuzzy-match', query.fuzzy ? 'true' : undefined],
  ]
  return pairs
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`]))
    .join('&')
}

function person(patient: PatientShape, score: number): TracedPerson {
  const number = patient.identifier?.find(({ system }) => system?.endsWith('/nhs-number'))
  const verified =
    number?.extension?.some(({ valueCodeableConcept }) =>
      valueCodeableConcept?.coding?.some(({ code }) => code === '01'),
    ) ?? false
  const practice = patient.generalPractitioner?.[0]?.identifier?.value
  return {
    nhsNumber: number?.value ?? '',
    verified,
    score,
    ...(practice === undefined ? {} : { practice }),
    patient: patient as Readonly<Record<string, unknown>>,
  }
}
