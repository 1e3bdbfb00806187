/** The Conformance statement that answers `GET metadata` (§7.8). */
import type { Resource } from '@openspine/standards/fhir'
import { profileOf } from '../dstu2/systems.ts'
import { product } from '../product.ts'
import type { PracticeRecord } from '../record/model.ts'

const profiles = [
  'patient',
  'operationoutcome',
  'practitioner',
  'organization',
  'searchset-bundle',
  'carerecord-composition',
] as const

export function conformance(practice: PracticeRecord): Resource {
  const statement = {
    resourceType: 'Conformance',
    version: practice.specificationVersion,
    name: 'GP Connect',
    status: 'active',
    publisher: practice.name,
    date: product.released,
    description: `Access Record HTML of ${practice.name}`,
    kind: 'capability',
    software: { name: product.name, version: product.version, releaseDate: product.released },
    fhirVersion: '1.0.2',
    acceptUnknown: 'both',
    format: ['application/xml+fhir', 'application/json+fhir'],
    profile: profiles.map((name) => ({ reference: profileOf(name) })),
    rest: [
      {
        mode: 'server',
        security: { cors: false },
        operation: practice.accessRecordHtml
          ? [
              {
                name: 'gpc.getcarerecord',
                definition: { reference: 'OperationDefinition/gpc.getcarerecord' },
              },
            ]
          : undefined,
      },
    ],
  }
  return statement
}
