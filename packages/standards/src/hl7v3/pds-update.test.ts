import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseXml, writeXml, type XmlElement } from '@openspine/standards/xml'
import fc from 'fast-check'
import {
  type ChangedItem,
  noUpdate,
  oid,
  type PdsUpdate,
  readPdsUpdate,
  readPdsUpdated,
  writePdsUpdate,
  writePdsUpdated,
} from './hl7v3.ts'

const wire = (element: XmlElement): XmlElement => parseXml(writeXml(element))

const text = fc.stringMatching(/^[!-~éß€]([ -~éß€]{0,12}[!-~éß€])?$/)
const mode = fc.constantFrom('added', 'altered', 'removed')
/** A record in which any member but these may be missing. */
const some = <Model extends object>(
  model: { [Member in keyof Model]: fc.Arbitrary<Model[Member]> },
  requiredKeys: readonly (keyof Model)[] = [],
): fc.Arbitrary<Model> => fc.record(model, { noNullPrototype: true, requiredKeys: [...requiredKeys] } as never) as never

const id = some<{ root: string; extension: string }>({ root: text, extension: text })
const code = some<{ code: string; codeSystem: string; updateMode: string }>({
  code: text,
  codeSystem: text,
  updateMode: mode,
})
const valued = some<{ value: string; updateMode: string }>({ value: text, updateMode: mode })
const period = fc.constant({ bounds: [{ bound: 'low', value: '20240101' }] } as const)
const list = (most = 2) => fc.array(text, { maxLength: most })

/** An item, with a period or without. */
const item = <Value extends object>(value: fc.Arbitrary<Value>, name: string): fc.Arbitrary<ChangedItem<Value>> =>
  fc
    .tuple(value, fc.option(period, { nil: undefined }))
    .map(([it, time]) =>
      time === undefined ? { value: it, periods: 0 } : { value: { ...it, [name]: time }, periods: 1 },
    )

const update: fc.Arbitrary<PdsUpdate> = some<PdsUpdate>(
  {
    modes: fc.array(code, { maxLength: 2 }),
    serialChangeNumbers: fc.array(some({ code, value: text }), { maxLength: 2 }),
    patients: fc.constantFrom(1, 2),
    authors: fc.constant(0),
    ids: fc.array(id, { maxLength: 2 }),
    names: fc.array(
      item(
        some({ use: text, updateMode: mode, prefix: list(), given: list(6), family: list(), suffix: list(), id }, [
          'prefix',
          'given',
          'family',
          'suffix',
        ]),
        'validTime',
      ),
      { maxLength: 2 },
    ) as fc.Arbitrary<PdsUpdate['names']>,
    addresses: fc.array(
      item(some({ use: text, updateMode: mode, lines: list(6), postalCode: text, id }, ['lines']), 'useablePeriod'),
      { maxLength: 2 },
    ) as fc.Arbitrary<PdsUpdate['addresses']>,
    telecoms: fc.array(item(some({ use: text, value: text, updateMode: mode, id }), 'useablePeriod'), {
      maxLength: 2,
    }) as fc.Arbitrary<PdsUpdate['telecoms']>,
    provisions: fc.array(
      some(
        {
          updateMode: mode,
          code: text,
          id,
          effectiveTimes: fc.array(period, { maxLength: 2 }),
          organisations: fc.array(id, { maxLength: 2 }),
        },
        ['effectiveTimes', 'organisations'],
      ),
      { maxLength: 2 },
    ) as fc.Arbitrary<PdsUpdate['provisions']>,
    related: fc.array(
      some(
        {
          updateMode: mode,
          classCode: fc.constantFrom('PRS', 'GUARD', 'AGNT'),
          code: text,
          id,
          nextOfKin: fc.boolean(),
          correspondence: fc.boolean(),
          numbers: fc.array(id, { maxLength: 2 }),
          names: fc.constant([]),
          addresses: fc.constant([]),
          telecoms: fc.constant([]),
        },
        ['classCode', 'nextOfKin', 'correspondence', 'numbers', 'names', 'addresses', 'telecoms'],
      ),
      { maxLength: 2 },
    ) as fc.Arbitrary<PdsUpdate['related']>,
    consents: fc.array(some({ updateMode: mode, type: text, value: text }), { maxLength: 2 }),
    secrets: fc.array(some({ updateMode: mode, code: fc.constant({ code: '15' }), value: text }), { maxLength: 2 }),
    gender: code,
    birthTime: valued,
    deceasedTime: valued,
    multipleBirth: valued,
    deathNotification: some({ updateMode: mode, code: text, authored: fc.boolean() }, ['authored']) as fc.Arbitrary<
      NonNullable<PdsUpdate['deathNotification']>
    >,
    birthplace: some({ updateMode: mode, cities: list(), counties: list(), countries: list() }, [
      'cities',
      'counties',
      'countries',
    ]) as fc.Arbitrary<NonNullable<PdsUpdate['birthplace']>>,
    language: some({ updateMode: mode, code: text, interpreter: text }) as fc.Arbitrary<
      NonNullable<PdsUpdate['language']>
    >,
    contactMethod: some({ updateMode: mode, code: text, times: text }) as fc.Arbitrary<
      NonNullable<PdsUpdate['contactMethod']>
    >,
    writtenFormat: some({ updateMode: mode, code: text }) as fc.Arbitrary<NonNullable<PdsUpdate['writtenFormat']>>,
    removal: some({ updateMode: mode, code: text, effectiveTime: period }) as fc.Arbitrary<
      NonNullable<PdsUpdate['removal']>
    >,
    others: fc.constant([]),
  } as { [Member in keyof PdsUpdate]: fc.Arbitrary<PdsUpdate[Member]> },
  [
    'modes',
    'serialChangeNumbers',
    'patients',
    'authors',
    'ids',
    'names',
    'addresses',
    'telecoms',
    'provisions',
    'related',
    'consents',
    'secrets',
    'others',
  ],
)

