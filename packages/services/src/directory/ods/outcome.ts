import { isSpineError, SpineError } from '@openspine/standards/error'

/** How one refusal looks in each dialect (directory specification §9). */
interface RefusalKind {
  readonly code: string
  readonly ord: number
  readonly stu3: { readonly status: number; readonly issue: string; readonly code: string; readonly display: string }
  readonly r4: { readonly status: number; readonly issue: string; readonly code: string; readonly display: string }
}

const stu3 = (status: number, issue: string, code: string, display: string) => ({ status, issue, code, display })
const invalidValue = stu3(400, 'invalid', 'INVALID_VALUE', 'An input field has an invalid value for its type')
const r4Value = stu3(400, 'invalid', 'HAPI-1940', 'Invalid Date/Time/Quantity format')

/** Everything that the ODS faces refuse. */
export const refusals = {
  notFound: {
    code: 'ODS_NOT_FOUND',
    ord: 404,
    stu3: stu3(404, 'not-found', 'NO_RECORD_FOUND', 'No record found'),
    r4: stu3(404, 'not-found', 'HAPI-2001', 'Resource not found'),
  },
  parameter: {
    code: 'ODS_PARAMETER_UNKNOWN',
    ord: 406,
    stu3: stu3(400, 'invalid', 'INVALID_PARAMETER', 'Invalid parameter'),
    r4: stu3(400, 'invalid', 'HAPI-0524', 'Unknown Search Parameter'),
  },
  value: { code: 'ODS_VALUE', ord: 406, stu3: invalidValue, r4: r4Value },
  format: { code: 'ODS_FORMAT', ord: 406, stu3: invalidValue, r4: r4Value },
  identifierSystem: {
    code: 'ODS_IDENTIFIER_SYSTEM',
    ord: 406,
    stu3: stu3(400, 'code-invalid', 'INVALID_IDENTIFIER_SYSTEM', 'Invalid identifier system'),
    r4: r4Value,
  },
  identifierValue: {
    code: 'ODS_IDENTIFIER_VALUE',
    ord: 406,
    stu3: stu3(400, 'code-invalid', 'INVALID_IDENTIFIER_VALUE', 'Invalid identifier value'),
    r4: r4Value,
  },
  codeSystem: {
    code: 'ODS_CODE_SYSTEM',
    ord: 406,
    stu3: stu3(400, 'code-invalid', 'INVALID_CODE_SYSTEM', 'Invalid code system'),
    r4: r4Value,
  },
  codeValue: {
    code: 'ODS_CODE_VALUE',
    ord: 406,
    stu3: stu3(400, 'code-invalid', 'INVALID_CODE_VALUE', 'Invalid code value'),
    r4: r4Value,
  },
  method: {
    code: 'ODS_METHOD',
    ord: 405,
    stu3: stu3(405, 'not-supported', 'INVALID_PARAMETER', 'Invalid parameter'),
    r4: stu3(405, 'not-supported', 'HAPI-0427', 'Method not allowed'),
  },
  rate: {
    code: 'ODS_RATE_LIMIT',
    ord: 429,
    stu3: stu3(429, 'throttled', 'TOO_MANY_REQUESTS', 'Too many requests'),
    r4: stu3(429, 'throttled', 'TOO_MANY_REQUESTS', 'Too many requests'),
  },
  failed: {
    code: 'ODS_FAILED',
    ord: 500,
    stu3: stu3(500, 'exception', 'INTERNAL_SERVER_ERROR', 'Internal server error'),
    r4: stu3(500, 'exception', 'INTERNAL_SERVER_ERROR', 'Internal server error'),
  },
} as const satisfies Readonly<Record<string, RefusalKind>>

export type Refusal = keyof typeof refusals

export interface OdsOutcome {
  readonly refusal: Refusal
  /** Diagnostics, or errorText: what the caller may read. */
  readonly text: string
}

/** The error of a refusal; `text` is told on the wire. */
export function refuse(refusal: Refusal, text: string): SpineError<OdsOutcome> {
  const { code } = refusals[refusal]
  return new SpineError(code, { refusal, text }, { explanation: text })
}

/** What an error says on the wire; undefined for one that is no refusal of these faces. */
export function outcomeOf(error: unknown): OdsOutcome | undefined {
  if (!isSpineError(error) || !error.code.startsWith('ODS_')) return undefined
  return error.outcome as OdsOutcome
}
