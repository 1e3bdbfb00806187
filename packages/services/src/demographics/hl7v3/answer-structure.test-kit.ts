/**
 * What every answer of the face looks like, as data: order of elements, how often each stands, attributes, fixed values and
 * code systems, for each interaction (messaging specification §3, §4, §7.1, §8.2; demographics specification §19.4).
 */
import { oid } from '@openspine/standards/hl7v3'
import { soapNamespace } from '@openspine/standards/soap'
import { elementsOf, type XmlElement } from '@openspine/standards/xml'
import { type Children, faultsOf, type Often, type Shape, shape, text } from './shapes.test-kit.ts'

const uuid = /^[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}$/
const moment = /^\d{4}(\d\d(\d\d(\d{4}(\d\d)?)?)?)?$/
const something = /^.+$/s
const object = shape({ root: oid.pdsObject, extension: /^[0-9A-Za-z]+$/ })
const coded = (codeSystem: string, code: string | RegExp) => shape({ code, codeSystem })
const observed = (code: string) => coded(oid.pdsObservation, code)
const value = (form: RegExp) => shape({ value: form })
const interval = shape({}, ['low', '?', value(moment)], ['high', '?', value(moment)])
const observation = { classCode: 'OBS', moodCode: 'EVN' }
const person = { classCode: 'PSN', determinerCode: 'INSTANCE' }

const name = (often: Often) =>
  shape(
    { use: /^(L|ALIAS|PREFERRED|PREVIOUS|PREVIOUS-MAIDEN)$/ },
    ['prefix', '*', text()],
    ['given', '*', text()],
    ['family', '?', text()],
    ['suffix', '*', text()],
    ['validTime', '?', interval],
    ['id', often, object],
  )
const addr = (often: Often) =>
  shape(
    { use: /^(H|TMP|PST|WP)$/ },
    ['streetAddressLine', 5, text(/^.*$/s)],
    ['postalCode', '?', text(/^[A-Z0-9 ]{2,8}$/)],
    ['addressKey', '?', text(/^\d{8}$/)],
    ['desc', '?', text()],
    ['useablePeriod', '?', interval],
    ['id', often, object],
  )
const telecom = (often: Often) =>
  shape(
    { use: /^(HP|WP|HV|MC|EC)$/, value: /^(tel|fax|mailto|textphone):.+$/ },
    ['useablePeriod', '?', interval],
    ['id', often, object],
  )
const place = shape({}, ['city', '?', text()], ['county', '?', text()], ['country', '?', text()])
const organisation = shape({ root: oid.organisation, extension: /^[A-Za-z0-9]{3,10}$/ })
const language = shape(
  {},
  ['languageCode', '1', shape({ code: /^[a-z]{2}|q\d$/ })],
  ['preferenceInd', '1', value(/^true$/)],
  ['proficiencyLevelCode', '1', coded(oid.interpreterRequired, /^[01]$/)],
)
const contactMethod = shape(
  observation,
  ['code', '1', observed('9')],
  ['value', '?', coded(oid.contactMethod, /^[1-8]$/)],
  [
    'pertinentInformation',
    '?',
    shape({ typeCode: 'PERT' }, [
      'pertinentPreferredContactTimes',
      '1',
      shape(observation, ['code', '1', observed('10')], ['value', '1', text()]),
    ]),
  ],
)
const writtenFormat = shape(
  observation,
  ['code', '1', observed('13')],
  ['value', '1', coded(oid.writtenFormat, /^1[123]$/)],
)
const of = (typeCode: string, element: string, content: Shape) => shape({ typeCode }, [element, '1', content])
const serialChangeNumber = of(
  'PERT',
  'pertinentSerialChangeNumber',
  shape(observation, ['code', '1', observed('2')], ['value', '1', value(/^[1-9]\d*$/)]),
)
const nhsNumber = shape({ root: oid.nhsNumber, extension: /^\d{10}$/ })

