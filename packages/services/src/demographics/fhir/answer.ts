import { parseJson } from '@openspine/standards/fhir'
import type { FastifyRequest } from 'fastify'
import { outcomes, type PdsOutcome, refuse } from '../outcomes.ts'
import { isJson, type Json } from '../person.ts'
import { operationOutcome } from './render.ts'

/** What goes back to the caller, and what the audit is told of it. */
export interface Answer {
  readonly status: number
  readonly body: string
  readonly headers?: Readonly<Record<string, string>>
  readonly code?: string
  readonly shown?: readonly string[]
  readonly reasons?: readonly unknown[]
}

export function refused(outcome: PdsOutcome): Answer {
  return {
    status: outcome.status,
    body: operationOutcome(outcome),
    code: outcome.coding.code,
    ...(outcome.headers && { headers: outcome.headers }),
  }
}

export function header(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name]
  return Array.isArray(value) ? value.join(', ') : value
}

/** The base of every `fullUrl`: as it is set, or as the caller named this host. */
export function publicBase(about: { readonly publicUrl: string; readonly basePath: string }, host: string): string {
  return about.publicUrl || `https://${host}${about.basePath}`
}

/** Deeper than any resource of PDS. */
const deepest = 32

/** The resource that was posted. */
export function resourceIn(body: unknown): Json {
  let value: unknown
  try {
    value = parseJson(Buffer.isBuffer(body) ? body.toString('utf8') : '', { depth: deepest })
  } catch {
    value = undefined
  }
  if (!isJson(value)) throw refuse(outcomes.notReadable, 'The body is not a JSON object.')
  return value
}
