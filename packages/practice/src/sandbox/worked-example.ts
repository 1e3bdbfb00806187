/**
 * A practice of invented people: one patient with something in every section, and one for every flag that
 * decides what a consumer gets.
 */
import { addDays, type Day } from '../record/dates.ts'
import type { PatientInput, PracticeFile } from '../record/model.ts'
import { withStructure } from './structured-example.ts'
import { schedules } from './worked-schedules.ts'

/** Patients of the worked example by what they show. */
export const workedExamplePatients = {
  everySection: '9990548609',
  dissent: '9990100004',
  sensitive: '9990100012',
  deceasedRecently: '9990100020',
  deceasedLongAgo: '9990100039',
  inTransit: '9990100047',
  noData: '9990100055',
  confidentialItems: '9990100063',
  inactive: '9990100071',
  notVerified: '9990100098',
  registeredElsewhere: '9990100101',
  organisationDissent: '9990100128',
  deniedSection: '9990100136',
} as const

/**
 * The practice A20047 (or another code) with its patients, as a practice file; with `asids`, its services of the 1.x
 * line too.
 * `today` places what is recent or not: the acute courses of this year, the deaths within and beyond 28 days.
 *
 * @example
 * workedExample({ asid: '200000100001', today: '2026-11-20' }).practices[0]?.serviceRoot // '/A20047/DSTU2/1'
 */
export function workedExample(options: {
  readonly asid: string
  /** One ASID for each base of the 1.x line that the practice is to have. */
  readonly asids?: { readonly gpconnect?: string; readonly structured?: string; readonly documents?: string }
  readonly today: Day
  readonly odsCode?: string
  readonly name?: string
  readonly serviceRoot?: string
}): PracticeFile {
  const { asid, asids = {}, today, odsCode = 'A20047' } = options
  return {
    format: 'openspine-practice-1',
    practices: [
      {
        odsCode,
        asid,
        name: options.name ?? 'Testham Surgery',
        address: { lines: ['1 Surgery Lane'], city: 'Testham', postcode: 'ZZ99 4AA' },
        telecom: [{ system: 'phone', value: '01632 960011', use: 'work' }],
        serviceRoot: options.serviceRoot ?? `/${odsCode}/DSTU2/1`,
        services: services(odsCode, asids),
        gpConnect: true,
        emergencyCodes: {
          on: true,
          banner: 'Latest entry of every group of emergency codes',
          codes: [
            { code: 'resuscitation-wanted', group: 'resuscitation' },
            { code: 'resuscitation-not-wanted', group: 'resuscitation' },
            { code: 'advance-statement' },
          ],
        },
        practitioners: [
          {
            id: 'gp-1',
            name: { family: 'Mockingham', given: ['Ada'], prefix: ['Dr'] },
            gender: 'female',
            sdsUserId: '555000000101',
            roleProfileIds: ['555000000111', '555000000121'],
            gmpNumber: 'G9990101',
            role: { code: 'R0260', display: 'General Medical Practitioner' },
            communications: [{ language: { code: 'fr', display: 'French' } }],
          },
          {
            id: 'gp-2',
            name: { family: 'Samplewick', given: ['Bertram'], prefix: ['Dr'] },
            gender: 'male',
            sdsUserId: '555000000102',
            roleProfileIds: ['555000000112'],
            role: { code: 'R0260', display: 'General Medical Practitioner' },
          },
        ],
        partOf: { odsCode: 'Z9X', name: 'Testham Invented Care Group' },
        mainLocation: 'site-1',
        locations: [
          {
            id: 'site-1',
            odsSiteCode: odsCode,
            name: 'Testham Surgery, main site',
            address: { lines: ['1 Surgery Lane'], city: 'Testham', postcode: 'ZZ99 4AA' },
            telecom: [{ system: 'phone', value: '01632 960011', use: 'work' }],
          },
          {
            id: 'site-2',
            odsSiteCode: `${odsCode}002`,
            name: 'Testham Surgery, branch at the mill',
            address: { lines: ['2 Mill Lane'], city: 'Testham', postcode: 'ZZ99 4AB' },
            partOf: 'site-1',
          },
        ],
        healthcareServices: [
          { id: 'service-1', dosServiceId: '2000099901', name: 'Extended hours', locations: ['site-1', 'site-2'] },
          { id: 'service-2', dosServiceId: '2000099902', name: 'Minor illness clinic', locations: ['site-2'] },
        ],
        serviceFiltering: true,
        schedules: schedules(today),
        patients: [
          withStructure(everySection(today), today),
          ...flagged(today, odsCode === 'B82617' ? 'A20047' : 'B82617'),
        ],
      },
    ],
  }
}

