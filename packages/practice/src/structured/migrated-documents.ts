/** The documents of a record that moves: the new practice fetches their content by the migration of Binary (§9.6, §11). */
import { documentReference, migrateLimit, writingOrganization } from '../documents/resources.ts'
import { servicesOf } from '../record/services.ts'
import { found, type Sheet, serviceUrl } from '../sheet.ts'
import type { IdentifiedResource } from './area.ts'
import { asksForSensitive } from './migrate.ts'

export function migratedDocuments(sheet: Sheet): readonly IdentifiedResource[] {
  const held = found(sheet, 'practice')
  const record = found(sheet, 'record')
  const service = servicesOf(held.practice).find(({ base }) => base === 'documents') ?? found(sheet, 'service')
  const base = serviceUrl({ ...sheet, service })
  const documents = record.patient.documents.filter(
    ({ confidential }) => confidential !== true || asksForSensitive(sheet) === true,
  )
  return documents.flatMap((document) => {
    const { author } = document
    const elsewhere = author !== undefined && 'odsCode' in author && author.odsCode !== held.practice.odsCode
    return [
      unversioned(document.id, documentReference(document, record, held, base, migrateLimit)),
      ...(elsewhere ? [unversioned(author.odsCode, writingOrganization(author))] : []),
    ]
  })
}

/** A structured record has no versions (§9.2). */
function unversioned(id: string, resource: ReturnType<typeof documentReference>): IdentifiedResource {
  const { profile = [] } = resource.meta ?? {}
  return { ...resource, id, meta: { profile } }
}
