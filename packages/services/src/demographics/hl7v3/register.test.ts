import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { noChanges, oid, type PdsBirth, type PdsRegistration } from '@openspine/standards/hl7v3'
import { isNhsNumber } from '@openspine/standards/nhs'
import { extensionUrl, items } from '../person.ts'
import { openPds, type TestPds } from '../testing.ts'
import { birthMessageChecks } from './birth-checks.ts'
import { consumer, directory, face, messageRef, reply, spine } from './hl7v3.test-kit.ts'
import { actionOf, changes } from './interactions.ts'
import { birth, birthOf, from, item, newcomer, registration } from './register.test-kit.ts'
import { registrationChecks } from './registration-checks.ts'

let pds: TestPds
before(async () => {
  pds = await openPds({ directory })
})
after(() => pds.close())

const uuid = () => randomUUID().toUpperCase()

async function sent(body: string, interaction: string) {
  const answer = await pds.post('/sync-service', body, { soapaction: actionOf(interaction) })
  return { status: answer.statusCode, headers: answer.headers, body: answer.body, ...reply(answer.body) }
}

const allocate = (more: Partial<PdsRegistration> = {}, id = uuid(), interaction = 'PRPA_IN000200UK03') =>
  sent(registration(more, { id, interaction }), interaction)
const born = (more: Partial<PdsBirth> = {}, id = uuid(), interaction = 'PRPA_IN000205UK03') =>
  sent(birth(more, { id, interaction }), interaction)

const called = (family: string): Partial<PdsRegistration> => ({
  person: newcomer({ names: [item({ use: 'L', prefix: [], given: ['Ann'], family: [family], suffix: [] })] }),
})

/** The number of an answer that must be one of success. */
function given({ registered, body }: Awaited<ReturnType<typeof sent>>): string {
  assert.ok(registered, body)
  return registered.nhsNumber
}

