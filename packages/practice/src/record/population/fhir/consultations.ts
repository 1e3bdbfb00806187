/** Consultations: an Encounter with the Lists of its topics and headings, and the words that were written. */

import type { RowMapper } from './clinical.ts'
import {
  codeOf,
  codesOf,
  dayOf,
  extensions,
  type Fields,
  fields,
  known,
  lineOf,
  list,
  momentOf,
  notesOf,
  textOf,
  wordsOf,
} from './elements.ts'
import { isNote, Link, type Mapping } from './mapping.ts'
import type { Held } from './resources.ts'

const consultationCode = '325851000000107'
/** Codes of the Lists that make up a consultation: the whole, its topics, and their headings. */
const structureCodes = new Set([consultationCode, '25851000000105', '24781000000107'])

/** A List that is a part of a consultation rather than the index of an answer. */
export const isStructure = ({ type, resource }: Held): boolean =>
  type === 'List' && structureCodes.has(codeOf(resource['code']) ?? '')

const wordsIn = ({ resource }: Held): string | undefined =>
  textOf(resource['comment'] ?? resource['comments']) ?? textOf(resource['valueString']) ?? notesOf(resource['note'])[0]

const entriesOf = (from: Held, { resources }: Mapping): readonly Held[] =>
  list(from.resource['entry']).flatMap(({ item }) => resources.follow(item, from) ?? [])

function items(from: Held, mapping: Mapping): readonly Fields[] {
  const entries = entriesOf(from, mapping).filter(({ type }) => type !== 'List')
  return entries.flatMap((entry): Fields[] => {
    if (!isNote(entry)) return [{ item: new Link(entry, (area) => area !== 'encounters') }]
    const text = wordsIn(entry)
    return text === undefined ? [] : [{ text }]
  })
}

function topicOf(topic: Held, mapping: Mapping): Fields {
  const entries = entriesOf(topic, mapping)
  const headings = entries.filter((each) => each.type === 'List')
  const direct = items(topic, mapping)
  const problems = extensions(topic.resource, 'RelatedProblemHeader').flatMap((each) => {
    const target = fields(list(each['extension']).find(({ url }) => url === 'target'))['valueReference']
    const found = mapping.resources.follow(target ?? each['valueReference'], topic)
    return found === undefined ? [] : [new Link(found, (area) => area === 'problems')]
  })
  return known({
    title: lineOf(topic.resource['title']),
    problems,
    // A record has either headings or items: what stands beside headings gets one without a title.
    headings:
      headings.length === 0
        ? []
        : [
            ...(direct.length === 0 ? [] : [{ items: direct }]),
            ...headings.map((each) => known({ title: lineOf(each.resource['title']), items: items(each, mapping) })),
          ],
    items: headings.length === 0 ? direct : [],
  })
}

/** The only words of a consultation that has no topics of its own. */
function soleWords(topics: readonly Fields[]): string | undefined {
  const [topic] = topics
  if (topics.length !== 1 || topic?.['title'] !== undefined || topic?.['problems'] !== undefined) return undefined
  const all = list(topic?.['items'])
  return all.length === 1 && topic?.['headings'] === undefined ? textOf(all[0]?.['text']) : undefined
}

/** A consultation in words, as a table shows it: its topics, their headings, and what stands under them. */
function proseOf(topics: readonly Held[], mapping: Mapping): readonly string[] {
  const said = (from: Held): string | undefined => {
    const title = lineOf(from.resource['title'])
    const entries = entriesOf(from, mapping)
      .filter(({ type }) => type !== 'List')
      .flatMap((each) => (isNote(each) ? wordsIn(each) : wordsOf(each.resource['code'])) ?? [])
    const words = entries.join('; ')
    return title === undefined ? words || undefined : words === '' ? title : `${title}: ${words}`
  }
  return topics.flatMap((topic) => [
    ...[said(topic) ?? []].flat(),
    ...entriesOf(topic, mapping)
      .filter(({ type }) => type === 'List')
      .flatMap((heading) => said(heading) ?? []),
  ])
}

export const encounterRow: RowMapper = (held, mapping) => {
  const { resource } = held
  const period = fields(resource['period'])
  const type = list(resource['type'])[0]
  const participants = list(resource['participant'])
  const person = (code: string) =>
    participants
      .filter((each) => list(each['type']).some((one) => codeOf(one) === code))
      .flatMap(({ individual }) => mapping.practitioner(individual, held) ?? [])
  const within = mapping.inEncounter.get(resource) ?? []
  const whole = within.find((each) => each.type === 'List' && codeOf(each.resource['code']) === consultationCode)
  const topics = whole === undefined ? [] : entriesOf(whole, mapping).filter((each) => each.type === 'List')
  const mapped = topics.map((topic) => topicOf(topic, mapping))
  const sole = soleWords(mapped)
  const notes = whole === undefined ? within.filter(isNote).flatMap((each) => wordsIn(each) ?? []) : []
  const start = momentOf(period['start'])
  const reasons = list(resource['reasonCode'] ?? resource['reason']).flatMap((each) => wordsOf(each) ?? [])
  return {
    area: 'encounters',
    row: known({
      id: held.id,
      date: dayOf(period['start']),
      // The moment must be of the day of its own zone.
      start,
      end: momentOf(period['end']),
      title: wordsOf(type) ?? lineOf(whole?.resource['title']) ?? reasons[0] ?? 'Consultation',
      codes: codesOf(type),
      details: sole ?? ([...reasons, ...proseOf(topics, mapping), ...notes].join('\n') || undefined),
      topics: sole === undefined ? mapped : [],
      recordedBy: person('REC')[0],
      practitioner: person('PPRF')[0] ?? (participants.length === 1 ? person('ATND')[0] : undefined),
      participants: person('PART'),
      location: mapping.location(list(resource['location'])[0]?.['location'], held),
    }),
  }
}
