/** Consultations (§9.5): an Encounter each, and the Lists of its topics, headings and items. */
import type { ConsultationItem, Encounter } from '../../record/clinical.ts'
import { within } from '../../record/dates.ts'
import { type Area, type AreaQuery, type IdentifiedResource, rangeOf } from '../area.ts'
import { joined } from '../bundle.ts'
import type { Context } from '../context.ts'
import { profiled, snomed } from '../elements.ts'
import type { Identified } from '../identity.ts'
import { type ItemReference, referencesTo, titleOf } from './references.ts'
import { narrativeId } from './uncategorised.ts'
import { careConnectHl7, encountersOf, extension, heading, instantOf, listed, made } from './writing.ts'

export const consultations: Area = {
  name: 'consultations',
  title: titleOf('encounters'),
  parameter: 'includeConsultations',
  since: '1.5',
  parts: [
    { name: 'consultationSearchPeriod', type: 'period', bound: 'untilToday' },
    { name: 'includeNumberOfMostRecent', type: 'positiveInt' },
  ],
  exclusive: [['consultationSearchPeriod', 'includeNumberOfMostRecent']],
  forbids: [
    'medicationSearchFromDate',
    'uncategorisedDataSearchPeriod',
    'filterSignificance',
    'filterStatus',
    'referralSearchPeriod',
    'diaryEntriesSearchDate',
    'includeNotGiven',
    'includeStatus',
  ],
  brings: [
    'allergies',
    'medication',
    'problems',
    'immunisations',
    'uncategorised',
    'investigations',
    'referrals',
    'diary',
    'documents',
  ],
  whole: {},
  build(query, context) {
    const list = { kind: 'consultations', type: 'Encounter' } as const
    const all = encountersOf(context)
    if (query.only !== undefined)
      return listed(
        list,
        query,
        context,
        all,
        () => true,
        (row) => [encounterResource(row, context)],
      )
    const reference = referencesTo(context)
    const structures = new Map(all.map((encounter) => [encounter.row, structureOf(encounter, reference, context)]))
    const wanted = new Set(chosen(all, structures, query, context))
    const own = listed(
      list,
      query,
      context,
      all,
      (row) => wanted.has(row),
      (encounter) => [
        encounterResource(encounter, context),
        ...structureLists(encounter, structures.get(encounter.row) ?? [], context),
      ],
    )
    const items = all
      .filter(({ row }) => wanted.has(row) && !context.shareable([{ row, id: '' }]).withheld)
      .flatMap(({ row, id }) => idsOf(row, id, context))
    return joined([own, context.linked(new Set(items), 'consultations', 'consultations')])
  },
}

/** Those of the period, or the latest ones; what nothing was written in is never sent. */
function chosen(
  all: readonly Identified<Encounter>[],
  structures: ReadonlyMap<Encounter, Structure>,
  query: AreaQuery,
  context: Context,
): readonly Encounter[] {
  const days = rangeOf(query, 'consultationSearchPeriod')
  const count = query.asked[0]?.['includeNumberOfMostRecent']
  const filled = all.filter(({ row }) => (structures.get(row) ?? []).length > 0 && within(row.date, days))
  if (typeof count !== 'number') return filled.map(({ row }) => row)
  const latest = (row: Encounter) => row.start ?? row.date
  return context
    .shareable(filled)
    .shown.map(({ row }) => row)
    .sort((one, other) => (latest(one) < latest(other) ? 1 : latest(one) > latest(other) ? -1 : 0))
    .slice(0, count)
}

const practitionerIn = (system: string, code: string, display: string) => [{ coding: [{ system, code, display }] }]

function encounterResource({ row, id }: Identified<Encounter>, context: Context): IdentifiedResource {
  const { codes, title, date, start, end, draft, location, participants } = row
  const recorder = row.recordedBy ?? row.practitioner
  const performer = row.practitioner ?? (participants.length > 0 ? recorder : undefined)
  const minutes = start === undefined || end === undefined ? undefined : (Date.parse(end) - Date.parse(start)) / 60_000
  return made({
    ...heading(context, 'Encounter', id),
    status: draft === true ? 'unknown' : 'finished',
    type: [{ coding: codes, text: title }],
    subject: context.subject,
    participant: [
      {
        type: practitionerIn('https://fhir.nhs.uk/STU3/CodeSystem/GPConnect-ParticipantType-1', 'REC', 'recorder'),
        individual: context.practitioner(recorder),
      },
      ...(performer === undefined
        ? []
        : [
            {
              type: practitionerIn('http://hl7.org/fhir/v3/ParticipationType', 'PPRF', 'primary performer'),
              individual: context.practitioner(performer),
            },
          ]),
      ...participants.map((participant) => ({
        type: practitionerIn('http://hl7.org/fhir/v3/ParticipationType', 'PART', 'Participation'),
        individual: context.practitioner(participant),
      })),
    ],
    period: { start: start ?? date, end },
    length:
      minutes === undefined || minutes < 0
        ? undefined
        : { value: minutes, unit: 'minutes', system: 'http://unitsofmeasure.org', code: 'min' },
    location: location === undefined ? [] : [{ location: { reference: `Location/${location}` } }],
    serviceProvider: context.organization,
  })
}

