import { isSpineError, SpineError } from '@openspine/standards/error'
import { shown } from './text.ts'

/** A file of the folder: its path below the folder, with slashes, and its text. */
export interface RegistryFile {
  readonly path: string
  readonly text: string
}

/** Where in the folder something stands. */
export interface Place {
  readonly file: string
  /** From 1. */
  readonly line: number
}

/** What differs in one attribute; no values: the attribute is not there. */
export interface AttributeChange {
  readonly attribute: string
  readonly before: readonly string[]
  readonly after: readonly string[]
}

/** One entry that differs between the folder and the registry. */
export interface PlannedChange {
  readonly kind: 'add' | 'change' | 'remove'
  /** Under which heading people read it: the ODS code of the organisation, or the name of the collection. */
  readonly group: string
  readonly name: string
  /** Where it stands in the folder; what is to be removed stands nowhere. */
  readonly place?: Place
  /** Of a changed entry. */
  readonly attributes: readonly AttributeChange[]
}

/** A rule that is broken and borne. */
export interface PlanWarning {
  readonly code: string
  readonly name: string
  readonly explanation: string
  readonly place?: Place
}

export interface PlanOptions {
  /** Whether what the folder does not hold is removed. */
  readonly prune: boolean
  /** Whether the known quirks of live data are borne. */
  readonly tolerateLiveQuirks: boolean
}

/** How one part of the registry becomes what the folder says. */
export interface PartPlan {
  /** Version of the part for which the plan was made; it is applied to no other. */
  readonly version: number
  readonly changes: readonly PlannedChange[]
  /** Entries that the registry alone holds and that stay there. */
  readonly staying: number
  /** What differs and is not changed, in sentences. */
  readonly notes: readonly string[]
  /** Rejects with the first rule that a change breaks, with its place in the folder; writes nothing. */
  check(): Promise<readonly PlanWarning[]>
  /** Commits all changes or none. */
  apply(by: string): Promise<void>
}

/** The files of a part, as a plan reads them. */
export interface FolderReader {
  /** Files of one place (see `RegistryPart.places`), in order of their paths. */
  files(place: string): Iterable<RegistryFile>
  /** One file; undefined when there is none. */
  file(path: string): RegistryFile | undefined
}

/** What one service keeps and commits together, as files. */
export interface RegistryPart {
  readonly name: string
  /** Where its files stand: `order.txt`, or all files of a folder with one ending, `services/*.ldif`. */
  readonly places: readonly string[]
  /** The canonical files of what the service holds now, in order of their paths. */
  files(): Iterable<RegistryFile>
  plan(folder: FolderReader, options: PlanOptions): PartPlan
}

/** Which of the changes that were given to a service broke a rule, from 0; undefined when the error does not say. */
export function placeOf(error: unknown): number | undefined {
  const outcome = isSpineError(error) ? (error.outcome as { readonly change?: unknown } | null) : undefined
  return typeof outcome?.change === 'number' ? outcome.change : undefined
}

/** The same refusal with its place in the folder and the name of the entry; what is no error of the family passes. */
export function placed(error: unknown, place: Place | undefined, name?: string): unknown {
  if (!isSpineError(error)) return error
  const where = place === undefined ? [] : [`${place.file}, line ${place.line}`]
  const what = name === undefined ? [] : [shown(name)]
  const explanation = [...where, ...what, shown(error.message.replace(/^Line \d+: /, ''), 1000)].join(': ')
  const outcome = typeof error.outcome === 'object' ? error.outcome : {}
  const about = { cause: error, explanation }
  return new SpineError(error.code, { ...outcome, ...place, ...(name === undefined ? {} : { name }) }, about)
}