const gender = shape({ code: /^[0129]$/ })
const sensitive = coded(oid.sensitivity, 'Y')
const death = of(
  'SBJ',
  'deathNotification',
  shape(observation, ['code', '1', observed('3')], ['value', '1', coded(oid.deathNotification, /^[12U]$/)]),
)
const consent = of(
  'SBJ',
  'consent',
  shape(observation, ['code', '1', coded(oid.consentType, /^\d$/)], ['value', '1', coded(oid.consentValue, /^\d$/)]),
)
const removal = of(
  'SBJ',
  'nHAISRemovalRegistrationEvent',
  shape(
    { classCode: 'REG', moodCode: 'EVN' },
    ['code', '1', coded(oid.nhaisEvent, '02')],
    ['effectiveTime', '?', interval],
    ['reasonCode', '1', coded(oid.removalReason, /^[A-Z]{3}$/)],
  ),
)

const provision = (element: string, performer: string, identified: boolean) =>
  shape({ classCode: 'PAT' }, [
    'subjectOf',
    '1',
    of(
      'SBJ',
      element,
      shape(
        { classCode: 'PCPR', moodCode: 'EVN' },
        ['code', '1', coded(oid.careProvision, identified ? /^(1|P[123])$/ : /^(1|P[123])$/)],
        ['effectiveTime', '?', interval],
        ...(identified ? [['id', '1', object] as const] : []),
        performer === 'healthCareProvider'
          ? ([
              'responsibleParty',
              '1',
              of('RESP', performer, shape({ classCode: 'PROV' }, ['id', '1', organisation])),
            ] as const)
          : ([
              'performer',
              '1',
              of('PRF', performer, shape({ classCode: 'ASSIGNED' }, ['id', '1', organisation])),
            ] as const),
      ),
    ),
  ])

/** Parts of an edition: addresses, telecoms and names each in one. */
const parts = (suffix: string, often: Often, id: Often): Children => [
  [`COCT_MT000201${suffix}.PartOfWhole`, often, shape({ classCode: 'PART' }, ['addr', '1', addr(id)])],
  [`COCT_MT000202${suffix}.PartOfWhole`, '*', shape({ classCode: 'PART' }, ['telecom', '1', telecom(id)])],
  [
    `COCT_MT000203${suffix}.PartOfWhole`,
    often,
    shape({ classCode: 'PART' }, ['partPerson', '1', shape(person, ['name', '1', name(id)])]),
  ],
]

/** Order of the parts of a related person differs from that of the patient (PRPA_MT000201). */
const related = (suffix: string) => {
  const [address, telecoms, names] = parts(suffix, '?', '?')
  return shape(
    { classCode: /^(AGNT|GUARD|PRS)$/ },
    ['code', '1', coded(oid.relationship, /^\d\d$/)],
    ['effectiveTime', '?', interval],
    ['id', '1', object],
    ['positionNumber', '?', value(/^\d{1,2}$/)],
    ['part3', '?', of('PART', 'partNextOfKin', shape({ classCode: 'NOK' }, ['code', '1', coded(oid.nextOfKin, '1')]))],
    [
      'part4',
      '?',
      of('PART', 'partCorrespondence', shape({ classCode: 'CON' }, ['code', '1', coded(oid.correspondence, '1')])),
    ],
    [
      'player',
      '?',
      shape(
        person,
        ['languageCommunication', '?', language],
        ['playedRelatedPatient', '?', shape({ classCode: 'PAT' }, ['id', '1', nhsNumber])],
        ...[telecoms, address, names].filter((each) => each !== undefined),
      ),
    ],
    ['subjectOf1', '?', of('SBJ', 'preferredContactMethod', contactMethod)],
    ['subjectOf2', '?', of('SBJ', 'preferredWrittenCommunicationFormat', writtenFormat)],
  )
}

const partPerson = (element: string, content: Shape, ...more: Children) =>
  shape({ classCode: 'PART' }, ['partPerson', '1', shape(person, [element, '1', content])], ...more)

