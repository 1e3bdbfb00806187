import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import {
  type AmendQuery,
  type AppointmentAnswer,
  type AppointmentQuery,
  type Appointments,
  type AppointmentsQuery,
  amendAppointment,
  appointments,
  type BookQuery,
  bookAppointment,
  type CancelQuery,
  cancelAppointment,
  type FreeSlots,
  readAppointment,
  type SlotQuery,
  slots,
} from './appointments.ts'
import { type Capabilities, type CapabilitiesQuery, capabilities } from './capabilities.ts'
import { type CareRecord, type CareRecordQuery, careRecord } from './care-record.ts'
import { ldapDirectory } from './directory.ts'
import {
  type DocumentContent,
  type DocumentQuery,
  type Documents,
  type DocumentsQuery,
  document,
  documents,
} from './documents.ts'
import {
  type FoundPatient,
  findPatient,
  type PatientQuery,
  type ReadQuery,
  type ReadResource,
  type RegisterQuery,
  readResource,
  registerPatient,
} from './foundations.ts'
import { httpClient } from './http.ts'
import type { ClientLine } from './line.ts'
import { type Lookup, type LookupQuery, lookup } from './lookup.ts'
import { rememberedLookups } from './remembered.ts'
import type { ClientSettings, Practitioner } from './settings.ts'
import { type StructuredRecord, type StructuredRecordQuery, structuredRecord } from './structured.ts'
import { type Trace, type TraceQuery, trace } from './trace.ts'

export { type SignedJwtSettings, signedJwtToken, tokenExchange, type UserToken } from './access-token.ts'
export type { Appointment, DeliveryChannel, FreeSlot, Named } from './appointment-parts.ts'
export type {
  AmendQuery,
  AppointmentAnswer,
  AppointmentQuery,
  Appointments,
  AppointmentsQuery,
  BookingOrganisation,
  BookQuery,
  CancelQuery,
  FreeSlots,
  SlotQuery,
} from './appointments.ts'
export { type Banner, bannersIn } from './banners.ts'
export { type ReadBundle, readBundle, type Shortcoming } from './bundle.ts'
export type { Capabilities, CapabilitiesQuery, GpConnectService } from './capabilities.ts'
export type { CareRecord, CareRecordQuery, RecordSection } from './care-record.ts'
export { recordSections } from './care-record.ts'
export {
  type Comparison,
  compareDemographics,
  type DemographicDifference,
  type DemographicField,
  type Demographics,
  demographicsOf,
} from './demographics.ts'
export type { DocumentContent, DocumentEntry, DocumentQuery, Documents, DocumentsQuery } from './documents.ts'
export type { FoundPatient, NewPatient, PatientQuery, ReadQuery, ReadResource, RegisterQuery } from './foundations.ts'
export type { Lookup, LookupQuery } from './lookup.ts'
export type { Exchange } from './provider.ts'
export type { RecordArea, RecordItem, RecordList } from './record-lists.ts'
export type { Refusal } from './refusal.ts'
export { type SafeHtml, sanitiseHtml } from './sanitise.ts'
export type { ClientSettings, ClientTls, Practitioner } from './settings.ts'
export type { SearchPeriod, StructuredInclude, StructuredRecord, StructuredRecordQuery } from './structured.ts'
export { gpConnectToken, type SpineTokenSubject, spineToken, type TokenSubject } from './token.ts'
export type { Trace, TracedPerson, TraceQuery } from './trace.ts'

/**
 * One user's work. What the directory answered is remembered for the session alone and for a short time, as the consumer
 * rules ask: never across users or patient encounters. Whom the session traced is compared with what practices return.
 */