function services(
  odsCode: string,
  asids: { readonly gpconnect?: string; readonly structured?: string; readonly documents?: string },
): NonNullable<PracticeFile['practices'][number]['services']> {
  const { gpconnect, structured, documents } = asids
  const serviceRoot = `/${odsCode}/STU3/1/gpconnect`
  return [
    ...(gpconnect === undefined
      ? []
      : [
          {
            base: 'gpconnect' as const,
            asid: gpconnect,
            serviceRoot,
            specificationVersion: '1.2.8',
            on: ['foundations' as const, 'appointments' as const, 'structuredRecord' as const],
          },
        ]),
    ...(structured === undefined
      ? []
      : [
          {
            base: 'structured' as const,
            asid: structured,
            serviceRoot: `${serviceRoot}/structured`,
            specificationVersion: '1.6.2',
            on: ['structuredRecord' as const],
          },
        ]),
    ...(documents === undefined
      ? []
      : [
          {
            base: 'documents' as const,
            asid: documents,
            serviceRoot: `${serviceRoot}/documents`,
            specificationVersion: '1.6.2',
            on: ['documents' as const],
          },
        ]),
  ]
}

function everySection(today: Day): PatientInput {
  const ago = (days: number): Day => addDays(today, -days)
  return {
    nhsNumber: workedExamplePatients.everySection,
    name: { family: 'Testcase', given: ['Arlo', 'Ben'], prefix: ['Mr'] },
    gender: 'male',
    birthDate: '1980-02-29',
    address: { lines: ['12 Invented Row'], city: 'Testham', postcode: 'ZZ99 3CZ' },
    telecom: [{ system: 'phone', value: '01632 960012', use: 'home' }],
    registrationDate: '2009-06-15',
    preferredBranch: 'site-2',
    usualGp: 'gp-1',
    contacts: [
      {
        relationship: 'Partner',
        name: { family: 'Testcase', given: ['Sami'] },
        telecom: [{ system: 'phone', value: '07700 900012', use: 'mobile' }],
      },
    ],
    communications: [
      {
        language: { code: 'cy', display: 'Welsh' },
        preferred: true,
        mode: { code: 'RWR', display: 'Received written' },
        proficiency: { code: 'G', display: 'Good' },
        interpreterRequired: false,
      },
    ],
    documents: documents(ago),
    encounters: [
      {
        date: ago(9),
        title: 'Dr Ada Mockingham, Testham Surgery',
        details: 'Asthma review\nPeak flow 480 L/min. Inhaler technique good.\nPlan: continue, review in 6 months',
      },
      { date: ago(75), title: 'Nurse Cleo Fixture, Testham Surgery', details: 'Influenza vaccination given' },
      { date: ago(210), title: 'Dr Bertram Samplewick, telephone', details: 'Sore throat for 4 days; BP 138/84' },
      { date: '2019-03-05', title: 'Dr Ada Mockingham, Testham Surgery', details: 'Low back pain after lifting' },
      { date: '2014-02-03', title: 'Dr Ada Mockingham, home visit', details: 'Chest infection' },
    ],
    clinicalItems: [
      { date: ago(9), entry: 'Asthma annual review', details: 'Control good; ACT score 22' },
      { date: '2019-03-05', entry: 'Low back pain', details: 'No red flags' },
      { date: '2014-02-03', entry: 'Acute bronchitis' },
    ],
    adminItems: [
      { date: ago(30), entry: 'Asthma recall: first letter sent', details: 'Sent by post' },
      { date: '2016-04-01', entry: 'Summary care record: consent given' },
      { date: '2009-06-15', entry: 'New patient registration' },
    ],
    allergies: [
      {
        id: 'allergy-penicillin',
        codes: [{ system: 'http://snomed.info/sct', code: '91936005', display: 'Allergy to penicillin' }],
        startDate: '2003-07-21',
        recordedDate: '2009-06-15',
        recordedBy: 'gp-2',
        assertedBy: 'gp-1',
        details: 'Penicillin V allergy: rash & swelling of the lips, severity severe',
        reaction: {
          manifestation: { system: 'http://snomed.info/sct', code: '247472004', display: 'Weal' },
          description: 'Rash and swelling of the lips',
          exposureRoute: { system: 'http://snomed.info/sct', code: '26643006', display: 'Oral route' },
        },
        lifeThreatening: true,
      },
      {
        startDate: '2011-05-02',
        recordedBy: 'gp-1',
        details: 'Adverse reaction to ibuprofen: wheeze <1 hour after the dose',
      },
      {
        codes: [{ system: 'http://snomed.info/sct', code: '782555009', display: "Allergy to cow's milk protein" }],
        category: 'environment',
        startDate: '1985-01-01',
        endDate: '2001-09-10',
        reasonEnded: 'Tolerates milk since adolescence',
        details: "Cow's milk protein allergy; resolved",
      },
    ],
    immunisations: [
      {
        date: ago(75),
        vaccination: 'Seasonal influenza vaccination',
        part: 'Single dose',
        contents: 'Inactivated influenza vaccine',
        details: 'Left deltoid; batch INV-0423',
      },
      {
        date: '2013-10-12',
        vaccination: 'Low dose diphtheria, tetanus and polio vaccination',
        part: 'Booster',
        contents: 'Td/IPV',
        details: 'Right deltoid; batch INV-0077',
      },
    ],
    observations: [
      { date: ago(9), entry: 'Peak expiratory flow rate', value: '480 L/min', range: '>450', details: 'Best of three' },
      { date: ago(210), entry: 'Blood pressure', value: '138/84 mmHg', range: '<140/90' },
      { date: '2019-03-05', entry: 'Body mass index', value: '27.1 kg/m2', range: '18.5 - 25.0' },
      { date: '2014-02-03', entry: 'Body temperature', value: '38.4 C', range: '36.1 - 37.2', details: 'Tympanic' },
    ],
    referrals: [
      {
        date: '2019-03-12',
        from: 'Dr Ada Mockingham',
        to: 'Musculoskeletal physiotherapy, Testham Community Hospital',
        priority: 'Routine',
        details: 'Low back pain for 6 weeks',
      },
      { date: '2012-11-30', from: 'Dr Bertram Samplewick', to: 'Respiratory clinic', priority: 'Urgent' },
    ],
    problems: [
      {
        status: 'active',
        startDate: '2006-10-17',
        entry: 'Asthma',
        significance: { text: 'Major', level: 'highest' },
        details: 'Step 2 treatment',
      },
      {
        status: 'inactive',
        startDate: '2012-11-20',
        endDate: '2013-02-14',
        entry: 'Community-acquired pneumonia',
        significance: { text: 'Significant', level: 'middle' },
        details: 'Admitted for 3 days',
      },
      {
        status: 'inactive',
        startDate: '2019-03-05',
        endDate: '2019-05-28',
        entry: 'Low back pain',
        significance: { text: 'Minor', level: 'lowest' },
      },
      { status: 'inactive', startDate: '1998-08-03', endDate: '1998-09-30', entry: 'Sprain of ankle' },
    ],
    medications: medications(today).map((medicine) => ({
      recordedBy: 'gp-1',
      ...(medicine.elsewhere === undefined ? { prescriber: 'gp-1' } : {}),
      ...medicine,
    })),
    emergencyCodes: [
      {
        date: ago(400),
        code: 'resuscitation-wanted',
        entry: 'For attempted cardiopulmonary resuscitation',
        details: 'Discussed with patient',
        location: 'Testham Surgery, care plan',
      },
      { date: '2015-01-20', code: 'resuscitation-not-wanted', entry: 'Superseded entry of the same group' },
      {
        date: '2018-06-06',
        code: 'advance-statement',
        entry: 'Advance statement made',
        location: 'Held by the patient',
      },
    ],
  }
}