const roleOf = (
  around: { readonly before?: Children; readonly behind?: Children },
  who: Shape,
  ...subjects: Children
) =>
  shape(
    { classCode: 'PAT' },
    ...(around.before ?? []),
    ['confidentialityCode', '?', sensitive],
    ['id', '1', nhsNumber],
    ...(around.behind ?? []),
    ['patientPerson', '?', who],
    ...subjects,
  )

const vital: Children = [
  ['administrativeGenderCode', '?', gender],
  ['birthTime', '?', value(moment)],
  ['deceasedTime', '?', value(moment)],
]
const order: Children = [['multipleBirthOrderNumber', '?', value(/^[1-9]$/)]]
const whole: Children = [
  ['subjectOf2', '?', death],
  ['subjectOf3', '*', consent],
  ['subjectOf4', '?', of('SBJ', 'preferredContactMethod', contactMethod)],
  ['subjectOf5', '?', of('SBJ', 'preferredWrittenCommunicationFormat', writtenFormat)],
  ['subjectOf9', '?', removal],
]
const addresses: Children = [['addr', '*', addr('?')]]
const telecoms: Children = [['telecom', '*', telecom('?')]]
const inline = (births: Children, performer = 'assignedOrganization', identified = false, often: Often = '*') =>
  shape(
    person,
    ...vital,
    ...births,
    ['name', '*', name('?')],
    ['playedOtherProviderPatient', often, provision('patientCareProvision', performer, identified)],
  )

const response = (element: string, role: Shape, about: { readonly versioned: boolean; readonly people?: Often }) =>
  shape({ typeCode: 'SUBJ' }, [
    element,
    '1',
    shape(observation, ...(about.versioned ? [['pertinentInformation', '1', serialChangeNumber] as const] : []), [
      'subject',
      about.people ?? '1',
      of('SBJ', 'patientRole', role),
    ]),
  ])

const matchingLevel = of(
  'SBJ',
  'matchingLevel',
  shape(observation, ['code', '1', observed('1')], ['value', '1', shape({ value: /^\d{1,3}$/, unit: '%' })]),
)

const retrieval6 = response(
  'PDSResponse',
  roleOf(
    {},
    shape(
      person,
      ...vital,
      ...order,
      ['birthplace', '?', shape({ classCode: 'BIRTHPL' }, ['addr', '1', place])],
      ['languageCommunication', '?', language],
      ['playedOtherProviderPatient', '*', provision('patientCareProvisionEvent', 'assignedEntity', true)],
      ['scopedRelatedPersonRole', '*', related('UK02')],
      ...parts('UK02', '*', '?'),
    ),
    ...whole,
  ),
  { versioned: true },
)
const notified = of(
  'SBJ',
  'notificationTime',
  shape(observation, ['code', '1', observed('45')], ['value', '1', value(moment)]),
)
const retrieval7 = response(
  'PDSResponse',
  roleOf(
    {},
    shape(
      person,
      ...order,
      ['languageCommunication', '?', language],
      ['playedOtherProviderPatient', '*', provision('patientCareProvision', 'assignedEntity', true)],
      ['scopedRelatedPersonRole', '*', related('UK03')],
      ...parts('UK03', '*', '?'),
      ['COCT_MT000208UK01.BirthPlace', '?', shape({ classCode: 'BIRTHPL' }, ['addr', '1', place])],
      ['COCT_MT000209UK01.PartAdminGenderCode', '?', partPerson('administrativeGenderCode', gender)],
      ['COCT_MT000210UK01.PartBirthTime', '?', partPerson('birthTime', value(moment))],
      [
        'COCT_MT000211UK01.PartDeceasedTime',
        '?',
        partPerson('deceasedTime', value(moment), ['subjectOf', '?', notified]),
      ],
    ),
    ...whole,
  ),
  { versioned: true },
)
const retrieval3 = response(
  'PdsSuccessfulRetrieval',
  roleOf({ before: addresses, behind: telecoms }, inline(order, 'healthCareProvider', true), [
    'subjectOf3',
    '?',
    death,
  ]),
  { versioned: true },
)
const trace = response(
  'PdsTraceMatch',
  roleOf({ before: addresses, behind: telecoms }, inline(order, undefined, undefined, '?'), ['subjectOf3', '?', death]),
  { versioned: false },
)
const advanced = response(
  'PdsTraceMatch',
  roleOf(
    { before: addresses, behind: telecoms },
    inline(order, undefined, undefined, '?'),
    ['subjectOf1', '1', matchingLevel],
    ['subjectOf3', '?', death],
  ),
  { versioned: false, people: '+' },
)
const confirmation = response(
  'PdsNhsNumberConfirmation',
  roleOf({ before: addresses }, inline([]), ['subjectOf1', '*', consent], ['subjectOf2', '?', death]),
  { versioned: true },
)
const crossCheck = response(
  'PDSResponse',
  roleOf({ before: addresses }, inline([], undefined, undefined, '?'), ['subjectOf2', '?', death]),
  { versioned: true },
)
const changed = (element: string, ...more: Children) =>
  shape({ typeCode: 'SUBJ', contextConductionInd: 'false' }, [
    element,
    '1',
    shape({ classCode: 'REG', moodCode: 'EVN' }, ['pertinentInformation', '1', serialChangeNumber], ...more),
  ])
