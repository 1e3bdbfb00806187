import { isSpineError } from '@openspine/standards/error'
import type { PdsUpdate } from '@openspine/standards/hl7v3'
import type { Access } from '../access.ts'
import type { Author, KeptAnswer, RequestKey } from '../changes/change.ts'
import type { PdsOutcome } from '../outcomes.ts'
import type { StoredPerson } from '../person.ts'
import type { Update } from '../update/update.ts'
import { type Issue, issues } from './outcomes.ts'
import { patchesOf } from './update-patches.ts'

/** The use case of updates: that of every dialect (§10). */
export interface UpdateCase {
  update(asked: Update): Promise<KeptAnswer>
}

/** An update that keeps its rules, and who sends it. */
export interface UpdateAsked {
  readonly update: PdsUpdate
  readonly access: Access
  readonly author: Author
  readonly request: RequestKey
  answer(person: StoredPerson): KeptAnswer
}

const stale: Issue = {
  code: '0',
  level: 'ER',
  rule: 'SERIAL_CHANGE_NUMBER_MISMATCH',
  text: 'SERIAL_CHANGE_NUMBER_MISMATCH: the record has changed since it was read',
}

/** Why the record was not changed; the rules are those of §10.3, and so are their words. */
function issueOf(code: string, { diagnostics, coding }: PdsOutcome): Issue {
  switch (code) {
    case 'PDS_RESOURCE_NOT_FOUND':
      return issues.noMatch
    case 'PDS_INVALIDATED_RESOURCE':
      return issues.invalidated
    case 'PDS_RESOURCE_VERSION_MISMATCH':
      return stale
    default:
      return { code: '0', level: 'ER', rule: coding.code, text: `${coding.code}: ${diagnostics ?? coding.display}` }
  }
}

/** Changes the record, or tells why not. */
export async function runUpdate(cases: UpdateCase, asked: UpdateAsked): Promise<KeptAnswer | Issue> {
  const { update } = asked
  const told = update.serialChangeNumbers[0]?.value ?? ''
  const version = /^\d{1,9}$/.test(told) ? Number(told) : undefined
  try {
    return await cases.update({
      nhsNumber: update.ids[0]?.extension ?? '',
      version,
      // Object ids of another version may be gone: that it is another one is what the sender has to know.
      patches: (read) => (read.version === version ? patchesOf(update, read.view) : []),
      access: asked.access,
      author: asked.author,
      request: asked.request,
      answer: asked.answer,
    })
  } catch (error) {
    if (!isSpineError(error) || !error.code.startsWith('PDS_')) throw error
    const outcome = error.outcome as PdsOutcome
    if (outcome.status >= 500) throw error
    return issueOf(error.code, outcome)
  }
}
