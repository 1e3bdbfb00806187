import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import {
  answers,
  eprProduct,
  handler,
  message,
  readyProduct,
  responses,
  served,
  service,
  startApi,
  system,
  type TestApi,
} from './testing.ts'

let api: TestApi
/** Paths of prepared products, by what was prepared. */
const at: Record<string, string> = {}

before(async () => {
  api = await startApi()
  const team = await api.call('POST', '/ProductTeam', { name: 'Plain', ods_code: 'A99968', keys: [] })
  const product = await api.call('POST', `/ProductTeam/${team.json.id}/Product`, { name: 'Plain' })
  at['team'] = `/ProductTeam/${team.json.id}`
  at['product'] = `${at['team']}/Product/${product.json.id}`
  at['plain'] = `/ProductTeamEpr/${team.json.id}/ProductEpr/${product.json.id}/dev`
  const bare = await eprProduct(api)
  at['eprTeam'] = `/ProductTeamEpr/${bare.team.id}`
  at['teamId'] = bare.team.id
  at['bare'] = bare.path
  at['ready'] = (await readyProduct(api)).path
  at['whole'] = (await readyProduct(api, { handler: true })).path
})
after(() => api?.close())

const sets = (path: string) => `${at[path]}/DeviceReferenceData/MhsMessageSet`
const extras = (path: string) => `${at[path]}/DeviceReferenceData/AccreditedSystemsAdditionalInteractions`
const mhs = (path: string) => `${at[path]}/Device/MessageHandlingSystem`
const as = (path: string) => `${at[path]}/Device/AccreditedSystem`

type Row = readonly [
  says: string,
  method: string,
  path: () => string,
  body: unknown,
  status: number,
  ...errors: readonly (readonly [code: string, message: string | RegExp])[],
]

