import { authorOf, type KeptAnswer } from '../changes/change.ts'
import { type Arrival, mustPass, retrieveChecks } from '../checks.ts'
import { updateRequestChecks } from '../update/checks.ts'
import { patchesIn } from '../update/patch.ts'
import type { Update } from '../update/update.ts'
import { retrieveView } from '../view.ts'

/** What of an HTTP request a write looks at. */
export interface WriteRequest {
  readonly ifMatch: string | undefined
  readonly contentType: string | undefined
  readonly body: unknown
  /** NHSD-End-User-Organisation-ODS. */
  readonly organisation: string | undefined
}

/** PATCH /Patient/{id}: the checks before the record is read, in the order of §6, and then the update. */
export function updateAnswer(
  parts: { readonly update: (asked: Update) => Promise<KeptAnswer>; readonly plainJsonPatch: boolean },
  arrival: Arrival,
  sent: WriteRequest,
): Promise<KeptAnswer> {
  const { number = '', access, requestId } = arrival
  mustPass(retrieveChecks, { number })
  const { ifMatch, contentType } = sent
  mustPass(updateRequestChecks, { ifMatch, contentType, requestId, plainJson: parts.plainJsonPatch })
  return parts.update({
    nhsNumber: number,
    version: versionIn(ifMatch),
    patches: () => patchesIn(sent.body),
    access,
    author: authorOfRequest(arrival, sent),
    request: requestKey(arrival),
    answer: (person) => ({
      status: 200,
      body: retrieveView(person, access),
      headers: { etag: etagOf(person.version) },
      shown: person.nhsNumber,
    }),
  })
}

/** Who writes, for the history. */
export function authorOfRequest({ access, role }: Arrival, { organisation }: Pick<WriteRequest, 'organisation'>) {
  return authorOf(access, {
    ...(role === undefined ? {} : { role }),
    ...(organisation === undefined ? {} : { organisation: organisation.slice(0, 32) }),
  })
}

/** What makes a write the same one (§17): the caller, as app and person, and their X-Request-ID in lower case. */
export function requestKey({ access, requestId = '' }: Arrival) {
  const { mode, app, user, patient } = access
  return { caller: [mode, app?.id ?? '', user?.id ?? patient?.nhsNumber ?? ''].join(' '), id: requestId.toLowerCase() }
}

export const etagOf = (version: number): string => `W/"${version}"`

/** The version that If-Match names; undefined where it names none. */
export function versionIn(ifMatch: string | undefined): number | undefined {
  const found = /^\s*(?:W\/)?"?(\d{1,9})"?\s*$/.exec(ifMatch ?? '')
  return found ? Number(found[1]) : undefined
}
