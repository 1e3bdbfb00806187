import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Peer } from '@openspine/platform/doors'
import type { Ivl, QueryParameters } from '@openspine/standards/hl7v3'
import { oid } from '@openspine/standards/hl7v3'
import { validPeer } from '../worked.test-kit.ts'
import { transportChecks, wrapperChecks } from './checks.ts'
import {
  at,
  consumer,
  face,
  indicator,
  messageRef,
  named,
  number,
  reply,
  request,
  requestId,
  sound,
  spine,
} from './hl7v3.test-kit.ts'
import { actionOf, interactions, type QueryKind } from './interactions.ts'
import { queryChecks } from './query-checks.ts'

describe('every interaction', () => {
  for (const { request: id, response, kind, wrapper } of interactions)
    for (const style of ['schema', 'live'] as const)
      it(`${id} is answered with ${response} (${style})`, async () => {
        const { status, headers, body } = await face().ask(id, sound[kind], { style })
        assert.equal(status, 200)
        assert.equal(headers['content-type'], 'text/xml')
        const answer = reply(body)
        assert.ok(answer.transmission, body)
        const { transmission, addressing, people } = answer
        assert.deepEqual(
          [answer.wrapper, transmission.interaction, transmission.acknowledgement?.typeCode],
          [wrapper, response, 'AA'],
        )
        assert.equal(transmission.acknowledgement?.messageRef, messageRef)
        assert.deepEqual(addressing.relatesTo, [`uuid:${requestId}`])
        assert.deepEqual(addressing.messageId, ['uuid:AAAAAAAA-0000-4000-8000-00000000000B'])
        assert.deepEqual(addressing.action, [actionOf(response)])
        assert.deepEqual(addressing.to, ['10.1.2.3'])
        assert.deepEqual([transmission.receiver, transmission.sender], [consumer, spine])
        assert.equal(transmission.controlAct.queryResponse, 'OK')
        assert.deepEqual(
          people.map(({ id: shown, names }) => [shown.extension, names[0]?.family]),
          [['9990548609', ['Testcase']]],
        )
      })
})

