/** What is done about Summary Care Records, free of transport. */

import type { Resource } from '@openspine/standards/fhir'
import { r4 } from '@openspine/standards/fhir/r4'
import type { Json } from '@openspine/standards/fhir/untrusted'
import { type Demographics, type KnownAs, knownAs } from '../demographics/contract.ts'
import type { RequestKey } from '../gateway/contract.ts'
import { alertChecks, alertIn } from './alert.ts'
import type { ScrCheck } from './checks.ts'
import type { Actor, Permission, SummaryVersion } from './contract.ts'
import { accessControlText, refuse } from './outcomes.ts'
import { permissionChecks, permissionIn } from './permission.ts'
import type { SummaryStore } from './store.ts'
import { numberOf, replacedBy, summaryIdOf, uploadChecks } from './upload.ts'

export interface ScrNeeds {
  readonly store: SummaryStore
  readonly demographics: Pick<Demographics, 'find' | 'mergedInto'>
  readonly permissionUnset: Permission
  /** Whether an upload must replace the latest summary, where there is one. */
  readonly latestOnly: boolean
  newId(): string
}

/** Throws the outcome of the first check that fails. */
export function mustPass<Subject>(checks: readonly ScrCheck<Subject>[], subject: Subject): void {
  for (const check of checks) {
    const text = check.fault(subject)
    if (text === undefined) continue
    const { diagnostics } = check
    throw refuse(check.outcome, text, check.name, { because: check.explains, ...(diagnostics && { diagnostics }) })
  }
}

/**
 * A summary tells where its patient is cared for, in its text too, so that of restricted people there is none to be had,
 * as of very restricted ones (§15).
 */
function mustBeOpen({ person }: KnownAs): void {
  const { sensitivity = 'U' } = person
  if (sensitivity !== 'U')
    throw refuse('accessControl', accessControlText, 'Patient is not restricted', {
      because: 'The record of this patient is restricted: no summary is shown or taken.',
    })
}

async function patientToWrite(needs: ScrNeeds, nhsNumber: string): Promise<KnownAs> {
  const known = await knownAs(needs.demographics, nhsNumber)
  if (known === undefined)
    throw refuse('value', 'Patient not found', 'Patient', {
      because: 'No current person has this NHS number in this environment.',
    })
  return known
}

function mustBeRetained({ numbers: [retained] }: KnownAs, nhsNumber: string): void {
  if (retained !== nhsNumber)
    throw refuse(
      'accessControl',
      'Update Failed - NHS No. supplied has been superseded in a merge',
      'Patient was not merged',
    )
}

/** What a read finds. */
export interface Found {
  /** Of the retained record; the one that was asked for where nobody has it. */
  readonly nhsNumber: string
  readonly permission: Permission
  readonly latest?: SummaryVersion
}

/** The latest summary of a patient under whichever of their numbers, and what the patient has decided. */
export async function latestOf(needs: ScrNeeds, nhsNumber: string): Promise<Found & { readonly known?: KnownAs }> {
  const known = await knownAs(needs.demographics, nhsNumber)
  if (known === undefined) return { nhsNumber, permission: needs.permissionUnset }
  mustBeOpen(known)
  const [latest, decided] = await Promise.all([
    needs.store.latest(known.numbers),
    needs.store.permission(known.numbers),
  ])
  return {
    nhsNumber: known.numbers[0],
    permission: decided?.permission ?? needs.permissionUnset,
    known,
    ...(latest && { latest }),
  }
}

const optedOut = () =>
  refuse('accessControl', accessControlText, 'Permission', {
    because: 'The patient has opted out: the permission is No. $setPermission changes it.',
  })

/** The summary of this id, where it is the latest; `document` is absent where it is not. */
export async function retrieved(
  needs: ScrNeeds,
  nhsNumber: string,
  id: string,
): Promise<Found & { readonly document?: Resource }> {
  const { known, ...found } = await latestOf(needs, nhsNumber)
  if (found.permission === 'No') throw optedOut()
  if (known === undefined || found.latest?.id !== id) return found
  const content = await needs.store.content(known.numbers, id)
  return content === undefined ? found : { ...found, document: r4.fromJson(content) }
}

/** A write: who asks, and what makes a repeat of it the same. */
export interface Writing {
  readonly by: Actor
  readonly request?: RequestKey
}

/** Whose record was written, and what of it. */
export interface Written {
  readonly nhsNumber: string
  readonly touched: string
}

export async function upload(needs: ScrNeeds, bundle: Json, { by, request }: Writing): Promise<Written> {
  mustPass(uploadChecks, bundle)
  const nhsNumber = numberOf(bundle)
  const known = await patientToWrite(needs, nhsNumber)
  mustBeRetained(known, nhsNumber)
  mustBeOpen(known)
  const id = summaryIdOf(bundle)
  const replaces = replacedBy(bundle)
  const content = r4.toJson(bundle as unknown as Resource)
  const summary = { id, uploaded: by, content, ...(replaces === undefined ? {} : { replaces }) }
  await needs.store.add(
    known.numbers,
    summary,
    ({ latest, permission, taken }) => {
      if ((permission?.permission ?? needs.permissionUnset) === 'No') throw optedOut()
      if (taken)
        throw refuse(
          'value',
          `[PSIS-30134] - Duplicate event with eventId ${id} and nhsNumber ${nhsNumber}.`,
          'Summary is new',
          { because: 'The patient has a summary of this id: each upload has a new one in Composition.identifier.' },
        )
      if (needs.latestOnly && latest !== undefined && latest.id !== replaces)
        throw refuse(
          'value',
          'Composition.relatesTo.targetIdentifier is not the latest summary',
          'Latest is replaced',
          {
            because: `Ask for the latest summary (GET /DocumentReference), and name it: it is ${latest.id}.`,
          },
        )
    },
    request,
  )
  return { nhsNumber, touched: `summary ${id}` }
}

/** Also of restricted people: it tells nothing, and the patient decides. */
export async function setPermission(needs: ScrNeeds, parameters: Json, { by, request }: Writing): Promise<Written> {
  mustPass(permissionChecks, parameters)
  const { nhsNumber, permission } = permissionIn(parameters)
  const known = await patientToWrite(needs, nhsNumber)
  mustBeRetained(known, nhsNumber)
  await needs.store.setPermission(known.numbers, permission, by, request)
  return { nhsNumber, touched: `permission ${permission}` }
}

/** An alert is never lost: that of a number that was merged is kept for the retained one. */
export async function alert(needs: ScrNeeds, event: Json, { by, request }: Writing): Promise<Written> {
  mustPass(alertChecks, event)
  const { nhsNumber, ...said } = alertIn(event)
  const { numbers } = await patientToWrite(needs, nhsNumber)
  const id = needs.newId()
  await needs.store.addAlert(numbers, { ...said, id, sent: by }, request)
  return { nhsNumber: numbers[0], touched: `alert ${id}` }
}
