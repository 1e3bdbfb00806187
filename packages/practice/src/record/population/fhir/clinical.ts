/** Rows of a record out of clinical resources: one function for each type of resource, whatever its version. */
import {
  codedText,
  codeOf,
  codesOf,
  dayOf,
  extension,
  extensions,
  type Fields,
  fields,
  flagOf,
  instantOf,
  known,
  lineOf,
  list,
  momentOf,
  notesOf,
  numberOf,
  quantityOf,
  rangeOf,
  textOf,
  wordsOf,
} from './elements.ts'
import { encounterReference, Link, type Mapping, type Row, relatedTo } from './mapping.ts'
import { odsCodeOf, personName } from './people.ts'
import type { Held } from './resources.ts'

export type RowMapper = (held: Held, mapping: Mapping) => Row

const prose = (texts: readonly (string | undefined)[]): string | undefined => {
  const said = texts.filter((text) => text !== undefined)
  return said.length === 0 ? undefined : said.join('\n')
}

/** Resources that a practice system of this kind wrote: their words come back as they were. */
const isOurs = ({ resource }: Held): boolean =>
  list(resource['identifier']).some(({ system }) => system === 'urn:openspine:record-item')

const recordedBy = (held: Held, mapping: Mapping, ...names: readonly string[]): string | undefined =>
  names.map((name) => mapping.practitioner(held.resource[name], held)).find((id) => id !== undefined)

/** The day of writing, where it is not that of the thing itself. */
function recordedDate(written: unknown, day: string | undefined): string | undefined {
  const when = momentOf(written) ?? dayOf(written)
  return when === day || (day !== undefined && when === `${day}T00:00:00+00:00`) ? undefined : when
}

/** A party outside the rows, by what the reference points at. */
function partyOf(reference: unknown, held: Held, mapping: Mapping) {
  const practitioner = mapping.practitioner(reference, held)
  if (practitioner !== undefined) return { practitioner }
  const target = mapping.resources.follow(reference, held)
  const name = lineOf(target?.resource['name']) ?? lineOf(fields(reference)['display'])
  if (name === undefined) return undefined
  return target?.type === 'HealthcareService'
    ? { service: { name } }
    : { organisation: known({ odsCode: target === undefined ? undefined : odsCodeOf(target.resource), name }) }
}

export const allergyRow: RowMapper = (held, mapping) => {
  const { resource } = held
  const concept = resource['code'] ?? resource['substance']
  const codes = codesOf(concept)
  const notes = notesOf(resource['note'])
  const words = wordsOf(concept)
  const end = extension(resource, 'AllergyIntoleranceEnd')
  const part = (name: string) => fields(list(end['extension']).find(({ url }) => url === name))
  const status = codeOf(resource['clinicalStatus']) ?? textOf(resource['status'])
  const start = dayOf(resource['onsetDateTime'] ?? resource['onset'])
  const written = resource['assertedDate'] ?? resource['recordedDate']
  const [reaction] = list(resource['reaction'])
  const severity = textOf(reaction?.['severity'])
  const lifeThreatening = ['high', 'CRITH'].includes(textOf(resource['criticality']) ?? '')
  const manifestation = codesOf(list(reaction?.['manifestation'])[0])[0]
  const shown =
    reaction === undefined
      ? {}
      : known({
          manifestation,
          severity: lifeThreatening && severity === 'severe' ? undefined : severity,
          description:
            lineOf(reaction['description']) ??
            (manifestation === undefined ? wordsOf(list(reaction['manifestation'])[0]) : undefined),
          exposureRoute: codesOf(reaction['exposureRoute'])[0],
        })
  const resolved = status === 'resolved' || status === 'inactive'
  const category = [resource['category']].flat().map((each) => textOf(each))
  return {
    area: 'allergies',
    row: known({
      id: held.id,
      codes,
      startDate: start,
      // Resolved on a day that nobody wrote down: the latest that is known of it.
      endDate: dayOf(part('endDate')['valueDateTime']) ?? (resolved ? (dayOf(written) ?? start) : undefined),
      reasonEnded: lineOf(part('reasonEnded')['valueString']),
      details: prose(isOurs(held) && notes.length > 0 ? notes : [words, ...notes]),
      category: category.every((each) => each === undefined || each === 'medication') ? 'medication' : 'environment',
      recordedDate: recordedDate(written, start),
      recordedBy: recordedBy(held, mapping, 'recorder'),
      assertedBy: recordedBy(held, mapping, 'asserter', 'reporter'),
      reaction: Object.keys(shown).length === 0 ? undefined : shown,
      lifeThreatening: lifeThreatening ? true : undefined,
    }),
  }
}