function medications(today: Day): NonNullable<PatientInput['medications']> {
  const ago = (days: number): Day => addDays(today, -days)
  return [
    {
      type: 'acute',
      item: 'Clarithromycin 500mg tablets',
      dosage: 'One to be taken twice a day for 7 days',
      quantity: '14 tablets',
      recordedDate: ago(208),
      startDate: ago(208),
      daysDuration: 7,
      issues: [{ date: ago(208) }],
    },
    {
      type: 'acute',
      item: 'Prednisolone 5mg tablets',
      dosage: 'Six to be taken each morning for 5 days if asthma worsens',
      quantity: '30 tablets',
      recordedDate: ago(9),
      startDate: ago(9),
      postDate: addDays(today, 12),
      scheduledEndDate: addDays(today, 17),
      daysDuration: 5,
      information: ['Rescue course: telephone the surgery when started'],
      issues: [],
    },
    {
      type: 'acute',
      item: 'Amoxicillin 500mg capsules',
      dosage: 'One to be taken three times a day',
      quantity: '15 capsules',
      recordedDate: ago(120),
      elsewhere: { agency: 'Dentist' },
      ended: { date: ago(119), by: 'clinician', reason: 'Allergy to penicillin' },
    },
    {
      type: 'acute',
      item: 'Co-codamol 30mg/500mg tablets',
      dosage: 'One or two to be taken four times a day when required',
      quantity: '56 tablets',
      recordedDate: '2019-03-05',
      startDate: '2019-03-05',
      scheduledEndDate: '2019-03-12',
      daysDuration: 7,
      controlledDrug: true,
      issues: [{ date: '2019-03-05', quantity: '28 tablets' }],
    },
    {
      id: 'medication-beclometasone',
      codes: [
        {
          system: 'http://snomed.info/sct',
          code: '39113611000001102',
          display: 'Beclometasone 100micrograms/dose inhaler',
        },
      ],
      prescriber: 'gp-2',
      recordedBy: 'gp-1',
      type: 'repeat',
      item: 'Beclometasone 100micrograms/dose inhaler',
      dosage: 'Two puffs to be inhaled twice a day',
      patientInstruction: 'Rinse the mouth afterwards',
      quantity: '200 dose',
      supply: { value: 200, unit: 'dose' },
      expiryDate: addDays(today, 170),
      recordedDate: '2019-10-01',
      startDate: '2019-10-01',
      reviewDate: addDays(today, 170),
      maxIssues: 12,
      issues: [
        { date: ago(150), daysDuration: 56 },
        { date: ago(94), daysDuration: 56 },
        { date: ago(38), daysDuration: 56 },
      ],
    },
    {
      type: 'repeat-dispense',
      item: 'Salbutamol 100micrograms/dose inhaler CFC free',
      dosage: 'One or two puffs to be inhaled when required',
      quantity: '200 dose',
      recordedDate: '2020-01-20',
      startDate: '2020-01-20',
      reviewDate: addDays(today, 170),
      maxIssues: 6,
      information: ['Spacer device supplied'],
    },
    {
      type: 'repeat',
      item: 'Omeprazole 20mg gastro-resistant capsules',
      dosage: 'One to be taken each day',
      quantity: '28 capsules',
      recordedDate: '2015-06-01',
      startDate: '2015-06-01',
      maxIssues: 6,
      ended: { date: '2016-08-22', by: 'clinician', reason: 'No longer needed' },
      issues: [{ date: '2015-06-01' }, { date: '2016-07-04', information: ['Last issue before review'] }],
    },
  ]
}

