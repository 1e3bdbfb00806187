import type { PdsBirth, PdsRegistration } from '@openspine/standards/hl7v3'
import type { Author, KeptAnswer, RequestKey } from '../changes/change.ts'
import { outcomes } from '../outcomes.ts'
import type { StoredPerson } from '../person.ts'
import type { BirthNotification } from '../register/birth.ts'
import type { Creation } from '../register/create.ts'
import type { Registered } from '../register/register.ts'
import { birthBundleOf } from './birth-bundle.ts'
import { type Issue, issues } from './outcomes.ts'
import { outcomeIssue, refusalIssue } from './refusal-issue.ts'
import { practiceIn, registrationBody } from './registration-body.ts'

/** The use cases of new people: those of every dialect (§12, §13). */
export interface RegisterCases {
  create(asked: Creation): Promise<Registered>
  birth(asked: BirthNotification): Promise<Registered>
}

/** Who asks, and how they are answered. */
export interface RegisterAsked {
  readonly author: Author
  readonly request: RequestKey
  answer(person: StoredPerson): KeptAnswer
}

/** Registered; or not, and why, and who it was instead. */
export type RegisterRan =
  | { readonly answer: KeptAnswer }
  | { readonly issue: Issue; readonly matched: readonly string[] }

async function ran(registering: Promise<Registered>): Promise<RegisterRan> {
  try {
    const registered = await registering
    if ('answer' in registered) return registered
    const [only, ...more] = registered.matched
    return only !== undefined && more.length === 0
      ? { issue: outcomeIssue(outcomes.singleMatch(only)), matched: [only] }
      : { issue: { ...issues.several, rule: outcomes.multipleMatches.coding.code }, matched: [] }
  } catch (error) {
    return { issue: refusalIssue(error), matched: [] }
  }
}

/** Gives somebody a record and a number, or tells why not. */
export function runRegistration(cases: RegisterCases, it: PdsRegistration, asked: RegisterAsked): Promise<RegisterRan> {
  const practice = practiceIn(it)
  return ran(cases.create({ ...asked, value: registrationBody(it), ...(practice && { practice }) }))
}

/** Registers a child that was born, or tells why not. */
export function runBirth(cases: RegisterCases, it: PdsBirth, asked: RegisterAsked): Promise<RegisterRan> {
  const ignorePotentialMatches = it.ignoreDuplicates[0] === 'true'
  return ran(cases.birth({ ...asked, value: birthBundleOf(it), ignorePotentialMatches }))
}