export const problemRow: RowMapper = (held, mapping) => {
  const { resource } = held
  const concept = resource['code']
  const end = dayOf(resource['abatementDateTime'])
  const status = codeOf(resource['clinicalStatus'])
  const start = dayOf(resource['onsetDateTime'])
  const significance = textOf(extension(resource, 'ProblemSignificance')['valueCode'])
  const link = (reference: unknown, allowed: (area: string) => boolean) => {
    const target = mapping.resources.follow(reference, held)
    return target === undefined ? [] : [new Link(target, allowed)]
  }
  const isActive = end === undefined && status !== 'inactive' && status !== 'resolved' && status !== 'remission'
  return {
    area: 'problems',
    row: known({
      id: held.id,
      codes: codesOf(concept),
      entry: wordsOf(concept),
      status: isActive ? 'active' : 'inactive',
      startDate: start,
      endDate: end,
      significance:
        significance === 'major'
          ? { text: 'Major', level: 'highest' }
          : significance === 'minor'
            ? { text: 'Minor', level: 'lowest' }
            : undefined,
      details: prose(notesOf(resource['note'] ?? resource['notes'])),
      recordedDate: recordedDate(
        resource['assertedDate'] ?? resource['recordedDate'] ?? resource['dateRecorded'],
        start,
      ),
      recordedBy: recordedBy(held, mapping, 'asserter', 'recorder'),
      actualProblem: link(extension(resource, 'ActualProblem')['valueReference'], () => true)[0],
      related: extensions(resource, 'RelatedClinicalContent').flatMap(({ valueReference }) =>
        link(valueReference, (area) => area !== 'problems'),
      ),
      relatedProblems: extensions(resource, 'RelatedProblemHeader').flatMap((each) => {
        const part = (name: string) => fields(list(each['extension']).find(({ url }) => url === name))
        const [problem] = link(part('target')['valueReference'], (area) => area === 'problems')
        const is = textOf(part('type')['valueCode'])
        return problem === undefined || is === undefined ? [] : [{ problem, is }]
      }),
    }),
  }
}

export const immunisationRow: RowMapper = (held, mapping) => {
  const { resource } = held
  const procedure = extension(resource, 'VaccinationProcedure')['valueCodeableConcept']
  const vaccine = resource['vaccineCode']
  const day = dayOf(resource['date'] ?? resource['occurrenceDateTime'])
  const notGiven = flagOf(resource['notGiven'] ?? resource['wasNotGiven']) ?? textOf(resource['status']) === 'not-done'
  const explanation = fields(resource['explanation'])
  const reason = list(
    explanation['reasonNotGiven'] ?? explanation['reason'] ?? resource['statusReason'] ?? resource['reasonCode'],
  )[0]
  const notes = notesOf(resource['note'])
  const lines = isOurs(held) ? notes.flatMap((note) => note.split('\n')) : notes
  const labelled = (label: string) => lines.find((line) => line.startsWith(`${label}: `))?.slice(label.length + 2)
  const [part, contents] = isOurs(held) ? [labelled('Part'), labelled('Contents')] : []
  const said = isOurs(held) ? lines.filter((line) => !/^(Part|Contents): /.test(line)) : lines
  const performers = list(resource['practitioner'] ?? resource['performer'])
  const by = (...codes: readonly string[]) =>
    performers.find((each) => codes.includes(codeOf(each['role'] ?? each['function']) ?? ''))?.['actor']
  const protocol = list(resource['vaccinationProtocol'] ?? resource['protocolApplied'])[0]
  const sequence = numberOf(protocol?.['doseSequence'] ?? protocol?.['doseNumberPositiveInt'])
  const diseases = list(protocol?.['targetDisease']).flatMap((each) => codedText(each) ?? [])
  const written = extension(resource, 'DateRecorded')['valueDateTime'] ?? resource['recorded']
  return {
    area: 'immunisations',
    row: known({
      id: held.id,
      date: day,
      vaccination: wordsOf(procedure) ?? wordsOf(vaccine),
      codes: codesOf(procedure),
      product: codesOf(vaccine),
      part,
      contents,
      details: prose(said),
      notGiven: notGiven ? true : undefined,
      reason: codedText(reason),
      primarySource: flagOf(resource['primarySource']) === false ? false : undefined,
      reportOrigin: codedText(resource['reportOrigin']),
      administeredBy: mapping.practitioner(by('AP'), held) ?? recordedBy(held, mapping, 'performer'),
      recordedBy: mapping.practitioner(
        by('EP') ?? performers.find((each) => each['role'] === undefined)?.['actor'],
        held,
      ),
      recordedDate: recordedDate(written, day),
      location: mapping.location(resource['location'], held),
      manufacturer: partyOf(resource['manufacturer'], held, mapping),
      lot: lineOf(resource['lotNumber']),
      expiry: dayOf(resource['expirationDate']),
      site: codedText(resource['site']),
      route: codedText(resource['route']),
      dose: quantityOf(resource['doseQuantity']),
      protocol:
        sequence === undefined || diseases.length === 0
          ? undefined
          : known({
              sequence,
              doses: numberOf(protocol?.['seriesDoses'] ?? protocol?.['seriesDosesPositiveInt']),
              description: lineOf(protocol?.['description'] ?? protocol?.['series']),
              targetDiseases: diseases,
            }),
      parentPresent: flagOf(extension(resource, 'ParentPresent')['valueBoolean']),
    }),
  }
}

