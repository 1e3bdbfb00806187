import type { KeptAnswer } from './changes/change.ts'
import { type UpdateParts, update } from './update/update.ts'
import { retrieveView } from './view.ts'

/** Whom the crash test updates. */
export const updatedNumber = '9990548609'

/** The n-th update: what it sets tells which one it was. */
export const patchOf = (index: number) => [
  {
    op: 'replace',
    path: '/birthDate',
    value: `19${String(10 + (index % 90))}-01-${String(1 + (index % 28)).padStart(2, '0')}`,
  },
]

/** The n-th update under its own X-Request-ID, over the version that was seen last. */
export function updateThrough(
  parts: Omit<UpdateParts, 'kept'>,
  { index, version }: { readonly index: number; readonly version: number },
): Promise<KeptAnswer> {
  const access = { mode: 'user-restricted', user: { id: '555' } } as const
  return update(
    { ...parts, kept: true },
    {
      nhsNumber: updatedNumber,
      version,
      patches: () => patchOf(index),
      access,
      author: { mode: 'user-restricted', user: '555' },
      request: { caller: 'crash', id: `request-${index}` },
      answer: (person) => ({
        status: 200,
        body: retrieveView(person, access),
        headers: { etag: `W/"${person.version}"` },
        shown: person.nhsNumber,
      }),
    },
  )
}
