/** §6: each interaction belongs to one verb and path, and to one scope. */
import { in0x, in1x, type Obligation } from '../obligation.ts'

const row = (line: (asks: string) => Obligation, request: string, scope: string): Obligation =>
  line(`${request} is answered with the scope ${scope}, and refused with another.`)
const patientRead = 'patient/*.read'
const patientWrite = 'patient/*.write'
const organisationRead = 'organization/*.read'

export const interactions = {
  '6-fhir:rest:read:metadata': row(in0x, 'GET metadata', organisationRead),
  '6-fhir:operation:gpc.getcarerecord': row(in0x, 'POST Patient/$gpc.getcarerecord', patientRead),
  '6-fhir:rest:read:metadata-1': row(in1x, 'GET metadata', organisationRead),
  '6-fhir:rest:search:patient-1': row(in1x, 'GET Patient?identifier', patientRead),
  '6-fhir:rest:read:patient-1': row(in1x, 'GET Patient/[id]', patientRead),
  '6-fhir:rest:search:practitioner-1': row(in1x, 'GET Practitioner?identifier', organisationRead),
  '6-fhir:rest:read:practitioner-1': row(in1x, 'GET Practitioner/[id]', organisationRead),
  '6-fhir:rest:search:organization-1': row(in1x, 'GET Organization?identifier', organisationRead),
  '6-fhir:rest:read:organization-1': row(in1x, 'GET Organization/[id]', organisationRead),
  '6-fhir:rest:read:location-1': row(in1x, 'GET Location/[id]', organisationRead),
  '6-fhir:rest:search:healthcareservice-1': row(in1x, 'GET HealthcareService', organisationRead),
  '6-fhir:rest:read:healthcareservice-1': row(in1x, 'GET HealthcareService/[id]', organisationRead),
  '6-fhir:operation:gpc.registerpatient-1': row(in1x, 'POST Patient/$gpc.registerpatient', patientWrite),
  '6-fhir:rest:search:slot-1': row(in1x, 'GET Slot', organisationRead),
  '6-fhir:rest:create:appointment-1': row(in1x, 'POST Appointment', patientWrite),
  '6-fhir:rest:search:patient_appointments-1': row(in1x, 'GET Patient/[id]/Appointment', patientRead),
  '6-fhir:rest:read:appointment-1': row(in1x, 'GET Appointment/[id]', patientRead),
  '6-fhir:rest:update:appointment-1': row(in1x, 'PUT Appointment/[id]', patientWrite),
  '6-fhir:rest:cancel:appointment-1': row(in1x, 'PUT Appointment/[id]', patientWrite),
  '6-header-tells-apart': in1x('Amending and cancelling have one verb and path: the header alone tells them apart.'),
  '6-fhir:operation:gpc.getstructuredrecord-1': row(in1x, 'POST Patient/$gpc.getstructuredrecord', patientRead),
  '6-fhir:operation:gpc.migratestructuredrecord-1': row(in1x, 'POST Patient/$gpc.migratestructuredrecord', patientRead),
  '6-structured:fhir:rest:read:metadata-1': row(in1x, 'GET metadata of structured', organisationRead),
  '6-documents:fhir:rest:read:metadata-1': row(in1x, 'GET metadata of documents', organisationRead),
  '6-documents:fhir:rest:search:patient-1': row(in1x, 'GET Patient?identifier of documents', patientRead),
  '6-documents:fhir:rest:search:documentreference-1': row(in1x, 'GET Patient/[id]/DocumentReference', patientRead),
  '6-documents:fhir:rest:read:binary-1': row(in1x, 'GET Binary/[id]', patientRead),
  '6-documents:fhir:rest:migrate:binary-1': row(in1x, 'GET Binary/[id] of a migration', patientRead),
} as const
