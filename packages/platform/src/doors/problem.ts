import { STATUS_CODES } from 'node:http'
import { isSpineError } from '@openspine/standards/error'
import type { FastifyReply } from 'fastify'

/** RFC 9457. What a door says where no service has said it in its own dialect. */
export interface Problem {
  readonly type: 'about:blank'
  readonly title: string
  readonly status: number
  readonly detail?: string
  /** `urn:uuid:` of the request, as in the log. */
  readonly instance?: string
}

export const problemType = 'application/problem+json'
/** A year, as every HTTPS answer says it (directory specification §13.3). */
export const hsts = 'max-age=31536000'

export function problem(
  status: number,
  about: { readonly detail?: string; readonly requestId?: string } = {},
): Problem {
  return {
    type: 'about:blank',
    title: STATUS_CODES[status] ?? 'Error',
    status,
    ...(about.detail === undefined ? {} : { detail: about.detail }),
    ...(about.requestId === undefined ? {} : { instance: `urn:uuid:${about.requestId}` }),
  }
}

/** Status and words for an error that no service has rendered; nothing of its inside. */
export function problemOf(error: unknown, requestId: string): Problem {
  if (isSpineError(error)) {
    const status = statusIn(error.outcome, 'status')
    const detail = error.explanation
    return problem(status ?? 500, { requestId, ...(status === undefined || detail === undefined ? {} : { detail }) })
  }
  const status = statusIn(error, 'statusCode')
  return problem(status !== undefined && status < 500 ? status : 500, { requestId })
}

/** Sent as octets: to a text the framework would add a charset, which this media type does not have. */
export function sendProblem(reply: FastifyReply, rendered: Problem): FastifyReply {
  return reply
    .code(rendered.status)
    .type(problemType)
    .send(Buffer.from(JSON.stringify(rendered)))
}

function statusIn(value: unknown, key: 'status' | 'statusCode'): number | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const status: unknown = Reflect.get(value, key)
  return typeof status === 'number' && Number.isInteger(status) && status >= 400 && status <= 599 ? status : undefined
}

/** A whole HTTP/1.1 response, written where there is no request yet to answer; the connection ends with it. */
export function bareResponse(status: number, detail: string, reason = STATUS_CODES[status] ?? 'Error'): string {
  const body = JSON.stringify({ ...problem(status, { detail }), title: reason })
  return [
    `HTTP/1.1 ${status} ${reason}`,
    'Connection: close',
    `Content-Type: ${problemType}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Cache-Control: no-store',
    `Strict-Transport-Security: ${hsts}`,
    '',
    body,
  ].join('\r\n')
}
