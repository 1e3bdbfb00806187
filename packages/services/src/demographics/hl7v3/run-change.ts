import type { Access } from '../access.ts'
import type { Author, KeptAnswer, RequestKey } from '../changes/change.ts'
import type { StoredPerson } from '../person.ts'
import { birthMessageChecks } from './birth-checks.ts'
import type { Call } from './call.ts'
import type { ChangeKind } from './interactions.ts'
import { findings } from './message-check.ts'
import { nhaisChecks } from './nhais-checks.ts'
import { type Issue, unkept } from './outcomes.ts'
import { registrationChecks } from './registration-checks.ts'
import { type RegisterCases, type RegisterRan, runBirth, runRegistration } from './run-register.ts'
import { runUpdate, type UpdateCase } from './run-update.ts'
import { updateChecks } from './update-checks.ts'

/** The use cases that messages stand on that change something. */
export interface ChangeCases extends UpdateCase, RegisterCases {}

/** Who asks for a change, and how they are answered. */
export interface ChangeAsked {
  readonly access: Access
  readonly author: Author
  readonly request: RequestKey
  answer(person: StoredPerson, warnings: readonly Issue[]): KeptAnswer
}

/** Changed; or not, and why, and whom a registration found in place of a new person. */
export type ChangeRan =
  | { readonly answer: KeptAnswer; readonly warnings: readonly Issue[] }
  | { readonly issues: readonly Issue[]; readonly matched: readonly string[] }

/** Holds a message against the rules of its kind, and does what it asks where it keeps them. */
export async function runChange(
  cases: ChangeCases,
  kind: ChangeKind,
  call: Call,
  asked: ChangeAsked,
): Promise<ChangeRan> {
  const { errors, warnings } = judged(kind, call)
  if (errors.length > 0) return { issues: errors, matched: [] }
  const { access, author, request } = asked
  const answer = (person: StoredPerson) => asked.answer(person, warnings)
  const ran = await done(cases, kind, call, { access, author, request, answer })
  return 'answer' in ran ? { answer: ran.answer, warnings } : { issues: [ran.issue], matched: ran.matched }
}

function judged(kind: ChangeKind, call: Call) {
  switch (kind) {
    case 'general update':
      return findings(updateChecks, call.update)
    case 'NHAIS update': {
      const { errors, warnings } = findings(nhaisChecks, call.update)
      return { errors, warnings: call.update.enrolment?.updateMode === undefined ? warnings : [...warnings, unkept] }
    }
    case 'allocation':
      return findings(registrationChecks, call.registration)
    case 'birth notification':
      return findings(birthMessageChecks, call.birth)
  }
}

async function done(
  cases: ChangeCases,
  kind: ChangeKind,
  call: Call,
  asked: Omit<ChangeAsked, 'answer'> & { answer(person: StoredPerson): KeptAnswer },
): Promise<RegisterRan> {
  switch (kind) {
    case 'allocation':
      return runRegistration(cases, call.registration, asked)
    case 'birth notification':
      return runBirth(cases, call.birth, asked)
    case 'general update':
    case 'NHAIS update': {
      const result = await runUpdate(cases, { ...asked, update: call.update })
      return 'code' in result ? { issue: result, matched: [] } : { answer: result }
    }
  }
}
