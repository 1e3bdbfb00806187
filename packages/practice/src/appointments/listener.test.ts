/** A booking over real sockets: through TLS and the listener, into the audit, and over a restart. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { systemClock } from '@openspine/platform/clock'
import { makeMetrics } from '@openspine/platform/metrics'
import { strictTests, type TestPlatform, testPlatform } from '@openspine/platform/testing'
import type { IssuedCertificate } from '@openspine/platform/trust'
import { stu3 } from '@openspine/standards/fhir/stu3'
import { addDays, dayAt } from '../record/dates.ts'
import { workedExamplePatients as people, practice, practiceConfig, workedExample } from '../service.ts'
import { practiceStore } from '../store.ts'
import { appointmentFor, cancellationOf, type Json, resourcesIn } from '../testing/appointments.ts'
import { proxyFqdn, testAsid } from '../testing/requests.ts'
import { stu3Request, testAsids } from '../testing/stu3-requests.ts'
import { curl, run } from '../testing/wire.ts'

const curlIsHere = await run('curl', ['--version']).then(
  () => true,
  () => false,
)

describe('appointments over the listener', curlIsHere || strictTests ? {} : { skip: 'curl is not installed' }, () => {
  let platform: TestPlatform
  let proxy: IssuedCertificate
  let url: string
  const closers: (() => Promise<unknown>)[] = []
  const now = () => systemClock.now()

  /** The practice system as it starts in a process of its own, on the store that there is. */
  async function started() {
    const service = practice({
      platform: { ...platform, metrics: makeMetrics() },
      config: practiceConfig.parse({ port: 0, proxyFqdn }),
    })
    await platform.store.migrate('practice', service.migrations ?? {})
    await service.contract.load(workedExample({ asid: testAsid, asids: testAsids, today: dayAt(now()) }))
    const [listener] = service.listeners ?? []
    assert.ok(listener)
    ;({ url } = await listener.listen())
    closers.unshift(() => listener.close(1000))
  }

  before(async () => {
    platform = await testPlatform()
    closers.push(() => platform.close())
    proxy = await platform.trust.issue({ fqdn: proxyFqdn })
    await started()
  })
  after(async () => {
    for (const close of closers) await close()
  })

  async function ask(
    interaction: string,
    scope: string,
    target: string,
    more: { readonly method?: 'POST' | 'PUT'; readonly body?: Json; readonly headers?: Record<string, string> } = {},
  ) {
    const { headers, ...rest } = more
    const request = stu3Request({ now: now(), interaction: `fhir:rest:${interaction}`, scope, target, ...rest })
    Object.assign(request.headers, headers)
    const reply = await curl({ url, trust: platform.trust }, request, proxy.files)
    return { ...reply, resource: reply.body === '' ? { resourceType: '' } : stu3.fromJson(reply.body) }
  }

  it('are found, booked, retrieved after a restart, and cancelled', async () => {
    const today = dayAt(now())
    const patient = await practiceStore(platform.store, platform.random, platform.clock).patient(
      'A20047',
      people.everySection,
    )
    assert.ok(patient)
    const query = `start=ge${addDays(today, 1)}&end=le${addDays(today, 3)}&status=free&_include=Slot:schedule`
    const search = () => ask('search:slot-1', 'organization/*.read', `/Slot?${query}`)
    const found = await search()
    assert.equal(found.status, 200, found.body)
    const [slot] = resourcesIn(found.resource, 'Slot')
    assert.ok(slot)

    const booked = await ask('create:appointment-1', 'patient/*.write', '/Appointment', {
      method: 'POST',
      body: appointmentFor(patient.id, [slot]),
    })
    assert.equal(booked.status, 201, booked.body)
    assert.equal(booked.reason, 'Created')
    assert.equal(booked.headers.get('etag'), 'W/"1"')
    assert.equal(booked.headers.get('cache-control'), 'no-store')
    assert.equal(booked.headers.get('location'), `${url}/A20047/STU3/1/gpconnect/Appointment/${booked.resource.id}`)

    await started()
    const retrieved = await ask(
      'search:patient_appointments-1',
      'patient/*.read',
      `/Patient/${patient.id}/Appointment?start=ge${today}&start=le${addDays(today, 13)}`,
    )
    assert.deepEqual(resourcesIn(retrieved.resource), [booked.resource])
    assert.equal(
      resourcesIn((await search()).resource, 'Slot').some(({ id }) => id === slot['id']),
      false,
    )

    const target = `/Appointment/${booked.resource.id}`
    const cancelled = await ask('cancel:appointment-1', 'patient/*.write', target, {
      method: 'PUT',
      body: cancellationOf(booked.resource),
      headers: { 'If-Match': 'W/"1"', Prefer: 'return=minimal' },
    })
    assert.equal(cancelled.status, 200, cancelled.body)
    assert.equal(cancelled.body, '')
    assert.equal(cancelled.headers.get('etag'), 'W/"2"')
    const read = await ask('read:appointment-1', 'patient/*.read', target)
    assert.equal(read.resource['status'], 'cancelled')
    assert.equal(
      resourcesIn((await search()).resource, 'Slot').some(({ id }) => id === slot['id']),
      true,
    )
  })

  it('stand in the audit with their id, and without a word of what was written', async () => {
    const records = await platform.audit.find({ event: 'practice.request', limit: 100 })
    const facts = records.map((record) => record.facts as Json)
    const actions = facts.map((each) => each['action'])
    assert.ok(actions.includes('bookAppointment') && actions.includes('cancelAppointment'))
    const booking = facts.find((each) => each['action'] === 'bookAppointment')
    assert.equal(booking?.['nhsNumber'], people.everySection)
    assert.equal(booking?.['appointmentVersion'], 1)
    assert.equal(booking?.['slots'], 1)
    assert.ok(booking?.['appointment'])
    assert.doesNotMatch(JSON.stringify(facts), /Review of asthma|Double booked/)
  })
})
