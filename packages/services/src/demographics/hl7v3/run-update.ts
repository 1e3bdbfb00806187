import type { PdsUpdate } from '@openspine/standards/hl7v3'
import type { Access } from '../access.ts'
import type { Author, KeptAnswer, RequestKey } from '../changes/change.ts'
import type { StoredPerson } from '../person.ts'
import type { Update } from '../update/update.ts'
import type { Issue } from './outcomes.ts'
import { refusalIssue } from './refusal-issue.ts'
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
    return refusalIssue(error)
  }
}
