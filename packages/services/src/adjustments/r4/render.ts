/** What is kept, as resources of R4. */
import { bundle, type Resource } from '@openspine/standards/fhir'
import { asJson, codings, defined, extensionOf, type Json, text } from '@openspine/standards/fhir/untrusted'
import {
  adjustmentCategories,
  adjustmentSlugs,
  conditionCodeOf,
  conditionCodes,
  extensions,
  isSnomed,
  type PatientFlagCode,
  patientFlags,
  r4,
  systems,
} from '../codes.ts'
import { type Author, changedAt, type Item, wireId } from '../item.ts'
import { dateTime, type Shown } from '../stu3/render.ts'

const kindCodes = Object.fromEntries(Object.entries(patientFlags).map(([code, { kind }]) => [kind, code]))

/** Code of the flag at the top that an item is; undefined for what is none. */
export const topCodeOf = ({ kind }: Item): PatientFlagCode | undefined => kindCodes[kind] as PatientFlagCode | undefined

const patient = ({ nhsNumber }: Item) => ({ reference: `Patient/${nhsNumber}` })
const flagCoding = (code: PatientFlagCode) => ({
  system: systems.patientFlag,
  code,
  display: patientFlags[code].display,
})

function provenance(id: string, author: Author): Json {
  const { user, role, name, odsCode, organisation, jobRole } = author
  return {
    resourceType: 'Provenance',
    id: `c-${id}`,
    meta: { profile: [r4.provenance] },
    target: [{ reference: '#' }],
    recorded: dateTime(author.at),
    activity: { coding: [{ system: systems.dataOperationR4, code: 'CREATE', display: 'create' }] },
    agent: [
      defined({
        role: jobRole && [{ coding: [defined({ system: systems.jobRole, ...jobRole })] }],
        who: defined({
          reference: `https://sds.spineservices.nhs.uk/Practitioner/${user ?? role ?? 'unknown'}`,
          display: name,
        }),
        onBehalfOf:
          odsCode &&
          defined({
            reference: `https://directory.spineservices.nhs.uk/Organization/${odsCode}`,
            display: organisation && `${organisation} (${odsCode})`,
          }),
      }),
    ],
  }
}

const base = (item: Item, profile: string, { withAuthors }: Shown) => ({
  id: wireId(item),
  meta: { versionId: String(item.version), lastUpdated: dateTime(changedAt(item)), profile: [profile] },
  contained: withAuthors ? [provenance(item.id, item.created)] : undefined,
})

const noteOf = (document: Json): string | undefined => {
  const extension = asJson(extensionOf(document, extensions.adjustmentNotes))
  return text(extension['valueString']) ?? text(asJson(extension['valueAnnotation'])['text'])
}
const notes = (document: Json): readonly Json[] => {
  const note = noteOf(document)
  return note === undefined ? [] : [{ url: r4.notes, valueAnnotation: { text: note } }]
}

const typeOf = (item: Item): 'Flag' | 'Condition' | 'CareTeam' =>
  item.kind === 'impairment' || item.kind === 'condition' ? 'Condition' : 'Flag'

/** Where an item stands: `Flag/{id}`. */
export const referenceOf = (item: Item): string => `${typeOf(item)}/${wireId(item)}`

/** A flag at the top, with references to what supports it where that is shown beside it. */
function topFlag(item: Item, code: PatientFlagCode, supporting: readonly Item[], shown: Shown): Resource {
  const team = teamOf(item)
  const details = [
    ...supporting.map((each) => ({ reference: referenceOf(each), type: typeOf(each) })),
    ...(team === undefined ? [] : [{ reference: `CareTeam/${team.id}`, type: 'CareTeam' }]),
  ]
  const extension = [...details.map((valueReference) => ({ url: r4.detail, valueReference })), ...notes(item.document)]
  return defined({
    resourceType: 'Flag',
    ...base(item, r4.patientFlag, shown),
    extension: extension.length > 0 ? extension : undefined,
    status: item.active ? 'active' : 'inactive',
    code: { coding: [flagCoding(code)] },
    subject: patient(item),
    period: item.kind === 'child-protection' ? { start: dateTime(item.created.at) } : undefined,
  }) as Resource
}

