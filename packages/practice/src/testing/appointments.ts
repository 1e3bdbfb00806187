/** The worked example with a store of its own, and what a consumer does with its appointments. */
import assert from 'node:assert/strict'
import { manualClock, systemRandom } from '@openspine/platform/clock'
import { openMemoryStore } from '@openspine/platform/testing'
import type { AnyResource, FhirFormat } from '@openspine/standards/fhir'
import { stu3 } from '@openspine/standards/fhir/stu3'
import { type Answer, answer } from '../answer.ts'
import { extensions, profiles } from '../appointments/names.ts'
import { appointmentStore } from '../appointments/store.ts'
import { endpoints } from '../endpoints.ts'
import { migrations } from '../migrations.ts'
import { readPracticeFile } from '../record/file.ts'
import type { PracticeFile } from '../record/model.ts'
import { workedExample } from '../sandbox/worked-example.ts'
import { practiceStore } from '../store.ts'
import { systems } from '../stu3/systems.ts'
import { now, today } from './example-answers.ts'
import { proxyFqdn, received, type TestRequest, testAsid } from './requests.ts'
import { stu3Request, testAsids } from './stu3-requests.ts'

export type Json = Record<string, unknown>

export interface Asked {
  readonly method?: 'GET' | 'POST' | 'PUT'
  readonly interaction: string
  readonly target: string
  readonly scope?: string
  readonly body?: object | string
  readonly headers?: Readonly<Record<string, string | undefined>>
  readonly contentType?: string
  readonly accept?: string
}

export interface Told {
  readonly status: number
  readonly headers: Answer['headers']
  readonly body: string
  readonly failed: string | undefined
  /** The resource, when there is one; the code of an OperationOutcome. */
  readonly resource: AnyResource
  readonly code: string | undefined
  readonly answer: Answer
}

export type Practice = Awaited<ReturnType<typeof appointmentPractice>>

/** `settings` replace those of the worked example. Close it. */
export async function appointmentPractice(settings: Partial<PracticeFile['practices'][number]> = {}) {
  const engine = await openMemoryStore()
  await engine.migrate('practice', migrations)
  const clock = manualClock(now)
  const store = practiceStore(engine, systemRandom, clock)
  const appointments = appointmentStore(engine)

  async function load(more: Partial<PracticeFile['practices'][number]> = {}) {
    const example = workedExample({ asid: testAsid, asids: testAsids, today })
    const { practices } = readPracticeFile({
      ...example,
      practices: example.practices.map((practice) => ({ ...practice, ...settings, ...more })),
    })
    await store.write(practices.map(({ patients, complete, ...practice }) => ({ practice, patients, complete })))
  }
  await load()

  async function send(request: TestRequest, at = now): Promise<Told> {
    const answered = await answer(received(request, at), async () => new TextEncoder().encode(request.body), {
      endpoints,
      clock,
      random: systemRandom,
      proxyFqdn,
      quoteSingleDates: true,
      exactAudience: false,
      store,
      appointments,
    })
    const { status, headers, body, failed } = answered
    const format: FhirFormat = headers['content-type']?.includes('xml') ? 'xml' : 'json'
    const resource: AnyResource = body === '' ? { resourceType: '' } : stu3.read(format, body)
    if (body !== '') assert.deepEqual(stu3.check(resource), [])
    assert.equal(headers['cache-control'], 'no-store')
    const [issue] = (resource['issue'] ?? []) as { details: { coding: { code: string }[] } }[]
    return {
      status,
      headers,
      body,
      failed: failed?.check,
      resource,
      code: issue?.details.coding[0]?.code,
      answer: answered,
    }
  }

  function ask(asked: Asked, at = now): Promise<Told> {
    const { headers = {}, ...rest } = asked
    const request = stu3Request({ now, ...rest })
    Object.assign(request.headers, { Host: 'gp.example.test' }, headers)
    return send(request, at)
  }

  const searchSlots = (query: string, more: Partial<Asked> = {}, at = now) =>
    ask({ interaction: 'fhir:rest:search:slot-1', target: `/Slot?${query}`, scope: 'organization/*.read', ...more }, at)
  const book = (body: object | string, more: Partial<Asked> = {}, at = now) =>
    ask(
      {
        method: 'POST',
        interaction: 'fhir:rest:create:appointment-1',
        target: '/Appointment',
        scope: 'patient/*.write',
        body,
        ...more,
      },
      at,
    )
  const read = (id: string, more: Partial<Asked> = {}, at = now) =>
    ask({ interaction: 'fhir:rest:read:appointment-1', target: `/Appointment/${id}`, ...more }, at)
  const put =
    (what: 'update' | 'cancel') =>
    (body: Json, more: Partial<Asked> = {}, at = now) =>
      ask(
        {
          method: 'PUT',
          interaction: `fhir:rest:${what}:appointment-1`,
          target: `/Appointment/${body['id']}`,
          scope: 'patient/*.write',
          body,
          ...more,
        },
        at,
      )
  const retrieve = (patient: string, query: string, more: Partial<Asked> = {}, at = now) =>
    ask(
      {
        interaction: 'fhir:rest:search:patient_appointments-1',
        target: `/Patient/${patient}/Appointment?${query}`,
        ...more,
      },
      at,
    )

  async function patientId(nhsNumber: string): Promise<string> {
    const record = await store.patient('A20047', nhsNumber)
    assert.ok(record)
    return record.id
  }

  /** Free slots of one schedule, the earliest first. */
  async function freeSlots(schedule = 'surgery-1', filter = ''): Promise<Json[]> {
    const { resource } = await searchSlots(`${twoWeeks}${filter}`)
    return resourcesIn(resource, 'Slot').filter(
      (slot) =>
        (slot['schedule'] as Json)['reference'] === `Schedule/${schedule}` && String(slot['start']) > '2026-11-21',
    )
  }

  return {
    store,
    appointments,
    load,
    send,
    ask,
    searchSlots,
    book,
    read,
    amend: put('update'),
    cancel: put('cancel'),
    retrieve,
    patientId,
    freeSlots,
    close: () => engine.close(),
  }
}

