import type { PdsFormName } from '@openspine/standards/hl7v3'
import { serviceNamePrefix } from '@openspine/standards/nhs/interactions'

/** What a query is for (demographics specification §19.1). */
export type QueryKind = 'simple trace' | 'advanced trace' | 'batch trace' | 'retrieval' | 'cross-check' | 'confirmation'

/** A synchronous query of PDS: what is asked, and in which form it is answered. */
export interface QueryInteraction {
  readonly request: string
  readonly response: string
  readonly kind: QueryKind
  readonly form: PdsFormName
  /** The one child of the SOAP body of a reply, also of one that reports a failure. */
  readonly wrapper: 'retrievalQueryResponse' | 'traceQueryResponse' | 'crossCheckTraceQueryResponse'
}

/** What a message that changes something is for. */
export type ChangeKind = 'general update' | 'NHAIS update' | 'allocation' | 'birth notification'

/** A synchronous message of PDS that changes a record, or makes one. */
export interface ChangeInteraction {
  readonly request: string
  readonly response: string
  readonly kind: ChangeKind
  /** The reply stands in the SOAP body itself, as in every synchronous form of messages that change something (messaging §4.1). */
  readonly wrapper: undefined
}

/** A synchronous interaction of PDS. */
export type Interaction = QueryInteraction | ChangeInteraction

const wrappers = {
  'simple trace': 'traceQueryResponse',
  'advanced trace': 'traceQueryResponse',
  'batch trace': 'traceQueryResponse',
  retrieval: 'retrievalQueryResponse',
  'cross-check': 'crossCheckTraceQueryResponse',
  // The specification names no wrapper of its own for the confirmation of a number.
  confirmation: 'retrievalQueryResponse',
} as const satisfies Readonly<Record<QueryKind, QueryInteraction['wrapper']>>

const interaction = (request: string, response: string, kind: QueryKind, form: PdsFormName): QueryInteraction => ({
  request,
  response,
  kind,
  form,
  wrapper: wrappers[kind],
})

/** Editions 6.3.01, 7.2.02 and 3 of the messages side by side; all mean the same queries. */
export const interactions: readonly QueryInteraction[] = [
  interaction('QUPA_IN000005UK01', 'QUPA_IN000007UK01', 'simple trace', 'trace'),
  interaction('QUPA_IN000005UK03', 'QUPA_IN000007UK03', 'simple trace', 'trace'),
  interaction('QUPA_IN000006UK02', 'QUPA_IN000011UK02', 'advanced trace', 'advanced-trace'),
  interaction('QUPA_IN000006UK05', 'QUPA_IN000011UK05', 'advanced trace', 'advanced-trace'),
  interaction('QUPA_IN000008UK02', 'QUPA_IN000009UK03', 'retrieval', 'retrieval-6'),
  interaction('QUPA_IN000008UK05', 'QUPA_IN000009UK06', 'retrieval', 'retrieval-7'),
  interaction('QUPA_IN000017UK03', 'QUPA_IN000009UK06', 'retrieval', 'retrieval-7'),
  interaction('QUPA_IN000012UK02', 'QUPA_IN000013UK01', 'batch trace', 'trace'),
  interaction('QUPA_IN000012UK04', 'QUPA_IN000013UK03', 'batch trace', 'trace'),
  interaction('QUPA_IN000014UK01', 'QUPA_IN000015UK02', 'cross-check', 'cross-check'),
  interaction('QUPA_IN000014UK03', 'QUPA_IN000015UK04', 'cross-check', 'cross-check'),
  interaction('QUPA_IN000016UK02', 'QUPA_IN000010UK02', 'confirmation', 'confirmation'),
  interaction('QUPA_IN000016UK04', 'QUPA_IN000010UK04', 'confirmation', 'confirmation'),
  interaction('QUPA_IN010000UK13', 'QUPA_IN030000UK15', 'simple trace', 'trace'),
  interaction('QUPA_IN010000UK32', 'QUPA_IN030000UK32', 'simple trace', 'trace'),
  interaction('QUPA_IN020000UK14', 'QUPA_IN030000UK15', 'advanced trace', 'advanced-trace'),
  interaction('QUPA_IN020000UK31', 'QUPA_IN030000UK32', 'advanced trace', 'advanced-trace'),
  interaction('QUPA_IN040000UK14', 'QUPA_IN050000UK16', 'retrieval', 'retrieval-3'),
  interaction('QUPA_IN040000UK32', 'QUPA_IN050000UK32', 'retrieval', 'retrieval-3'),
  interaction('QUPA_IN060000UK13', 'QUPA_IN070000UK16', 'cross-check', 'confirmation'),
  interaction('QUPA_IN060000UK30', 'QUPA_IN070000UK30', 'cross-check', 'confirmation'),
]

const change = (request: string, response: string, kind: ChangeKind): ChangeInteraction => ({
  request,
  response,
  kind,
  wrapper: undefined,
})

/** Messages of 6.3.01 and 7.2.02 that change something (demographics §19.1). */
export const changes: readonly ChangeInteraction[] = [
  change('PRPA_IN000200UK03', 'PRPA_IN000201UK01', 'allocation'),
  change('PRPA_IN000200UK04', 'PRPA_IN000201UK01', 'allocation'),
  change('PRPA_IN000203UK03', 'PRPA_IN000202UK01', 'general update'),
  change('PRPA_IN000203UK06', 'PRPA_IN000202UK01', 'general update'),
  change('PRPA_IN000204UK03', 'PRPA_IN000209UK01', 'NHAIS update'),
  change('PRPA_IN000204UK06', 'PRPA_IN000209UK02', 'NHAIS update'),
  change('PRPA_IN000205UK03', 'PRPA_IN000206UK01', 'birth notification'),
  change('PRPA_IN000205UK05', 'PRPA_IN000206UK01', 'birth notification'),
]

/** Queries are of one service, what changes something of another. */
const serviceOf = (request: string) => `${serviceNamePrefix}${request.startsWith('PRPA_') ? 'pds' : 'pdsquery'}`

/** As SOAPAction and wsa:Action name a message of the interaction, itself or a reply: with a slash. */
export const actionOf = (request: string, message = request): string => `${serviceOf(request)}/${message}`

/** As the directory names it (nhsAsSvcIA): with a colon. */
export const registeredAs = (request: string): string => `${serviceOf(request)}:${request}`

const byAction: ReadonlyMap<string, Interaction> = new Map(
  [...interactions, ...changes].map((each) => [actionOf(each.request), each]),
)

/** The interaction of a SOAPAction; undefined for those of other services and for replies. */
export const interactionOf = (action: string): Interaction | undefined => byAction.get(action)
