import type { PdsUpdate } from '@openspine/standards/hl7v3'
import type { Access } from '../access.ts'
import type { Author, KeptAnswer, RequestKey } from '../changes/change.ts'
import type { StoredPerson } from '../person.ts'
import type { Related } from '../related.ts'
import { pdsPerson } from '../spine-person.ts'
import { relatedOf } from '../spine-related.ts'
import { sameJson } from '../update/patch.ts'
import type { RelatedChange } from '../update/related.ts'
import type { Update } from '../update/update.ts'
import type { Issue } from './outcomes.ts'
import { refusalIssue } from './refusal-issue.ts'
import { relatedSnippet } from './related-snippet.ts'
import { patchesOf } from './update-patches.ts'

/** The use case of updates, that of every dialect (§10); and who is related, to know what of them is changed. */
export interface UpdateCase {
  update(asked: Update): Promise<KeptAnswer>
  related(nhsNumber: string): Promise<Related>
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
  const nhsNumber = update.ids[0]?.extension ?? ''
  try {
    const related = await relatedChanges(cases, update, nhsNumber)
    return await cases.update({
      nhsNumber,
      version,
      ...(related && { related }),
      // Object ids of another version may be gone: that it is another one is what the sender has to know.
      patches: ({ version: current, view, shown }) =>
        current === version
          ? patchesOf(update, view, pdsPerson(shown(), { nhsNumber, version: current, sensitivity: 'U' }))
          : [],
      access: asked.access,
      author: asked.author,
      request: asked.request,
      answer: asked.answer,
    })
  } catch (error) {
    return refusalIssue(error)
  }
}

/** What the update does with related people; undefined where it does nothing with them. */
async function relatedChanges(
  cases: UpdateCase,
  { related }: PdsUpdate,
  nhsNumber: string,
): Promise<readonly RelatedChange[] | undefined> {
  const told = related.filter(({ updateMode }) => updateMode !== undefined)
  if (told.length === 0) return undefined
  const altered = told.some(({ updateMode }) => updateMode === 'altered')
  const shown = altered ? (await cases.related(nhsNumber)).shown.map((each) => relatedOf(each, nhsNumber)) : []
  return told.flatMap((each): RelatedChange[] => {
    const { updateMode, ...value } = each
    const id = value.id?.extension ?? ''
    if (updateMode === 'added') return [{ op: 'add', value: relatedSnippet(value) }]
    if (updateMode === 'removed') return [{ op: 'remove', id }]
    // Sent back as it was retrieved: what these messages do not tell of them stays.
    return shown.some((one) => sameJson(one, value)) ? [] : [{ op: 'replace', id, value: relatedSnippet(value) }]
  })
}
