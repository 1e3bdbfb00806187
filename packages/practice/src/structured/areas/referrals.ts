/** Outbound referrals (§9.5) as ReferralRequests. */
import { within } from '../../record/dates.ts'
import { type Area, rangeOf } from '../area.ts'
import { concept } from '../elements.ts'
import { titleOf } from './references.ts'
import { consultationsByItem, heading, listed, made, notes, partyOf, words } from './writing.ts'

export const referrals: Area = {
  name: 'referrals',
  title: titleOf('referrals'),
  parameter: 'includeReferrals',
  since: '1.5',
  parts: [{ name: 'referralSearchPeriod', type: 'period', bound: 'untilToday' }],
  whole: {},
  build(query, context) {
    const days = rangeOf(query, 'referralSearchPeriod')
    const encounterOf = consultationsByItem(context)
    const rows = context.identified('referrals', context.patient.referrals, ({ date, to, details }) => [
      date,
      to,
      details,
    ])
    return listed(
      { kind: 'referrals', type: 'ReferralRequest' },
      query,
      context,
      rows,
      ({ date }) => within(date, days),
      ({ row, id }) => {
        const recipients = row.recipients.map((recipient) => partyOf(recipient, context, id))
        const { identifier, ...head } = heading(context, 'ReferralRequest', id)
        const request = made({
          ...head,
          identifier: [
            ...identifier,
            ...(row.bookingReference === undefined
              ? []
              : [{ system: 'https://fhir.nhs.uk/Id/ubr-number', value: row.bookingReference }]),
          ],
          status: 'unknown',
          intent: 'order',
          priority: row.urgency,
          subject: context.subject,
          context: encounterOf(id),
          authoredOn: row.date,
          requester: { agent: context.practitioner(row.requester ?? row.recordedBy) },
          specialty: row.specialty && words(row.specialty),
          recipient: recipients.map(({ reference }) => reference),
          reasonCode: [concept(row.codes, row.codes[0]?.display ?? row.to, 'referral')],
          description: row.details === '' ? undefined : row.details,
          // What has no element, or none of its kind, is written as words.
          note: notes(
            ['From', row.requester === undefined ? row.from : undefined],
            ['To', recipients.length === 0 ? row.to : undefined],
            ['Priority', row.urgency === undefined ? row.priority : undefined],
          ),
        })
        return [request, ...recipients.flatMap(({ resources }) => resources)]
      },
    )
  },
}
