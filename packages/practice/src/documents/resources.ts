/** DocumentReference and Binary (§11). */
import type { Resource } from '@openspine/standards/fhir'
import type { Document } from '../record/documents.ts'
import type { StoredPatient, StoredPractice } from '../store.ts'
import { definition, systems } from '../stu3/systems.ts'

/** Longest content that a read hands over, in octets; a migration has 100 MB. */
export const readLimit = 5 * 1024 * 1024
export const migrateLimit = 100 * 1024 * 1024

/** Namespace of the identifiers that this system gives to documents. */
const identifierSystem = 'urn:openspine:practice-document'

/** What an attachment is called: its description, or why it is not there. */
function attachment(document: Document, serviceUrl: string, limit: number): object {
  const { id, contentType, size = 0, sha256, absentReason } = document
  const reason =
    sha256 === undefined
      ? (absentReason ?? 'The content of this document is not held.')
      : size > limit
        ? 'The document is larger than may be handed over.'
        : undefined
  return {
    contentType,
    ...(reason === undefined ? { url: `${serviceUrl}/Binary/${id}` } : {}),
    size,
    ...(reason === undefined ? {} : { title: reason }),
  }
}

/** Reference of the author; an organisation elsewhere is known by its ODS code. */
export function authorReference(document: Document, held: StoredPractice): string {
  const { author } = document
  if (author === undefined) return `Organization/${held.practice.odsCode}`
  return 'practitioner' in author ? `Practitioner/${author.practitioner}` : `Organization/${author.odsCode}`
}

/** `serviceUrl`: the absolute base at which this provider itself answers. */
export function documentReference(
  document: Document,
  record: StoredPatient,
  held: StoredPractice,
  serviceUrl: string,
  limit = readLimit,
): Resource {
  const { odsCode } = held.practice
  const { id, masterIdentifier, type, created, indexed, description, practiceSetting } = document
  const identifier = { system: identifierSystem, value: `${odsCode}-${id}` }
  const context = {
    ...(practiceSetting === undefined
      ? {}
      : { practiceSetting: { ...codings(practiceSetting.codes), text: practiceSetting.text } }),
  }
  const resource = {
    resourceType: 'DocumentReference',
    id,
    meta: { versionId: String(record.version), profile: [definition('CareConnect-GPC-DocumentReference-1')] },
    masterIdentifier: masterIdentifier ?? identifier,
    identifier: [identifier],
    status: 'current',
    type: { ...codings(type.codes), text: type.text },
    subject: { reference: `Patient/${record.id}` },
    ...(created === undefined ? {} : { created }),
    indexed,
    author: [{ reference: authorReference(document, held) }],
    custodian: { reference: `Organization/${odsCode}` },
    ...(description === undefined ? {} : { description }),
    content: [{ attachment: attachment(document, serviceUrl, limit) }],
    ...(Object.keys(context).length === 0 ? {} : { context }),
  }
  return resource
}

function codings(codes: Document['type']['codes']): object {
  return codes.length === 0 ? {} : { coding: codes }
}

/** An organisation that wrote a document and of which no more is known. */
export function writingOrganization({ odsCode, name }: { readonly odsCode: string; readonly name: string }): Resource {
  const resource = {
    resourceType: 'Organization',
    id: odsCode,
    meta: { versionId: '1', profile: [definition('CareConnect-GPC-Organization-1')] },
    identifier: [{ system: systems.odsOrganisation, value: odsCode }],
    name,
  }
  return resource
}

export function binary(document: Document, version: number, content: Buffer): Resource {
  const resource = {
    resourceType: 'Binary',
    id: document.id,
    meta: { versionId: String(version) },
    contentType: document.contentType,
    content: content.toString('base64'),
  }
  return resource
}
