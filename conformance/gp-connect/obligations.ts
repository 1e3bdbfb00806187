/** Every obligation of a provider in clauses 3 to 9 of GP Connect, and of a consumer in 14, as this project read it. */
import type { Obligations } from './obligation.ts'
import { consumer } from './obligations/consumer.ts'
import { errors } from './obligations/errors.ts'
import { everyRequest } from './obligations/every-request.ts'
import { foundations } from './obligations/foundations.ts'
import { html } from './obligations/html.ts'
import { interactions } from './obligations/interactions.ts'
import { structuredRecord } from './obligations/structured.ts'
import { token } from './obligations/token.ts'

export const obligations = {
  ...token,
  ...everyRequest,
  ...errors,
  ...interactions,
  ...html,
  ...foundations,
  ...structuredRecord,
  ...consumer,
} as const satisfies Obligations

export type ObligationId = keyof typeof obligations
