import { readJson } from './json.ts'
import { type Model, parse } from './models.ts'
import { invalid } from './refusal.ts'

/** A request that was let in, for the operation that it asks for. */
export interface Asked {
  /** Segments of the path that the template names. */
  readonly path: Readonly<Record<string, string>>
  /** Query parameters; one that comes twice has several values, which no operation takes. */
  readonly query: Readonly<Record<string, string | readonly string[]>>
  readonly contentType: string | undefined
  readonly body: Buffer
  /** Application that asks, as it is recorded. */
  readonly application: string
}

export interface Answer {
  readonly status: number
  readonly body: unknown
}

/** One operation: method and path template, as OpenAPI writes them. */
export interface Operation {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly path: string
  /** Answered to anybody, without version and key. */
  readonly open?: true
  run(asked: Asked): Promise<Answer>
}

/** The body, judged by its model. No body is an empty object. */
export function bodyOf({ body, contentType }: Asked, model: Model): Readonly<Record<string, unknown>> {
  if (body.length > 0 && contentType !== undefined && !/^application\/json\s*(;|$)/i.test(contentType)) {
    throw invalid('Content-Type must be application/json')
  }
  return parse(model, body.length === 0 ? {} : readJson(body))
}

export const queryOf = ({ query }: Asked, model: Model): Readonly<Record<string, unknown>> => parse(model, query)

/** A point in time as the dialect writes it. */
export const moment = (at: number): string => new Date(at).toISOString().replace('Z', '000+00:00')
