/** How the rows of one patient's record refer to each other: by their `id`s, which are unique within the record. */
import type { PatientRecord } from './model.ts'
import type { Party } from './structure.ts'

/** What a row of the record is. Parts of a report (its specimens, groups and results) are not rows. */
export const rowKinds = [
  'encounters',
  'clinicalItems',
  'adminItems',
  'allergies',
  'immunisations',
  'observations',
  'referrals',
  'problems',
  'medications',
  'investigations',
  'diaryEntries',
  'documents',
] as const satisfies readonly (keyof PatientRecord)[]

export type RowKind = (typeof rowKinds)[number]

/** A row that others may refer to. */
export interface Row {
  readonly kind: RowKind
  readonly id: string
  readonly confidential: boolean
  /** Of a medication: one of its issues rather than the whole. */
  readonly issue: boolean
}

interface Identified {
  readonly id?: string | undefined
  readonly confidential?: boolean | undefined
}

/** Every row that has an id, by its id; the issues of medications are rows too. */
export function rowsById(patient: PatientRecord): ReadonlyMap<string, Row> {
  const found = new Map<string, Row>()
  for (const kind of rowKinds)
    for (const row of patient[kind] as readonly (Identified & { readonly issues?: readonly Identified[] })[]) {
      const confidential = row.confidential ?? false
      if (row.id !== undefined) found.set(row.id, { kind, id: row.id, confidential, issue: false })
      for (const { id } of row.issues ?? [])
        if (id !== undefined) found.set(id, { kind, id, confidential, issue: true })
    }
  return found
}

type Problem = PatientRecord['problems'][number]
type Encounter = PatientRecord['encounters'][number]

/** Ids of the items of a consultation, in order; narrative has none. */
export function itemsOf({ topics }: Encounter): readonly string[] {
  return topics
    .flatMap(({ headings, items }) => [...headings.flatMap((heading) => heading.items), ...items])
    .flatMap((item) => ('item' in item ? [item.item] : []))
}

export interface ProblemLinks {
  /**
   * Ids of the items and consultations that belong to a problem: those that it names, those of the topics that were
   * about it, and the consultations that hold any of these.
   */
  linked(problem: Problem): ReadonlySet<string>
  /** What the problem is to others, whichever side says so. */
  related(problem: Problem): readonly Relation[]
}

type Relation = Problem['relatedProblems'][number]

const inverse = { parent: 'child', child: 'parent', sibling: 'sibling' } as const

/** How the problems of a record are linked; the record is gone through once. */
export function problemLinks(patient: PatientRecord): ProblemLinks {
  const holders = new Map<string, string[]>()
  const byTopic = new Map<string, string[]>()
  const add = (map: Map<string, string[]>, key: string, ...values: readonly string[]): void => {
    const known = map.get(key)
    if (known === undefined) map.set(key, [...values])
    else known.push(...values)
  }
  for (const encounter of patient.encounters) {
    const { id } = encounter
    if (id !== undefined) for (const item of itemsOf(encounter)) add(holders, item, id)
    for (const topic of encounter.topics)
      for (const problem of topic.problems) {
        add(byTopic, problem, ...itemsOf({ ...encounter, topics: [topic] }))
        if (id !== undefined) add(holders, problem, id)
      }
  }
  const inverses = new Map<string, Relation[]>()
  for (const { id, relatedProblems } of patient.problems)
    for (const relation of relatedProblems)
      if (id !== undefined)
        inverses.set(relation.problem, [
          ...(inverses.get(relation.problem) ?? []),
          { problem: id, is: inverse[relation.is] },
        ])
  return {
    linked({ id, actualProblem, related }) {
      const items = [...related, ...(id === undefined ? [] : (byTopic.get(id) ?? []))]
      if (actualProblem !== undefined) items.push(actualProblem)
      const own = new Set(items.filter((item) => item !== id))
      const consultations = [...own, ...(id === undefined ? [] : [id])].flatMap((item) => holders.get(item) ?? [])
      return new Set([...own, ...consultations])
    },
    related({ id, relatedProblems }) {
      const others = id === undefined ? [] : (inverses.get(id) ?? [])
      // What the problem says itself comes first, and once.
      return [...new Map([...others, ...relatedProblems].map((relation) => [relation.problem, relation])).values()]
    },
  }
}