/** What a value of any type says, in words; a quantity stands as such. */
export function observedValue(resource: Fields): { readonly value?: string; readonly quantity?: Fields } {
  const quantity = quantityOf(resource['valueQuantity'])
  if (quantity !== undefined) return { quantity }
  const bare = numberOf(fields(resource['valueQuantity'])['value']) ?? numberOf(resource['valueInteger'])
  const value =
    lineOf(resource['valueString']) ??
    wordsOf(resource['valueCodeableConcept']) ??
    lineOf(resource['valueDateTime']) ??
    (flagOf(resource['valueBoolean']) === undefined ? undefined : resource['valueBoolean'] === true ? 'Yes' : 'No') ??
    (bare === undefined ? undefined : String(bare))
  return value === undefined ? {} : { value }
}

const inWords = (quantity: Fields | undefined): string | undefined =>
  quantity === undefined ? undefined : `${quantity['comparator'] ?? ''}${quantity['value']} ${quantity['unit']}`

export const observationRow: RowMapper = (held, mapping) => {
  const { resource } = held
  const effective = resource['effectiveDateTime'] ?? fields(resource['effectivePeriod'])['start'] ?? resource['issued']
  const day = dayOf(effective)
  const moment = momentOf(effective)
  const { value, quantity } = observedValue(resource)
  const range = rangeOf(resource['referenceRange'])
  const components = list(resource['component']).map((component) =>
    known({
      codes: codesOf(component['code']),
      entry: wordsOf(component['code']),
      quantity: quantityOf(component['valueQuantity']),
      referenceRange: rangeOf(component['referenceRange']),
      interpretation: codedText(list(component['interpretation'])[0]),
    }),
  )
  const isMeasured = value !== undefined || quantity !== undefined || components.length > 0
  return {
    area: isMeasured ? 'observations' : 'clinicalItems',
    row: known({
      id: held.id,
      date: day,
      moment,
      entry: wordsOf(resource['code']),
      codes: codesOf(resource['code']),
      ...(isMeasured ? { value: value ?? inWords(quantity) } : {}),
      quantity,
      referenceRange: range,
      interpretation: codedText(list(resource['interpretation'])[0]),
      details: prose([textOf(resource['comment'] ?? resource['comments']), ...notesOf(resource['note'])]),
      components,
      performer: mapping.practitioner(list(resource['performer'])[0], held),
      recordedDate: moment === momentOf(resource['issued']) ? undefined : recordedDate(resource['issued'], day),
      members: relatedTo(resource, 'has-member').flatMap((each) => {
        const target = mapping.resources.follow(each, held)
        return target === undefined
          ? []
          : [new Link(target, (area) => area === 'observations' || area === 'clinicalItems')]
      }),
    }),
  }
}

const urgencies: Readonly<Record<string, string>> = {
  routine: 'Routine',
  urgent: 'Urgent',
  asap: 'As soon as possible',
}

/** What somebody is called: a person with title, a place or a service by its name. */
function nameOf(reference: unknown, held: Held, { resources }: Mapping): string | undefined {
  const target = resources.follow(reference, held)
  if (target?.type !== 'Practitioner') return lineOf(target?.resource['name']) ?? lineOf(fields(reference)['display'])
  const { prefix, given, family } = personName(target.resource['name'])
  return [...prefix, ...given, family].filter((part) => part !== undefined).join(' ') || undefined
}