function flagged(today: Day, otherPractice: string): PatientInput[] {
  const visit = { date: '2018-01-04', title: 'Dr Ada Mockingham, Testham Surgery', details: 'Routine review' }
  const living = (nhsNumber: string, family: string, given: string, gender: 'male' | 'female', birthDate: Day) => ({
    nhsNumber,
    name: { family, given: [given] },
    gender,
    birthDate,
    address: { lines: ['34 Invented Row'], city: 'Testham', postcode: 'ZZ99 3CZ' },
    registrationDate: '2010-01-11',
    usualGp: 'gp-2',
    encounters: [visit],
  })
  const the = workedExamplePatients
  return [
    { ...living(the.dissent, 'Quietwell', 'Dora', 'female', '1975-05-14'), consent: false },
    { ...living(the.sensitive, 'Hushford', 'Evan', 'male', '1990-12-01'), sensitive: true },
    { ...living(the.deceasedRecently, 'Lastman', 'Flora', 'female', '1938-03-23'), deceasedDate: addDays(today, -10) },
    { ...living(the.deceasedLongAgo, 'Formerly', 'George', 'male', '1929-08-30'), deceasedDate: addDays(today, -60) },
    {
      ...living(the.inTransit, 'Movinghouse', 'Hana', 'female', '1996-07-07'),
      inTransit: true,
      registrationDate: addDays(today, -20),
    },
    { ...living(the.noData, 'Blankpage', 'Idris', 'male', '2004-10-19'), encounters: [] },
    {
      ...living(the.confidentialItems, 'Closedbook', 'Juno', 'female', '1983-04-02'),
      encounters: [
        visit,
        { date: '2020-02-20', title: 'Confidential clinic', details: 'Kept back', confidential: true },
      ],
      problems: [
        { status: 'active', startDate: '2020-02-20', entry: 'Kept back', confidential: true },
        {
          status: 'active',
          startDate: '2001-01-01',
          entry: 'Hay fever',
          significance: { text: 'Minor', level: 'lowest' },
        },
      ],
      medications: [
        {
          type: 'repeat',
          item: 'Kept back 10mg tablets',
          dosage: 'One each day',
          recordedDate: '2020-02-20',
          startDate: '2020-02-20',
          issues: [{ date: '2020-02-20' }],
          confidential: true,
        },
      ],
    },
    { ...living(the.inactive, 'Gonewell', 'Kofi', 'male', '1969-11-11'), active: false },
    { ...living(the.notVerified, 'Unproven', 'Lena', 'female', '2001-02-03'), nhsNumberVerified: false },
    { ...living(the.registeredElsewhere, 'Farfield', 'Milo', 'male', '1987-06-25'), registeredAt: otherPractice },
    { ...living(the.organisationDissent, 'Heldback', 'Nora', 'female', '1957-09-09'), organisationDissent: true },
    { ...living(the.deniedSection, 'Partway', 'Otto', 'male', '1978-01-30'), deniedSections: ['REF'] },
  ]
}