describe('the transport', () => {
  const query = sound.retrieval
  const interaction = 'QUPA_IN000008UK05'
  const spoilt: Readonly<Record<string, () => Promise<{ status: number; body: string; headers: object }>>> = {
    SOAP_ACTION_HEADER_MISSING: () => face().post(request(interaction, query)),
    CERTIFICATE_INVALID: () => face({ peer: () => ({ state: 'none' }) }).ask(interaction, query),
    INTERACTION_NOT_SUPPORTED: () =>
      face().post(request(interaction, query), { soapaction: 'urn:nhs:names:services:psisquery/QUPC_IN180000UK04' }),
    MESSAGE_NOT_WELL_FORMED: () => face().ask(interaction, query, { spoil: (text) => text.slice(0, -9) }),
    SENDER_CERTIFICATE: () => face().ask(interaction, query, { sender: '200000100888' }),
    SENDER_INTERACTION: () => face().ask(interaction, query, { sender: '200000100777' }),
    RECEIVER_INTERACTION: () => face().ask(interaction, query, { receiver: '200000100777' }),
    SOAP_MESSAGE_ID_ERROR: () => face().ask(interaction, query, { spoil: (text) => text.replace('uuid:', 'uuid') }),
    SOAP_ACTION_ERROR: () =>
      face().ask(interaction, query, { spoil: (text) => text.replace(/<wsa:Action[^>]*>[^<]*<\/wsa:Action>/, '') }),
    SOAP_TO_ERROR: () =>
      face().ask(interaction, query, { spoil: (text) => text.replace(/>https:[^<]*<\/wsa:To>/, '></wsa:To>') }),
    SOAP_COMM_FUNC_RCV_ERROR: () =>
      face().ask(interaction, query, {
        spoil: (text) => text.replace(/<communicationFunctionRcv.*?<\/communicationFunctionRcv>/, ''),
      }),
    SOAP_COMM_FUNC_SND_ERROR: () =>
      face().ask(interaction, query, { spoil: (text) => text.replace(`extension="${consumer}"`, 'extension=""') }),
  }
  const numbers: Readonly<Record<string, readonly [number, string, string]>> = {
    SOAP_ACTION_HEADER_MISSING: [400, '101', 'The service/interaction is not supported for the requested URI'],
    CERTIFICATE_INVALID: [500, '300', 'Access denied'],
    INTERACTION_NOT_SUPPORTED: [500, '101', 'The service/interaction is not supported for the requested URI'],
    MESSAGE_NOT_WELL_FORMED: [500, '201', 'The message is not well formed'],
    SENDER_CERTIFICATE: [500, '300', 'Access denied'],
    SENDER_INTERACTION: [500, '300', 'Access denied'],
    RECEIVER_INTERACTION: [500, '300', 'Access denied'],
  }

  for (const { name, path } of transportChecks)
    it(`answers ${name} with a fault`, async () => {
      const { status, body, headers } = await (spoilt[name] ?? assert.fail(`${name} has no case`))()
      const { fault, errors } = reply(body)
      const [wanted, code, description] = numbers[name] ?? [500, '201', name]
      assert.equal(status, wanted)
      assert.deepEqual([fault?.code, fault?.string], ['Client', 'Application Exception'])
      assert.deepEqual(
        errors?.map((error) => [error.codeContext, error.errorCode, error.severity, error.description]),
        [['urn:nhs:names:error:tms', code, 'Error', description]],
      )
      assert.equal(Reflect.get(headers, 'x-openspine-rule'), `${name}; path=${path}`)
      assert.equal(Reflect.get(headers, 'content-type'), 'text/xml')
    })

  it('refuses what is no SOAP 1.1, has no header or two messages, or declares a document type', async () => {
    for (const body of [
      '',
      'text',
      '<a/>',
      request(interaction, query).replace(
        'http://schemas.xmlsoap.org/soap/envelope/',
        'http://www.w3.org/2003/05/soap-envelope',
      ),
      request(interaction, query).replace(/<SOAP:Header>.*<\/SOAP:Header>/, ''),
      request(interaction, query).replace('</SOAP:Body>', '<second/></SOAP:Body>'),
      `<!DOCTYPE a [<!ENTITY b "c">]>${request(interaction, query).slice(39)}`,
    ]) {
      const { status, body: answer } = await face().post(body, { soapaction: actionOf(interaction) })
      assert.deepEqual([status, reply(answer).errors?.[0]?.errorCode], [500, '201'], body.slice(0, 80))
    }
  })

  it('bears the doubled urn, a namespace prefix of any name, and an ASID that stands under hl7:', async () => {
    const document = request(interaction, query)
    assert.equal((await face().post(document, { soapaction: `"urn:${actionOf(interaction)}"` })).status, 200)
    const renamed = document
      .replaceAll('SOAP:', 'soapenv:')
      .replace('xmlns:SOAP', 'xmlns:soapenv')
      .replaceAll('wsa:', 'w:')
      .replaceAll('xmlns:wsa', 'xmlns:w')
    const { status, body } = await face().post(renamed, { soapaction: actionOf(interaction) })
    assert.deepEqual([status, reply(body).transmission?.acknowledgement?.typeCode], [200, 'AA'])
  })

  it('refuses a certificate that was revoked, and does not look into the message', async () => {
    const revoked = { ...validPeer, state: 'invalid', reason: 'CERT_REVOKED' } as Peer
    const { body } = await face({ peer: () => revoked }).post('nonsense', { soapaction: actionOf(interaction) })
    assert.equal(reply(body).errors?.[0]?.errorCode, '300')
  })

  it('answers 413 in SOAP to a message that is too long, and 200 retriable where the store is away', async () => {
    const long = await face().post(request(interaction, query) + ' '.repeat(1024 * 1024), {
      soapaction: actionOf(interaction),
    })
    assert.deepEqual([long.status, reply(long.body).errors?.[0]?.errorCode], [413, '201'])
    const away = await face({ broken: true }).ask(interaction, query)
    const { fault, errors } = reply(away.body)
    assert.deepEqual([away.status, fault?.code, errors?.[0]?.errorCode], [500, 'Server', '200'])
    assert.doesNotMatch(away.body, /store is away|at .*\.ts/)
  })
})