describe('a general update of PDS', () => {
  it('reads what it writes', () => {
    for (const element of ['PdsUpdateRequest', 'PdsNhaisUpdateRequest'] as const)
      fc.assert(
        fc.property(update, (it) => assert.deepEqual(readPdsUpdate(wire(writePdsUpdate(it, element)), element), it)),
      )
  })

  it('is read in the form of each edition, wherever its sender writes updateMode', () => {
    const of = (role: string) =>
      readPdsUpdate(
        parseXml(
          `<subject xmlns="urn:hl7-org:v3"><PdsUpdateRequest><subject><patientRole>${role}</patientRole></subject></PdsUpdateRequest></subject>`,
        ),
      )
    const gender = { code: '2', updateMode: 'altered' }
    const sixth = of(
      '<patientPerson><administrativeGenderCode updateMode="altered" code="2"/></patientPerson><subjectOf2><deathNotification updateMode="added"><code code="3"/><value code="1"/></deathNotification></subjectOf2>',
    )
    const seventh = of(
      '<patientPerson><COCT_MT000209UK01.PartAdminGenderCode><partPerson><administrativeGenderCode updateMode="altered" code="2"/></partPerson></COCT_MT000209UK01.PartAdminGenderCode></patientPerson><subjectOf2><deathNotification><code code="3"/><value updateMode="added" code="1"/></deathNotification></subjectOf2>',
    )
    const byPart = of(
      '<patientPerson><COCT_MT000209UK01.PartAdminGenderCode updateMode="altered"><partPerson><administrativeGenderCode code="2"/></partPerson></COCT_MT000209UK01.PartAdminGenderCode><COCT_MT000203UK03.PartOfWhole updateMode="added"><partPerson><name use="L"/></partPerson></COCT_MT000203UK03.PartOfWhole></patientPerson>',
    )
    assert.deepEqual([byPart.gender, byPart.names[0]?.value.updateMode], [gender, 'added'])
    assert.deepEqual(sixth.gender, gender)
    assert.deepEqual(seventh, sixth)
    const third = of(
      '<addr updateMode="added" use="H"><postalCode>ZZ1 1ZZ</postalCode></addr><patientPerson><name use="L"><family>Testcase</family></name></patientPerson>',
    )
    assert.deepEqual([third.addresses[0]?.value.updateMode, third.names[0]?.value.family], ['added', ['Testcase']])
  })

  it('knows who notifies a death, wherever a sender tells it', () => {
    const of = (author: string, within: string) =>
      readPdsUpdate(
        parseXml(
          `<subject xmlns="urn:hl7-org:v3"><PdsUpdateRequest>${author}<subject><patientRole><subjectOf7><deathNotification updateMode="added">${within}</deathNotification></subjectOf7></patientRole></subject></PdsUpdateRequest></subject>`,
        ),
      ).deathNotification?.authored
    assert.deepEqual(
      [of('<author/>', ''), of('', '<author/>'), of('', '<responsibleParty/>'), of('', '')],
      [true, true, true, false],
    )
  })

  it('tells of what is to be changed and is not read, and of every period', () => {
    const read = readPdsUpdate(
      parseXml(
        `<subject xmlns="urn:hl7-org:v3"><PdsUpdateRequest><subject><patientRole><addr><useablePeriod/><useablePeriod/></addr><patientPerson><militaryMembership updateMode="added"/></patientPerson><subjectOf6><organDonor><value updateMode="altered"/></organDonor></subjectOf6><subjectOf1><healthspaceRegistration/></subjectOf1></patientRole></subject></PdsUpdateRequest></subject>`,
      ),
    )
    assert.deepEqual(read.others, ['organDonor', 'militaryMembership'])
    assert.equal(read.addresses[0]?.periods, 2)
  })

  it('is nothing where the message is about something else', () => {
    assert.deepEqual(readPdsUpdate(parseXml('<subject xmlns="urn:hl7-org:v3"/>')), noUpdate)
  })

  it('is answered with the new version alone', () => {
    const subject = writePdsUpdated('8')
    assert.equal(readPdsUpdated(wire(subject)), '8')
    assert.match(
      writeXml(subject),
      /contextConductionInd="false".*<PdsSuccessfulUpdateResponse classCode="REG" moodCode="EVN"><pertinentInformation typeCode="PERT">/,
    )
    assert.match(writeXml(subject), new RegExp(`codeSystem="${oid.pdsObservation}"`))
  })
})