export const referralRow: RowMapper = (held, mapping) => {
  const { resource } = held
  const reason = list(resource['reasonCode'] ?? resource['reason'])[0]
  const lines = notesOf(resource['note']).flatMap((note) => note.split('\n'))
  const labelled = (label: string) => lines.find((line) => line.startsWith(`${label}: `))?.slice(label.length + 2)
  const recipients = list(resource['recipient'] ?? resource['performer']).flatMap(
    (each) => partyOf(each, held, mapping) ?? [],
  )
  const names = list(resource['recipient'] ?? resource['performer']).flatMap(
    (each) => nameOf(each, held, mapping) ?? [],
  )
  const name = names.length === 0 ? undefined : names.join(', ')
  const asker = fields(resource['requester'])['agent'] ?? resource['requester']
  const urgency = textOf(resource['priority']) ?? codeOf(resource['priority'])
  const specialty = codedText(list(resource['specialty'])[0])
  return {
    area: 'referrals',
    row: known({
      id: held.id,
      codes: codesOf(reason),
      date: dayOf(resource['authoredOn'] ?? resource['dateSent'] ?? resource['date']),
      from: labelled('From') ?? nameOf(asker, held, mapping),
      to: name ?? labelled('To') ?? specialty?.text ?? wordsOf(reason),
      priority: labelled('Priority') ?? wordsOf(resource['priority']) ?? urgencies[urgency ?? ''],
      urgency: Object.hasOwn(urgencies, urgency ?? '') ? urgency : undefined,
      details: prose([textOf(resource['description']), ...lines.filter((line) => !/^(From|To|Priority): /.test(line))]),
      requester: mapping.practitioner(asker, held),
      recipients,
      specialty,
      bookingReference: list(resource['identifier'])
        .filter(({ system }) => /ubr-?n/i.test(textOf(system) ?? ''))
        .map(({ value }) => lineOf(value))[0],
    }),
  }
}

export const diaryRow: RowMapper = (held, mapping) => {
  const { resource } = held
  const concept = resource['code']
  return {
    area: 'diaryEntries',
    row: known({
      id: held.id,
      date: dayOf(resource['occurrenceDateTime'] ?? fields(resource['occurrencePeriod'])['start']),
      entry: wordsOf(concept),
      codes: codesOf(concept),
      details: prose(notesOf(resource['note'])),
      recordedDate: momentOf(resource['authoredOn']) ?? dayOf(resource['authoredOn']),
      recordedBy: mapping.practitioner(fields(resource['requester'])['agent'] ?? resource['requester'], held),
      reason: codedText(list(resource['reasonCode'])[0]),
      completed: textOf(resource['status']) === 'completed' ? true : undefined,
    }),
  }
}

/** Base64 of what the attachment holds, or the Binary that it points at. */
export const documentRow: RowMapper = (held, mapping) => {
  const { resource } = held
  const attachment = fields(list(resource['content']).map((each) => each['attachment'])[0])
  const binary = mapping.resources.follow({ reference: attachment['url'] }, held)
  const content =
    textOf(attachment['data']) ??
    (binary?.type === 'Binary' ? textOf(binary.resource['content'] ?? binary.resource['data']) : undefined)
  const contentType = textOf(attachment['contentType']) ?? textOf(binary?.resource['contentType'])
  const setting = codedText(fields(resource['context'])['practiceSetting'])
  const master = fields(resource['masterIdentifier'])
  const created = resource['created'] ?? attachment['creation']
  const [authorReference] = list(resource['author'])
  const author = partyOf(authorReference, held, mapping)
  const organisation = author !== undefined && 'organisation' in author ? fields(author.organisation) : {}
  const encounter = mapping.resources.follow(
    list(fields(resource['context'])['encounter'])[0] ?? encounterReference(resource),
    held,
  )
  return {
    area: 'documents',
    row: known({
      id: held.id,
      masterIdentifier:
        lineOf(master['system']) === undefined || lineOf(master['value']) === undefined
          ? undefined
          : { system: lineOf(master['system']), value: lineOf(master['value']) },
      type: codedText(resource['type']),
      description: lineOf(resource['description']),
      created: instantOf(created),
      indexed: momentOf(resource['indexed'] ?? resource['date']) ?? instantOf(created),
      author:
        author !== undefined && 'practitioner' in author
          ? author
          : organisation['odsCode'] === undefined
            ? undefined
            : organisation,
      contentType: contentType?.replace(/;.*$/, ''),
      content: content?.replaceAll(/\s+/g, ''),
      absentReason:
        content === undefined
          ? (lineOf(attachment['title']) ?? 'The document was not part of the population.')
          : undefined,
      size: content === undefined ? numberOf(attachment['size']) : undefined,
      practiceSetting: setting,
      encounter: encounter?.type === 'Encounter' ? new Link(encounter, (area) => area === 'encounters') : undefined,
    }),
  }
}