/** Who cares for a child that is protected. */
function teamOf(item: Item): Resource | undefined {
  const team = text(item.document['team'])
  if (item.kind !== 'child-protection' || team === undefined) return undefined
  return {
    resourceType: 'CareTeam',
    id: `${wireId(item)}.t`,
    status: 'active',
    name: team,
    subject: patient(item),
  } as Resource
}

function adjustmentFlag(item: Item, shown: Shown): Resource {
  const { document } = item
  const [category] = codings(extensionOf(document, extensions.adjustmentCategory)?.['valueCodeableConcept'])
  const number = category?.code ?? ''
  const snomed = codings(document['code']).find(({ system }) => isSnomed(system))
  const extension = notes(document)
  return defined({
    resourceType: 'Flag',
    ...base(item, r4.adjustment, shown),
    extension: extension.length > 0 ? extension : undefined,
    status: item.active ? 'active' : 'inactive',
    category: [
      { coding: [flagCoding('national-reasonable-adjustment-flag')] },
      {
        coding: [
          defined({
            system: systems.flagCategoryRa,
            code: adjustmentSlugs[number] ?? number,
            display: adjustmentCategories[number],
          }),
        ],
      },
    ],
    code: { coding: [snomed] },
    subject: patient(item),
  }) as Resource
}

function condition(item: Item, shown: Shown): Resource {
  const { document } = item
  const [given] = codings(document['code'])
  const known = item.kind === 'impairment' ? conditionCodes[conditionCodeOf(given?.code ?? '')] : undefined
  const coding =
    known === undefined ? given : { system: systems.conditionCodeRa, code: known.slug, display: known.display }
  return defined({
    resourceType: 'Condition',
    ...base(item, r4.condition, shown),
    clinicalStatus: { coding: [{ system: systems.conditionClinical, code: item.active ? 'active' : 'inactive' }] },
    category: [
      { coding: [flagCoding('national-reasonable-adjustment-flag')] },
      { coding: [{ system: systems.conditionCategoryRa, code: 'issue', display: 'Issue' }] },
    ],
    code: { coding: [coding] },
    subject: patient(item),
    note: document['note'],
  }) as Resource
}

/** The resource of one item, alone. */
export function flagResource(item: Item, shown: Shown): Resource {
  const code = topCodeOf(item)
  if (code !== undefined) return topFlag(item, code, [], shown)
  return typeOf(item) === 'Condition' ? condition(item, shown) : adjustmentFlag(item, shown)
}

/** The flags at the top. */
export const topFlags = (all: readonly Item[], shown: Shown): readonly Resource[] =>
  all
    .filter((item) => item.active)
    .flatMap((item) => (topCodeOf(item) === undefined ? [] : [flagResource(item, shown)]))

/** One flag at the top, and all that supports it. */
export function flagWithDetails(all: readonly Item[], code: PatientFlagCode, shown: Shown): readonly Resource[] {
  const top = all.find((item) => item.active && topCodeOf(item) === code)
  if (top === undefined) return []
  const supporting =
    top.kind === 'record'
      ? all.filter(({ active, kind }) => active && ['adjustment', 'impairment', 'condition'].includes(kind))
      : []
  const team = teamOf(top)
  return [
    topFlag(top, code, supporting, shown),
    ...supporting.map((item) => flagResource(item, shown)),
    ...(team === undefined ? [] : [team]),
  ]
}

export function flagSearchset(
  resources: readonly Resource[],
  about: { readonly id: string; readonly base: string; readonly self: string },
): Resource {
  return bundle({
    id: about.id,
    type: 'searchset',
    links: [{ relation: 'self', url: about.self }],
    entries: resources.map((resource) => ({
      fullUrl: `${about.base}/${resource.resourceType}/${resource.id}`,
      resource,
      search: { mode: 'match' },
    })),
  })
}

/** What a transaction answers: each entry created, in the order of the request. */
export const transactionResponse = (made: readonly Item[], id: string): Resource =>
  bundle({
    id,
    type: 'transaction-response',
    entries: made.map((item) => ({
      response: {
        status: '201 Created',
        location: referenceOf(item),
        etag: `W/"${item.version}"`,
        lastModified: dateTime(changedAt(item)),
      },
    })),
  })