/** All that a search must have, for two weeks from today. */
export const twoWeeks = 'start=ge2026-11-20&end=le2026-12-04&status=free&_include=Slot:schedule'

export function resourcesIn(bundle: AnyResource, type?: string): Json[] {
  return ((bundle['entry'] ?? []) as { resource: Json }[])
    .map(({ resource }) => resource)
    .filter((resource) => type === undefined || resource['resourceType'] === type)
}

/** An appointment as a consumer makes one of what the search and the patient look-up gave. */
export function appointmentFor(patient: string, slots: readonly Json[], location = 'site-1'): Json {
  return {
    resourceType: 'Appointment',
    meta: { profile: [profiles.appointment] },
    contained: [
      {
        resourceType: 'Organization',
        id: '1',
        meta: { profile: ['https://fhir.nhs.uk/STU3/StructureDefinition/CareConnect-GPC-Organization-1'] },
        identifier: [{ system: systems.odsOrganisation, value: 'X26' }],
        name: 'Invented Trust',
        telecom: [{ system: 'phone', value: '01632 960001', use: 'work' }],
      },
    ],
    extension: [{ url: extensions.bookingOrganisation, valueReference: { reference: '#1' } }],
    status: 'booked',
    description: 'Review of asthma',
    start: slots[0]?.['start'],
    end: slots.at(-1)?.['end'],
    slot: slots.map((slot) => ({ reference: `Slot/${slot['id']}` })),
    created: '2026-11-20T09:59:30.1234567+00:00',
    participant: [
      {
        type: [
          {
            coding: [
              {
                system: 'http://hl7.org/fhir/ValueSet/encounter-participant-type',
                code: 'PART',
                display: 'Participation',
              },
            ],
          },
        ],
        actor: { reference: `Patient/${patient}` },
        status: 'accepted',
      },
      { actor: { reference: `Location/${location}` }, status: 'accepted' },
    ],
  }
}

/** A cancellation of what was read. */
export function cancellationOf(appointment: Json, reason: string | undefined = 'Double booked'): Json {
  return {
    ...appointment,
    status: 'cancelled',
    extension: [
      ...(appointment['extension'] as Json[]),
      { url: extensions.cancellationReason, ...(reason === '' ? {} : { valueString: reason }) },
    ],
  }
}
