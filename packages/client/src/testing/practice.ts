/** A small fake practice of GP Connect 1.x behind a fake proxy: one patient, a few slots and documents, and appointments that it keeps. */
import type { TestContext } from 'node:test'
import { stu3 } from '@openspine/standards/fhir/stu3'
import { httpServer, ldapServer, type Received } from './testing.ts'

export const nhsNumber = '9990548609'
export const serviceRoot = 'https://gp.example/A20047/STU3/1/gpconnect'
const structureDefinition = 'https://fhir.nhs.uk/STU3/StructureDefinition'
const ids = 'https://fhir.nhs.uk/Id'

type Fields = Record<string, unknown>

export const patient: Fields = {
  resourceType: 'Patient',
  id: 'p-1',
  meta: { versionId: '7' },
  identifier: [{ system: `${ids}/nhs-number`, value: nhsNumber }],
  name: [{ use: 'official', family: 'Testcase', given: ['Arlo'] }],
  gender: 'male',
  birthDate: '1980-02-29',
  managingOrganization: { reference: 'Organization/o-1' },
}

const organisation: Fields = {
  resourceType: 'Organization',
  id: 'o-1',
  identifier: [{ system: `${ids}/ods-organization-code`, value: 'A20047' }],
  name: 'Invented Surgery',
}

const bundle = (type: string, ...resources: readonly Fields[]): Fields => ({
  resourceType: 'Bundle',
  type,
  entry: resources.map((resource) => ({ resource })),
})

function slot(id: string, start: string, end: string): Fields {
  return {
    resourceType: 'Slot',
    id,
    extension: [{ url: `${structureDefinition}/Extension-GPConnect-DeliveryChannel-2`, valueCode: 'In-person' }],
    serviceType: [{ text: 'General consultation' }],
    schedule: { reference: 'Schedule/sch-1' },
    status: 'free',
    start: `2099-12-01T${start}+00:00`,
    end: `2099-12-01T${end}+00:00`,
  }
}

const slots = [
  slot('s-3', '09:30:00', '09:40:00'),
  slot('s-1', '09:00:00', '09:10:00'),
  slot('s-2', '09:10:00', '09:20:00'),
]

const scheduled: readonly Fields[] = [
  {
    resourceType: 'Schedule',
    id: 'sch-1',
    extension: [
      {
        url: `${structureDefinition}/Extension-GPConnect-PractitionerRole-1`,
        valueCodeableConcept: { coding: [{ code: 'R0260', display: 'General Medical Practitioner' }] },
      },
    ],
    serviceCategory: { text: 'General GP appointments' },
    actor: [{ reference: 'Location/l-1' }, { reference: 'Practitioner/d-1' }],
  },
  { resourceType: 'Location', id: 'l-1', name: 'Building A' },
  { resourceType: 'Practitioner', id: 'd-1', name: [{ prefix: ['Dr'], given: ['Grace'], family: 'Invented' }] },
]

const list = (code: string, title: string, rest: Fields): Fields => ({
  resourceType: 'List',
  status: 'current',
  mode: 'snapshot',
  title,
  code: { coding: [{ system: 'http://snomed.info/sct', code, display: title }] },
  ...rest,
})

const warning = (code: string) => ({
  url: `${structureDefinition}/Extension-CareConnect-GPC-ListWarningCode-1`,
  valueCode: code,
})