const updated = changed('PdsSuccessfulUpdateResponse')
const registered = changed('PdsRegistrationResponse', [
  'subject',
  '1',
  of('SBJ', 'patientRole', shape({ classCode: 'PAT' }, ['id', '1', nhsNumber])),
])

/** One message that the face sends: where it stands in the body, and what it carries. */
export interface AnswerRule {
  /** The one child of the SOAP body around it; undefined where it stands there itself. */
  readonly wrapper?: RegExp
  readonly versionCode: string
  readonly acknowledged: RegExp
  readonly subject?: Shape
  /** Reasons: of queries with a qualifier code, of changes with a qualifier value. */
  readonly reasons: Often
  readonly details?: true
  readonly queryResponse?: string
}

const found = (wrapper: string, subject: Shape): AnswerRule => ({
  wrapper: new RegExp(`^${wrapper}$`),
  versionCode: 'V3NPfIT3.0',
  acknowledged: /^AA$/,
  subject,
  reasons: '*',
  queryResponse: 'OK',
})
const done = (subject: Shape): AnswerRule => ({
  versionCode: 'V3NPfIT4.2.00',
  acknowledged: /^AA$/,
  subject,
  reasons: '*',
})
const anyWrapper = /^(retrieval|trace|crossCheckTrace)QueryResponse$/

/** Every message that the face answers with, by its interaction; a refusal of a query and of a change apart. */
export const answerRules: Readonly<Record<string, AnswerRule>> = {
  QUPA_IN000007UK01: found('traceQueryResponse', trace),
  QUPA_IN000007UK03: found('traceQueryResponse', trace),
  QUPA_IN000009UK03: found('retrievalQueryResponse', retrieval6),
  QUPA_IN000009UK06: found('retrievalQueryResponse', retrieval7),
  QUPA_IN000010UK02: found('retrievalQueryResponse', confirmation),
  QUPA_IN000010UK04: found('retrievalQueryResponse', confirmation),
  QUPA_IN000011UK02: found('traceQueryResponse', advanced),
  QUPA_IN000011UK05: found('traceQueryResponse', advanced),
  QUPA_IN000013UK01: found('traceQueryResponse', trace),
  QUPA_IN000013UK03: found('traceQueryResponse', trace),
  QUPA_IN000015UK02: found('crossCheckTraceQueryResponse', crossCheck),
  QUPA_IN000015UK04: found('crossCheckTraceQueryResponse', crossCheck),
  'QUPA_IN030000UK15 PdsTraceMatch': found('traceQueryResponse', trace),
  'QUPA_IN030000UK32 PdsTraceMatch': found('traceQueryResponse', trace),
  'QUPA_IN030000UK15 matchingLevel': found('traceQueryResponse', advanced),
  'QUPA_IN030000UK32 matchingLevel': found('traceQueryResponse', advanced),
  QUPA_IN050000UK16: found('retrievalQueryResponse', retrieval3),
  QUPA_IN050000UK32: found('retrievalQueryResponse', retrieval3),
  QUPA_IN070000UK16: found('crossCheckTraceQueryResponse', confirmation),
  QUPA_IN070000UK30: found('crossCheckTraceQueryResponse', confirmation),
  PRPA_IN000201UK01: done(registered),
  PRPA_IN000202UK01: done(updated),
  PRPA_IN000206UK01: done(registered),
  PRPA_IN000209UK01: done(updated),
  PRPA_IN000209UK02: done(updated),
  QUQI_IN010000UK14: {
    wrapper: anyWrapper,
    versionCode: 'V3NPfIT3.0',
    acknowledged: /^AE$/,
    reasons: '+',
    queryResponse: 'ID',
  },
  'MCCI_IN010000UK13 AE': { versionCode: 'V3NPfIT3.0', acknowledged: /^AE$/, reasons: '+' },
  'MCCI_IN010000UK13 AR': {
    wrapper: anyWrapper,
    versionCode: 'V3NPfIT3.0',
    acknowledged: /^AR$/,
    reasons: 0,
    details: true,
  },
}

