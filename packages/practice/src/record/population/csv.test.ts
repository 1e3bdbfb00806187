import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { first, readInto } from '../../testing/populations.ts'
import { columns } from './columns.ts'
import { kindOfName } from './csv.ts'
import type { PopulationSource } from './population.ts'

const file = (name: string, text: string, more: Partial<PopulationSource> = {}): PopulationSource => ({
  name,
  text: () => [text],
  ...more,
})
const read = (files: readonly PopulationSource[], ignoreUnknown = false) => readInto(files, { ignoreUnknown })

const people = 'nhsNumber,family,given,birthDate,gender\r\n9990548609,Testcase,Arlo Ben,1980-02-29,M\r\n'

describe('CSV populations', () => {
  test('every column of a patient', async () => {
    const { patients, faults, used } = await read([
      file(
        'patients.csv',
        [
          'NHS Number,family,given,prefix,gender,birthDate,addressLine1,addressLine3,city,postcode,phone,email,active,sensitive,deceasedDate,consent,nhsNumberVerified,registeredAt,registrationDate,inTransit,usualGp,preferredBranch',
          '999 054 8609,"Testcase, Jr",Arlo|Ben Lee,Mr,2,29/02/1980,"1 ""The"" Row",Mill End,Testham,ZZ99 3CZ,01632 960012,a@b.test,no,S,2020-01-02,N,0,b82617,2009-06-15,yes,gp-1,site-2',
        ].join('\n'),
      ),
    ])
    assert.deepEqual(faults, [])
    assert.deepEqual(used, { patients: 1 })
    const patient = first(patients)
    assert.deepEqual(
      { ...patient, encounters: undefined },
      {
        ...patient,
        encounters: undefined,
        nhsNumber: '9990548609',
        name: { family: 'Testcase, Jr', given: ['Arlo', 'Ben Lee'], prefix: ['Mr'] },
        gender: 'female',
        birthDate: '1980-02-29',
        address: { lines: ['1 "The" Row', 'Mill End'], city: 'Testham', postcode: 'ZZ99 3CZ' },
        telecom: [
          { system: 'phone', use: 'home', value: '01632 960012' },
          { system: 'email', use: 'home', value: 'a@b.test' },
        ],
        active: false,
        sensitive: true,
        deceasedDate: '2020-01-02',
        consent: false,
        nhsNumberVerified: false,
        registeredAt: 'B82617',
        registrationDate: '2009-06-15',
        inTransit: true,
        usualGp: 'gp-1',
        preferredBranch: 'site-2',
      },
    )
  })

  test('the files of each area, joined by NHS number in any order', async () => {
    const { patients, faults, used } = await read([
      file('allergies.csv', 'nhsNumber,details,startDate,code\n9990548609,Rash from penicillin,2003-07-21,91936005\n'),
      file(
        'medications.csv',
        'nhsNumber,type,item,dosage,startDate,endedDate,endedBy\n9990548609,repeat,Amlodipine 5mg tablets,One a day,2020-01-01,2021-01-01,clinician\n',
      ),
      file('encounters.csv', 'nhsNumber,date,title,details\n9990548609,2024-01-04,Dr Mockingham,"two\nlines"\n'),
      file('problems.csv', 'nhsNumber,entry,status,startDate\n9990548609,Asthma,active,2001-01-01\n'),
      file('immunisations.csv', 'nhsNumber,date,vaccination,lot\n9990548609,2023-10-01,Influenza,AB1\n'),
      file('observations.csv', 'nhsNumber,date,entry,value\n9990548609,2024-01-04,Peak flow,480 L/min\n'),
      file('referrals.csv', 'nhsNumber,date,to,urgency\n9990548609,2024-01-05,Cardiology,urgent\n'),
      file('patients.csv', people),
    ])
    assert.deepEqual(faults, [])
    assert.equal(used['referrals'], 1)
    const patient = first(patients)
    assert.deepEqual(patient.allergies[0]?.codes, [
      { system: 'http://snomed.info/sct', code: '91936005', display: 'Rash from penicillin' },
    ])
    assert.equal(patient.medications[0]?.recordedDate, '2020-01-01')
    assert.deepEqual(patient.medications[0]?.ended, { date: '2021-01-01', by: 'clinician', codes: [] })
    assert.equal(patient.encounters[0]?.details, 'two\nlines')
    assert.equal(patient.problems[0]?.entry, 'Asthma')
    assert.equal(patient.immunisations[0]?.lot, 'AB1')
    assert.equal(patient.observations[0]?.value, '480 L/min')
    assert.equal(patient.referrals[0]?.urgency, 'urgent')
  })

  test('the shapes of published provider test data', async () => {
    const { patients, faults, unmapped } = await read([
      file(
        'Data/PDS.csv',
        'NHS_NUMBER,DATE_OF_BIRTH,DATE_OF_DEATH,FAMILY_NAME,GIVEN_NAME,OTHER_GIVEN_NAME,TITLE,ADDR1,ADDR2,ADDR3,ADDR4,ADDR5,POST_CODE,SENSITIVE_FLAG,PRIMARY_CARE_CODE\n9990548609,13/06/1952,,TESTCASE,Arlo,Ben,MS,,10 INVENTED CRESCENT,,TESTHAM,,ZZ99 3CZ,S,A20047\n',
      ),
      file(
        'RegisterPatients.csv',
        'SPINE_NHS_NUMBER,NAME_FAMILY,NAME_GIVEN,GENDER,DOB\n9990100004,SAMPLE,Cleo,FEMALE,1951-03-10\n',
      ),
      file('NHSNoMap.csv', 'NATIVE_NHS_NUMBER,PROVIDER_NHS_NUMBER\npatient1,9990548609\n'),
      file('PractitionerCodeMap.csv', 'NATIVE_PRACTITIONER_CODE,PROVIDER_PRACTITIONER_CODE\npractitioner1,G11111116\n'),
      file('problems.csv', 'nhsNumber,entry,status\npatient1,Asthma,active\n'),
    ])
    assert.deepEqual(faults, [])
    assert.deepEqual(unmapped, { 'PractitionerCodeMap.csv': 1 })
    const patient = first(patients)
    assert.deepEqual(patient.name, { family: 'TESTCASE', given: ['Arlo', 'Ben'], prefix: ['MS'] })
    assert.deepEqual(patient.address?.lines, ['10 INVENTED CRESCENT', 'TESTHAM'])
    assert.deepEqual([patient.sensitive, patient.registeredAt, patient.gender], [true, undefined, 'unknown'])
    assert.equal(patient.problems.length, 1)
    assert.equal(patients.length, 2)
  })

  const faulty: readonly (readonly [string, readonly PopulationSource[], readonly object[]])[] = [
    ['a wrong check digit', [file('patients.csv', people.replace('8609', '8608'))], [{ line: 2, path: 'nhsNumber' }]],
    ['no number', [file('patients.csv', people.replace('9990548609', ''))], [{ line: 2, path: 'nhsNumber' }]],
    [
      'a day that is none',
      [file('patients.csv', people.replace('1980-02-29', '1981-02-29'))],
      [{ line: 2, path: 'birthDate' }],
    ],
    ['an unknown column', [file('patients.csv', people.replace('given', 'nick'))], [{ line: 1, path: 'column 3' }]],
    ['a column twice', [file('patients.csv', people.replace('given', 'family'))], [{ line: 1, path: 'family' }]],
    [
      'a column too few',
      [file('patients.csv', 'nhsNumber,given\n')],
      [
        { line: 1, path: 'family' },
        { line: 1, path: 'birthDate' },
      ],
    ],
    ['a field too many', [file('patients.csv', people.replace('29,M', '29,M,x'))], [{ line: 2 }]],
    ['a wrong quotation', [file('patients.csv', people.replace('Testcase', '"Test"case'))], [{ line: 2 }]],
    ['a patient twice', [file('patients.csv', `${people}${people.split('\r\n')[1]}`)], [{ line: 3 }]],
    ['rows of nobody', [file('problems.csv', 'nhsNumber,entry,status\n9990100004,Asthma,active\n')], [{ line: 2 }]],
    [
      'a relation that is not there',
      [file('patients.csv', 'nhsNumber,family,birthDate,usualGp\n9990548609,T,1980-02-29,gp-9\n')],
      [{ line: 2, path: 'usualGp' }],
    ],
    [
      'a row that the record refuses',
      [
        file('patients.csv', people),
        file('problems.csv', 'nhsNumber,entry,status,endDate\n9990548609,Asthma,active,2001-01-01\n'),
      ],
      [{ source: 'problems.csv', line: 2, path: 'endDate' }],
    ],
    ['a name that does not tell', [file('stuff.csv', people)], [{ line: 1 }]],
    ['an empty file', [file('patients.csv', '')], [{ source: 'patients.csv' }]],
    ['no format', [file('patients.txt', people)], [{ source: 'patients.txt' }]],
  ]
  for (const [name, files, expected] of faulty)
    test(`names ${name} by line and path, without the value`, async () => {
      const { faults } = await read(files)
      assert.equal(faults.length, expected.length, JSON.stringify(faults))
      faults.forEach((fault, i) => {
        assert.deepEqual({ ...fault, ...expected[i] }, fault)
        for (const value of ['9990548609', '9990548608', 'Testcase', '1981', 'gp-9', 'nick'])
          assert.ok(!`${fault.path} ${fault.problem}`.includes(value), fault.problem)
      })
    })

  test('passes over unknown columns when told to', async () => {
    const { faults, patients } = await read([file('patients.csv', people.replace('given', 'nick'))], true)
    assert.deepEqual([faults, patients.length], [[], 1])
  })

  test('slots make the books of schedules, and appointments of those who have them', async () => {
    const header =
      'nhsNumber,schedule,location,practitioner,start,minutes,serviceType,bookable,appointment,description\n'
    const rows = [
      '9990548609,list-9,site-1,gp-1,2027-07-05 09:00,10,Review,,double,Asthma',
      '9990548609,list-9,site-1,gp-1,2027-07-05 09:10,10,Review,,double,Asthma',
      '9990548609,list-9,site-1,gp-1,2027-07-05T10:00:00+01:00,10,Review,,,',
      ',list-9,site-1,gp-1,2027-07-05 11:00,10,Review,no,,',
    ]
    const slots = file('appointments.csv', header + rows.join('\n'))
    const { practice, appointments, faults, used } = await read([slots, file('patients.csv', people)])
    assert.deepEqual([faults, used], [[], { slots: 4, patients: 1 }])
    const schedule = practice.schedules.find(({ id }) => id === 'list-9')
    assert.deepEqual([schedule?.location, schedule?.practitioner], ['site-1', 'gp-1'])
    assert.deepEqual(schedule?.slots.at(-1), {
      start: '2027-07-05T11:00:00+01:00',
      minutes: 10,
      serviceType: 'Review',
      bookable: false,
    })
    assert.deepEqual(
      appointments.map(({ id, starts, description }) => [id, starts.length, description]),
      [
        ['double', 2, 'Asthma'],
        [`list-9-${Date.parse('2027-07-05T09:00:00Z') / 60_000}`, 1, 'Review'],
      ],
    )
    for (const [row, path] of [
      [',list-9,site-1,gp-1,2027-07-05,10,Review,,,', 'start'],
      [',list-9,site-1,gp-1,2027-07-05 25:00,10,Review,,,', 'start'],
      [',list-9,site-1,gp-1,2027-07-05 09:00,0,Review,,,', 'minutes'],
      ['9990100004,list-9,site-1,gp-1,2027-07-05 09:00,10,Review,,,', 'nhsNumber'],
      [`,list-9,site-1,gp-1,2027-07-05 09:00,10,Review,,,${'x'.repeat(101)}`, 'description'],
      [',list-9,nowhere,gp-1,2027-07-05 09:00,10,Review,,,', 'location'],
    ] as const)
      assert.deepEqual(
        (await read([file('slots.csv', header + row), file('patients.csv', people)])).faults.map((fault) => [
          fault.line,
          fault.path,
        ]),
        [[2, path]],
        row,
      )
    const two = `${rows[0]}\n${rows[1]?.replace('site-1', 'site-2')}`
    assert.match(
      (await read([file('slots.csv', header + two), file('patients.csv', people)])).faults[0]?.problem ?? '',
      /schedule/,
    )
  })

  test("the demonstrator's tables of patients and allergies", async () => {
    const table = [
      'id,title,first_name,last_name,address_1,address_2,postcode,phone,date_of_birth,gender,nhs_number,pas_number,gp_id,lastUpdated,sensitive_flag,deceased,marital_status,managing_organization,registration_start,registration_end,registration_status,registration_type',
      '1,MR,Arlo,TESTCASE,,1 The Row,ZZ99 3CZ,01632960012,1980-02-29,Male,9990548609,000001,1,2018-03-23 12:00:00,FALSE,NULL,S,7,1962-07-13 00:00:00,\\N,A,NULL',
      '2,MS,Bea,SAMPLE,,2 The Row,ZZ99 3CZ,,19900101,Female,9990100004,000002,1,,TRUE,NULL,S,7,2020-01-01,2020-03-31,N,T',
    ].join('\n')
    const allergies = [
      'nhsNumber,endDate,endReason,note,clinicalStatus,category,onSetDateTime,assertedDate,concept_code,concept_display,manCoding,manDisplay,recorder',
      '9990548609,2016-07-01 12:00:00,Ongoing,Swollen lips,active,medication,2016-05-01 12:00:00,1-Jun-2016,91935009,Allergy to peanuts,68670009,Contact dermatitis,3',
      '9990548609,,Cured,,resolved,environmental,2016-05-01,2016-06-01,,Pollen,,,3',
    ].join('\n')
    const { patients, faults, unmapped } = await read([
      file('patients_table.csv', table),
      file('allergies.csv', allergies),
    ])
    assert.deepEqual(faults, [])
    assert.deepEqual(
      [unmapped['patients (pas_number)'], unmapped['patients (id)'], unmapped['allergies (recorder)']],
      [1, 1, 1],
    )
    const [one, two] = patients
    assert.deepEqual(
      [one?.birthDate, one?.active, one?.sensitive, one?.deceasedDate, one?.registrationDate, one?.registration],
      ['1980-02-29', true, false, undefined, '1962-07-13', undefined],
    )
    assert.deepEqual(one?.address, { lines: ['1 The Row'], postcode: 'ZZ99 3CZ' })
    assert.deepEqual(
      [two?.birthDate, two?.active, two?.sensitive, two?.registration],
      ['1990-01-01', false, true, { type: 'temporary', period: { start: '2020-01-01', end: '2020-03-31' } }],
    )
    const [current, ended] = one?.allergies ?? []
    assert.deepEqual(
      [current?.details, current?.endDate, current?.startDate, current?.recordedDate, current?.codes[0]?.display],
      ['Allergy to peanuts\nSwollen lips', undefined, '2016-05-01', '2016-06-01', 'Allergy to peanuts'],
    )
    assert.equal(current?.reaction?.manifestation?.code, '68670009')
    assert.deepEqual([ended?.endDate, ended?.reasonEnded, ended?.category], ['2016-06-01', 'Cured', 'environment'])
  })

  test('kinds by name, or as told', async () => {
    assert.equal(kindOfName('a/b/Medications-2026.csv'), 'medications')
    assert.equal(kindOfName('x.csv'), undefined)
    assert.equal((await read([file('stuff.csv', people, { kind: 'patients' })])).patients.length, 1)
  })

  test('the guide has every column', () => {
    const guide = readFileSync(new URL('../../../../../docs/guides/load-a-test-population.md', import.meta.url), 'utf8')
    for (const [kind, each] of Object.entries(columns))
      for (const { name, says, required } of each)
        assert.ok(
          guide.includes(`| \`${name}\`${required ? ' (needed)' : ''} | ${says} |`),
          `${kind}: | \`${name}\`${required ? ' (needed)' : ''} | ${says} |`,
        )
  })
})
