/** Resources that every face builds: OperationOutcome and Bundle. */

import { replaceIllegal } from '../xml/writer.ts'
import type { Bundle, BundleEntry, BundleLink, Coding, OperationOutcome, Resource } from './types.ts'

export type IssueSeverity = 'fatal' | 'error' | 'warning' | 'information'

/**
 * The wire outcome that the SpineErrors of FHIR faces carry. A dialect renders it with `outcomeResource` and its
 * own profile.
 */
export interface FhirOutcome {
  /** HTTP status. */
  readonly status: number
  readonly severity: IssueSeverity
  /** Code of the FHIR issue-type value set (`value`, `not-found`, `forbidden`, …). */
  readonly issue: string
  /** The Spine's own code, in `details`. */
  readonly coding: {
    readonly system: string
    readonly version?: string
    readonly code: string
    readonly display?: string
  }
  readonly diagnostics?: string
}

/** What one issue says; `text` becomes `details.text`. */
export interface OutcomeParts {
  readonly severity: IssueSeverity
  readonly issue: string
  readonly system: string
  readonly version?: string | undefined
  readonly code: string
  readonly display?: string | undefined
  readonly diagnostics?: string | undefined
  readonly text?: string | undefined
  /** Becomes the one entry of `meta.profile`. */
  readonly profile?: string | undefined
  readonly id?: string | undefined
}

/** Members whose value is undefined are left out, so that both formats and deep comparison agree. */
function defined<Value extends object>(value: Value): Value {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as Value
}

/**
 * An OperationOutcome with one issue. Characters that XML cannot carry are replaced in `diagnostics` and
 * `text`, which may quote what a caller sent.
 */
export function operationOutcome(parts: OutcomeParts): OperationOutcome {
  const { severity, issue, system, version, code, display, diagnostics, text, profile, id } = parts
  const coding: Coding = defined({ system, version, code, display })
  return defined<OperationOutcome>({
    resourceType: 'OperationOutcome',
    id,
    meta: profile === undefined ? undefined : { profile: [profile] },
    issue: [
      defined({
        severity,
        code: issue,
        details: defined({ coding: [coding], text: text === undefined ? undefined : replaceIllegal(text) }),
        diagnostics: diagnostics === undefined ? undefined : replaceIllegal(diagnostics),
      }),
    ],
  })
}

/** The OperationOutcome of an outcome. */
export function outcomeResource(
  { severity, issue, coding, diagnostics }: FhirOutcome,
  about: {
    readonly profile?: string | undefined
    readonly id?: string | undefined
    readonly text?: string | undefined
  } = {},
): OperationOutcome {
  return operationOutcome({ severity, issue, ...coding, diagnostics, ...about })
}

/** What a Bundle is made of; `total` defaults to the number of matches in a searchset and is absent elsewhere. */
export interface BundleParts {
  readonly type:
    | 'searchset'
    | 'collection'
    | 'document'
    | 'message'
    | 'transaction'
    | 'transaction-response'
    | 'batch'
    | 'batch-response'
    | 'history'
  readonly entries: readonly BundleEntry[]
  readonly id?: string | undefined
  readonly meta?: Bundle['meta']
  readonly total?: number | undefined
  readonly links?: readonly BundleLink[] | undefined
}

/** A Bundle; no entries means no `entry` member, because FHIR has no empty lists. */
export function bundle({ type, entries, id, meta, total, links }: BundleParts): Bundle {
  const matches = entries.filter(({ search }) => search?.mode === undefined || search.mode === 'match').length
  return defined<Bundle>({
    resourceType: 'Bundle',
    id,
    meta,
    type,
    total: total ?? (type === 'searchset' ? matches : undefined),
    link: links !== undefined && links.length > 0 ? links : undefined,
    entry: entries.length > 0 ? entries : undefined,
  })
}

/** A searchset of resources without `fullUrl` and `search`, as the national faces answer searches. */
export function searchset(resources: readonly Resource[], parts: Omit<BundleParts, 'type' | 'entries'> = {}): Bundle {
  return bundle({ ...parts, type: 'searchset', entries: resources.map((resource) => ({ resource })) })
}