/** What is wrong with the ids of a record, by their paths. */
export function linkFaults(
  patient: PatientRecord,
  practice: {
    readonly practitioners: readonly { readonly id: string }[]
    readonly locations: readonly { readonly id: string }[]
  },
): readonly string[] {
  const faults: string[] = []
  const staff = new Set(practice.practitioners.map(({ id }) => id))
  const sites = new Set(practice.locations.map(({ id }) => id))
  const rows = rowsById(patient)
  const seen = new Set<string>()
  const own = (id: string | undefined, path: string): void => {
    if (id === undefined) return
    if (seen.has(id)) faults.push(`${path} stands twice in this record`)
    seen.add(id)
  }
  const person = (id: string | undefined, path: string): void => {
    if (id !== undefined && !staff.has(id)) faults.push(`${path} is not the id of a practitioner of this practice`)
  }
  const someone = (party: Party | undefined, path: string): void => {
    if (party !== undefined && 'practitioner' in party) person(party.practitioner, `${path}.practitioner`)
  }
  const place = (id: string | undefined, path: string): void => {
    if (id !== undefined && !sites.has(id)) faults.push(`${path} is not the id of a location of this practice`)
  }
  const row = (id: string | undefined, path: string, ...kinds: readonly RowKind[]): void => {
    if (id === undefined) return
    const kind = rows.get(id)?.kind
    if (kind === undefined) faults.push(`${path} is not the id of a row of this record`)
    else if (kinds.length > 0 && !kinds.includes(kind)) faults.push(`${path} is the id of a row of another kind`)
  }

  for (const kind of rowKinds)
    (patient[kind] as readonly (Identified & { readonly recordedBy?: string | undefined })[]).forEach((each, i) => {
      own(each.id, `${kind}[${i}].id`)
      person(each.recordedBy, `${kind}[${i}].recordedBy`)
    })
  patient.encounters.forEach((encounter, i) => {
    const path = `encounters[${i}]`
    person(encounter.practitioner, `${path}.practitioner`)
    place(encounter.location, `${path}.location`)
    encounter.participants.forEach((id, j) => {
      person(id, `${path}.participants[${j}]`)
    })
    if (encounter.start !== undefined && encounter.start.slice(0, 10) !== encounter.date)
      faults.push(`${path}.start is not of the day of ${path}.date`)
    encounter.topics.forEach((topic, j) => {
      const at = `${path}.topics[${j}]`
      if (topic.headings.length > 0 && topic.items.length > 0) faults.push(`${at} has both headings and items`)
      topic.problems.forEach((id, k) => {
        row(id, `${at}.problems[${k}]`, 'problems')
      })
      const entries = [
        ...topic.items.map((item, k) => ({ item, at: `${at}.items[${k}]` })),
        ...topic.headings.flatMap(({ items }, k) =>
          items.map((item, l) => ({ item, at: `${at}.headings[${k}].items[${l}]` })),
        ),
      ]
      for (const entry of entries)
        if ('item' in entry.item) {
          row(entry.item.item, `${entry.at}.item`)
          if (rows.get(entry.item.item)?.kind === 'encounters') faults.push(`${entry.at}.item is a consultation`)
        }
    })
  })
  for (const kind of ['clinicalItems', 'adminItems', 'observations'] as const)
    patient[kind].forEach((each, i) => {
      person(each.performer, `${kind}[${i}].performer`)
      each.members.forEach((id, j) => {
        row(id, `${kind}[${i}].members[${j}]`, 'clinicalItems', 'adminItems', 'observations')
      })
    })
  patient.immunisations.forEach((each, i) => {
    person(each.administeredBy, `immunisations[${i}].administeredBy`)
    place(each.location, `immunisations[${i}].location`)
    someone(each.manufacturer, `immunisations[${i}].manufacturer`)
  })
  patient.allergies.forEach(({ assertedBy }, i) => {
    person(assertedBy, `allergies[${i}].assertedBy`)
  })
  patient.medications.forEach(({ prescriber, issues }, i) => {
    person(prescriber, `medications[${i}].prescriber`)
    issues.forEach((issue, j) => {
      own(issue.id, `medications[${i}].issues[${j}].id`)
      person(issue.prescriber, `medications[${i}].issues[${j}].prescriber`)
    })
  })
  patient.documents.forEach(({ encounter }, i) => {
    row(encounter, `documents[${i}].encounter`, 'encounters')
  })
  patient.referrals.forEach((each, i) => {
    person(each.requester, `referrals[${i}].requester`)
    each.recipients.forEach((party, j) => {
      someone(party, `referrals[${i}].recipients[${j}]`)
    })
  })
  patient.problems.forEach((problem, i) => {
    const path = `problems[${i}]`
    row(problem.actualProblem, `${path}.actualProblem`)
    problem.related.forEach((id, j) => {
      row(id, `${path}.related[${j}]`)
      if (rows.get(id)?.kind === 'problems') faults.push(`${path}.related[${j}] is a problem; see relatedProblems`)
    })
    problem.relatedProblems.forEach((relation, j) => {
      row(relation.problem, `${path}.relatedProblems[${j}].problem`, 'problems')
      if (relation.problem === problem.id) faults.push(`${path}.relatedProblems[${j}].problem is the problem itself`)
    })
  })
  patient.investigations.forEach((investigation, i) => {
    const path = `investigations[${i}]`
    someone(investigation.performer, `${path}.performer`)
    person(investigation.request?.requester, `${path}.request.requester`)
    person(investigation.filing?.by, `${path}.filing.by`)
    const specimens = new Set(investigation.specimens.map(({ id }) => id))
    const specimen = (id: string | undefined, at: string): void => {
      if (id !== undefined && !specimens.has(id)) faults.push(`${at} is not the id of a specimen of the report`)
    }
    investigation.specimens.forEach(({ id, collector }, j) => {
      own(id, `${path}.specimens[${j}].id`)
      person(collector, `${path}.specimens[${j}].collector`)
    })
    const parts = [
      ...investigation.groups.flatMap((group, j) => [
        { part: group, at: `${path}.groups[${j}]` },
        ...group.results.map((part, k) => ({ part, at: `${path}.groups[${j}].results[${k}]` })),
      ]),
      ...investigation.results.map((part, j) => ({ part, at: `${path}.results[${j}]` })),
    ]
    for (const { part, at } of parts) {
      own(part.id, `${at}.id`)
      specimen(part.specimen, `${at}.specimen`)
      person(part.filing?.by, `${at}.filing.by`)
    }
  })
  return faults
}
