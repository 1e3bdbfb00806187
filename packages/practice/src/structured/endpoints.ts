/** Access Record Structured (§9): the record by clinical areas. */
import { bodyOf } from '../checks/body.ts'
import { header } from '../checks/check.ts'
import { switchedOn } from '../checks/sharing.ts'
import { migrateLimit, readLimit } from '../documents/resources.ts'
import type { Endpoint, Result } from '../endpoint.ts'
import { type Answering, found, type Sheet } from '../sheet.ts'
import { interaction } from '../stu3/systems.ts'
import { areas, registry } from './areas.ts'
import { type RecordRequest, structuredRecord } from './bundle.ts'
import { documentsUrl, migratedDocumentsUrl } from './documents.ts'
import { askedByRegisteredPractice, asksForSensitive, wholeParameter, wholeRecordAsked } from './migrate.ts'
import { areaChecks, bodyConforms, patientNamed } from './parameter-checks.ts'
import { areasOf, askedOf, patientParameter, unrecognised } from './parameters.ts'
import { movingPatientChecks, patientChecks } from './patient-checks.ts'
import { isLong, recordOrder } from './record-order.ts'
import type { Unserved } from './warnings.ts'

/** A long record is written beside this thread: it would keep everybody else waiting for seconds. */
async function recordResult(request: RecordRequest, { format }: Sheet, { longRecords }: Answering): Promise<Result> {
  if (longRecords === undefined || !isLong(request.record.patient))
    return { status: 200, resource: structuredRecord(request, registry) }
  return { status: 200, octets: await longRecords.write(recordOrder(request, format)) }
}

const getStructuredRecord: Endpoint = {
  action: 'getStructuredRecord',
  // With Foundations and Appointments until 1.2, at a base of its own since (§1).
  bases: ['structured', 'gpconnect'],
  capability: 'structuredRecord',
  verb: 'POST',
  path: '/Patient/$gpc.getstructuredrecord',
  interaction: interaction('fhir:operation:gpc.getstructuredrecord-1'),
  scope: 'patient/*.read',
  body: true,
  checks: [...bodyConforms, ...patientNamed, ...areaChecks(areas), switchedOn, ...patientChecks],
  respond(sheet, answering) {
    const held = found(sheet, 'practice')
    const { specificationVersion: version } = found(sheet, 'service')
    const body = bodyOf(sheet)
    const known = areasOf(areas, version)
    const disabled = new Set(held.practice.disabledAreas)
    const asked = known.flatMap((area) => {
      const parts = askedOf(body, area)
      return parts === undefined ? [] : [{ area, query: { asked: parts } }]
    })
    const queries = asked.filter(({ area }) => !disabled.has(area.name))
    sheet.audited = { areas: queries.map(({ area }) => area.name) }
    const unserved: Unserved[] = [
      ...unrecognised(body, known, [patientParameter]).map((name) => ({ name, because: 'unrecognised' as const })),
      ...asked
        .filter(({ area }) => disabled.has(area.name))
        .map(({ area }) => ({ name: area.parameter, because: 'disabled' as const })),
      ...(disabled.has('documents') && queries.some(({ area }) => area.brings?.includes('documents'))
        ? [{ name: 'DocumentReferences', because: 'disabled' as const }]
        : []),
    ]
    const url = documentsUrl(sheet)
    return recordResult(
      {
        held,
        record: found(sheet, 'record'),
        at: sheet.request.at,
        version,
        traceId: header(sheet, 'ssp-traceid') ?? '',
        queries,
        unserved,
        includeSensitive: false,
        disabled,
        documents: url === undefined ? undefined : { url, limit: readLimit },
      },
      sheet,
      answering,
    )
  },
}

/** Not bound by the switches of capability and areas: the new practice needs the whole record (§9.6). */
const migrateStructuredRecord: Endpoint = {
  action: 'migrateStructuredRecord',
  bases: ['structured'],
  capability: 'structuredRecord',
  verb: 'POST',
  path: '/Patient/$gpc.migratestructuredrecord',
  interaction: interaction('fhir:operation:gpc.migratestructuredrecord-1'),
  scope: 'patient/*.read',
  since: '1.6',
  migrate: true,
  body: true,
  checks: [...bodyConforms, ...patientNamed, ...wholeRecordAsked, ...movingPatientChecks, askedByRegisteredPractice],
  respond(sheet, answering) {
    const { specificationVersion: version } = found(sheet, 'service')
    const names = unrecognised(bodyOf(sheet), [], [patientParameter, wholeParameter])
    sheet.audited = { wholeRecord: true, sensitive: asksForSensitive(sheet) === true }
    return recordResult(
      {
        held: found(sheet, 'practice'),
        record: found(sheet, 'record'),
        at: sheet.request.at,
        version,
        traceId: header(sheet, 'ssp-traceid') ?? '',
        queries: areasOf(areas, version).map((area) => ({ area, query: { asked: [area.whole] } })),
        unserved: names.map((name) => ({ name, because: 'unrecognised' })),
        includeSensitive: asksForSensitive(sheet) === true,
        disabled: new Set(),
        documents: { url: migratedDocumentsUrl(sheet), limit: migrateLimit },
        withDocuments: true,
      },
      sheet,
      answering,
    )
  },
}

export const structuredEndpoints: readonly Endpoint[] = [getStructuredRecord, migrateStructuredRecord]
