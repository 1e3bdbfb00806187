import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readClaims } from './claims.ts'
import { outcomeBody, preferredType, refusalAnswer } from './outcome.ts'
import { allowedVerbs, preflightAnswer, verbsOf } from './preflight.ts'
import { type RefusalStatus, shapes } from './refusal.ts'
import { bearer } from './testing.ts'

const id = '5f0c1d2e-3a4b-4c5d-8e6f-7a8b9c0d1e2f'
const answer = (status: RefusalStatus, text: string, about: object = {}) =>
  refusalAnswer(
    { status, text },
    {
      id,
      type: 'application/fhir+json',
      close: false,
      method: 'GET',
      verbs: ['GET', 'PUT', 'OPTIONS'],
      at: Date.UTC(2026, 0, 2, 3, 4, 5),
      allowance: undefined,
      ...about,
    },
  ).toString()

describe('answers of the proxy itself', () => {
  it('have the documented shape', () => {
    assert.equal(
      outcomeBody(403, 'ASID_CHECK_FAILED_MESSAGESENDER_200000000001', id, 'application/fhir+json'),
      `{"resourceType":"OperationOutcome","id":"${id}","issue":[{"severity":"error","code":"forbidden","details":{"coding":[{"system":"http://fhir.nhs.net/ValueSet/gpconnect-schedule-response-code-1-0","code":"403","display":"ASID_CHECK_FAILED_MESSAGESENDER_200000000001"}]},"diagnostics":"ASID_CHECK_FAILED_MESSAGESENDER_200000000001"}]}`,
    )
  })
  it('have the documented 405, which is another', () => {
    assert.equal(
      outcomeBody(405, '405: Method Not Allowed', id, 'application/json+fhir'),
      `{"resourceType":"OperationOutcome","id":"${id}","issue":[{"severity":"fatal","code":"forbidden","details":{"coding":[{"system":"https://fhir.nhs.uk/StructureDefinition/spine-operationoutcome-1","code":"405","display":"405: Method Not Allowed"}]}}]}`,
    )
  })
  it('say the same in XML, with the text escaped', () => {
    assert.equal(
      outcomeBody(
        502,
        'ERROR_COMMUNICATING_TO_ENDPOINT_URL_https://gp.example.test/a?b=1&c="<>"',
        id,
        'application/xml+fhir',
      ),
      `<?xml version="1.0" encoding="UTF-8"?>\n<OperationOutcome xmlns="http://hl7.org/fhir"><id value="${id}"/><issue><severity value="error"/><code value="transient"/><details><coding><system value="http://fhir.nhs.net/ValueSet/gpconnect-schedule-response-code-1-0"/><code value="502"/><display value="ERROR_COMMUNICATING_TO_ENDPOINT_URL_https://gp.example.test/a?b=1&amp;c=&quot;&lt;&gt;&quot;"/></coding></details><diagnostics value="ERROR_COMMUNICATING_TO_ENDPOINT_URL_https://gp.example.test/a?b=1&amp;c=&quot;&lt;&gt;&quot;"/></issue></OperationOutcome>`,
    )
  })
  it('have the issue codes of the specification', () => {
    const codes = {
      400: 'invalid',
      403: 'forbidden',
      405: 'forbidden',
      415: 'not-supported',
      429: 'throttled',
      495: 'forbidden',
      496: 'forbidden',
      497: 'forbidden',
      502: 'transient',
      503: 'transient',
      504: 'transient',
    }
    for (const [status, code] of Object.entries(codes))
      assert.equal(shapes[Number(status) as RefusalStatus].issue, code)
  })
  it('are not stored, and demand https ever after', () => {
    const text = answer(403, 'x')
    assert.match(text, /^HTTP\/1\.1 403 Forbidden\r\nDate: Fri, 02 Jan 2026 03:04:05 GMT\r\n/)
    assert.match(text, /\r\nCache-Control: no-store\r\n/)
    assert.match(text, /\r\nStrict-Transport-Security: max-age=\d+/)
    assert.match(text, /\r\nContent-Type: application\/fhir\+json; charset=utf-8\r\n/)
    assert.ok(!text.includes('Connection:'))
  })
  it('name the verbs with 405, a wait with 429 and 503, and have no body for HEAD', () => {
    assert.match(answer(405, 'x'), /\r\nAllow: GET, PUT, OPTIONS\r\n/)
    const limited = answer(429, 'x', { allowance: { allowed: false, limit: 5, remaining: 0, reset: 17 } })
    assert.match(limited, /\r\nRetry-After: 17\r\n/)
    assert.match(limited, /\r\nX-Rate-Limit-Limit: 5\r\nX-Rate-Limit-Remaining: 0\r\nX-Rate-Limit-Reset: 17\r\n/)
    // No room at the provider has nothing to do with the window, though its headers are shown.
    const full = answer(503, 'x', { allowance: { allowed: true, limit: 5, remaining: 3, reset: 17 } })
    assert.match(full, /\r\nX-Rate-Limit-Reset: 17\r\nRetry-After: 1\r\n/)
    assert.match(answer(405, 'x', { method: 'HEAD' }), /\r\nContent-Length: [1-9]\d*\r\n[\s\S]*\r\n\r\n$/)
  })
})

