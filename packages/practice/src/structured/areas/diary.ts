/** Diary entries (§9.5): what is planned for a patient, as ProcedureRequests of intent `plan`. */
import { type Area, dayOf } from '../area.ts'
import { concept } from '../elements.ts'
import { titleOf } from './references.ts'
import { consultationsByItem, heading, listed, made, notes, words } from './writing.ts'

export const diary: Area = {
  name: 'diary',
  title: titleOf('diaryEntries'),
  parameter: 'includeDiaryEntries',
  since: '1.5',
  parts: [{ name: 'diaryEntriesSearchDate', type: 'date', bound: 'fromToday' }],
  whole: {},
  build(query, context) {
    const last = dayOf(query, 'diaryEntriesSearchDate')
    const encounterOf = consultationsByItem(context)
    const rows = context
      .identified('diary', context.patient.diaryEntries, ({ recordedDate, entry, details }) => [
        recordedDate,
        entry,
        details,
      ])
      // Only what is still to be done is ever sent.
      .filter(({ row }) => !row.completed)
    return listed(
      { kind: 'diary', type: 'ProcedureRequest' },
      query,
      context,
      rows,
      ({ date }) => last === undefined || date === undefined || date <= last,
      ({ row, id }) => [
        made({
          ...heading(context, 'ProcedureRequest', id),
          status: 'active',
          intent: 'plan',
          code: concept(row.codes, row.entry, 'plan'),
          subject: context.subject,
          context: encounterOf(id),
          occurrenceDateTime: row.date,
          authoredOn: row.recordedDate,
          requester: { agent: context.practitioner(row.recordedBy) },
          reasonCode: row.reason && [words(row.reason)],
          note: notes(row.details),
        }),
      ],
    )
  },
}
