import { SpineError } from '@openspine/standards/error'
import { type FhirCodec, parseJson } from '@openspine/standards/fhir'
import type { HttpAnswer } from './http.ts'
import { first, type Json, object, text } from './json.ts'

/** What a service said when it refused: kept whole, because it is the only thing that tells why. */
export interface Refusal {
  readonly status: number
  /** Ssp-TraceID or X-Request-ID of the refused try: `openspine explain` takes it. */
  readonly traceId: string
  /** Code of the first issue: from its details, else its type. */
  readonly code?: string
  readonly display?: string
  readonly diagnostics?: string
  /** The OperationOutcome as it came. */
  readonly operationOutcome?: Readonly<Record<string, unknown>>
}

/** The FHIR resource of an answer, JSON or XML as its Content-Type says, elements unknown to its version passed over; undefined when it is neither. */
export function resourceOf(answer: HttpAnswer, codec: FhirCodec): Json | undefined {
  const type = String(answer.headers['content-type'] ?? '')
  // The HTTP client has bounded it already, and a long record is no fault.
  const bytes = answer.body.length
  try {
    if (type.includes('json')) return object(parseJson(answer.body, { bytes }))
    if (type.includes('xml')) return object(codec.fromXml(answer.body, { lenient: true, bytes, text: bytes }))
  } catch {
    return undefined
  }
  return undefined
}

/** The error for an answer that is not the resource that was asked for. */
export function refused(
  who: string,
  answer: HttpAnswer,
  traceId: string,
  resource: Json | undefined,
  more = '',
): SpineError<Refusal> {
  const issue = first(resource?.['issue'])
  const details = object(issue['details'])
  const coding = first(details['coding'])
  const code = text(coding['code']) ?? text(issue['code'])
  const display = text(coding['display']) ?? text(details['text'])
  const diagnostics = text(issue['diagnostics'])
  const said = [code, display, diagnostics]
    .filter((part, i, all) => part !== undefined && all.indexOf(part) === i)
    .join(' – ')
  return new SpineError(
    'CLIENT_REFUSED',
    {
      status: answer.status,
      traceId,
      ...(code === undefined ? {} : { code }),
      ...(display === undefined ? {} : { display }),
      ...(diagnostics === undefined ? {} : { diagnostics }),
      ...(resource?.['resourceType'] === 'OperationOutcome' ? { operationOutcome: resource } : {}),
    },
    { explanation: `${who} answered ${answer.status}${said === '' ? '' : `: ${said}`} (trace ${traceId}).${more}` },
  )
}
