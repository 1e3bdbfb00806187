import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { spineOutcomes } from '../outcomes.ts'
import { bases, numbers, roleId, sent, startAdjustments } from '../testing.ts'
import { conditionChecks, consentChecks, flagChecks, impairmentChecks, type ResourceCheck } from './resources.ts'

let service: Awaited<ReturnType<typeof startAdjustments>>
before(async () => {
  service = await startAdjustments()
})
after(() => service.close())

const { one } = numbers
const create = (path: string, body: object) =>
  service.ask({
    method: 'POST',
    url: `${bases.gateway}${path}`,
    headers: {
      'content-type': 'application/fhir+json',
      'x-request-id': randomUUID(),
      'nhsd-session-urid': roleId,
    },
    body,
  })
// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came
const json = (answer: { text: string }): any => JSON.parse(answer.text)

/** A resource with one member otherwise. */
const spoil = (resource: object, change: object) => ({ ...resource, ...change })
const nothing = { coding: [{ system: 'http://none', code: 'x' }] }
const coded = (system: string, code: string) => ({ coding: [{ system, code }] })
const stu3System = 'https://fhir.nhs.uk/STU3/CodeSystem/'
const extension = (name: string, concept: object) => [
  { url: `https://fhir.nhs.uk/STU3/StructureDefinition/Extension-RARecord-${name}-1`, valueCodeableConcept: concept },
]

const spoiled: Readonly<
  Record<string, { readonly checks: readonly ResourceCheck[]; readonly by: Readonly<Record<string, object>> }>
> = {
  '/Consent': {
    checks: consentChecks,
    by: {
      'Resource type': sent.flag(one),
      'No id on create': spoil(sent.consent(one), { id: 'x' }),
      Status: spoil(sent.consent(one), { status: 'inactive' }),
      'System of category': spoil(sent.consent(one), { category: [nothing] }),
      'Code of category': spoil(sent.consent(one), { category: [coded(`${stu3System}RARecord-FlagCategory-1`, 'X')] }),
      'Reference of patient': spoil(sent.consent(one), { patient: { reference: one } }),
      'NHS number of patient': sent.consent('9990548600'),
      'System of purpose': spoil(sent.consent(one), { purpose: nothing.coding }),
      'Code of purpose': spoil(sent.consent(one), {
        purpose: coded(`${stu3System}RARecord-ConsentPurpose-1`, 'X').coding,
      }),
      'System of ProxyRole': spoil(sent.consent(one), { extension: extension('ProxyRole', nothing) }),
      'Code of ProxyRole': spoil(sent.consent(one), {
        extension: extension('ProxyRole', coded(`${stu3System}RARecord-ProxyRole-1`, '009')),
      }),
      'System of the reason for removal': spoil(sent.consent(one), { extension: extension('RemovalReason', nothing) }),
      'Code of the reason for removal': spoil(sent.consent(one), { extension: [sent.removal('Whim')] }),
    },
  },
  '/Flag': {
    checks: flagChecks,
    by: {
      'Resource type': sent.consent(one),
      'No id on create': spoil(sent.flag(one), { id: 'x' }),
      Status: spoil(sent.flag(one), { status: 'current' }),
      'System of category': spoil(sent.flag(one), { category: nothing }),
      'Code of category': spoil(sent.flag(one), { category: coded(`${stu3System}RARecord-FlagCategory-1`, 'X') }),
      'Reference of subject': spoil(sent.flag(one), { subject: { reference: 'Group/1' } }),
      'NHS number of subject': sent.flag('9990548600'),
      'System of AdjustmentCategory': spoil(sent.flag(one), { extension: undefined }),
      'Code of AdjustmentCategory': spoil(sent.flag(one), {
        extension: extension('AdjustmentCategory', coded(`${stu3System}RARecord-AdjustmentCategory-1`, '012')),
      }),
      'System of code': spoil(sent.flag(one), { code: nothing }),
      'Code of code': spoil(sent.flag(one), { code: coded('http://snomed.info/sct', 'abc') }),
      'System of the reason for removal': spoil(sent.flag(one), {
        extension: [...sent.flag(one).extension, ...extension('RemovalReason', nothing)],
      }),
      'Code of the reason for removal': spoil(sent.flag(one), {
        extension: [...sent.flag(one).extension, sent.removal('Whim')],
      }),
    },
  },
}

