import { generalizedTime, type TreeEdit } from '@openspine/standards/ldap'
import type { StoredChange } from './store.ts'

/** The change log as LDAP shows it (directory specification §6.5): a head, and one entry a change below it. */
const dn = 'cn=Changelog,o=nhs'
const system = 'cn=System'
const keyOf = (number: number) => `changenumber=${number},cn=changelog,o=nhs`

/** Entries below the head have no identity of their own in the store: theirs is made of their number. */
const uuidOf = (number: number) => `00000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`

/** After the entry of that number, before what the next change brings (`TreeEntry.order`). */
const orderOfChange = (number: number) => number * 4 + 2

/** Right after o=nhs, whose position is 1. */
const orderOfHead = 5

/** Shows which changes there are. `first` and `last` are 0 while there are none. */
export function putHead(edit: TreeEdit, first: number, last: number, at: number): void {
  const createdAt = edit.get('o=nhs')?.provenance.createdAt ?? at
  edit.put(
    dn,
    {
      objectClass: ['top', 'nhsExternalChangelog'],
      cn: ['Changelog'],
      firstchangenumber: [String(first)],
      lastchangenumber: [String(last)],
    },
    orderOfHead,
    { uuid: uuidOf(0), createdAt, modifiedAt: at, creator: system, modifier: system },
  )
}

export function putChange(edit: TreeEdit, change: StoredChange): void {
  edit.put(
    `changenumber=${change.number},${dn}`,
    {
      objectClass: ['top', 'changeLogEntry', 'nhsExternalChangelogEntry'],
      changenumber: [String(change.number)],
      targetDN: [change.dn],
      changeType: [change.kind],
      changeTime: [generalizedTime(change.at)],
      ...(change.changes === '' ? {} : { changes: [change.changes] }),
    },
    orderOfChange(change.number),
    { uuid: uuidOf(change.number), createdAt: change.at, modifiedAt: change.at, creator: system, modifier: system },
  )
}

/** Takes the changes of these numbers out again. */
export function dropChanges(edit: TreeEdit, from: number, to: number): void {
  for (let number = from; number <= to; number++) edit.delete(keyOf(number))
}
