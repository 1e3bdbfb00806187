/** What is kept, as resources of STU3. */
import { bundle, type Resource } from '@openspine/standards/fhir'
import { defined, items, type Json } from '@openspine/standards/fhir/untrusted'
import { adjustmentList, extensions, nraf, profiles, systems, threshold } from '../codes.ts'
import { type Author, changedAt, type Item, type Kind, wireId } from '../item.ts'

/** Of restricted people nobody is told who recorded something, and where: that would tell where they are cared for (§15). */
export interface Shown {
  readonly withAuthors: boolean
}

export const dateTime = (at: number): string => `${new Date(at).toISOString().slice(0, 19)}+00:00`
export const patientReference = (nhsNumber: string) => ({
  reference: `https://demographics.spineservices.nhs.uk/STU3/Patient/${nhsNumber}`,
})

const resourceTypes = {
  record: 'Consent',
  adjustment: 'Flag',
  impairments: 'List',
  conditions: 'List',
} as const satisfies Partial<Record<Kind, string>>
export type TopKind = keyof typeof resourceTypes
export const resourceTypeOf = (kind: TopKind) => resourceTypes[kind]

const profileOf = {
  record: profiles.consent,
  adjustment: profiles.flag,
  impairments: profiles.list,
  conditions: profiles.list,
}

/** A Provenance has the id of what it is about, with a letter before it: the same on every read. */
const provenanceId = (item: Item, what: 'created' | 'updated') => `${what === 'created' ? 'c' : 'u'}-${item.id}`

function provenance(item: Item, what: 'created' | 'updated', author: Author): Json {
  const { user, role, name, odsCode, organisation, jobRole } = author
  return {
    resourceType: 'Provenance',
    id: provenanceId(item, what),
    meta: { profile: [profiles.provenance] },
    target: [{ reference: `${resourceTypes[item.kind as TopKind]}/${wireId(item)}` }],
    recorded: dateTime(author.at),
    activity: {
      system: systems.dataOperation,
      ...(what === 'created' ? { code: 'CREATE', display: 'create' } : { code: 'UPDATE', display: 'revise' }),
    },
    agent: [
      defined({
        role: jobRole && [{ coding: [defined({ system: systems.jobRole, ...jobRole })] }],
        whoReference: defined({
          reference: `https://sds.spineservices.nhs.uk/STU3/Practitioner/${user ?? role ?? 'unknown'}`,
          display: name,
        }),
        onBehalfOfReference:
          odsCode &&
          defined({
            reference: `https://directory.spineservices.nhs.uk/STU3/Organization/${odsCode}`,
            display: organisation && `${organisation} (${odsCode})`,
          }),
      }),
    ],
  }
}

const provenanceExtension = (links: readonly { readonly url: string; readonly id: string }[]): Json => ({
  url: extensions.provenance,
  extension: links.map(({ url, id }) => ({ url, valueReference: { reference: `#${id}` } })),
})

const removalExtension = ({ removal }: Item): readonly Json[] =>
  removal === undefined
    ? []
    : [
        {
          url: extensions.removalReason,
          extension: [
            {
              url: 'removalReason',
              valueCodeableConcept: {
                coding: [
                  defined({
                    system: removal.system ?? systems.removalReason,
                    code: removal.reason,
                    display: removal.display,
                  }),
                ],
              },
            },
            ...(removal.comment === undefined ? [] : [{ url: 'supportingComment', valueString: removal.comment }]),
          ],
        },
      ]

const meta = (item: Item) => ({
  versionId: String(item.version),
  lastUpdated: dateTime(changedAt(item)),
  profile: [profileOf[item.kind as TopKind]],
})

/** A Consent or a Flag. */
function single(item: Item, { withAuthors }: Shown): Resource {
  const { resourceType: _type, extension, status: _status, ...document } = item.document
  const authored = [
    { what: 'created', author: item.created, url: 'Created' },
    ...(item.updated === undefined ? [] : [{ what: 'updated', author: item.updated, url: 'Updated' } as const]),
  ] as const
  const own = items(extension)
  const links = authored.map(({ what, url }) => ({ url, id: provenanceId(item, what) }))
  const all = [...own, ...removalExtension(item), ...(withAuthors ? [provenanceExtension(links)] : [])]
  return defined({
    resourceType: resourceTypes[item.kind as TopKind],
    id: wireId(item),
    meta: meta(item),
    contained: withAuthors ? authored.map(({ what, author }) => provenance(item, what, author)) : undefined,
    extension: all.length > 0 ? all : undefined,
    status: item.active ? 'active' : 'inactive',
    ...document,
  }) as Resource
}