export interface ClientSession {
  /** Demographics: who is this, and where are they registered? */
  trace(query: TraceQuery): Promise<Trace>
  /** Directory: which endpoint of this organisation serves this interaction, and which system is it? */
  lookup(query: LookupQuery): Promise<Lookup>
  /** GP Connect `metadata` of 0.x or of one of the services of 1.x, through the secure proxy. */
  capabilities(query: CapabilitiesQuery): Promise<Capabilities>
  /** GP Connect 0.x `$gpc.getcarerecord`: one section of a record in HTML, through the secure proxy. */
  careRecord(query: CareRecordQuery): Promise<CareRecord>
  /** GP Connect 1.x: the patient at this practice, with the id that appointments need. */
  findPatient(query: PatientQuery): Promise<FoundPatient>
  /** GP Connect 1.x: a patient, practitioner, organisation, location or service by the practice's own id. */
  readResource(query: ReadQuery): Promise<ReadResource>
  /** GP Connect 1.x: a temporary patient of this practice. */
  registerPatient(query: RegisterQuery): Promise<FoundPatient>
  /** GP Connect 1.x: a record as data, area by area. */
  structuredRecord(query: StructuredRecordQuery): Promise<StructuredRecord>
  /** GP Connect 1.x: free slots. */
  slots(query: SlotQuery): Promise<FreeSlots>
  bookAppointment(query: BookQuery): Promise<AppointmentAnswer>
  /** The appointments of a patient that are still to come. */
  appointments(query: AppointmentsQuery): Promise<Appointments>
  readAppointment(query: AppointmentQuery): Promise<AppointmentAnswer>
  amendAppointment(query: AmendQuery): Promise<AppointmentAnswer>
  cancelAppointment(query: CancelQuery): Promise<AppointmentAnswer>
  /** GP Connect 1.x: what documents there are. */
  documents(query: DocumentsQuery): Promise<Documents>
  /** GP Connect 1.x: the content of a document. */
  document(query: DocumentQuery): Promise<DocumentContent>
}

export interface SpineClient {
  session(user: { readonly practitioner: Practitioner }): ClientSession
  /** Ends every kept-alive connection. */
  close(): Promise<void>
}

/**
 * A consumer of Spine services. Connections are reused; transient errors of reads are repeated at most three times with
 * growing pauses, each with a trace id and a token of its own; what books or changes is never repeated. What a service refuses arrives as a
 * SpineError `CLIENT_REFUSED` whose outcome keeps status, trace id and the OperationOutcome.
 *
 * @example
 * const spine = createClient({ pdsUrl, directoryUrl, proxyUrl, tls: { ca, cert, key }, asid, organisation, system })
 * const session = spine.session({ practitioner: { id: 'u-17', family: 'Jones' } })
 * const { person } = await session.trace({ family: 'Testcase', birthDate: '1980-02-29' })
 * const record = await session.careRecord({ nhsNumber: person.nhsNumber, odsCode: person.practice, section: 'ALL' })
 * await spine.close()
 */
export function createClient(settings: ClientSettings): SpineClient {
  const retries = Math.min(3, Math.max(0, settings.retries ?? 3))
  const timeoutMs = settings.timeoutMs ?? 30_000
  const sleep = settings.sleep ?? ((ms) => wait(ms))
  const http = httpClient({ tls: settings.tls, timeoutMs, retries, sleep })
  const directory = ldapDirectory({ url: settings.directoryUrl, tls: settings.tls, timeoutMs, retries, sleep })
  return {
    session({ practitioner }) {
      const now = settings.clock?.now ?? Date.now
      const line: ClientLine = {
        settings,
        practitioner,
        http,
        directory,
        now,
        traced: new Map(),
        uuid: settings.uuid ?? randomUUID,
        lookup: rememberedLookups({ ask: (query) => lookup(line, query), now, life: settings.lookupLife }),
      }
      return {
        trace: (query) => trace(line, query),
        lookup: (query) => line.lookup(query),
        capabilities: (query) => capabilities(line, query),
        careRecord: (query) => careRecord(line, query),
        findPatient: (query) => findPatient(line, query),
        readResource: (query) => readResource(line, query),
        registerPatient: (query) => registerPatient(line, query),
        structuredRecord: (query) => structuredRecord(line, query),
        slots: (query) => slots(line, query),
        bookAppointment: (query) => bookAppointment(line, query),
        appointments: (query) => appointments(line, query),
        readAppointment: (query) => readAppointment(line, query),
        amendAppointment: (query) => amendAppointment(line, query),
        cancelAppointment: (query) => cancelAppointment(line, query),
        documents: (query) => documents(line, query),
        document: (query) => document(line, query),
      }
    },
    async close() {
      await Promise.all([http.close(), directory.close()])
    },
  }
}