const ord = 'https://directory.spineservices.nhs.uk/ORD/2-0-0/organisations'
const rows: readonly Row[] = [
  [
    'what is missing, then what is too much',
    'POST',
    () => '/ProductTeam',
    { foo: 'bar' },
    400,
    ['MISSING_VALUE', 'CreateProductTeamIncomingParams.ods_code: field required'],
    ['MISSING_VALUE', 'CreateProductTeamIncomingParams.name: field required'],
    ['VALIDATION_ERROR', 'CreateProductTeamIncomingParams.foo: extra fields not permitted'],
  ],
  [
    'wrong types',
    'POST',
    () => '/ProductTeam',
    { ods_code: 1, name: ' ', keys: [{ key_type: 'other' }, 1] },
    400,
    ['VALIDATION_ERROR', 'CreateProductTeamIncomingParams.ods_code: str type expected'],
    ['VALIDATION_ERROR', 'CreateProductTeamIncomingParams.name: ensure this value has at least 1 characters'],
    [
      'VALIDATION_ERROR',
      "CreateProductTeamIncomingParams.keys.0.key_type: value is not a valid enumeration member; permitted: 'product_team_id'",
    ],
    ['MISSING_VALUE', 'CreateProductTeamIncomingParams.keys.0.key_value: field required'],
    ['VALIDATION_ERROR', 'CreateProductTeamIncomingParams.keys.1: value is not a valid dict'],
  ],
  [
    'a key that is no UUID',
    'POST',
    () => '/ProductTeam',
    { ods_code: 'A99968', name: 'x', keys: [{ key_type: 'product_team_id', key_value: 'FOOBAR' }] },
    400,
    ['VALIDATION_ERROR', /keys\.0\.key_value: Key 'FOOBAR' does not match the expected pattern/],
  ],
  [
    'an unknown ODS code',
    'POST',
    () => '/ProductTeam',
    { ods_code: 'F5H11', name: 'x' },
    422,
    ['UNPROCESSABLE_ENTITY', `Invalid ODS Code: could not resolve '${ord}/F5H11'`],
  ],
  [
    'no ODS code at all',
    'POST',
    () => '/ProductTeam',
    { ods_code: '  ', name: 'x' },
    422,
    ['UNPROCESSABLE_ENTITY', `Invalid ODS Code: could not resolve '${ord}/  '`],
  ],
  [
    'a key that is taken',
    'POST',
    () => '/ProductTeamEpr',
    { ods_code: 'X26', name: 'x' },
    400,
    ['VALIDATION_ERROR', 'Item already exists'],
  ],
  [
    'an unknown team',
    'GET',
    () => '/ProductTeam/123',
    undefined,
    404,
    ['RESOURCE_NOT_FOUND', "Could not find ProductTeam for key ('123')"],
  ],
  [
    'an unknown team is not deleted',
    'DELETE',
    () => '/ProductTeam/123',
    undefined,
    404,
    ['RESOURCE_NOT_FOUND', "Could not find ProductTeam for key ('123')"],
  ],
  [
    'a team with products',
    'DELETE',
    () => at['team'] ?? '',
    undefined,
    409,
    ['CONFLICT', /^Product Team cannot be deleted as it still has associated Product Ids \['P\.\w{3}-\w{3}'\]$/],
  ],
  [
    'the body before the team',
    'POST',
    () => '/ProductTeam/123/Product',
    { foo: 'bar' },
    400,
    ['MISSING_VALUE', 'CreateCpmProductIncomingParams.name: field required'],
    ['VALIDATION_ERROR', 'CreateCpmProductIncomingParams.foo: extra fields not permitted'],
  ],
  [
    'an unknown product of a team',
    'GET',
    () => `${at['team']}/Product/P.XXX.YYY`,
    undefined,
    404,
    ['RESOURCE_NOT_FOUND', /^Could not find CpmProduct for key \('[0-9a-f-]{36}', 'P\.XXX\.YYY'\)$/],
  ],
  [
    "another team's product",
    'GET',
    () => `${at['eprTeam']}/ProductEpr/${at['product']?.split('/').at(-1)}`,
    undefined,
    404,
    ['RESOURCE_NOT_FOUND', /^Could not find CpmProduct/],
  ],
  [
    'an unknown product',
    'GET',
    () => '/Product/P.XXX.YYY',
    undefined,
    404,
    ['RESOURCE_NOT_FOUND', "Could not find CpmProduct for key ('P.XXX.YYY')"],
  ],
  ...['', '?product_team_id=1&organisation_code=A99968'].map(
    (query): Row => [
      'not exactly one search parameter',
      'GET',
      () => `/Product${query}`,
      undefined,
      400,
      [
        'VALIDATION_ERROR',
        "SearchProductQueryParams.__root__: Please provide exactly one valid query parameter: ('product_team_id', 'organisation_code').",
      ],
    ],
  ),
  [
    'an unknown search parameter',
    'GET',
    () => '/Product?organisation_code=A99968&foo=bar',
    undefined,
    400,
    ['VALIDATION_ERROR', 'SearchProductQueryParams.foo: extra fields not permitted'],
  ],
  [
    'a search parameter twice',
    'GET',
    () => '/Product?organisation_code=A99968&organisation_code=X26',
    undefined,
    400,
    ['VALIDATION_ERROR', 'SearchProductQueryParams.organisation_code: str type expected'],
  ],
  [
    'an environment that there is not',
    'POST',
    () => (sets('ready') ?? '').replace('/dev/', '/live/'),
    message(),
    400,
    [
      'VALIDATION_ERROR',
      "SubCpmProductPathParams.environment: value is not a valid enumeration member; permitted: 'dev', 'qa', 'ref', 'int', 'prod'",
    ],
  ],
  [
    'another environment',
    'POST',
    () => (sets('ready') ?? '').replace('/dev/', '/prod/'),
    message(),
    400,
    ['VALIDATION_ERROR', /^This is the environment test, addressed as dev: nothing of prod is registered here\.$/],
  ],
  [
    'a product without party key (set)',
    'POST',
    () => sets('plain'),
    message(),
    400,
    ['VALIDATION_ERROR', 'Not an EPR Product: Cannot create MHS Device for product without exactly one Party Key'],
  ],
  [
    'a product without party key (AS)',
    'POST',
    () => as('plain'),
    system(),
    400,
    ['VALIDATION_ERROR', 'Not an EPR Product: Cannot create AS device for product without exactly one Party Key'],
  ],
  [
    'a message set without interaction',
    'POST',
    () => sets('bare'),
    responses({ spine_mhs_message_sets: [{ 'MHS SN': service }] }),
    400,
    ['VALIDATION_ERROR', 'The following required fields are missing in the response to spine_mhs_message_sets: MHS IN'],
  ],
  [
    'retries in words',
    'POST',
    () => sets('bare'),
    message({ 'Reliability Configuration Retries': 'two' }),
    400,
    ['VALIDATION_ERROR', "Failed to validate data against 'spine_mhs_message_sets/1': 'two' is not of type 'integer'"],
  ],
  [
    'an unknown question',
    'POST',
    () => sets('bare'),
    message({ unknown_field: 1 }),
    400,
    [
      'VALIDATION_ERROR',
      "Payload contains unexpected fields: {'unknown_field'}. Expected fields are: ['Contract Property Template Key', 'Interaction Type', 'MHS IN', 'MHS IP Address', 'MHS Is Authenticated', 'MHS SN', 'Product Key', 'Reliability Configuration Ack Requested', 'Reliability Configuration Actor', 'Reliability Configuration Duplication Elimination', 'Reliability Configuration Persist Duration', 'Reliability Configuration Reply Mode', 'Reliability Configuration Retries', 'Reliability Configuration Retry Interval'].",
    ],
  ],
  [
    'another questionnaire',
    'POST',
    () => sets('bare'),
    responses({ bad_questionnaire_name: [{ some_value: 123 }] }),
    400,
    [
      'VALIDATION_ERROR',
      "CreateDeviceReferenceMessageSetsDataParams.questionnaire_responses.__key__: unexpected value; permitted: <QuestionnaireInstance.SPINE_MHS_MESSAGE_SETS: 'spine_mhs_message_sets'>",
    ],
  ],
  [
    'one interaction twice',
    'POST',
    () => sets('bare'),
    responses({ spine_mhs_message_sets: [0, 1].map(() => ({ 'MHS SN': service, 'MHS IN': served })) }),
    400,
    [
      'VALIDATION_ERROR',
      `Duplicate 'Interaction ID' provided: value '${service}:${served}' occurs 2 times in the questionnaire response.`,
    ],
  ],
  [
    'a contract property that the rules refuse',
    'POST',
    () => sets('bare'),
    message({ 'Reliability Configuration Retry Interval': 'soon' }),
    400,
    ['VALIDATION_ERROR', /retryInterval is an ISO 8601 duration such as PT1M, not soon\./],
  ],
  [
    'a second message set',
    'POST',
    () => sets('ready'),
    {},
    400,
    [
      'VALIDATION_ERROR',
      "This product already has a 'Message Sets' DeviceReferenceData. Please update, or delete and recreate if you wish to make changes.",
    ],
  ],
  [
    'second additional interactions',
    'POST',
    () => extras('ready'),
    {},
    400,
    ['VALIDATION_ERROR', 'Additional Interactions Device Reference Data already exists for this Product'],
  ],
  [
    'an additional interaction without id',
    'POST',
    () => extras('bare'),
    responses({ spine_as_additional_interactions: [{}] }),
    400,
    [
      'MISSING_VALUE',
      "Failed to validate data against 'spine_as_additional_interactions/1': 'Interaction ID' is a required property",
    ],
  ],
  [
    'an interaction id that is a list',
    'POST',
    () => extras('bare'),
    responses({ spine_as_additional_interactions: [{ 'Interaction ID': [] }] }),
    400,
    [
      'VALIDATION_ERROR',
      "Failed to validate data against 'spine_as_additional_interactions/1': [] is not of type 'string'",
    ],
  ],
  [
    'a handler before its message set',
    'POST',
    () => mhs('bare'),
    handler(),
    400,
    [
      'VALIDATION_ERROR',
      'You must configure exactly one MessageSet Device Reference Data before creating an MHS Device.',
    ],
  ],
  [
    'no responses at all',
    'POST',
    () => mhs('ready'),
    { bad_field: 1 },
    400,
    ['MISSING_VALUE', 'CreateMhsDeviceIncomingParams.questionnaire_responses: field required'],
    ['VALIDATION_ERROR', 'CreateMhsDeviceIncomingParams.bad_field: extra fields not permitted'],
  ],
  [
    'two handlers in one request',
    'POST',
    () => mhs('ready'),
    responses({ spine_mhs: [answers.handler, answers.handler] }),
    400,
    ['VALIDATION_ERROR', 'You must provide exactly one spine_mhs questionnaire response to create an MHS Device.'],
  ],
  [
    'an answer that is ours to give',
    'POST',
    () => mhs('ready'),
    handler({ Address: 'http://example.com' }),
    400,
    [
      'VALIDATION_ERROR',
      "Payload contains unexpected fields: {'Address'}. Expected fields are: ['Approver URP', 'DNS Approver', 'MHS FQDN', 'MHS Manufacturer Organisation', 'MHS Service Description', 'Product Name', 'Product Version', 'Requestor URP'].",
    ],
  ],
  [
    'a handler without host',
    'POST',
    () => mhs('ready'),
    responses({ spine_mhs: [{ 'MHS Service Description': 'x' }] }),
    400,
    ['VALIDATION_ERROR', 'The following required fields are missing in the response to spine_mhs: MHS FQDN'],
  ],
  [
    'a handler with a host alone',
    'POST',
    () => mhs('ready'),
    responses({ spine_mhs: [{ 'MHS FQDN': 'mhs.supplier.example' }] }),
    400,
    [
      'MISSING_VALUE',
      "Failed to validate data against 'spine_mhs/1': 'MHS Manufacturer Organisation' is a required property",
    ],
  ],
  [
    'four eyes',
    'POST',
    () => mhs('ready'),
    handler({ 'Approver URP': 'the-requestor-urp' }),
    400,
    ['VALIDATION_ERROR', 'the-requestor-urp requested this endpoint: another person must take the step "approve".'],
  ],
  [
    'another manufacturer',
    'POST',
    () => mhs('ready'),
    handler({ 'MHS Manufacturer Organisation': 'A99968' }),
    400,
    ['VALIDATION_ERROR', /is of X26, not of A99968\.$/],
  ],
  [
    'a host that is none',
    'POST',
    () => mhs('ready'),
    handler({ 'MHS FQDN': '*' }),
    400,
    ['VALIDATION_ERROR', /^The FQDN must be a whole host name/],
  ],
  [
    'a second handler',
    'POST',
    () => mhs('whole'),
    handler(),
    400,
    ['VALIDATION_ERROR', 'There is already an existing MHS Device for this Product'],
  ],
  [
    'a system before its sets',
    'POST',
    () => as('bare'),
    system(),
    400,
    ['VALIDATION_ERROR', 'You must configure the AS and MessageSet Device Reference Data before creating an AS Device'],
  ],
  [
    'a system before its handler',
    'POST',
    () => as('ready'),
    system(),
    400,
    ['VALIDATION_ERROR', /^This environment has no message handling system X26-\d{6}\.$/],
  ],
  [
    'two systems in one request',
    'POST',
    () => as('whole'),
    responses({ spine_as: [answers.system, answers.system] }),
    400,
    [
      'VALIDATION_ERROR',
      'CreateAsDeviceIncomingParams.questionnaire_responses.spine_as.__root__: ensure this value has at most 1 items',
    ],
  ],
  [
    'a system without version',
    'POST',
    () => as('whole'),
    responses({ spine_as: [{ 'ODS Code': 'A99968', 'Product Name': 'x' }] }),
    400,
    ['MISSING_VALUE', "Failed to validate data against 'spine_as/1': 'Product Version' is a required property"],
  ],
  [
    'a system at no organisation',
    'POST',
    () => as('whole'),
    system({ 'ODS Code': 'FH15R' }),
    422,
    ['UNPROCESSABLE_ENTITY', `Invalid ODS Code: could not resolve '${ord}/FH15R'`],
  ],
  [
    'an unknown device',
    'GET',
    () => `${at['whole']}/Device/123`,
    undefined,
    404,
    ['RESOURCE_NOT_FOUND', /^Could not find Device for key \('[0-9a-f-]{36}', 'P\.\S{7}', 'dev', '123'\)$/],
  ],
  [
    'unknown reference data',
    'GET',
    () => `${at['whole']}/DeviceReferenceData/123`,
    undefined,
    404,
    ['RESOURCE_NOT_FOUND', /^Could not find DeviceReferenceData for key/],
  ],
  [
    'a system search for nothing',
    'GET',
    () => '/searchSdsDevice',
    undefined,
    400,
    ['MISSING_VALUE', 'SearchSDSDeviceQueryParams.nhs_id_code: field required'],
    ['MISSING_VALUE', 'SearchSDSDeviceQueryParams.nhs_as_svc_ia: field required'],
  ],
  [
    'an endpoint search for too little',
    'GET',
    () => '/searchSdsEndpoint?nhs_id_code=X26',
    undefined,
    400,
    ['VALIDATION_ERROR', /__root__: At least 2 query parameters should be provided of type/],
  ],
  [
    'what cannot be changed',
    'PUT',
    () => `${at['whole']}/Device/123`,
    {},
    404,
    ['RESOURCE_NOT_FOUND', /there is GET$/],
  ],
  ['an unknown path', 'GET', () => '/nothing/here', undefined, 404, ['RESOURCE_NOT_FOUND', /'\/nothing\/here'/]],
  ['a method unheard of', 'PROPFIND', () => '/Product', undefined, 404, ['RESOURCE_NOT_FOUND', /there is GET$/]],
  [
    'an address that cannot be read',
    'GET',
    () => '/Product/%E0%A4%A',
    undefined,
    400,
    ['VALIDATION_ERROR', 'The address of the request cannot be read.'],
  ],
  [
    'an endpoint that is unknown',
    'GET',
    () => '/registration/v1/endpoints/123',
    undefined,
    404,
    ['RESOURCE_NOT_FOUND', "Could not find Endpoint for key ('123')"],
  ],
  [
    'an agreement that is unknown',
    'DELETE',
    () => '/registration/v1/agreements/123?by=me',
    undefined,
    404,
    ['RESOURCE_NOT_FOUND', "Could not find Agreement for key ('123')"],
  ],
  [
    'a draft without anything',
    'POST',
    () => '/registration/v1/endpoints',
    { urls: [{ set: 1 }] },
    400,
    ['MISSING_VALUE', 'EndpointParams.by: field required'],
    ['MISSING_VALUE', 'EndpointParams.kind: field required'],
    ['MISSING_VALUE', 'EndpointParams.ods_code: field required'],
    ['MISSING_VALUE', 'EndpointParams.product_id: field required'],
    ['MISSING_VALUE', 'EndpointParams.urls.0.url: field required'],
    ['VALIDATION_ERROR', 'EndpointParams.urls.0.set: str type expected'],
  ],
  [
    'bodies that are no JSON',
    'POST',
    () => '/ProductTeam',
    '{"invalid_array": [}',
    400,
    ['VALIDATION_ERROR', 'Invalid JSON body was provided: line 1 column 20 (char 19)'],
  ],
  [
    'a list for a body',
    'POST',
    () => '/ProductTeam',
    [],
    400,
    ['VALIDATION_ERROR', 'CreateProductTeamIncomingParams.__root__: value is not a valid dict'],
  ],
  [
    'keys of a prototype',
    'POST',
    () => '/ProductTeam',
    '{"__proto__": {"ods_code": "A99968", "name": "x"}, "constructor": 1}',
    400,
    ['MISSING_VALUE', 'CreateProductTeamIncomingParams.ods_code: field required'],
    ['MISSING_VALUE', 'CreateProductTeamIncomingParams.name: field required'],
    ['VALIDATION_ERROR', 'CreateProductTeamIncomingParams.__proto__: extra fields not permitted'],
    ['VALIDATION_ERROR', 'CreateProductTeamIncomingParams.constructor: extra fields not permitted'],
  ],
  [
    'keys of a prototype among answers',
    'POST',
    () => extras('bare'),
    '{"questionnaire_responses": {"spine_as_additional_interactions": [{"__proto__": {"Interaction ID": "x"}}]}}',
    400,
    ['VALIDATION_ERROR', /^Payload contains unexpected fields: \{'__proto__'\}/],
  ],
  [
    'deep nesting',
    'POST',
    () => '/ProductTeam',
    '['.repeat(100_000),
    400,
    ['VALIDATION_ERROR', 'Invalid JSON body was provided: nested too deeply: line 1 column 33 (char 32)'],
  ],
  [
    'a huge string',
    'POST',
    () => '/ProductTeam',
    { ods_code: 'A99968', name: 'x'.repeat(1_000_000) },
    400,
    ['VALIDATION_ERROR', /one line of text/],
  ],
  [
    'a huge body',
    'POST',
    () => '/ProductTeam',
    ' '.repeat(2_000_000),
    413,
    ['VALIDATION_ERROR', 'The body is too large.'],
  ],
  [
    'no UTF-8',
    'POST',
    () => '/ProductTeam',
    Buffer.from([0x22, 0xff, 0x22]),
    400,
    ['VALIDATION_ERROR', 'Invalid JSON body was provided: it is not UTF-8'],
  ],
]

describe('every refusal, in the words of the dialect', () => {
  for (const [says, method, path, body, status, ...errors] of rows) {
    test(says, async () => {
      const answer = await api.call(method, path(), body)
      assert.equal(answer.status, status, answer.body.slice(0, 500))
      assert.equal(answer.headers['content-type'], 'application/json')
      assert.deepEqual(Object.keys(answer.json), ['errors'])
      assert.deepEqual(
        answer.json.errors.map(({ code }: { code: string }) => code),
        errors.map(([code]) => code),
        answer.body.slice(0, 500),
      )
      for (const [place, [, message]] of errors.entries()) {
        if (typeof message === 'string') assert.equal(answer.json.errors[place].message, message)
        else assert.match(answer.json.errors[place].message, message)
      }
    })
  }

  test('a refused creation leaves nothing in the directory, and its endpoint withdrawn', async () => {
    const found = await api.contract.endpoints.find({})
    assert.deepEqual(
      found.filter(({ state }) => state !== 'approved' && state !== 'withdrawn'),
      [],
    )
    const { length } = found.filter(({ state }) => state === 'withdrawn')
    assert.ok(length >= 4, String(length))
    assert.equal(api.directory.service.contract.snapshot().accreditedSystems({}).length, 0)
  })
})