describe('a request for a new number', () => {
  for (const { request: interaction, response } of changes.filter(({ kind }) => kind === 'allocation'))
    it(`${interaction} is answered with ${response}: number and version, in the body itself`, async () => {
      const id = uuid()
      const answer = await allocate(called(`Alloc${interaction.slice(-1) === '3' ? 'three' : 'four'}`), id, interaction)
      const { status, transmission, addressing, wrapper, registered, reasons } = answer
      assert.deepEqual([status, wrapper, transmission?.interaction], [200, undefined, response])
      assert.deepEqual(addressing?.action, [`urn:nhs:names:services:pds/${response}`])
      assert.deepEqual(addressing?.relatesTo, [`uuid:${id}`])
      assert.deepEqual(
        [transmission?.acknowledgement?.typeCode, transmission?.acknowledgement?.messageRef, reasons],
        ['AA', messageRef, []],
      )
      assert.deepEqual([transmission?.receiver, transmission?.sender], [consumer, spine])
      assert.equal(transmission?.versionCode, 'V3NPfIT4.2.00')
      assert.ok(isNhsNumber(registered?.nhsNumber ?? ''), answer.body)
      assert.equal(registered?.serialChangeNumber, '1')
    })

  it('keeps what the message tells, with the practice, and who sent it', async () => {
    const person = newcomer({
      names: [item({ use: 'L', prefix: ['Mr.'], given: ['Kept', 'Fern'], family: ['Whole'], suffix: ['MBE'] })],
      birthTime: { value: '198407011230' },
      telecoms: [item({ use: 'MC', value: 'tel:07700900701', useablePeriod: from('20200101') }, 1)],
      provisions: [
        {
          code: '1',
          effectiveTimes: [from('20240101')],
          organisations: [{ root: oid.organisation, extension: 'a20047' }],
        },
      ],
      language: { code: 'cy', interpreter: '1' },
      contactMethod: { code: '3', times: 'after six' },
      writtenFormat: { code: '12' },
    })
    const number = given(await allocate({ person }))
    const kept = await pds.contract.find(number)
    assert.ok(kept)
    const { name, gender, birthDate, address, telecom, generalPractitioner, extension } = kept.patient
    assert.deepEqual(
      items(name).map(({ use, prefix, given: givens, family, suffix }) => [use, prefix, givens, family, suffix]),
      [['usual', ['Mr'], ['Kept', 'Fern'], 'Whole', ['MBE']]],
    )
    assert.deepEqual([gender, birthDate], ['female', '1984-07-01'])
    assert.deepEqual(items(address)[0]?.['line'], ['', '31 Sample Street', '', 'Testham', ''])
    assert.deepEqual(
      items(telecom).map(({ system, use, value }) => [system, use, value]),
      [['phone', 'mobile', '07700900701']],
    )
    assert.deepEqual(
      items(generalPractitioner).map(({ identifier }) => identifier),
      [
        {
          system: 'https://fhir.nhs.uk/Id/ods-organization-code',
          value: 'A20047',
          period: { start: '2024-01-01' },
        },
      ],
    )
    assert.deepEqual(
      items(extension).map(({ url }) => url),
      [extensionUrl.communication, extensionUrl.contactPreference],
    )
    assert.match(JSON.stringify(extension), /"code":"cy".*"valueBoolean":true.*"code":"12".*"code":"3".*after six/)
    const [change] = await pds.contract.history(number, 1)
    assert.deepEqual(change?.author, {
      mode: 'hl7v3',
      asid: consumer,
      organisation: 'X26',
      user: '555000000002',
      role: '555000000001',
    })
  })

  it('finds who is there, by whatever dialect they came, and registers nobody twice', async () => {
    const number = given(await allocate(called('Twice')))
    const single = await allocate(called('Twice'))
    assert.deepEqual(
      [single.transmission?.interaction, single.transmission?.acknowledgement?.typeCode, single.reasons],
      [
        'MCCI_IN010000UK13',
        'AE',
        [
          [
            '0',
            `SINGLE_MATCH: Unable to create new patient. NHS number ${number} found for supplied demographic data.`,
            'ER',
          ],
        ],
      ],
    )
    // Born on one day, of one name and gender, at one place.
    const pair = { gender: { code: '9' }, birthTime: { value: '19700124' } } as const
    assert.match(String((await allocate({ person: newcomer(pair) })).reasons?.[0]?.[1]), /^INVALID_VALUE/)
  })

  it('is done once, however often and however quickly the message comes, and answers the same', async () => {
    const id = uuid()
    const [first, again] = await Promise.all([allocate(called('Once'), id), allocate(called('Once'), id)])
    const later = await allocate(called('Once'), id.toLowerCase())
    const number = given(first)
    assert.deepEqual([given(again), given(later)], [number, number])
    assert.equal(later.body, first.body)
  })

  it('says that somebody registered twice at once is one', async () => {
    const both = await Promise.all([allocate(called('Racing')), allocate(called('Racing'))])
    assert.equal(both.filter(({ registered }) => registered !== undefined).length, 1)
    assert.equal(both.filter(({ reasons }) => /^SINGLE_MATCH/.test(String(reasons?.[0]?.[1]))).length, 1)
  })

  it('keeps the rules of a new record, in the words that every dialect has for them', async () => {
    const future = await allocate({ person: newcomer({ birthTime: { value: '20990101' } }) })
    assert.deepEqual(future.reasons, [['0', "INVALID_VALUE: Invalid value - '2099-01-01' in field 'birthDate'", 'ER']])
    const { useablePeriod: _, ...undated } = newcomer().addresses[0]?.value ?? { lines: [] }
    const period = await allocate({ person: newcomer({ addresses: [item(undated)] }) })
    assert.deepEqual(period.reasons, [['0', "MISSING_VALUE: Missing value - 'address/0/period'", 'ER']])
    const practice = await allocate({
      person: newcomer({
        provisions: [{ code: '1', effectiveTimes: [], organisations: [{ root: oid.organisation, extension: '!' }] }],
      }),
    })
    assert.deepEqual(practice.reasons, [
      ['0', "INVALID_VALUE: Invalid value - '!' in field 'generalPractitioner/0/identifier/value'", 'ER'],
    ])
  })

  it('warns a practice that does not name itself, and registers all the same', async () => {
    const answer = await allocate({
      ...called('Warned'),
      authorities: [
        {
          code: { code: 'x', codeSystem: oid.registeringAuthority },
          ids: [{ root: oid.organisation, extension: 'A20047' }],
        },
      ],
    })
    assert.ok(isNhsNumber(given(answer)))
    assert.match(
      answer.body,
      /<code code="0" codeSystem="2\.16\.840\.1\.113883\.2\.1\.3\.2\.4\.17\.42" displayName="MANDATORY_FIELD_MISSING"><qualifier><value code="WG" codeSystem="2\.16\.840\.1\.113883\.2\.1\.3\.2\.4\.17\.104"\/>/,
    )
  })

  it('answers those who come too fast 503, for a client to try again', async () => {
    const full = face({ full: true })
    const ask = async (body: string, interaction: string) => {
      const answer = await full.post(body, { soapaction: actionOf(interaction) })
      return [answer.status, answer.headers['retry-after'], reply(answer.body).errors?.[0]?.errorCode]
    }
    const later = [503, '1', '200']
    assert.deepEqual(await ask(registration(), 'PRPA_IN000200UK03'), later)
    assert.deepEqual(await ask(birth(), 'PRPA_IN000205UK03'), later)
    assert.deepEqual(
      full.events.map(({ operation, codes }) => [operation, codes]),
      [
        ['allocation', ['TOO_MANY_REQUESTS']],
        ['birth notification', ['TOO_MANY_REQUESTS']],
      ],
    )
  })
})

