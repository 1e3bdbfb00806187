/** Reports of investigations: a DiagnosticReport with its request, specimens, groups of results, results and filing. */

import { observedValue, type RowMapper } from './clinical.ts'
import {
  codedText,
  codesOf,
  type Fields,
  fields,
  instantOf,
  known,
  lineOf,
  list,
  momentOf,
  notesOf,
  rangeOf,
  textOf,
  wordsOf,
} from './elements.ts'
import { isNote, type Mapping, relatedTo } from './mapping.ts'
import type { Held } from './resources.ts'

const comment = (resource: Fields): string | undefined => {
  const said = [textOf(resource['comment'] ?? resource['comments']), ...notesOf(resource['note'])].filter(
    (text) => text !== undefined,
  )
  return said.length === 0 ? undefined : said.join('\n')
}

function filingOf(note: Held | undefined, mapping: Mapping) {
  if (note === undefined) return undefined
  const { resource } = note
  const when = momentOf(resource['effectiveDateTime']) ?? instantOf(resource['issued'])
  if (when === undefined) return undefined
  return known({
    moment: when,
    by: mapping.practitioner(list(resource['performer'])[0], note),
    comment: comment(resource),
  })
}

const membersOf = (held: Held, { resources }: Mapping): readonly Held[] =>
  relatedTo(held.resource, 'has-member').flatMap((each) => resources.follow(each, held) ?? [])

function resultOf(held: Held, mapping: Mapping) {
  const { resource } = held
  const specimen = mapping.resources.follow(resource['specimen'], held)
  return known({
    id: held.id,
    entry: wordsOf(resource['code']),
    codes: codesOf(resource['code']),
    moment: momentOf(resource['effectiveDateTime']),
    ...observedValue(resource),
    referenceRange: rangeOf(resource['referenceRange']),
    interpretation: codedText(list(resource['interpretation'])[0]),
    comment: comment(resource),
    specimen: specimen?.id,
    filing: filingOf(mapping.notesOn.get(resource)?.[0], mapping),
  })
}

function groupOf(held: Held, mapping: Mapping) {
  const { resource } = held
  return known({
    id: held.id,
    entry: wordsOf(resource['code']),
    codes: codesOf(resource['code']),
    comment: comment(resource),
    specimen: mapping.resources.follow(resource['specimen'], held)?.id,
    filing: filingOf(mapping.notesOn.get(resource)?.[0], mapping),
    results: membersOf(held, mapping)
      .filter((each) => !isNote(each))
      .map((each) => resultOf(each, mapping)),
  })
}

/** Everything that a report takes into itself, so that it is no row of its own. */
export function partsOf(held: Held, mapping: Mapping): readonly Held[] {
  const { resource } = held
  const follow = (references: unknown) =>
    (Array.isArray(references) ? references : [references]).flatMap(
      (each) => mapping.resources.follow(each, held) ?? [],
    )
  const results = follow(resource['result'])
  const members = results.flatMap((each) => membersOf(each, mapping))
  const observations = [...results, ...members]
  return [
    ...observations,
    ...observations.flatMap((each) => mapping.notesOn.get(each.resource) ?? []),
    ...follow(resource['specimen']),
    ...follow(resource['basedOn'] ?? resource['request']),
  ]
}

export const investigationRow: RowMapper = (held, mapping) => {
  const { resource } = held
  const { follow } = mapping.resources
  const results = list(resource['result']).flatMap((each) => follow(each, held) ?? [])
  const notes = results.filter(isNote)
  const found = results.filter((each) => !isNote(each))
  const groups = found.filter((each) => membersOf(each, mapping).length > 0)
  const members = new Set(groups.flatMap((each) => membersOf(each, mapping)))
  const [performer] = list(resource['performer'])
  const actor = performer?.['actor'] ?? performer
  const practitioner = mapping.practitioner(actor, held)
  const organisation = lineOf(follow(actor, held)?.resource['name']) ?? lineOf(fields(actor)['display'])
  const request = follow(list(resource['basedOn'] ?? resource['request'])[0], held)
  const status = textOf(resource['status'])
  const code = codedText(resource['code'])
  return {
    area: 'investigations',
    row: known({
      id: held.id,
      issued: momentOf(resource['issued']) ?? instantOf(resource['issued'] ?? resource['effectiveDateTime']),
      entry: lineOf(fields(resource['code'])['text']) ?? wordsOf(found[0]?.resource['code']) ?? code?.text,
      status: status === 'preliminary' || status === 'unknown' ? status : 'final',
      category: codedText(list(resource['category'])[0]),
      reportNumber: list(resource['identifier'])
        .filter(({ system }) => system === 'urn:oid:2.16.840.1.113883.2.1.4.5.5')
        .map(({ value }) => lineOf(value))[0],
      performer:
        practitioner !== undefined
          ? { practitioner }
          : organisation !== undefined
            ? { organisation: { name: organisation } }
            : undefined,
      request:
        request === undefined
          ? undefined
          : known({
              entry: wordsOf(request.resource['code']),
              codes: codesOf(request.resource['code']),
              requester: mapping.practitioner(
                fields(request.resource['requester'])['agent'] ?? request.resource['requester'],
                request,
              ),
              reason: codedText(list(request.resource['reasonCode'])[0]),
              note: notesOf(request.resource['note']).join('\n') || undefined,
            }),
      specimens: list(resource['specimen']).flatMap((each) => {
        const specimen = follow(each, held)
        if (specimen?.id === undefined) return []
        const collection = fields(specimen.resource['collection'])
        return [
          known({
            id: specimen.id,
            accession: lineOf(fields(specimen.resource['accessionIdentifier'])['value']),
            type: codedText(specimen.resource['type']),
            collected: momentOf(collection['collectedDateTime']),
            received: momentOf(specimen.resource['receivedTime']),
            collector: mapping.practitioner(collection['collector'], specimen),
            note: notesOf(specimen.resource['note']).join('\n') || undefined,
          }),
        ]
      }),
      groups: groups.map((each) => groupOf(each, mapping)),
      results: found
        .filter((each) => !groups.includes(each) && !members.has(each))
        .map((each) => resultOf(each, mapping)),
      conclusion: textOf(resource['conclusion']),
      filing: filingOf(notes[0], mapping),
    }),
  }
}
