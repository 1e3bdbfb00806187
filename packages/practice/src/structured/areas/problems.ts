/** Problems (§9.5): Conditions that tell what belongs to them, and those that come along with other areas' rows. */
import type { Reference } from '@openspine/standards/fhir'
import type { Problem } from '../../record/clinical.ts'
import { type ProblemLinks, problemLinks } from '../../record/links.ts'
import { isFrom } from '../../record/services.ts'
import type { Area, AreaQuery, AreaResult, IdentifiedResource } from '../area.ts'
import { joined } from '../bundle.ts'
import { type Context, once } from '../context.ts'
import { concept } from '../elements.ts'
import type { Identified } from '../identity.ts'
import { referencesTo, titleOf } from './references.ts'
import { careConnectHl7, consultationsByItem, extension, firstKnown, heading, listed, made, notes } from './writing.ts'

/** Highest and middle significance are major; lowest or none is minor. */
function significanceOf({ significance }: Problem): 'major' | 'minor' {
  return significance !== undefined && significance.level !== 'lowest' ? 'major' : 'minor'
}

/** Whether any of the pairs that were asked for fits; what a pair does not say fits all. */
function matches(problem: Problem, { asked }: AreaQuery): boolean {
  return asked.some(
    ({ filterStatus, filterSignificance }) =>
      (filterStatus === undefined || filterStatus === problem.status) &&
      (filterSignificance === undefined || filterSignificance === significanceOf(problem)),
  )
}

const linksOf = once((context) => problemLinks(context.patient))

function problemsOf(context: Context): readonly Identified<Problem>[] {
  return context.identified('problems', context.patient.problems, ({ entry, startDate }) => [entry, startDate])
}

const list = { kind: 'problems', type: 'Condition' } as const

export const problems: Area = {
  name: 'problems',
  title: titleOf('problems'),
  parameter: 'includeProblems',
  since: '1.5',
  repeats: true,
  parts: [
    { name: 'filterStatus', type: 'code', values: ['active', 'inactive'] },
    { name: 'filterSignificance', type: 'code', values: ['major', 'minor'] },
  ],
  forbids: [
    'medicationSearchFromDate',
    'uncategorisedDataSearchPeriod',
    'referralSearchPeriod',
    'diaryEntriesSearchDate',
    'includeNotGiven',
    'includeStatus',
  ],
  brings: [
    'allergies',
    'medication',
    'consultations',
    'immunisations',
    'uncategorised',
    'investigations',
    'referrals',
    'diary',
    'documents',
  ],
  whole: {},
  build(query, context) {
    const all = problemsOf(context)
    const links = linksOf(context)
    const condition = conditionOf(context, links)
    const own = listed(
      list,
      query,
      context,
      all,
      (row) => matches(row, query),
      (row) => [condition(row)],
    )
    // Problems that another area brings along bring nothing themselves.
    if (query.only !== undefined) return { ...own, shown: [] }
    const shown = new Set(own.shown)
    const items = all.flatMap(({ row, id }) => (shown.has(id) ? [...links.linked(row)] : []))
    return joined([own, context.linked(new Set(items), 'problems', 'problems')])
  },
}

/** Problems linked to rows that are shown, or related to problems that are. */
export function linkedProblems(shown: ReadonlySet<string>, context: Context): AreaResult {
  const all = problemsOf(context)
  const links = linksOf(context)
  const linked = all.filter(
    ({ row }) =>
      links.related(row).some(({ problem }) => shown.has(problem)) ||
      [...links.linked(row)].some((id) => shown.has(id)),
  )
  // Before there was an area of problems, none came along.
  if (linked.length === 0 || !isFrom(context.version, problems.since)) return { resources: [], lists: [], shown: [] }
  if (context.disabled('problems'))
    return {
      resources: [],
      lists: [
        {
          kind: 'problems',
          within: 'problems',
          entries: [{ display: `${titleOf('problems')} items have been disabled` }],
        },
      ],
      shown: [],
    }
  const condition = conditionOf(context, links)
  const only = { ids: new Set(linked.map(({ id }) => id)), within: 'problems' } as const
  return listed(
    list,
    { asked: [], only },
    context,
    all,
    () => true,
    (row) => [condition(row)],
  )
}

function conditionOf(context: Context, links: ProblemLinks): (problem: Identified<Problem>) => IdentifiedResource {
  const reference = referencesTo(context)
  const encounterOf = consultationsByItem(context)
  return ({ row, id }) => {
    const { actualProblem } = row
    const content = (name: string, value: Reference) => extension(careConnectHl7(name), { valueReference: value })
    const related = [...links.linked(row)].filter((each) => each !== actualProblem)
    // Why items are missing is said once for each area, not for each item.
    const contents = new Map(
      related.flatMap((each) => {
        const item = reference(each)
        return item === undefined ? [] : [['reference' in item ? item.reference : item.display, item] as const]
      }),
    )
    const actual = actualProblem === undefined ? undefined : reference(actualProblem)
    return made({
      ...heading(context, 'Condition', id, 'ProblemHeader-Condition'),
      extension: [
        ...(actual === undefined ? [] : [content('ActualProblem', actual)]),
        extension(careConnectHl7('ProblemSignificance'), { valueCode: significanceOf(row) }),
        ...links.related(row).map((relation) =>
          extension(careConnectHl7('RelatedProblemHeader'), {
            extension: [
              extension('type', { valueCode: relation.is }),
              extension('target', { valueReference: { reference: `Condition/${relation.problem}` } }),
            ],
          }),
        ),
        ...[...contents.values()].map((item) => content('RelatedClinicalContent', item)),
      ],
      clinicalStatus: row.status,
      category: [
        {
          coding: [
            {
              system: 'http://hl7.org/fhir/condition-category',
              code: 'problem-list-item',
              display: 'Problem List Item',
            },
          ],
        },
      ],
      code: concept(row.codes, row.entry, 'other'),
      subject: context.subject,
      context: encounterOf(id),
      onsetDateTime: row.startDate,
      abatementDateTime: row.endDate,
      assertedDate: firstKnown(context, row.recordedDate, row.startDate, row.endDate),
      asserter: context.practitioner(row.recordedBy),
      note: notes(row.details),
    })
  }
}
