import type { RaisedEvent } from '../changes/change.ts'
import { asJson, extensionUrl, items, type Json } from '../person.ts'
import { deathStatus, partOf } from '../rules/extensions.ts'

/** Whom an event is about, as they are after the change: it may be published when the record has changed again. */
export interface EventSubject {
  readonly name?: Json
  readonly birthDate?: unknown
  readonly gender?: unknown
}

export function subjectOf(record: Json): EventSubject {
  const { birthDate, gender } = record
  const name = items(record['name']).find(({ use }) => use === 'usual')
  return {
    ...(name && { name }),
    ...(birthDate === undefined ? {} : { birthDate }),
    ...(gender === undefined ? {} : { gender }),
  }
}

/** The events of §22 that the difference between two states of a record raises. */
export function raisedBy(before: Json, after: Json): RaisedEvent[] {
  const subject = subjectOf(after)
  const raised: RaisedEvent[] = [{ code: 'pds-record-change-1', facts: { subject } }]
  const home = (record: Json) => items(record['address']).find(({ use }) => use === 'home')
  const place = (address: Json | undefined) => JSON.stringify([address?.['line'], address?.['postalCode']])
  if (place(home(before)) !== place(home(after)))
    raised.push({
      code: 'pds-change-of-address-1',
      facts: { subject, old: home(before) ?? null, new: home(after) ?? null },
    })
  const [previous, current] = [practiceOf(before), practiceOf(after)]
  if (previous !== current) raised.push({ code: 'pds-change-of-gp-1', facts: { subject, previous, current } })
  const [was, is] = [deathOf(before), deathOf(after)]
  if (was?.status !== is?.status)
    raised.push({
      code: 'pds-death-notification-1',
      facts: {
        subject,
        status: is?.status ?? 'U',
        effective: is?.effective ?? null,
        died: after['deceasedDateTime'] ?? null,
      },
    })
  return raised
}

const practiceOf = (record: Json): unknown =>
  asJson(items(record['generalPractitioner'])[0]?.['identifier'])['value'] ?? null

function deathOf(record: Json): { readonly status: string | undefined; readonly effective: unknown } | undefined {
  const notification = items(record['extension']).find(({ url }) => url === extensionUrl.deathNotification)
  return (
    notification && {
      status: deathStatus(notification),
      effective: partOf(notification, 'systemEffectiveDate')?.part['valueDateTime'],
    }
  )
}
