import { SpineError } from '@openspine/standards/error'
import type { EndpointKind, EndpointState, EndpointStep, EndpointStepName } from './contract.ts'

/** A step that somebody takes, and from which states it can be taken. */
export interface LifecycleStep {
  readonly step: Exclude<EndpointStepName, 'draft' | 'take-back'>
  readonly from: readonly EndpointState[]
  /** Where the kind has no host of its own, and so no name for which DNS could be approved. */
  readonly fromOfSystem?: readonly EndpointState[]
  readonly to: EndpointState
  /** Last part of the name of its audit record. */
  readonly event: string
  /** Taken by another person than the one who requested. */
  readonly anotherPerson: boolean
  /** The rules of §10 are asked again. */
  readonly rules: boolean
}

/** The state machine of directory specification §10.3. */
export const lifecycle: readonly LifecycleStep[] = [
  { step: 'request', from: ['draft'], to: 'requested', event: 'requested', anotherPerson: false, rules: true },
  {
    step: 'approve-dns',
    from: ['requested'],
    fromOfSystem: [],
    to: 'dns-approved',
    event: 'dns-approved',
    anotherPerson: true,
    rules: false,
  },
  {
    step: 'approve',
    from: ['dns-approved'],
    fromOfSystem: ['requested'],
    to: 'approved',
    event: 'approved',
    anotherPerson: true,
    rules: true,
  },
  { step: 'suspend', from: ['approved'], to: 'suspended', event: 'suspended', anotherPerson: false, rules: false },
  { step: 'resume', from: ['suspended'], to: 'approved', event: 'resumed', anotherPerson: false, rules: true },
  {
    step: 'withdraw',
    from: ['draft', 'requested', 'dns-approved', 'approved', 'suspended'],
    to: 'withdrawn',
    event: 'withdrawn',
    anotherPerson: false,
    rules: false,
  },
]

export function stepNamed(step: LifecycleStep['step']): LifecycleStep {
  return lifecycle.find((each) => each.step === step) as LifecycleStep
}

/** URPs compare without case and without the spaces after commas (§1). */
const person = (by: string) =>
  by
    .toLowerCase()
    .replaceAll(/\s*,\s*/g, ',')
    .trim()

/** Throws `REGISTRATION_STATE` or `REGISTRATION_FOUR_EYES` when the step cannot be taken, or not by this person. */
export function judgeStep(
  step: LifecycleStep,
  endpoint: { readonly id: string; readonly kind: EndpointKind; readonly state: EndpointState },
  about: { readonly by: string; readonly history: readonly EndpointStep[]; readonly onePersonSuffices: boolean },
): void {
  const from = endpoint.kind === 'AS' ? (step.fromOfSystem ?? step.from) : step.from
  const outcome = { id: endpoint.id, state: endpoint.state }
  if (!from.includes(endpoint.state)) {
    const needed =
      from.length === 0 ? `An endpoint of kind ${endpoint.kind} has no such step.` : `It must be ${from.join(' or ')}.`
    throw new SpineError('REGISTRATION_STATE', outcome, {
      explanation: `The endpoint is ${endpoint.state}: the step "${step.step}" is not possible. ${needed}`,
    })
  }
  if (!step.anotherPerson || about.onePersonSuffices) return
  const requested = about.history.findLast((each) => each.step === 'request')
  if (requested !== undefined && person(requested.by) === person(about.by)) {
    throw new SpineError('REGISTRATION_FOUR_EYES', outcome, {
      explanation: `${about.by} requested this endpoint: another person must take the step "${step.step}".`,
    })
  }
}