/** One letter from elsewhere, one report of the practice, and one document of which only the entry is left. */
function documents(ago: (days: number) => Day): PatientInput['documents'] {
  const text = (words: string): string => Buffer.from(words).toString('base64')
  return [
    {
      id: 'doc-1',
      type: {
        codes: [{ system: 'http://snomed.info/sct', code: '823681000000100', display: 'Outpatient letter' }],
        text: 'Outpatient letter',
      },
      description: 'Respiratory clinic: asthma review',
      created: `${ago(40)}T09:30:00+00:00`,
      indexed: `${ago(38)}T11:00:00+00:00`,
      author: { odsCode: 'X26', name: 'Invented Trust' },
      contentType: 'text/plain',
      content: text('Dear Dr Mockingham, thank you for referring Mr Testcase. His asthma is well controlled.'),
    },
    {
      id: 'doc-2',
      type: { codes: [], text: 'Insurance report' },
      description: 'Report for a travel insurance',
      created: `${ago(400)}T14:00:00+00:00`,
      indexed: `${ago(400)}T14:05:00+00:00`,
      author: { practitioner: 'gp-1' },
      contentType: 'application/pdf',
      content: text('%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n'),
    },
    {
      id: 'doc-3',
      type: { codes: [], text: 'Scanned letter' },
      indexed: '2010-05-01T10:00:00+01:00',
      contentType: 'image/tiff',
      size: 0,
      absentReason: 'The scan did not come with the record from the former practice',
    },
  ]
}