/** A record with an allergy, an ended one, a medicine, and no problems; of what is not known to it, it warns. */
export const structured: Fields = bundle(
  'collection',
  list('933361000000108', 'Medications and medical devices', {
    extension: [warning('confidential-items')],
    note: [{ text: 'Items excluded due to confidentiality and/or patient preferences.' }],
    entry: [{ item: { reference: 'MedicationStatement/ms-1' } }],
  }),
  {
    resourceType: 'MedicationStatement',
    id: 'ms-1',
    status: 'active',
    medicationReference: { reference: 'Medication/m-1' },
    effectivePeriod: { start: '2025-01-02' },
    dosage: [{ text: 'one a day', patientInstruction: 'with food' }],
    taken: 'unk',
  },
  { resourceType: 'Medication', id: 'm-1', code: { coding: [{ display: 'Inventedicin 5 mg tablets' }] } },
  list('886921000000105', 'Allergies and adverse reactions', {
    entry: [{ item: { reference: 'AllergyIntolerance/a-1' } }],
  }),
  {
    resourceType: 'AllergyIntolerance',
    id: 'a-1',
    clinicalStatus: 'active',
    assertedDate: '2019-05-06',
    code: { coding: [{ display: 'Allergy to \u001b[31minvented nuts' }] },
    reaction: [{ manifestation: [{ coding: [{ display: 'Rash' }] }], severity: 'severe' }],
  },
  list('1103671000000101', 'Ended allergies', {
    contained: [
      {
        resourceType: 'AllergyIntolerance',
        id: 'ended',
        clinicalStatus: 'resolved',
        assertedDate: '2001-01-01',
        code: { text: 'Allergy to invented dust' },
        extension: [
          {
            url: `${structureDefinition}/Extension-CareConnect-GPC-AllergyIntoleranceEnd-1`,
            extension: [
              { url: 'endDate', valueDateTime: '2010-03-04' },
              { url: 'reasonEnded', valueString: 'grew out of it' },
            ],
          },
        ],
      },
    ],
    entry: [{ item: { reference: '#ended' } }],
  }),
  list('717711000000103', 'Problems', {
    note: [{ text: 'Information not available' }],
    emptyReason: { coding: [{ code: 'no-content-recorded', display: 'No Content Recorded' }] },
  }),
  { ...patient, generalPractitioner: [{ reference: 'Practitioner/d-1' }] },
  organisation,
  {
    resourceType: 'OperationOutcome',
    issue: [
      {
        severity: 'warning',
        code: 'not-supported',
        details: {
          coding: [{ code: 'NOT_IMPLEMENTED', display: 'Not implemented' }],
          text: 'includeDiaryEntries is an unrecognised parameter',
        },
        diagnostics: 'includeDiaryEntries',
      },
    ],
  },
)

const documentReferences: readonly Fields[] = [
  {
    resourceType: 'DocumentReference',
    id: 'dr-1',
    status: 'current',
    type: { text: 'Discharge letter' },
    description: 'Invented stay',
    created: '2024-04-05',
    indexed: '2024-04-06T10:00:00+00:00',
    author: [{ reference: 'Organization/o-1' }],
    content: [{ attachment: { url: `${serviceRoot}/Binary/b-1`, contentType: 'text/plain', size: 5 } }],
  },
  {
    resourceType: 'DocumentReference',
    id: 'dr-2',
    status: 'current',
    type: { text: 'Scan' },
    created: '2025-01-01',
    indexed: '2025-01-02T10:00:00+00:00',
    content: [{ attachment: { title: 'The document is too large', contentType: 'image/tiff', size: 9000000 } }],
  },
]

function refusal(status: number, code: string, display: string): { status: number; resource: Fields } {
  const coding = [{ system: 'https://fhir.nhs.uk/STU3/CodeSystem/Spine-ErrorOrWarningCode-1', code, display }]
  return {
    status,
    resource: {
      resourceType: 'OperationOutcome',
      issue: [{ severity: 'error', code: 'invalid', details: { coding } }],
    },
  }
}

/** Interaction by verb and path, as §6 pairs them; an appointment may be put by two. */
const interactions: readonly (readonly [RegExp, RegExp])[] = [
  [/^GET \/metadata$/, /:read:metadata-1$/],
  [/^GET \/Patient\?/, /:search:patient-1$/],
  [/^GET \/Organization\/[^/?]+$/, /:read:organization-1$/],
  [/^POST \/Patient\/\$gpc\.getstructuredrecord$/, /:operation:gpc\.getstructuredrecord-1$/],
  [/^POST \/Patient\/\$gpc\.registerpatient$/, /:operation:gpc\.registerpatient-1$/],
  [/^GET \/Slot\?/, /:search:slot-1$/],
  [/^POST \/Appointment$/, /:create:appointment-1$/],
  [/^GET \/Patient\/[^/]+\/Appointment\?/, /:search:patient_appointments-1$/],
  [/^GET \/Appointment\/[^/?]+$/, /:read:appointment-1$/],
  [/^PUT \/Appointment\/[^/?]+$/, /:(update|cancel):appointment-1$/],
  [/^GET \/Patient\/[^/]+\/DocumentReference\?/, /documents:.*:search:documentreference-1$/],
  [/^GET \/Binary\/[^/?]+$/, /documents:.*:read:binary-1$/],
]