describe('a notification of a birth', () => {
  for (const { request: interaction, response } of changes.filter(({ kind }) => kind === 'birth notification'))
    it(`${interaction} is answered with ${response}: the child's number and version`, async () => {
      const order = { value: interaction.endsWith('3') ? '1' : '2' }
      const baby = { ...birthOf().baby, multipleBirth: order }
      const { transmission, registered, body } = await born({ baby }, uuid(), interaction)
      assert.equal(transmission?.interaction, response, body)
      assert.ok(isNhsNumber(registered?.nhsNumber ?? ''), body)
      assert.equal(registered?.serialChangeNumber, '1')
    })

  it('keeps child, mother and what subscribers are told', async () => {
    const baby = {
      ...birthOf().baby,
      names: [item({ use: 'L', prefix: [], given: ['Juno'], family: ['Newborn'], suffix: [] })],
      addresses: [item({ use: 'H', lines: ['', '9 New Way', '', 'Testham', ''], postalCode: 'ZZ99 3CZ' })],
    }
    const mothers = birthOf().mothers.map((mother) => ({
      ...mother,
      ids: [{ root: oid.nhsNumber, extension: '9990548633' }],
    }))
    const number = given(await born({ baby, mothers }))
    const kept = await pds.contract.find(number)
    assert.deepEqual(
      items(kept?.patient['address']).map(({ period }) => period),
      [{ start: '2026-11-16' }],
    )
    assert.deepEqual(
      [kept?.patient['birthDate'], kept?.patient['multipleBirthInteger'], kept?.related?.[0]?.['identifier']],
      ['2026-11-16', 1, [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9990548633' }]],
    )
    const told = (await pds.contract.events.waiting(1000)).find(
      ({ nhsNumber, code }) => nhsNumber === number && code === 'pds-birth-notification-1',
    )
    assert.deepEqual(
      [
        told?.facts['birthTime'],
        told?.facts['weightGrams'],
        told?.facts['placeOfBirth'],
        told?.facts['gestationWeeks'],
      ],
      ['2026-11-16T04:11:00+00:00', 3405, 'RR8G5', 39],
    )
  })

  it('finds the same birth of the same mother whatever it is told, and is done once', async () => {
    const id = uuid()
    const mothers = birthOf().mothers.map((mother) => ({
      ...mother,
      ids: [{ root: oid.nhsNumber, extension: '9990548811' }],
    }))
    const baby = {
      ...birthOf().baby,
      names: [item({ use: 'L', prefix: [], given: ['Solo'], family: ['Onlyborn'], suffix: [] })],
    }
    const first = await born({ mothers, baby }, id)
    const number = given(first)
    assert.equal((await born({ mothers, baby }, id)).body, first.body)
    const same = await born({ mothers, baby, ignoreDuplicates: ['true'] })
    assert.match(String(same.reasons?.[0]?.[1]), new RegExp(`^SINGLE_MATCH: .*${number}`))
  })

  it('keeps the rules of a birth: death and stillbirth agree, and it was not long ago', async () => {
    const mothers = birthOf().mothers.map((mother) => ({
      ...mother,
      ids: [{ root: oid.nhsNumber, extension: '9990548684' }],
    }))
    const named = (family: string, more: Partial<PdsBirth['baby']> = {}) => ({
      ...birthOf().baby,
      names: [item({ use: 'L', prefix: [], given: ['Sol'], family: [family], suffix: [] })],
      ...more,
    })
    const still = { mothers, stillbirths: [{ code: '2', codeSystem: oid.stillbirth }] }
    const alive = await born({ ...still, baby: named('Stillborn') })
    assert.match(String(alive.reasons?.[0]?.[1]), /^INSERT_BIRTH_DEATH_STATUS_INCONSISTENT/)
    const died = { deceasedTime: { value: '20261116' }, deathNotification: { code: '2', authored: false } }
    const number = given(await born({ ...still, baby: named('Stillborn', died) }))
    const kept = await pds.contract.find(number)
    assert.equal(kept?.patient['deceasedDateTime'], '2026-11-16T00:00:00+00:00')
    const baby = named('Longago', { birthTime: { value: '202512010411' } })
    const old = await born({ mothers, baby })
    assert.match(String(old.reasons?.[0]?.[1]), /^INVALID_DOB_OVER_SIX_MONTHS/)
  })
})

describe('the rules of a request for a new number', () => {
  const person = (more: Parameters<typeof newcomer>[0]) => ({ person: newcomer(more) })
  const home = newcomer().addresses[0]?.value ?? { lines: [] }
  const named = newcomer().names[0]?.value ?? { prefix: [], given: [], family: [], suffix: [] }
  const authority = {
    code: { code: 'g', codeSystem: oid.registeringAuthority },
    ids: [{ root: oid.organisation, extension: 'RGS' }],
  }
  const practice = { code: '1', effectiveTimes: [], organisations: [{ root: oid.organisation, extension: 'A20047' }] }
  const spoilt: Readonly<Record<string, Partial<PdsRegistration>>> = {
    'MANDATORY_FIELD_MISSING_SUPP_INFO[PDSRegistrationRequest.root]': { requests: 2 },
    'MANDATORY_FIELD_MISSING_SUPP_INFO[PDSRegistrationRequest.subject.patientRole]': { patients: 2 },
    'MANDATORY_FIELD_MISSING_SUPP_INFO[gender]': person({ gender: {} }),
    'MANDATORY_FIELD_MISSING_SUPP_INFO[birthTime]': person({ birthTime: {} }),
    'MANDATORY_FIELD_MISSING_SUPP_INFO[author]': { authorities: [] },
    'MANDATORY_FIELD_MISSING_SUPP_INFO[registeringAuthority.code]': {
      authorities: [{ ...authority, code: { code: 'g' } }],
    },
    'MANDATORY_FIELD_MISSING_SUPP_INFO[registeringAuthority.id]': { authorities: [{ ...authority, ids: [] }] },
    'MANDATORY_FIELD_MISSING_SUPP_INFO[previousNHSContact]': { previousContacts: [] },
    'MANDATORY_FIELD_MISSING_SUPP_INFO[patient.usualName]': person({ names: [item({ ...named, use: 'ALIAS' })] }),
    'MANDATORY_FIELD_MISSING_SUPP_INFO[patient.address]': person({ addresses: [] }),
    ALLOCATION_NOT_SUPPORTED: person({ deceasedTime: { value: '20260101' } }),
    'UNSUPPORTED_PATIENT_CARE[practice]': person({ provisions: [practice, practice] }),
    UNSUPPORTED_CHARACTERS_IN_FIELD: person({ addresses: [item({ ...home, use: '' }, 1)] }),
    INCORRECT_NUMBER_OF_ADDRESS_LINES: person({ addresses: [item({ ...home, lines: [] }, 1)] }),
    DESCRIPTION_PROVIDED_NO_TEMPORARY_ADDRESS: person({
      addresses: [item({ ...home, description: 'Holiday Home' }, 1)],
    }),
    MORE_THAN_ONE_USABLE_PERIOD: person({
      provisions: [{ ...practice, effectiveTimes: [from('20200101'), from('20210101')] }],
    }),
    HIGH_TIME_NOT_GREATER_THAN_LOW_TIME: person({
      addresses: [
        item(
          {
            ...home,
            useablePeriod: {
              bounds: [
                { bound: 'low', value: '20260102' },
                { bound: 'high', value: '20260101' },
              ],
            },
          },
          1,
        ),
      ],
    }),
    UNEXPECTED_CONTACT_TYPE: person({ telecoms: [item({ use: 'HP', value: '01632960001' })] }),
    NO_MORE_THAN_ONE_PREFIX: person({ names: [item({ ...named, prefix: ['Mr', 'Dr'] })] }),
    NO_MORE_THAN_ONE_FAMILY_NAME: person({ names: [item({ ...named, family: ['One', 'Two'] })] }),
    NO_MORE_THAN_ONE_SUFFIX: person({ names: [item({ ...named, suffix: ['MBE', 'OBE'] })] }),
    INSUFFICIENT_NAME_DETAILS: person({ names: [item({ ...named, given: [], family: [] })] }),
    TOO_MANY_GIVEN_NAMES_5: person({ names: [item({ ...named, given: ['A', 'B', 'C', 'D', 'E', 'F'] })] }),
    UNSUPPORTED_PATIENT_CARE: person({ provisions: [{ ...practice, code: '7' }] }),
    MANDATORY_FIELD_MISSING_SUPP_INFO: person({ provisions: [{ ...practice, organisations: [] }] }),
    UNSUPPORTED_HCP_CODE_TYPE: person({
      provisions: [{ ...practice, organisations: [{ root: oid.healthProfessional, extension: 'G1' }] }],
    }),
  }
  for (const { name, where, explains, level } of registrationChecks) {
    if (level === 'WG') continue
    const key = where === undefined ? name : `${name}[${where}]`
    it(`${key}: ${explains}`, async () => {
      const { status, transmission, reasons } = await allocate(spoilt[key] ?? assert.fail(`nothing breaks ${key}`))
      assert.deepEqual(
        [status, transmission?.interaction, transmission?.acknowledgement?.typeCode],
        [200, 'MCCI_IN010000UK13', 'AE'],
      )
      assert.deepEqual(reasons, [['0', key, 'ER']])
    })
  }

  it('ALLOCATION_NOT_SUPPORTED: shared secrets and numbers are refused, and not passed over', async () => {
    const secret = '<subjectOf4 typeCode="SBJ"><sharedSecret/></subjectOf4></patientRole>'
    const body = registration({}, { id: uuid(), spoil: (text) => text.replace('</patientRole>', secret) })
    assert.deepEqual((await sent(body, 'PRPA_IN000200UK03')).reasons, [['0', 'ALLOCATION_NOT_SUPPORTED', 'ER']])
    const numbered = await allocate(person({ ids: [{ root: oid.nhsNumber, extension: '9990548609' }] }))
    assert.deepEqual(numbered.reasons, [['0', 'ALLOCATION_NOT_SUPPORTED', 'ER']])
  })
})

describe('the rules of a notification of a birth', () => {
  const { baby, places, mothers, authorities } = birthOf()
  const [named] = baby.names
  const changed = (more: Partial<PdsBirth['baby']>) => ({ baby: { ...baby, ...more } })
  const place = (more: Partial<PdsBirth['places'][number]>) => ({
    places: places.map((each) => ({ ...each, ...more })),
  })
  const mother = (more: Partial<PdsBirth['mothers'][number]>) => ({
    mothers: mothers.map((each) => ({ ...each, ...more })),
  })
  const [home] = baby.addresses
  assert.ok(named && home)
  const missing = (where: string) => `MANDATORY_FIELD_MISSING[${where}]`
  const { id: _, ...unidentified } = places[0] ?? {}
  const { addr: __, ...unplaced } = places[0] ?? {}
  const spoilt: Readonly<Record<string, Partial<PdsBirth>>> = {
    [missing('rootLevelCheck:PdsRegistrationEvent')]: { events: 2 },
    [missing('registrationEventCheck:patient')]: { babies: 2 },
    [missing('registrationEventCheck:registeringAuthority')]: { authorities: [] },
    [missing('ignoreDuplicateRecordCriterionCheck:value')]: { ignoreDuplicates: ['maybe'] },
    [missing('registeringAuthorityCheck:code')]: { authorities: authorities.map((each) => ({ ...each, code: {} })) },
    [missing('registeringAuthorityCheck:id')]: { authorities: authorities.map((each) => ({ ...each, ids: [] })) },
    [missing('patientCheck:homeaddr')]: changed({ addresses: [item({ ...home.value, use: 'PST' }, 1)] }),
    [missing('patientCheck:addr')]: changed({
      addresses: [home, item({ ...home.value, use: 'PST' }, 1), item({ ...home.value, use: 'TMP' }, 1)],
    }),
    [missing('patientPersonCheck:administrativeGenderCode')]: changed({ gender: {} }),
    [missing('patientPersonCheck:birthTime')]: changed({ birthTime: {} }),
    'INSERT_BIRTH_MANDATORY_DATA_MISSING[BirthTime size incorrect]': changed({ birthTime: { value: '20261116' } }),
    [missing('patientPersonCheck:name')]: changed({ names: [named, item({ ...named.value, use: 'ALIAS' })] }),
    [missing('patientPersonCheck:ethnicGroupCode')]: { ethnicGroups: [] },
    [missing('patientPersonCheck:multipleBirthOrderNumber')]: changed({ multipleBirth: {} }),
    INCONSISTENT_DEATH_UPDATE: changed({ deceasedTime: { value: '20261116' } }),
    [missing('patientCheck:birthWeight')]: { weights: [] },
    INVALID_BIRTH_WEIGHT: { weights: ['985'] },
    [missing('suspectedCongenitalAbnormalityCheck:value')]: { abnormalities: [] },
    [missing('stillbirthIndicatorCheck:value')]: { stillbirths: [] },
    [missing('numberOfFoetusInConfinementCheck:value')]: { foetuses: [] },
    [missing('gestationAgeCheck:value')]: { gestations: [] },
    [missing('notifierPersonCheck:name')]: { notifiers: [] },
    [missing('obstetricCareProvisionCheck:participant')]: { places: [] },
    [missing('identifiedDeliveryLocationCheck:code')]: place({ code: { code: '0' } }),
    [missing('identifiedDeliveryLocationCheck:id')]: { places: [unidentified] },
    [missing('identifiedDeliveryLocationCheck:placeOfBirth:addr')]: { places: [unplaced] },
    [missing('obstetricCareProvisionCheck:partnerChildHealth')]: { partners: [] },
    [missing('obstetricCareProvisionCheck:responsibleChildHealth')]: { responsible: [] },
    [missing('obstetricCareProvisionCheck:mother')]: { mothers: [] },
    [missing('motherCheck:id')]: mother({ ids: [] }),
    [missing('motherPersonCheck:birthTime')]: mother({ birthTime: {} }),
    [missing('motherPersonCheck:name')]: mother({ names: [] }),
    [missing('primaryCareProvisionCheck:primaryCareProvider')]: mother({ practices: [] }),
    UNSUPPORTED_CHARACTERS_IN_FIELD: changed({ telecoms: [item({ use: '', value: 'tel:01632960001' })] }),
    INCORRECT_NUMBER_OF_ADDRESS_LINES: changed({ addresses: [item({ ...home.value, lines: [] }, 1)] }),
  }
  for (const { name, where, explains } of birthMessageChecks) {
    const key = where === undefined ? name : `${name}[${where}]`
    const changes = spoilt[key]
    // The other rules of objects are tried with a request for a new number; a birth without its delivery has its own test.
    if (changes === undefined) continue
    it(`${key}: ${explains}`, async () => {
      const { status, transmission, reasons } = await born(changes)
      assert.deepEqual(
        [status, transmission?.interaction, transmission?.acknowledgement?.typeCode],
        [200, 'MCCI_IN010000UK13', 'AE'],
      )
      assert.deepEqual(reasons, [['0', key, 'ER']])
    })
  }

  it('are all tried, but those of objects', () => {
    const own = birthMessageChecks.filter(({ clause }) => clause.startsWith('demographics'))
    const untried = own.map(({ name, where }) => (where === undefined ? name : `${name}[${where}]`))
    assert.deepEqual(
      untried.filter((key) => spoilt[key] === undefined),
      [missing('patientCheck:babyOf')],
    )
  })

  it('are all reported together: a birth without its delivery breaks many', async () => {
    const { reasons = [] } = await born({ deliveries: 0 })
    const keys = reasons.map(([, text]) => text)
    assert.ok(
      keys.includes(missing('patientCheck:babyOf')) && keys.includes(missing('obstetricCareProvisionCheck:mother')),
    )
  })
})

it('messages that name nobody are refused by their rules, and by no fault', async () => {
  const empty = await allocate({ person: noChanges })
  assert.equal(empty.transmission?.acknowledgement?.typeCode, 'AE')
  const none = await born({ babies: 0 })
  assert.equal(none.transmission?.acknowledgement?.typeCode, 'AE')
})
