/** Documents of a structured record (§9.5, §9.6): references alone; the base for documents hands over their content. */
import type { Reference } from '@openspine/standards/fhir'
import { documentReference, writingOrganization } from '../documents/resources.ts'
import type { Document } from '../record/documents.ts'
import { servicesOf } from '../record/services.ts'
import { found, type Sheet, serviceUrl } from '../sheet.ts'
import type { AreaQuery, AreaResult, IdentifiedResource } from './area.ts'
import { titleOf } from './areas/references.ts'
import { consultationsByItem, encountersOf, listed } from './areas/writing.ts'
import type { Context } from './context.ts'
import type { Identified } from './identity.ts'

/** Where the practice hands over documents; undefined where it does not, so that items are named as not supported. */
export function documentsUrl(sheet: Sheet): string | undefined {
  const service = servicesOf(found(sheet, 'practice').practice).find(({ base }) => base === 'documents')
  return service?.on.includes('documents') ? serviceUrl({ ...sheet, service }) : undefined
}

/** Where the new practice fetches the content, whatever is switched off: a migration must not lose documents (§9.6). */
export function migratedDocumentsUrl(sheet: Sheet): string {
  const service = servicesOf(found(sheet, 'practice').practice).find(({ base }) => base === 'documents')
  return serviceUrl({ ...sheet, service: service ?? found(sheet, 'service') })
}

const rowsOf = ({ patient }: Context): readonly Identified<Document>[] =>
  patient.documents.map((row) => ({ row, id: row.id }))

/** The documents that are items of consultations or belong to problems, in their secondary list. */
export function linkedDocuments(only: NonNullable<AreaQuery['only']>, context: Context): AreaResult {
  const wanted = rowsOf(context).filter(({ id }) => only.ids.has(id))
  if (context.documents === undefined || wanted.length === 0) return { resources: [], lists: [], shown: [] }
  if (context.disabled('documents')) {
    const entries = [{ display: `${titleOf('documents')} items have been disabled` }]
    return { resources: [], lists: [{ kind: 'documents', within: only.within, entries }], shown: [] }
  }
  return listed(
    { kind: 'documents', type: 'DocumentReference' },
    { asked: [], only },
    context,
    wanted,
    () => true,
    resourcesOf(context),
  )
}

/** All that may be shared, for a record that moves. */
export function allDocuments(context: Context): readonly IdentifiedResource[] {
  return context.shareable(rowsOf(context)).shown.flatMap(resourcesOf(context))
}

function resourcesOf(context: Context): (document: Identified<Document>) => readonly IdentifiedResource[] {
  const { held, record, documents } = context
  const byItem = consultationsByItem(context)
  const encounters = new Set(encountersOf(context).map(({ id }) => id))
  return ({ row, id }) => {
    if (documents === undefined) return []
    const { author, encounter } = row
    const elsewhere = author !== undefined && 'odsCode' in author && author.odsCode !== held.practice.odsCode
    const at =
      encounter !== undefined && encounters.has(encounter) ? { reference: `Encounter/${encounter}` } : byItem(id)
    const reference = unversioned(id, documentReference(row, record, held, documents.url, documents.limit))
    return [
      at === undefined ? reference : withEncounter(reference, at),
      ...(elsewhere ? [unversioned(author.odsCode, writingOrganization(author))] : []),
    ]
  }
}

function withEncounter(resource: IdentifiedResource, encounter: Reference): IdentifiedResource {
  const { context } = resource as { readonly context?: object }
  const told = { ...resource, context: { encounter, ...context } }
  return told
}

/** A structured record has no versions (§9.2). */
function unversioned(id: string, resource: ReturnType<typeof documentReference>): IdentifiedResource {
  const { profile = [] } = resource.meta ?? {}
  return { ...resource, id, meta: { profile } }
}