const asid = shape({ root: oid.asid, extension: /^\d{12}$/ })
const device = (typeCode: string) =>
  shape({ typeCode }, ['device', '1', shape({ classCode: 'DEV', determinerCode: 'INSTANCE' }, ['id', '1', asid])])
const levels = /^(ER|WG|IF)$/

function messageShape(interaction: string, rule: AnswerRule): Shape {
  const change = rule.versionCode === 'V3NPfIT4.2.00'
  const qualifier = change ? shape({}, ['value', '1', coded(oid.qualifier, levels)]) : shape({ code: levels })
  const issue = shape({ code: /^[A-Z0-9]+$/, codeSystem: oid.pdsResponse, displayName: something }, [
    'qualifier',
    '1',
    qualifier,
  ])
  const detail = shape({ typeCode: levels }, [
    'code',
    '1',
    shape({ code: /^\d+$/, codeSystem: oid.acknowledgementDetail, displayName: something }),
  ])
  return shape(
    {},
    ['id', '1', shape({ root: uuid })],
    ['creationTime', '1', value(/^\d{14}$/)],
    ['versionCode', '1', shape({ code: rule.versionCode })],
    ['interactionId', '1', shape({ root: oid.interaction, extension: interaction })],
    ['processingCode', '1', shape({ code: 'P' })],
    ['processingModeCode', '1', shape({ code: 'T' })],
    ['acceptAckCode', '1', shape({ code: 'NE' })],
    [
      'acknowledgement',
      '1',
      shape(
        { typeCode: rule.acknowledged },
        ...(rule.details ? [['acknowledgementDetail', '1', detail] as const] : []),
        [
          'messageRef',
          '1',
          shape({}, ['id', '1', shape({ root: { optional: something }, nullFlavor: { optional: 'NI' } })]),
        ],
      ),
    ],
    ['communicationFunctionRcv', '1', device('RCV')],
    ['communicationFunctionSnd', '1', device('SND')],
    [
      'ControlActEvent',
      '1',
      shape(
        { classCode: 'CACT', moodCode: 'EVN' },
        [
          'author1',
          '1',
          shape({ typeCode: 'AUT' }, [
            'AgentSystemSDS',
            '1',
            shape({ classCode: 'AGNT' }, [
              'agentSystemSDS',
              '1',
              shape({ classCode: 'DEV', determinerCode: 'INSTANCE' }, ['id', '1', asid]),
            ]),
          ]),
        ],
        [
          'reason',
          rule.reasons,
          shape({ typeCode: 'RSON' }, [
            'justifyingDetectedIssueEvent',
            '1',
            shape({ classCode: 'ALRT', moodCode: 'EVN' }, ['code', '1', issue]),
          ]),
        ],
        ...(rule.subject ? [['subject', '1', rule.subject] as const] : []),
        ...(rule.queryResponse === undefined
          ? []
          : [
              [
                'queryAck',
                '1',
                shape({ type: 'QueryAck' }, ['queryResponseCode', '1', shape({ code: rule.queryResponse })]),
              ] as const,
            ]),
      ),
    ],
  )
}