/** What can be shown of a consultation: topics that have something, with either headings or items. */
type Structure = readonly TopicStructure[]

interface TopicStructure {
  readonly title: string | undefined
  readonly problems: readonly string[]
  readonly headings: readonly { readonly title: string | undefined; readonly entries: readonly ItemReference[] }[]
  readonly entries: readonly ItemReference[]
}

function structureOf(
  { row, id }: Identified<Encounter>,
  reference: ReturnType<typeof referencesTo>,
  context: Context,
): Structure {
  const entriesOf = (items: readonly ConsultationItem[], ...place: readonly number[]) =>
    items.flatMap((item, k): ItemReference | readonly ItemReference[] =>
      'item' in item
        ? (reference(item.item) ?? [])
        : narrativeReference(narrativeId(context, id, ...place, k), context),
    )
  if (row.topics.length === 0) {
    if (row.details === undefined || row.details.trim() === '') return []
    // Entries outside any topic stand in one that is made for them.
    const entries = [narrativeReference(narrativeId(context, id), context)]
    return [{ title: undefined, problems: [], headings: [], entries }]
  }
  return row.topics
    .map((topic, i) => ({
      title: topic.title,
      problems: topic.problems,
      headings: topic.headings
        .map(({ title, items }, j) => ({ title, entries: entriesOf(items, i, j) }))
        .filter(({ entries }) => entries.length > 0),
      entries: entriesOf(topic.items, i),
    }))
    .filter(({ headings, entries }) => headings.length > 0 || entries.length > 0)
}

function narrativeReference(id: string, context: Context): ItemReference {
  return context.disabled('uncategorised')
    ? { display: `${titleOf('observations')} items have been disabled` }
    : { reference: `Observation/${id}` }
}

/** Ids of everything that stands in a consultation, its own words among them. */
function idsOf(row: Encounter, id: string, context: Context): readonly string[] {
  if (row.topics.length === 0) return [narrativeId(context, id)]
  const ids = (items: readonly ConsultationItem[], ...place: readonly number[]) =>
    items.map((item, k) => ('item' in item ? item.item : narrativeId(context, id, ...place, k)))
  return row.topics.flatMap((topic, i) => [
    ...ids(topic.items, i),
    ...topic.headings.flatMap(({ items }, j) => ids(items, i, j)),
  ])
}

/** Consultation → topics → headings, each a List in the order in which the system shows them. */
function structureLists(
  { row, id }: Identified<Encounter>,
  structure: Structure,
  context: Context,
): readonly IdentifiedResource[] {
  const { recordedDate, start, date } = row
  const list = (
    listId: string,
    [code, display]: readonly [string, string],
    title: string | undefined,
    entries: readonly ItemReference[],
    problems: readonly string[] = [],
  ) =>
    made({
      resourceType: 'List',
      id: listId,
      meta: profiled('List'),
      // Which problems a topic was about; that the relation has a type is said of problems alone.
      extension: problems.map((problem) =>
        extension(careConnectHl7('RelatedProblemHeader'), {
          extension: [extension('target', { valueReference: { reference: `Condition/${problem}` } })],
        }),
      ),
      status: 'current',
      mode: 'snapshot',
      title,
      code: snomed(code, display),
      subject: context.subject,
      encounter: { reference: `Encounter/${id}` },
      date: instantOf(recordedDate ?? start ?? date),
      orderedBy: {
        coding: [{ system: 'http://hl7.org/fhir/list-order', code: 'system', display: 'Sorted by System' }],
      },
      entry: entries.map((item) => ({ item })),
    })
  const topicId = (i: number) => context.partOf(id, 'topic', String(i))
  const headingId = (i: number, j: number) => context.partOf(id, 'topic', String(i), 'heading', String(j))
  const lists = (ids: readonly string[]) => ids.map((each) => ({ reference: `List/${each}` }))
  return [
    list(
      context.partOf(id, 'consultation'),
      ['325851000000107', 'Consultation'],
      row.title,
      lists(structure.map((_, i) => topicId(i))),
    ),
    ...structure.flatMap((topic, i) => [
      list(
        topicId(i),
        ['25851000000105', 'Topic (EHR)'],
        topic.title,
        topic.headings.length > 0 ? lists(topic.headings.map((_, j) => headingId(i, j))) : topic.entries,
        topic.problems,
      ),
      ...topic.headings.map((each, j) =>
        list(headingId(i, j), ['24781000000107', 'Category (EHR)'], each.title, each.entries),
      ),
    ]),
  ]
}