describe('the structure of a message', () => {
  const interaction = 'QUPA_IN000008UK05'
  /** Applied to the body alone: header and body have ASIDs of one form. */
  const inBody = (change: (body: string) => string) => (text: string) => {
    const start = text.indexOf('<SOAP:Body>')
    return text.slice(0, start) + change(text.slice(start))
  }
  const spoilt: Readonly<Record<string, (body: string) => string>> = {
    INVALID_ID: (text) => text.replace(/root="0A1B2C3D[^"]*"/, 'root=""'),
    INVALID_CREATION_TIME: (text) => text.replace(/<creationTime[^>]*>/, ''),
    INVALID_VERSION_CODE: (text) => text.replace(/<versionCode[^>]*>/, '<versionCode/>'),
    INVALID_CONTROL_ACT: (text) => text.replace(/<ControlActEvent.*<\/ControlActEvent>/, ''),
    'CONTROL_ACT_AUTHOR_INVALID 8': (text) => text.replace(/(<author typeCode="AUT">.*<\/author>)/, '$1$1'),
    CONTROL_ACT_AUTHOR_INVALID_CARDINALITY: (text) => text.replace(/<author1.*<\/author1>/, ''),
    CONTROL_ACT_QUERY_INVALID: (text) => text.replace(/<query>.*<\/query>/, '<query/>'),
    INCONSISTENT_HL7_INTERACTION_ID: (text) =>
      text.replace(`extension="${interaction}"`, 'extension="QUPA_IN000005UK01"'),
    INCONSISTENT_COMM_FUNC_RCV: (text) => text.replace(`extension="${spine}"`, `extension="${consumer}"`),
    INCONSISTENT_COMM_FUNC_SND: (text) => text.replace(/(<communicationFunctionSnd.*?extension=")\d+/, `$1${spine}`),
    CONTROL_ACT_AUTHOR_AGENT_INVALID: (text) => text.replace(/(<author1.*?extension=")\d+/, '$1'),
    'CONTROL_ACT_AUTHOR_INVALID 11': (text) => text.replace('extension="555000000002"', 'extension=""'),
    CONTROL_ACT_AUTHOR_AGENT2_INVALID: (text) =>
      text.replace(
        /(<author1.*?<\/author1>)/,
        '$1<author1><AgentSystemSDS><agentSystemSDS/></AgentSystemSDS></author1>',
      ),
  }

  for (const { name, clause, explains } of wrapperChecks) {
    const row = /row (\d+)/.exec(clause)?.[1]
    const key = name === 'CONTROL_ACT_AUTHOR_INVALID' ? `${name} ${row}` : name
    it(`rejects ${key} with an acknowledgement AR`, async () => {
      const change = spoilt[key] ?? assert.fail(`${key} has no case`)
      const { status, body } = await face().ask(interaction, sound.retrieval, { spoil: inBody(change) })
      const { transmission, wrapper, addressing } = reply(body)
      assert.deepEqual([status, wrapper], [200, 'retrievalQueryResponse'])
      assert.equal(transmission?.interaction, 'MCCI_IN010000UK13')
      assert.equal(transmission?.versionCode, 'V3NPfIT3.0')
      assert.deepEqual(addressing?.action, [actionOf('MCCI_IN010000UK13')])
      assert.equal(transmission?.acknowledgement?.typeCode, 'AR')
      assert.deepEqual(transmission?.acknowledgement?.details, [
        {
          typeCode: 'ER',
          code: { code: '299', codeSystem: oid.acknowledgementDetail, displayName: `${name}: ${explains}` },
        },
      ])
      assert.equal(transmission?.acknowledgement?.messageRef, key === 'INVALID_ID' ? undefined : messageRef)
      assert.deepEqual(transmission?.controlAct.content, [])
    })
  }
})

describe('the rules of queries', () => {
  const kinds: Readonly<Record<QueryKind, string>> = {
    'simple trace': 'QUPA_IN000005UK01',
    'advanced trace': 'QUPA_IN000006UK02',
    'batch trace': 'QUPA_IN000012UK02',
    retrieval: 'QUPA_IN000008UK02',
    'cross-check': 'QUPA_IN000014UK01',
    confirmation: 'QUPA_IN000016UK02',
  }
  /** By kind, name and field: what breaks exactly this rule. */
  const spoilt: Readonly<Record<QueryKind, Readonly<Record<string, Partial<QueryParameters>>>>> = {
    'simple trace': {
      'MISSING_MANDATORY_SEARCH_FIELD[birthTime]': { birthTime: [] },
      'MISSING_MANDATORY_SEARCH_FIELD[name.family]': { personName: [{ ...named('x'), family: [] }] },
      'MISSING_MANDATORY_SEARCH_FIELD[administrativeGenderCode]': { gender: [{ code: '3' }] },
      ILLEGAL_DATE_FORMAT: { birthTime: [at('19810229')] },
    },
    'advanced trace': {
      'MISSING_MANDATORY_SEARCH_FIELD_AT[historicDataIndicator]': { historicDataIndicator: [] },
      DUPLICATE_SEARCH_FIELDS_PROVIDED: { gender: [{ code: '1' }, { code: '2' }] },
      ILLEGAL_DATE_FORMAT: {
        birthTime: [
          {
            bounds: [
              { bound: 'center', value: '1980' },
              { bound: 'low', value: '1979' },
            ],
          },
        ],
      },
      'MISSING_MANDATORY_SEARCH_FIELD_AT[name]': { personName: [] },
      MISSING_SEARCH_TYPE: { searchParameter: [] },
      INVALID_SEARCH_TYPE: { searchParameter: [{ code: '3' }] },
      INVALID_HISTORY_INDICATOR: { historicDataIndicator: [indicator('2')] },
      INVALID_IGNORE_HISTORY_INDICATOR: { ignoreHistoryIndicator: [{ code: '7' }] },
      INVALID_SEARCH_DATA: { gender: [{ code: '5' }] },
    },
    'batch trace': {
      'MISSING_MANDATORY_SEARCH_FIELD[birthTime]': { birthTime: [at('1980')] },
      'MISSING_MANDATORY_SEARCH_FIELD[name.family]': { personId: [], personName: [], gender: [{ code: '1' }] },
      'MISSING_MANDATORY_SEARCH_FIELD[administrativeGenderCode]': { personId: [], personName: [named('Testcase')] },
      INVALID_SEARCH_DATA: { gender: [{ code: '5' }] },
      ILLEGAL_DATE_FORMAT: { deceasedTime: [at('20261301')] },
      INVALID_NHS_NUMBER: { personId: [number('999054860')] },
      FAILED_MOD11_CHECK: { personId: [number('9990548600')] },
    },
    retrieval: {
      INVALID_HISTORIC_DATA_INDICATOR: { historicDataIndicator: [] },
      NHS_NUMBER_UNSPECIFIED: { personId: [] },
      INVALID_NHS_NUMBER: { personId: [number('999054860')] },
      FAILED_MOD11_CHECK: { personId: [number('9990548600')] },
    },
    'cross-check': {
      DATE_OF_BIRTH_MISSING: { birthTime: [] },
      ILLEGAL_DATE_FORMAT: { birthTime: [at('1980-02-29')] },
      MISSING_NHS_NUMBER: { personId: [] },
      NOT_NEW_STYLE_NHS_NUMBER: { personId: [number('ABC 123', '2.16.840.1.113883.2.1.3.2.4.1')] },
      INVALID_NHS_NUMBER: { personId: [number('999 054 8609')] },
      FAILED_MOD11_CHECK: { personId: [number('9990548600')] },
      INVALID_NAME_FORMAT: { personName: [named('Testcase', 'Arlo', 'Ben')] },
    },
    confirmation: {
      NHS_NUMBER_UNSPECIFIED: { personId: [{ root: oid.nhsNumber }] },
      NOT_NEW_STYLE_NHS_NUMBER: { personId: [number('ABC 123', '2.16.840.1.113883.2.1.3.2.4.3')] },
      INVALID_NHS_NUMBER: { personId: [number('9990548609 ')] },
      FAILED_MOD11_CHECK: { personId: [number('9990548600')] },
    },
  }
  const codes: Readonly<Record<string, string>> = {
    MISSING_SEARCH_TYPE: 'AT001',
    INVALID_SEARCH_TYPE: 'AT001',
    'MISSING_MANDATORY_SEARCH_FIELD_AT[historicDataIndicator]': 'AT002',
    'MISSING_MANDATORY_SEARCH_FIELD_AT[name]': 'AT002',
    NOT_NEW_STYLE_NHS_NUMBER: '42',
  }

  for (const kind of Object.keys(queryChecks) as QueryKind[])
    for (const { name, where, level } of queryChecks[kind]) {
      if (level === 'WG') continue
      const key = where === undefined ? name : `${name}[${where}]`
      it(`${kind}: ${key} is a failure of the query`, async () => {
        const change = spoilt[kind][key] ?? assert.fail(`${kind}: ${key} has no case`)
        const { status, body } = await face().ask(kinds[kind], { ...sound[kind], ...change })
        const { transmission, reasons, people } = reply(body)
        assert.equal(status, 200)
        assert.equal(transmission?.interaction, 'QUQI_IN010000UK14')
        assert.equal(transmission?.acknowledgement?.typeCode, 'AE')
        assert.equal(transmission?.controlAct.queryResponse, 'ID')
        assert.deepEqual(people, [])
        assert.ok(
          reasons?.some(([code, text, grade]) => code === (codes[key] ?? '0') && text === key && grade === 'ER'),
          JSON.stringify(reasons),
        )
      })
    }

  it('reports all that is wrong together, one reason each', async () => {
    const { body } = await face().ask('QUPA_IN000005UK01', { retrievalItem: ['x'] })
    assert.deepEqual(
      reply(body).reasons?.map(([, text]) => text),
      [
        'MISSING_MANDATORY_SEARCH_FIELD[birthTime]',
        'MISSING_MANDATORY_SEARCH_FIELD[name.family]',
        'MISSING_MANDATORY_SEARCH_FIELD[administrativeGenderCode]',
      ],
    )
  })

  it('warns of another root in a retrieval, and answers', async () => {
    const { body } = await face().ask('QUPA_IN000008UK05', {
      ...sound.retrieval,
      personId: [number('9990548609', '2.16.840.1.113883.2.1.4.3')],
    })
    const { transmission, reasons, people } = reply(body)
    assert.equal(transmission?.acknowledgement?.typeCode, 'AA')
    assert.deepEqual(reasons, [['0', 'NHS_NUMBER_UNSPECIFIED[root]', 'WG']])
    assert.equal(people?.length, 1)
  })
})

describe('what queries find', () => {
  const codes = async (interaction: string, parameters: Partial<QueryParameters>) => {
    const { body } = await face().ask(interaction, parameters)
    const { transmission, reasons, people } = reply(body)
    return {
      acknowledged: transmission?.acknowledgement?.typeCode,
      codes: reasons?.map(([code]) => code),
      numbers: people?.map(({ id }) => id.extension),
      people,
      body,
    }
  }

  it('answers nobody, several, merged, invalidated and disagreeing with the codes of PDS', async () => {
    const trace = (family: string, birth: string, gender: string) => ({
      birthTime: [at(birth)],
      personName: [named(family)],
      gender: [{ code: gender }],
    })
    const cases: readonly (readonly [
      string,
      Partial<QueryParameters>,
      string,
      readonly string[],
      readonly string[],
    ])[] = [
      ['QUPA_IN000005UK01', trace('Nobody', '19800229', '1'), 'AE', ['1', 'ST004'], []],
      ['QUPA_IN000005UK01', trace('Mockley', '19700124', '2'), 'AE', ['7'], []],
      ['QUPA_IN000005UK01', trace('Testcase', '19800229', '1'), 'AA', ['3'], ['9990548609']],
      ['QUPA_IN000005UK01', trace('Restricted', '19850525', '2'), 'AA', ['5'], ['9990548838']],
      ['QUPA_IN000005UK01', trace('Veryrestricted', '19850525', '2'), 'AE', ['1', 'ST004'], []],
      ['QUPA_IN000005UK01', trace('Invalidated', '19990909', '1'), 'AE', ['1', 'ST004'], []],
      ['QUPA_IN000005UK01', trace('Mergerson', '19990909', '2'), 'AA', ['3'], ['9990548870']],
      ['QUPA_IN000008UK02', { ...sound.retrieval, personId: [number('9990548854')] }, 'AA', ['24'], ['9990548870']],
      ['QUPA_IN000008UK02', { ...sound.retrieval, personId: [number('9990548838')] }, 'AA', ['9'], ['9990548838']],
      ['QUPA_IN000008UK02', { ...sound.retrieval, personId: [number('9990548889')] }, 'AE', ['22'], []],
      ['QUPA_IN000008UK02', { ...sound.retrieval, personId: [number('9999999999')] }, 'AE', ['1', 'RT003'], []],
      ['QUPA_IN000016UK02', { personId: [number('9999999999')] }, 'AE', ['1', 'NHSNCC002'], []],
      ['QUPA_IN000016UK02', { personId: [number('9990548862')] }, 'AA', ['24'], ['9990548870']],
      ['QUPA_IN000014UK01', { ...sound['cross-check'], birthTime: [at('19800228')] }, 'AE', ['40'], []],
      ['QUPA_IN000014UK01', { ...sound['cross-check'], personName: [named('Other')] }, 'AE', ['40'], []],
      ['QUPA_IN000014UK01', { ...sound['cross-check'], personId: [number('9990548854')] }, 'AE', ['17'], []],
      ['QUPA_IN000014UK01', { ...sound['cross-check'], personId: [number('9990548889')] }, 'AE', ['22'], []],
      [
        'QUPA_IN000014UK01',
        { ...sound['cross-check'], personId: [number('9999999999')] },
        'AE',
        ['1', 'NHSNCC002'],
        [],
      ],
    ]
    for (const [interaction, parameters, acknowledged, wanted, numbers] of cases) {
      const found = await codes(interaction, parameters)
      assert.deepEqual(
        [found.acknowledged, found.codes, found.numbers],
        [acknowledged, wanted, numbers],
        `${interaction} ${JSON.stringify(parameters)}`,
      )
    }
  })

  it('an advanced trace finds by wildcard, range, history, sound and number, best first and with a level', async () => {
    const advanced = (more: Partial<QueryParameters>) =>
      codes('QUPA_IN000006UK05', { ...sound['advanced trace'], ...more })
    const range: Ivl = {
      bounds: [
        { bound: 'low', value: '1970' },
        { bound: 'high', value: '197012' },
      ],
    }
    const wild = await advanced({ personName: [named('Mock*')], birthTime: [range] })
    assert.deepEqual([...(wild.numbers ?? [])].sort(), ['9990548706', '9990548714', '9990548722', '9990548730'])
    assert.ok(wild.people?.every(({ matchingLevel }) => /^\d{1,3}$/.test(matchingLevel ?? '')))
    assert.deepEqual(
      (await advanced({ personName: [named('Bloggson', 'Primrose')], birthTime: [at('19741012')] })).codes,
      ['1', 'AT006'],
    )
    assert.deepEqual(
      (
        await advanced({
          personName: [named('Bloggson', 'Primrose')],
          birthTime: [at('19741012')],
          historicDataIndicator: [indicator('1')],
        })
      ).numbers,
      ['9990548811'],
    )
    const sounds = {
      personName: [named('Smith', 'Matt')],
      birthTime: [at('19620930')],
      searchParameter: [{ code: '2' }],
    }
    assert.deepEqual((await advanced(sounds)).numbers, ['9990548781'])
    assert.deepEqual((await advanced({ ...sounds, personId: [number('9990548609')] })).codes, ['1', 'AT006'])
    const starred = await advanced({ ...sounds, personName: [named('Sm*')] })
    assert.deepEqual(starred.codes, ['0'])
    const levels = (await advanced({ personName: [named('Attisón')], birthTime: [at('19660321')] })).people
    assert.deepEqual(
      levels?.map(({ id, matchingLevel }) => [id.extension, matchingLevel]),
      [
        ['9990548749', '100'],
        ['9990548757', levels?.[1]?.matchingLevel],
      ],
    )
  })

  it('tells of a person what the form has: five lines, object ids, the practice under cppz, ended snippets if asked', async () => {
    const { people } = await codes('QUPA_IN000008UK02', { ...sound.retrieval, personId: [number('9990548811')] })
    const [now] = people ?? []
    assert.deepEqual(now?.addresses[0]?.lines, ['7 Bloom Street', 'Testham', '', '', ''])
    assert.equal(now?.addresses[0]?.use, 'H')
    assert.match(now?.addresses[0]?.id?.extension ?? '', /^[0-9A-F]{8}$/)
    assert.deepEqual(now?.serialChangeNumber, '5')
    assert.deepEqual(now?.birthTime, { value: '19741012' })
    assert.deepEqual(now?.gender, { code: '2' })
    assert.deepEqual(
      now?.provisions.map(({ code, id, organisation }) => [code, id?.extension, organisation.extension]),
      [['1', 'cppz', 'A20047']],
    )
    assert.deepEqual(
      now?.names.map(({ use }) => use),
      ['L', 'PREFERRED'],
    )
    assert.deepEqual(
      now?.telecoms.map(({ use, value }) => [use, value]),
      [
        ['MC', 'tel:07700900811'],
        ['HP', 'mailto:marigold@example.com'],
      ],
    )
    const all = await codes('QUPA_IN000008UK02', {
      ...sound.retrieval,
      personId: [number('9990548811')],
      historicDataIndicator: [indicator('1')],
    })
    assert.deepEqual(
      all.people?.[0]?.names.map(({ use, family }) => [use, family[0]]),
      [
        ['L', 'Gardenia'],
        ['PREFERRED', 'Gardenia'],
        ['PREVIOUS-MAIDEN', 'Bloggson'],
        ['PREVIOUS', 'Gardenia'],
      ],
    )
    assert.doesNotMatch(all.body, /Concealed|Hidden Mews/)
    const blank = await codes('QUPA_IN000008UK05', { ...sound.retrieval, personId: [number('9990548668')] })
    assert.deepEqual(blank.people?.[0]?.addresses[0]?.lines, ['', '9 Barrack Row', '', 'Testham', ''])
    assert.equal(blank.people?.[0]?.removal?.reason, 'ORR', 'a confidential reason is not told')
    const full = await codes('QUPA_IN000008UK02', { ...sound.retrieval, personId: [number('9990548625')] })
    const [whole] = full.people ?? []
    assert.deepEqual(whole?.language, { code: 'cy', interpreter: '1' })
    assert.deepEqual(whole?.contact, { method: '1' })
    assert.equal(whole?.writtenFormat, '11')
    assert.deepEqual(
      [whole?.birthplace?.city, whole?.birthplace?.county, whole?.birthplace?.country],
      ['Testham', 'Mockshire', '1'],
    )
    assert.deepEqual(
      whole?.provisions.map(({ code }) => code),
      ['P1', 'P2', 'P3', '1'],
    )
    const dead = await codes('QUPA_IN000008UK02', { ...sound.retrieval, personId: [number('9990548641')] })
    assert.deepEqual([dead.people?.[0]?.deceasedTime?.value, dead.people?.[0]?.deathNotification], ['20191102', '2'])
  })

  it('shows of restricted people no place, practice or telephone in any query, and names the sensitivity', async () => {
    const secrets = /Safe House|ZZ99 2RR|07700900838|01632960838|restricted@example|A20047|FY123|Mockshire/
    const asked: readonly (readonly [string, Partial<QueryParameters>])[] = [
      [
        'QUPA_IN000005UK01',
        { birthTime: [at('19850525')], personName: [named('Restricted')], gender: [{ code: '2' }] },
      ],
      [
        'QUPA_IN000006UK02',
        { ...sound['advanced trace'], birthTime: [at('19850525')], personName: [named('Restricted')] },
      ],
      ...['QUPA_IN000008UK02', 'QUPA_IN000008UK05', 'QUPA_IN040000UK32'].flatMap((interaction) =>
        ['9990548838', '9990548846'].map(
          (nhs) =>
            [
              interaction,
              { ...sound.retrieval, personId: [number(nhs)], historicDataIndicator: [indicator('1')] },
            ] as const,
        ),
      ),
      ['QUPA_IN000014UK01', { birthTime: [at('19850525')], personId: [number('9990548838')] }],
      ['QUPA_IN000016UK02', { personId: [number('9990548838')] }],
      ['QUPA_IN000016UK02', { personId: [number('9990548846')] }],
    ]
    for (const [interaction, parameters] of asked) {
      const { body, people, acknowledged } = await codes(interaction, parameters)
      assert.equal(acknowledged, 'AA', `${interaction} ${body}`)
      assert.doesNotMatch(body, secrets)
      assert.equal(people?.[0]?.confidentiality, 'Y')
      assert.deepEqual(people?.[0]?.addresses, [])
    }
    // A search by place finds no restricted person, whether the place is right or wrong.
    for (const postalCode of ['ZZ99 2RR', 'ZZ99 9ZZ']) {
      const { codes: found } = await codes('QUPA_IN000005UK01', {
        birthTime: [at('19850525')],
        personName: [named('Restricted')],
        gender: [{ code: '2' }],
        personAddress: [{ lines: [], postalCode }],
      })
      assert.deepEqual(found, ['1', 'ST004'])
    }
    const very = await codes('QUPA_IN000014UK01', { birthTime: [at('19850525')], personId: [number('9990548846')] })
    assert.deepEqual(very.codes, ['40'], 'of a very restricted record nothing is confirmed')
  })

  it('tells the audit who asked, for what, and who was shown; never the words of a search', async () => {
    const pds = face()
    await pds.ask('QUPA_IN000005UK01', sound['simple trace'])
    await pds.ask('QUPA_IN000008UK05', { ...sound.retrieval, personId: [] })
    const [found, failed] = pds.events
    assert.deepEqual(
      [found?.operation, found?.sender, found?.user, found?.role, found?.odsCode, found?.outcome, found?.shown],
      ['simple trace', consumer, '555000000002', '555000000001', 'X26', 'AA', ['9990548609']],
    )
    assert.deepEqual([failed?.outcome, failed?.codes, failed?.shown], ['AE', ['NHS_NUMBER_UNSPECIFIED'], []])
    assert.doesNotMatch(JSON.stringify(pds.events), /Testcase|19800229/)
  })
})
