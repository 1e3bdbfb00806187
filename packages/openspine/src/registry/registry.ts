import type { Directory } from '@openspine/services/directory/contract'
import type { SharingAgreements } from '@openspine/services/registration/contract'
import { SpineError } from '@openspine/standards/error'
import { agreementsPart } from './agreements-part.ts'
import { folderReader, registryFolder, type WrittenFolder, writeFolder } from './folder.ts'
import type { PartPlan, PlannedChange, PlanOptions, PlanWarning, RegistryPart } from './part.ts'
import { treePart } from './tree-part.ts'

export type { AttributeChange, PlannedChange, PlanOptions, PlanWarning, RegistryPart } from './part.ts'

/** What the parts of the registry are read from and applied through. */
export interface RegistryServices {
  readonly directory: Directory
  readonly registration: SharingAgreements
}

/** Everything that a registry folder holds, in the order in which it is applied: a further collection is one more line. */
export function registryParts({ directory, registration }: RegistryServices): readonly RegistryPart[] {
  return [treePart(directory), agreementsPart(registration)]
}

/** Writes the registry as files; `progress` hears how many are written. */
export function exportRegistry(
  folder: string,
  environment: string,
  parts: readonly RegistryPart[],
  progress: (files: number) => void = () => {},
): WrittenFolder {
  function* files() {
    for (const part of parts) yield* part.files()
  }
  return writeFolder(folder, { environment, places: parts.flatMap(({ places }) => places), files: files(), progress })
}

/** What would be done so that the registry is as a folder says. */
export interface RegistryPlan {
  /** Environment of the registry. */
  readonly environment: string
  /** Environment of the folder. */
  readonly from: string
  readonly changes: readonly PlannedChange[]
  /** How many entries the registry alone holds and keeps. */
  readonly staying: number
  /** What differs and is left as it is, in sentences. */
  readonly notes: readonly string[]
  readonly parts: readonly { readonly name: string; readonly plan: PartPlan }[]
}

/** Compares a folder with the registry; writes nothing. `progress` hears how many files are read. `REGISTRY_*` and `LDIF_SYNTAX` name the place that cannot be read. */
export function planRegistry(
  folder: string,
  environment: string,
  parts: readonly RegistryPart[],
  options: PlanOptions,
  progress: (files: number) => void = () => {},
): RegistryPlan {
  const { environment: from } = registryFolder(folder)
  const reader = folderReader(folder, progress)
  const plans = parts.map((part) => ({ name: part.name, plan: part.plan(reader, options) }))
  return {
    environment,
    from,
    changes: plans.flatMap(({ plan }) => plan.changes),
    staying: plans.reduce((sum, { plan }) => sum + plan.staying, 0),
    notes: plans.flatMap(({ plan }) => plan.notes),
    parts: plans,
  }
}

/** Names of systems, organisations and people are given out by one environment and mean something else in another. */
export function refuseOtherEnvironment({ environment, from }: RegistryPlan): void {
  if (environment === from) return
  const explanation = `The folder holds the registry of the environment ${from}, and this is ${environment}: ASIDs, party keys and CPA ids of one environment are not valid in another. Say --from-other-environment if you mean it.`
  throw new SpineError('REGISTRY_ENVIRONMENT', { environment, from }, { explanation })
}

/** A plan none of whose changes breaks a rule. */
export interface CheckedPlan {
  readonly plan: RegistryPlan
  readonly warnings: readonly PlanWarning[]
}

/** Rejects with the first rule that the plan breaks, in any part; writes nothing. */
export async function checkPlan(plan: RegistryPlan): Promise<CheckedPlan> {
  const warnings: PlanWarning[] = []
  for (const part of plan.parts) warnings.push(...(await part.plan.check()))
  return { plan, warnings }
}

/**
 * Applies a plan, all of whose parts were checked: part after part, each whole or not at all, and only to the state for
 * which it was made (`DIRECTORY_VERSION`, `REGISTRATION_VERSION`). What is cut off between two parts is completed by
 * planning and applying again: what is there already is no change.
 */
export async function applyPlan({ plan }: CheckedPlan, by: string): Promise<void> {
  for (const part of plan.parts) if (part.plan.changes.length > 0) await part.plan.apply(by)
}