const header = shape(
  {},
  ['wsa:MessageID', '1', text(new RegExp(`^uuid:${uuid.source.slice(1)}`))],
  ['wsa:Action', '1', text(/^urn:nhs:names:services:pds(query)?\/[A-Z]{4}_IN\d{6}UK\d\d$/)],
  ['wsa:To', '1', text(/^.*$/s)],
  ['wsa:From', '1', shape({}, ['wsa:Address', '1', text()])],
  ['communicationFunctionRcv', '1', device('RCV')],
  ['communicationFunctionSnd', '1', device('SND')],
  ['wsa:RelatesTo', '1', text(/^uuid:.{36}$/)],
)

const fault = shape({}, [
  'soap:Fault',
  '1',
  shape(
    {},
    ['none:faultcode', '1', text(/^SOAP:(Client|Server)$/)],
    ['none:faultstring', '1', text(/^Application Exception$/)],
    [
      'none:detail',
      '1',
      shape({}, [
        'nasp:errorList',
        '1',
        shape({}, [
          'nasp:error',
          '+',
          shape(
            {},
            ['nasp:codeContext', '1', text(/^urn:nhs:names:error:tms$/)],
            ['nasp:errorCode', '1', text(/^(101|20[01]|300)$/)],
            ['nasp:severity', '1', text(/^Error$/)],
            ['nasp:location', '1', text()],
            ['nasp:description', '1', text()],
          ),
        ]),
      ]),
    ],
  ),
])

/** The rule of a message: some need to be told apart by what they carry. */
function ruleOf(message: XmlElement): AnswerRule | undefined {
  const all = (element: XmlElement): readonly XmlElement[] => [element, ...elementsOf(element).flatMap(all)]
  const acknowledged = all(message).find(({ name: own }) => own === 'acknowledgement')
  const typeCode = acknowledged?.attributes.find(({ name: own }) => own === 'typeCode')?.value
  const advancedOne = all(message).some(({ name: own }) => own === 'matchingLevel')
  return (
    answerRules[message.name] ??
    answerRules[`${message.name} ${typeCode}`] ??
    answerRules[`${message.name} ${advancedOne ? 'matchingLevel' : 'PdsTraceMatch'}`]
  )
}

/** Everything in which an answer differs from the rules: path and what is wrong. None in one that keeps them. */
export function structureFaults(envelope: XmlElement): readonly string[] {
  const body = elementsOf(envelope).at(-1)
  const [entry] = body === undefined ? [] : elementsOf(body)
  if (entry?.namespace === soapNamespace) return faultsOf(envelope, shape({}, ['soap:Body', '1', fault]), 'Envelope')
  if (entry === undefined) return ['Body: nothing']
  const wrapped = !/_IN\d/.test(entry.name)
  const message = wrapped ? elementsOf(entry)[0] : entry
  const rule = message && ruleOf(message)
  if (message === undefined || rule === undefined) return [`Body: no rule for ${message?.name ?? entry.name}`]
  const content = messageShape(message.name, rule)
  const inBody: Shape = wrapped
    ? shape({}, [entry.name, '1', shape({}, [message.name, '1', content])])
    : shape({}, [message.name, '1', content])
  const place = wrapped === (rule.wrapper !== undefined) || rule.details === true
  return [
    ...(place && (!wrapped || rule.wrapper?.test(entry.name))
      ? []
      : [`Body: ${entry.name} is no place for ${message.name}`]),
    ...faultsOf(envelope, shape({}, ['soap:Header', '1', header], ['soap:Body', '1', inBody]), 'Envelope'),
  ]
}