describe('the type of those answers', () => {
  const cases: [target: string, accept: string | undefined, type: string][] = [
    ['/x', undefined, 'application/fhir+json'],
    ['/x', '*/*', 'application/fhir+json'],
    ['/x', 'application/fhir+xml', 'application/fhir+xml'],
    ['/x', 'application/xml+fhir;charset=utf-8', 'application/xml+fhir'],
    ['/x', 'application/json+fhir', 'application/json+fhir'],
    ['/x', 'text/html, application/fhir+xml;q=0.9, application/fhir+json;q=0.8', 'application/fhir+xml'],
    ['/x', 'application/fhir+xml;q=0, application/fhir+json', 'application/fhir+json'],
    ['/x', 'application/xml', 'application/fhir+xml'],
    ['/x?_format=application/fhir+xml', 'application/fhir+json', 'application/fhir+xml'],
    ['/x?a=b&_format=application%2Fxml%2Bfhir', undefined, 'application/xml+fhir'],
    ['/x?_format=application%2Ffhir%20xml', undefined, 'application/fhir+xml'],
    ['/x?_format=xml', undefined, 'application/fhir+xml'],
    ['/x?_format=%zz', 'application/fhir+xml', 'application/fhir+xml'],
    ['/x?_format=constructor', '__proto__', 'application/fhir+json'],
  ]
  for (const [target, accept, type] of cases)
    it(`${target} ${accept ?? ''}`, () => assert.equal(preferredType(target, accept), type))
})

describe('pre-flight', () => {
  it('lists the verbs by path', () => {
    const base = '/https://gp.example.test/A20047/STU3/1/gpconnect'
    assert.equal(verbsOf(`${base}/Appointment/7`), 'GET, PUT')
    assert.equal(verbsOf(`${base}/Appointment`), 'POST')
    assert.equal(verbsOf(`${base}/Patient/$gpc.getstructuredrecord`), 'POST')
    assert.equal(verbsOf(`${base}/Patient/2/Appointment?start=ge2026-01-01`), 'GET')
    assert.equal(verbsOf(`${base}/metadata`), 'GET')
    assert.equal(verbsOf(`/${encodeURIComponent(`${base.slice(1)}/Appointment/7?a=b`)}`), 'GET, PUT')
  })
  it('is named by a 405 only where it is answered', () => {
    assert.deepEqual(allowedVerbs({ verbs: ['GET', 'OPTIONS'], cors: true }), ['GET', 'OPTIONS'])
    assert.deepEqual(allowedVerbs({ verbs: ['GET'], cors: true }), ['GET', 'OPTIONS'])
    assert.deepEqual(allowedVerbs({ verbs: ['GET'], cors: false }), ['GET'])
  })
  it('has the standard headers and the one that published tests look for', () => {
    const text = preflightAnswer(
      '/https://gp.example.test/x/Appointment/7',
      { corsOrigin: '*', corsRequestMethodHeader: true },
      true,
      Date.UTC(2026, 0, 2, 3, 4, 5),
    ).toString()
    assert.match(text, /^HTTP\/1\.1 200 OK\r\nDate: Fri, 02 Jan 2026 03:04:05 GMT\r\n/)
    assert.match(text, /\r\nAccess-Control-Allow-Methods: GET, PUT\r\n/)
    assert.match(text, /\r\nAccess-Control-Request-Method: GET, PUT\r\n/)
    assert.match(text, /\r\nAccess-Control-Allow-Origin: \*\r\n/)
    assert.match(text, /\r\nConnection: close\r\n/)
  })
})

describe('claims for the audit', () => {
  it('are read in both dialects', () => {
    const old = readClaims(
      bearer({
        requested_record: {
          resourceType: 'Patient',
          identifier: [{ system: 'http://fhir.nhs.net/Id/nhs-number', value: '9990000018' }],
        },
        requesting_practitioner: {
          id: 'u',
          name: { family: ['Jones'], given: ['Claire'], prefix: ['Dr'] },
          practitionerRole: [{ role: { coding: [{ code: 'R1' }] } }],
        },
      }),
    )
    assert.ok(old.ok)
    assert.deepEqual(old.facts.record, ['http://fhir.nhs.net/Id/nhs-number|9990000018'])
    assert.deepEqual(old.facts.practitioner, { id: 'u', ids: undefined, name: 'Dr Claire Jones', role: 'R1' })
  })
  it('stay bounded and sound, whatever a stranger puts in', () => {
    const odd = readClaims(
      bearer({
        iss: 'x'.repeat(5000),
        sub: { deep: [1] },
        requesting_device: { identifier: [null, 7, {}] },
        requesting_practitioner: { name: [null], identifier: 'x' },
        requesting_organization: 'https://fhir.nhs.uk/Id/ods-organization-code|X26',
      }),
    )
    assert.ok(odd.ok)
    assert.equal((odd.facts.iss as string).length, 512)
    assert.equal(odd.facts.sub, undefined)
    assert.deepEqual(odd.facts.device, ['|'])
    assert.equal(odd.facts.organisation, 'https://fhir.nhs.uk/Id/ods-organization-code|X26')
    assert.ok(!readClaims('Bearer a.b').ok)
  })
})