/** Directory, proxy and practice; `seen` has what arrived, its path without the proxy's part. */
export async function practiceServer(t: TestContext) {
  const booked = new Map<string, Fields>()
  const keep = (resource: Fields, version: number): Fields => {
    const kept: Fields = { ...resource, meta: { versionId: String(version) } }
    booked.set(String(kept['id']), kept)
    return kept
  }
  const pathOf = (request: Received) => (request.url ?? '').slice(1 + serviceRoot.length)

  const serve = (request: Received, path: string): { status: number; resource: Fields } => {
    const id = decodeURIComponent(path.split('?')[0]?.split('/')[2] ?? '')
    const body = () =>
      stu3.read(/xml/.test(String(request.headers['content-type'])) ? 'xml' : 'json', request.text) as Fields
    const ok = (resource: Fields) => ({ status: 200, resource })
    if (path === '/metadata')
      return ok({
        resourceType: 'CapabilityStatement',
        version: '1.6.2',
        rest: [
          {
            mode: 'server',
            resource: [{ type: 'Slot', interaction: [{ code: 'search-type' }] }],
            operation: [{ name: 'gpc.getstructuredrecord' }],
          },
        ],
      })
    if (path.startsWith('/Patient?'))
      return ok(path.endsWith(nhsNumber) ? bundle('searchset', patient) : bundle('searchset'))
    if (path === '/Organization/o-1') return ok(organisation)
    if (path.endsWith('getstructuredrecord')) return ok(structured)
    if (path.endsWith('registerpatient'))
      return ok(bundle('searchset', { ...(body()['parameter'] as { resource: Fields }[])[0]?.resource, id: 'p-9' }))
    if (path.startsWith('/Slot?')) return ok(bundle('searchset', ...slots, ...scheduled))
    if (path.includes('/DocumentReference?')) return ok(bundle('searchset', ...documentReferences, organisation))
    if (path.startsWith('/Binary/'))
      return ok({ resourceType: 'Binary', contentType: 'text/plain', content: Buffer.from('hello').toString('base64') })
    if (path.includes('/Appointment?')) return ok(bundle('searchset', ...booked.values()))
    if (request.method === 'POST') {
      const taken = [...booked.values()].some(({ slot, status }) => {
        const wanted = JSON.stringify(body()['slot'])
        return status === 'booked' && JSON.stringify(slot) === wanted
      })
      if (taken) return refusal(409, 'DUPLICATE_REJECTED', 'Create would lead to creation of a duplicate resource')
      return { status: 201, resource: keep({ ...body(), id: `ap-${booked.size + 1}` }, 1) }
    }
    const appointment = booked.get(id)
    if (!appointment) return refusal(404, 'NO_RECORD_FOUND', 'No record found')
    if (request.method === 'GET') return ok(appointment)
    const { versionId } = appointment['meta'] as { versionId: string }
    if (request.headers['if-match'] !== `W/"${versionId}"`)
      return refusal(409, 'FHIR_CONSTRAINT_VIOLATION', 'Version conflict')
    return ok(keep({ ...body(), id }, Number(versionId) + 1))
  }

  const proxy = await httpServer(t, (request, response) => {
    const path = pathOf(request)
    const pair = interactions.find(([target]) => target.test(`${request.method} ${path}`))
    const suits = pair?.[1].test(String(request.headers['ssp-interactionid'])) === true
    const { status, resource } =
      suits && request.url?.startsWith(`/${serviceRoot}`)
        ? serve(request, path)
        : refusal(400, 'BAD_REQUEST', 'Bad request')
    const format = String(request.headers.accept).includes('xml') ? 'xml' : 'json'
    // The allergy's escape sequence is what XML cannot carry.
    const sent = format === 'xml' ? JSON.parse(JSON.stringify(resource).replaceAll('\\u001b', '')) : resource
    response
      .writeHead(status, { 'content-type': `application/fhir+${format};charset=utf-8` })
      .end(stu3.write(format, sent))
  })
  const directory = await ldapServer(t, {
    nhsMhs: { nhsMHSEndPoint: serviceRoot, nhsMHSPartyKey: 'A20047-850001' },
    nhsAS: { uniqueIdentifier: '200000100001' },
  })
  const pds = await httpServer(t, (_request, response) =>
    response.writeHead(200, { 'content-type': 'application/fhir+json' }).end(
      JSON.stringify({
        resourceType: 'Patient',
        identifier: [{ system: `${ids}/nhs-number`, value: nhsNumber }],
        name: [{ use: 'usual', family: 'TESTCASE', given: ['Arlo'] }],
        gender: 'male',
        birthDate: '1980-03-01',
        generalPractitioner: [{ identifier: { value: 'A20047' } }],
      }),
    ),
  )
  return {
    settings: { directoryUrl: directory.url, proxyUrl: proxy.url, pdsUrl: pds.url },
    seen: proxy.seen,
    paths: () => proxy.seen.map((request) => `${request.method} ${pathOf(request)}`),
    /** As another user would: the version moves on. */
    touch: (id: string) => {
      const appointment = booked.get(id)
      if (appointment) keep(appointment, Number((appointment['meta'] as { versionId: string }).versionId) + 1)
    },
  }
}
