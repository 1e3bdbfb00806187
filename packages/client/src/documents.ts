import { SpineError } from '@openspine/standards/error'
import { namingSystem } from '@openspine/standards/nhs'
import { readBundle, type Shortcoming } from './bundle.ts'
import type { Comparison } from './demographics.ts'
import { findPatient, gpConnect, type PatientQuery } from './foundations.ts'
import { conceptText, first, type Json, list, object, present, text } from './json.ts'
import type { ClientLine } from './line.ts'
import { askProvider, type Exchange, exchangeOf, unexpected } from './provider.ts'
import { queryText, segment } from './query.ts'

export interface DocumentsQuery extends PatientQuery {
  /** Days on which the documents were created, both included. */
  readonly created?: { readonly from?: string; readonly to?: string }
  /** ODS code of the organisation that wrote them. */
  readonly author?: string
  /** A word of the description. */
  readonly description?: string
}

export interface DocumentEntry {
  readonly id: string
  /** Where the content is: the practice's own URL, to be given to `document`. Absent when it cannot be had. */
  readonly url?: string
  /** Why there is no content, where there is none. */
  readonly absent?: string
  readonly type?: string
  readonly description?: string
  readonly created?: string
  readonly indexed?: string
  readonly contentType?: string
  /** Bytes. */
  readonly size?: number
  readonly authors: readonly string[]
  /** The DocumentReference resource. */
  readonly resource: Json
}

export interface Documents extends Exchange {
  /** The newest first. */
  readonly documents: readonly DocumentEntry[]
  readonly patientId: string
  readonly comparison?: Comparison
  readonly incomplete: readonly Shortcoming[]
}

/** GP Connect 1.x Access Document: what documents there are. The patient is found at the documents base first. */
export async function documents(line: ClientLine, query: DocumentsQuery): Promise<Documents> {
  const patient = await findPatient(line, query, 'documents')
  const { created = {}, author, description } = query
  const answer = await askProvider(line, {
    generation: 'stu3',
    interaction: gpConnect('documents:fhir:rest:search:documentreference-1'),
    odsCode: query.odsCode,
    method: 'GET',
    path: `/Patient/${segment(patient.id)}/DocumentReference${queryText([
      ['_include', 'DocumentReference:subject:Patient'],
      ['_include', 'DocumentReference:custodian:Organization'],
      ['_include', 'DocumentReference:author:Organization'],
      ['_include', 'DocumentReference:author:Practitioner'],
      ['_revinclude:recurse', 'PractitionerRole:practitioner'],
      ['created', created.from && `ge${created.from}`],
      ['created', created.to && `le${created.to}`],
      ['author', author && `${namingSystem.fhirNhsUk.odsOrganisation}|${author}`],
      ['description', description],
    ])}`,
    scope: 'patient/*.read',
    format: query.format ?? 'json',
  })
  const bundle = readBundle(answer.resource)
  return present({
    documents: bundle
      .ofType('DocumentReference')
      .map((resource) => entryOf(resource, (reference) => bundle.resolve(reference)))
      .sort((a, b) => (b.created ?? '').localeCompare(a.created ?? '')),
    patientId: patient.id,
    comparison: patient.comparison,
    incomplete: [...patient.incomplete, ...bundle.incomplete],
    ...exchangeOf(answer),
  })
}

function entryOf(resource: Json, resolve: (reference: string | undefined) => Json | undefined): DocumentEntry {
  const attachment = object(first(resource['content'])['attachment'])
  const url = text(attachment['url'])
  const size = attachment['size']
  return present({
    id: text(resource['id']) ?? '',
    url,
    // A placeholder says by its title why the document cannot be had (§11).
    absent: url === undefined ? (text(attachment['title']) ?? 'no reason given') : undefined,
    type: conceptText(resource['type']),
    description: text(resource['description']),
    created: text(resource['created']),
    indexed: text(resource['indexed']),
    contentType: text(attachment['contentType']),
    size: size === undefined ? undefined : Number(size),
    authors: list(resource['author']).flatMap((author) => {
      const reference = text(object(author)['reference'])
      const found = resolve(reference)
      const name = found?.['name']
      const person = first(name)
      const family = text(person['family'])
      return (
        text(name) ??
        (family && [...list(person['prefix']), ...list(person['given']), family].join(' ')) ??
        reference ??
        []
      )
    }),
    resource,
  })
}

export interface DocumentQuery {
  readonly odsCode: string
  /** The `url` of a document entry, or the id of the Binary behind it. */
  readonly document: string
  readonly format?: 'json' | 'xml'
}

export interface DocumentContent extends Exchange {
  readonly contentType: string
  readonly content: Buffer
}

/**
 * GP Connect 1.x Access Document: the content of a document. The practice names it by its own absolute URL, before which
 * the proxy's address is put here (§11); a URL that is not beneath its registered service root is not followed.
 */
export async function document(line: ClientLine, query: DocumentQuery): Promise<DocumentContent> {
  const asked = query.document
  const answer = await askProvider(line, {
    generation: 'stu3',
    interaction: gpConnect('documents:fhir:rest:read:binary-1'),
    odsCode: query.odsCode,
    method: 'GET',
    path: (root) => pathBeneath(root, asked),
    scope: 'patient/*.read',
    format: query.format ?? 'json',
  })
  const { resource } = answer
  const data = text(resource['content'])
  if (resource['resourceType'] !== 'Binary' || data === undefined)
    throw unexpected(answer.traceId, 'something that is no document')
  return {
    contentType: text(resource['contentType']) ?? 'application/octet-stream',
    content: Buffer.from(data, 'base64'),
    ...exchangeOf(answer),
  }
}

function pathBeneath(root: string, asked: string): string {
  if (!asked.includes('/')) return `/Binary/${segment(asked)}`
  if (/^Binary\/[^/]+$/.test(asked)) return `/${asked}`
  if (asked.startsWith(`${root}/`) && !/[\s#\\]|\/(?:\.|%2e){1,2}(?:[/?]|$)/i.test(asked))
    return asked.slice(root.length)
  throw new SpineError(
    'CLIENT_ANSWER',
    { url: asked },
    {
      explanation: `The document's URL is not beneath the service root that the directory has for it (${root}), so it is not followed.`,
    },
  )
}