const listOf = (more: object, list: object = {}) => sent.list(one, [sent.condition(one, 'a', more)], list)
const listFaults: Readonly<Record<string, object>> = {
  'Resource type': sent.consent(one),
  'No id on create': listOf({}, { id: 'x' }),
  Status: listOf({}, { status: 'retired' }),
  Mode: listOf({}, { mode: 'working' }),
  'System of code of the list': listOf({}, { code: nothing }),
  'Code of code of the list': listOf({}, { code: coded('http://snomed.info/sct', '1') }),
  'Reference of subject': listOf({}, { subject: { reference: 'x' } }),
  'NHS number of subject': listOf({}, { subject: { reference: 'Patient/9990548600' } }),
  Entries: listOf({}, { entry: [] }),
  'Clinical status of each Condition': listOf({ clinicalStatus: 'resolved' }),
  'System of category of each Condition': listOf({ category: [nothing] }),
  'Code of category of each Condition': listOf({
    category: [coded('https://fhir.hl7.org.uk/STU3/CodeSystem/CareConnect-ConditionCategory-1', 'x')],
  }),
  'System of code of each Condition': listOf({ code: nothing }),
  'One patient': listOf({ subject: { reference: `Patient/${numbers.other}` } }),
  'Reason for removal of each Condition': listOf({ clinicalStatus: 'inactive' }),
  'System of the reason for removal of each Condition': listOf({ extension: extension('RemovalReason', nothing) }),
  'Code of the reason for removal of each Condition': listOf({ extension: [sent.removal('Whim')] }),
}

test('every check of a resource fails with its outcome', async () => {
  await create('/Consent', sent.consent(one))
  const snomed = { code: coded('http://snomed.info/sct', '73618009') }
  const forConditions = Object.fromEntries(
    Object.entries(listFaults).map(([name, body]) => {
      const { contained } = body as { contained?: readonly object[] }
      if (contained === undefined || name === 'System of code of each Condition') return [name, body]
      return [name, { ...body, contained: contained.map((each) => ({ ...each, ...snomed })) }]
    }),
  )
  const all = {
    ...spoiled,
    '/List': {
      checks: impairmentChecks,
      by: {
        ...listFaults,
        'Code of code of each Condition': listOf({ code: coded(`${stu3System}RARecord-ConditionCode-1`, '11') }),
      },
    },
    '/UnderlyingConditionList': {
      checks: conditionChecks,
      by: {
        ...forConditions,
        'Code of code of each Condition': listOf({ code: coded('http://snomed.info/sct', 'x') }),
      },
    },
  }
  for (const [path, { checks, by }] of Object.entries(all)) {
    // What is put as inactive is not created: it is asked of a change, above.
    const asked = checks.filter(({ name }) => name !== 'Reason for removal')
    assert.deepEqual(Object.keys(by).sort(), asked.map(({ name }) => name).sort(), path)
    for (const { name, outcome } of asked) {
      const answer = await create(path, (by as Record<string, object>)[name] ?? {})
      const { status, coding } = spineOutcomes[outcome]
      assert.deepEqual(
        [answer.status, json(answer).issue?.[0].details.coding[0].code],
        [status, coding.code],
        `${path} ${name}: ${answer.text}`,
      )
    }
  }
  for (const [body, code] of [
    ['{', 'MESSAGE_NOT_WELL_FORMED'],
    ['{"resourceType":"Flag","resourceType":"Flag"}', 'MESSAGE_NOT_WELL_FORMED'],
    ['{"resourceType":"Nothing"}', 'INVALID_RESOURCE'],
    ['{"resourceType":"Flag","colour":"red"}', 'INVALID_RESOURCE'],
    ['[]', 'INVALID_RESOURCE'],
    ['\u0000', 'MESSAGE_NOT_WELL_FORMED'],
  ])
    assert.equal(json(await create('/Flag', body as unknown as object)).issue[0].details.coding[0].code, code, body)
})