/** A list with those of its members that are active, and those that were just removed. */
function list(item: Item, members: readonly Item[], { withAuthors }: Shown): Resource {
  const { resourceType: _type, status: _status, ...document } = item.document
  const parts = members.map((member) => {
    const { localId = member.id, provenance: sent, date } = member.member ?? { localId: member.id }
    const { extension, clinicalStatus: _clinical, ...condition } = member.document
    const provenances = withAuthors && sent !== undefined ? [sent] : []
    const own = [
      ...items(extension),
      ...removalExtension(member),
      ...provenances.map(({ id }) => provenanceExtension([{ url: 'Created', id: String(id) }])),
    ]
    const contained = [
      defined({
        ...condition,
        resourceType: 'Condition',
        id: localId,
        meta: { profile: [profiles.condition] },
        extension: own.length > 0 ? own : undefined,
        clinicalStatus: member.active ? 'active' : 'inactive',
      }),
      ...provenances,
    ]
    const deleted = !member.active
    const entries = contained.map(({ id }) => ({
      deleted,
      date: date ?? dateTime(changedAt(member)),
      item: { reference: `#${id}` },
    }))
    return { contained, entries }
  })
  const contained = parts.flatMap((part) => part.contained)
  const entry = parts.flatMap((part) => part.entries)
  return defined({
    resourceType: 'List',
    id: wireId(item),
    meta: meta(item),
    contained: contained.length > 0 ? contained : undefined,
    status: item.active ? 'current' : 'retired',
    ...document,
    entry: entry.length > 0 ? entry : undefined,
  }) as Resource
}

export const memberKindOf = (kind: Kind): Kind | undefined =>
  kind === 'impairments' ? 'impairment' : kind === 'conditions' ? 'condition' : undefined

/** The resource of an item. `all` are the items of the patient, `also` members that are shown though they are gone. */
export function resourceOf(item: Item, all: readonly Item[], also: readonly Item[], shown: Shown): Resource {
  const kind = memberKindOf(item.kind)
  if (kind === undefined) return single(item, shown)
  const gone = new Map(also.map((each) => [each.id, each]))
  const kept = all.filter((each) => each.kind === kind && each.active && !gone.has(each.id))
  return list(item, [...kept, ...also], shown)
}

/** A list that is made because a member of it was sent alone, or in the other dialect. */
export const emptyList = (nhsNumber: string, at: number, title: string): Json => ({
  resourceType: 'List',
  status: 'current',
  mode: 'changes',
  title,
  code: { coding: [adjustmentList] },
  subject: patientReference(nhsNumber),
  date: dateTime(at),
})

/**
 * ThresholdCode: that the patient is protected by the Equality Act. Nobody writes it; it stands for a record with an
 * impairment or an underlying condition.
 */
export function thresholdFlag(all: readonly Item[], shown: Shown): Resource | undefined {
  const record = all.find((item) => item.kind === 'record' && item.active)
  const grounds = all.filter((item) => item.active && (item.kind === 'impairment' || item.kind === 'condition'))
  if (record === undefined || grounds.length === 0) return undefined
  const document: Json = {
    category: { coding: [nraf] },
    code: { coding: [threshold] },
    subject: patientReference(record.nhsNumber),
  }
  return single({ ...record, kind: 'adjustment', document }, shown)
}

/** What a search answers: also where there is nothing. */
export function searchAnswer(
  resources: readonly Resource[],
  about: { readonly id: string; readonly base: string; readonly path: string; readonly self: string },
): Resource {
  return bundle({
    id: about.id,
    type: 'searchset',
    links: [{ relation: 'self', url: about.self }],
    entries: resources.map((resource) => ({
      fullUrl: `${about.base}${about.path}/${resource.id}`,
      resource,
      search: { mode: 'match' },
    })),
  })
}

export function capabilities(about: { readonly date: string; readonly version: string }): Resource {
  const write = [{ code: 'search-type' }, { code: 'create' }, { code: 'update' }]
  const search = [
    { name: 'patient', type: 'reference' },
    { name: 'status', type: 'token' },
  ]
  const resource = (type: string, profile: string, parameter: string) => ({
    type,
    profile: { reference: profile },
    interaction: write,
    versioning: 'versioned-update',
    searchParam: [...search, { name: parameter, type: 'token' }],
  })
  return {
    resourceType: 'CapabilityStatement',
    status: 'active',
    date: about.date,
    publisher: 'OpenSpine',
    kind: 'instance',
    software: { name: 'OpenSpine', version: about.version },
    fhirVersion: '3.0.1',
    acceptUnknown: 'no',
    format: ['application/fhir+json', 'application/fhir+xml'],
    rest: [
      {
        mode: 'server',
        resource: [
          resource('Consent', profiles.consent, 'category'),
          resource('Flag', profiles.flag, 'category'),
          resource('List', profiles.list, 'code'),
        ],
        operation: [
          {
            name: 'removerarecord',
            definition: {
              reference: 'https://fhir.nhs.uk/STU3/OperationDefinition/RARecord-RemoveRARecord-Operation-1',
            },
          },
        ],
      },
    ],
  } as Resource
}
