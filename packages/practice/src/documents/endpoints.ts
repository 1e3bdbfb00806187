/** Access Document (§11): the documents of a patient, and the content of one. */

import { requestedConfidentiality } from '@openspine/standards/audit-token'
import { type Resource, searchset } from '@openspine/standards/fhir'
import type { Check } from '../checks/check.ts'
import { recordRules, switchedOn } from '../checks/sharing.ts'
import type { Endpoint, Refused, Result } from '../endpoint.ts'
import { findPatientOfPath } from '../foundations/patients.ts'
import type { Document } from '../record/documents.ts'
import { type Answering, found, type Sheet, serviceUrl } from '../sheet.ts'
import type { StoredPatient, StoredPractice } from '../store.ts'
import {
  organizationResource,
  patientResource,
  practitionerResource,
  practitionerRoleResource,
} from '../stu3/people.ts'
import { interaction } from '../stu3/systems.ts'
import { binary, documentReference, migrateLimit, readLimit, writingOrganization } from './resources.ts'
import { type DocumentSheet, isWanted, searchChecks } from './search.ts'

const patientOfPath: Check = {
  name: 'patient of the path',
  clause: '11',
  outcome: 'PATIENT_NOT_FOUND',
  explains: 'The id must be that of a patient of this practice, as the search by NHS number gives it.',
  examine: async (sheet, surroundings) =>
    (await findPatientOfPath(sheet, surroundings)) === undefined ? 'There is no such patient.' : undefined,
}

const noSuchDocument = 'There is no such document.'

/** Finds the document, and with it the patient whose sharing rules count. */
const documentOfPath: Check = {
  name: 'document of the path',
  clause: '11',
  outcome: 'NO_RECORD_FOUND',
  explains: 'The id must be that of a document which the search gave, and whose content is held.',
  async examine(sheet: DocumentSheet, { store }) {
    const { odsCode } = found(sheet, 'practice').practice
    const id = found(sheet, 'id')
    const held = await store.documentOwner(odsCode, id)
    const record = held === undefined ? undefined : await store.patient(odsCode, held)
    const document = record?.patient.documents.find((it) => it.id === id)
    if (record === undefined || document === undefined) return noSuchDocument
    sheet.record = record
    sheet.nhsNumber = record.patient.nhsNumber
    sheet.document = document
    sheet.audited = { document: id }
    return undefined
  },
}

function sizeCheck(limit: number): Check {
  return {
    name: 'document size',
    clause: '11',
    outcome: 'NO_RECORD_FOUND',
    explains: `Documents of more than ${limit / 1024 / 1024} MB are not handed over this way.`,
    examine: ({ document }: DocumentSheet) =>
      (document?.size ?? 0) > limit ? 'The document is larger than may be handed over.' : undefined,
  }
}

const notConfidential: Check = {
  name: 'document not confidential',
  clause: '11',
  outcome: 'NO_RECORD_FOUND',
  explains: 'The document is kept back for confidentiality.',
  examine: ({ document }: DocumentSheet) => (document?.confidential === true ? noSuchDocument : undefined),
}

const confidentialAllowed: Check = {
  name: 'confidential document allowed',
  clause: '9.6',
  outcome: 'NOT_AUTHORISED',
  explains: 'A confidential document is migrated only to a token whose scope has conf/R.',
  examine: ({ document, token }: DocumentSheet) =>
    document?.confidential === true && requestedConfidentiality(token?.claims ?? {}) !== 'R'
      ? 'The scope of the token does not ask for what is confidential.'
      : undefined,
}

async function content(sheet: DocumentSheet, { store }: Answering): Promise<Result | Refused> {
  const record = found(sheet, 'record')
  const { document } = sheet
  const held = document && (await store.documentContent(found(sheet, 'practice').practice.odsCode, document.id))
  // It may have been replaced between the look-up and now.
  if (document === undefined || held === undefined)
    return { outcome: 'NO_RECORD_FOUND', diagnostics: noSuchDocument, check: 'document content' }
  return {
    status: 200,
    resource: binary(document, record.version, held),
    headers: { etag: `W/"${record.version}"` },
  }
}

/** The references with everything that they refer to, each once. */
function documentsOf(sheet: DocumentSheet): Resource {
  const held = found(sheet, 'practice')
  const record = found(sheet, 'record')
  const base = serviceUrl(sheet)
  const documents = record.patient.documents.filter(
    (document) => document.confidential !== true && isWanted(document, sheet, held.practice.odsCode),
  )
  const references = documents.map((document) => documentReference(document, record, held, base))
  return searchset([...references, ...(documents.length === 0 ? [] : around(documents, record, held))], {
    total: references.length,
  })
}

function around(documents: readonly Document[], record: StoredPatient, held: StoredPractice): Resource[] {
  const versioned = { versioned: true }
  const { practice } = held
  const writers = new Map<string, Resource>()
  for (const { author } of documents) {
    if (author === undefined) continue
    if ('odsCode' in author) {
      if (author.odsCode !== practice.odsCode) writers.set(author.odsCode, writingOrganization(author))
      continue
    }
    const practitioner = practice.practitioners.find(({ id }) => id === author.practitioner)
    if (practitioner === undefined) continue
    writers.set(practitioner.id, practitionerResource(practitioner, held, versioned))
    writers.set(`${practitioner.id} role`, practitionerRoleResource(practitioner, held, versioned))
  }
  return [patientResource(record, held, versioned), organizationResource(held, versioned), ...writers.values()]
}

const at = { bases: ['documents'], capability: 'documents', verb: 'GET', body: false, scope: 'patient/*.read' } as const

export const documentEndpoints: readonly Endpoint[] = [
  {
    ...at,
    action: 'searchDocuments',
    path: '/Patient/{id}/DocumentReference',
    interaction: interaction('documents:fhir:rest:search:documentreference-1'),
    checks: [switchedOn, ...searchChecks, patientOfPath, ...recordRules],
    respond: (sheet: Sheet) => ({ status: 200, resource: documentsOf(sheet) }),
  },
  {
    ...at,
    action: 'readBinary',
    path: '/Binary/{id}',
    interaction: interaction('documents:fhir:rest:read:binary-1'),
    checks: [switchedOn, documentOfPath, ...recordRules, notConfidential, sizeCheck(readLimit)],
    respond: content,
  },
  {
    ...at,
    action: 'migrateBinary',
    path: '/Binary/{id}',
    interaction: interaction('documents:fhir:rest:migrate:binary-1'),
    since: '1.6',
    migrate: true,
    checks: [documentOfPath, confidentialAllowed, sizeCheck(migrateLimit)],
    respond: content,
  },
]
