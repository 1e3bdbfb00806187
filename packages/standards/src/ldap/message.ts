import type { Filter } from './filter.ts'

/** A control that accompanies a message (RFC 4511 §4.1.11). */
export interface Control {
  readonly oid: string
  readonly critical: boolean
  readonly value?: Buffer
}

export interface BindRequest {
  readonly op: 'bind'
  readonly version: number
  readonly name: string
  readonly authentication:
    | { readonly kind: 'simple'; readonly password: Buffer }
    | { readonly kind: 'sasl'; readonly mechanism: string; readonly credentials?: Buffer }
    /** A choice that the protocol does not know. */
    | { readonly kind: 'unknown' }
}

/** 0 baseObject, 1 singleLevel, 2 wholeSubtree, 3 subordinateSubtree (children without the base). */
export type Scope = 0 | 1 | 2 | 3

export interface SearchRequest {
  readonly op: 'search'
  readonly base: string
  readonly scope: Scope
  readonly derefAliases: number
  /** Entries; 0 = no limit from the client. */
  readonly sizeLimit: number
  /** Seconds; 0 = no limit from the client. */
  readonly timeLimit: number
  readonly typesOnly: boolean
  readonly filter: Filter
  readonly attributes: readonly string[]
}

export interface CompareRequest {
  readonly op: 'compare'
  readonly entry: string
  readonly attribute: string
  readonly value: Buffer
}

/** Requests that would change the directory: known by their target alone, as they are refused. */
export interface WriteRequest {
  readonly op: 'modify' | 'add' | 'delete' | 'modifyDn'
  readonly target: string
}

export interface ExtendedRequest {
  readonly op: 'extended'
  readonly oid: string
  readonly value?: Buffer
}

export type LdapRequest =
  | BindRequest
  | { readonly op: 'unbind' }
  | SearchRequest
  | CompareRequest
  | WriteRequest
  | { readonly op: 'abandon'; readonly target: number }
  | ExtendedRequest

export interface LdapMessage<Operation> {
  /** 1 to 2^31-1; 0 only in unsolicited notifications. */
  readonly id: number
  readonly operation: Operation
  readonly controls: readonly Control[]
}

/** What every final response carries (RFC 4511 §4.1.9). */
export interface LdapResult {
  readonly code: number
  readonly matchedDn: string
  readonly diagnostic: string
  readonly referrals?: readonly string[]
}

export interface PartialAttribute {
  readonly name: string
  readonly values: readonly Buffer[]
}

export type LdapResponse =
  | { readonly op: 'bind' | 'done' | 'modify' | 'add' | 'delete' | 'modifyDn' | 'compare'; readonly result: LdapResult }
  | { readonly op: 'entry'; readonly dn: string; readonly attributes: readonly PartialAttribute[] }
  | { readonly op: 'reference'; readonly urls: readonly string[] }
  | { readonly op: 'extended'; readonly result: LdapResult; readonly oid?: string; readonly value?: Buffer }
  | { readonly op: 'intermediate'; readonly oid?: string; readonly value?: Buffer }

export const requestTags = {
  bind: 0x60,
  unbind: 0x42,
  search: 0x63,
  modify: 0x66,
  add: 0x68,
  delete: 0x4a,
  modifyDn: 0x6c,
  compare: 0x6e,
  abandon: 0x50,
  extended: 0x77,
} as const

export const responseTags = {
  bind: 0x61,
  entry: 0x64,
  done: 0x65,
  modify: 0x67,
  add: 0x69,
  delete: 0x6b,
  modifyDn: 0x6d,
  compare: 0x6f,
  reference: 0x73,
  extended: 0x78,
  intermediate: 0x79,
} as const
