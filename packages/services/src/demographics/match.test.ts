import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { type Criteria, criteriaOf, searchParameters } from './criteria.ts'
import { readPerson } from './keys.ts'
import { judge, type Match, match } from './match.ts'
import { storedPerson, type TraceSubject } from './person.ts'
import { syntheticPeople } from './population.ts'
import { sift } from './sift.ts'
import { worth } from './similarity.ts'
import { soundex as soundexOf } from './soundex.ts'
import { workedPeople } from './worked-people.ts'

const subjects = new Map(
  workedPeople().map((record) => [record.nhsNumber, readPerson(storedPerson(record)).subject] as const),
)
function subject(nhsNumber: string): TraceSubject {
  const found = subjects.get(nhsNumber)
  assert.ok(found)
  return found
}
function criteria(query: string): Criteria {
  const found = criteriaOf(searchParameters(query), 50)
  assert.ok(found, query)
  return found
}
const ask = (query: string, nhsNumber: string): Match | undefined => match(criteria(query), subject(nhsNumber))
const score = (query: string, nhsNumber: string): number => {
  const found = ask(query, nhsNumber)
  assert.ok(found, `${query} finds ${nhsNumber}`)
  return found.score
}
const arlo = '9990548609'
const marigold = '9990548811'
const joseph = '9990548781'

describe('non-fuzzy', () => {
  test('exactly what is asked, in any case, is 1', () => {
    assert.equal(score('family=TESTCASE&birthdate=1980-02-29', arlo), 1)
    assert.equal(
      score(
        'family=testcase&given=ben&given=Arlo&birthdate=eq1980-02-29&gender=MALE&address-postalcode=zz993cz&general-practitioner=a20047&phone=07700%20900001&email=ARLO.testcase@example.com',
        arlo,
      ),
      1,
    )
  })

  test('names are equal or they are others: no sound, no swap, no later given name, no short form', () => {
    for (const query of [
      'family=Testkase&birthdate=1980-02-29',
      'family=Testcase&given=Ben&birthdate=1980-02-29',
      'family=Arlo&given=Testcase&birthdate=1980-02-29',
      'family=Testcase&given=Arlo&given=Bill&birthdate=1980-02-29',
      'family=Testcase&birthdate=1980-02-28',
      'family=Testcase&birthdate=1980-02-29&gender=female',
      'family=Testcase&birthdate=1980-02-29&address-postalcode=ZZ99%203CX',
      'family=Testcase&birthdate=1980-02-29&general-practitioner=B82617',
      'family=Testcase&birthdate=1980-02-29&phone=07700900002',
      'family=Testcase&birthdate=1980-02-29&email=someone@example.com',
      'family=Testcase&birthdate=1980-02-29&death-date=ge1900-01-01',
    ])
      assert.equal(ask(query, arlo), undefined, query)
  })

  test('a compound given name is one value', () => {
    assert.equal(score('family=Compound&given=John%20Paul&birthdate=1988-08-08', '9990548765'), 1)
    assert.equal(score('family=Compound&given=Luke&given=John%20Paul&birthdate=1988-08-08', '9990548765'), 1)
    assert.equal(ask('family=Compound&given=John&birthdate=1988-08-08', '9990548765'), undefined)
  })

  test('a given wildcard is held against the whole string of given names', () => {
    assert.ok(ask('family=Testcase&given=Ar*&birthdate=1980-02-29', arlo))
    assert.equal(ask('family=Testcase&given=Be*&birthdate=1980-02-29', arlo), undefined)
    assert.ok(ask('family=Compound&given=John%20P*&birthdate=1988-08-08', '9990548765'))
  })

  test('wildcards and ranges find, and are not exact', () => {
    const wide = score('family=Te*&birthdate=1980-02-29', arlo)
    const narrow = score('family=Testc*&birthdate=1980-02-29', arlo)
    assert.ok(wide < narrow && narrow < 1)
    assert.ok(score('family=Testcase&birthdate=ge1980-01-01&birthdate=le1980-12-31', arlo) < 1)
    assert.equal(score('family=Testcase&birthdate=ge1980-02-29&birthdate=le1980-02-29', arlo), 1)
    assert.ok(score('family=Testcase&birthdate=1980-02-29&address-postalcode=ZZ99*', arlo) < 1)
  })

  test('former names, addresses and telephones only with _history, and lower', () => {
    for (const query of [
      'family=Bloggson&birthdate=1974-10-12',
      'family=Gardenia&birthdate=1974-10-12&address-postalcode=ZZ991LD',
      'family=Gardenia&birthdate=1974-10-12&phone=01632960811',
    ]) {
      assert.equal(ask(query, marigold), undefined)
      assert.ok(score(`${query}&_history=true`, marigold) < 1)
    }
    assert.ok(score('family=Gardenia&given=Goldie&birthdate=1974-10-12', marigold) < 1)
    assert.equal(score('family=Gardenia&birthdate=1974-10-12&address-postalcode=ZZ999TM', marigold), 1)
  })

  test('hidden snippets and former dates of birth never match', () => {
    for (const more of [
      '',
      '&_history=true',
      '&_fuzzy-match=true&given=Secret&gender=female&address-postalcode=ZZ990HH',
    ]) {
      assert.equal(ask(`family=Concealed&birthdate=1974-10-12${more}`, marigold), undefined)
      assert.equal(ask(`family=Gardenia&birthdate=1974-12-10${more}`, marigold), undefined)
    }
    assert.equal(
      ask('family=Gardenia&birthdate=1974-10-12&address-postalcode=ZZ990HH&_history=true', marigold),
      undefined,
    )
  })

  test('accents are folded, and the accented spelling scores higher for who has it', () => {
    const query = 'family=ATTISÓN&birthdate=1966-03-21'
    assert.equal(score(query, '9990548749'), 1)
    assert.ok(score(query, '9990548757') < 1)
    assert.equal(score('family=Attison&birthdate=1966-03-21', '9990548757'), 1)
  })

  test('a date of death is a filter', () => {
    assert.equal(score('family=Departed&birthdate=1929-08-19&death-date=2019-11-02', '9990548641'), 1)
    assert.ok(score('family=Departed&birthdate=1929-08-19&death-date=ge2019-01-01', '9990548641') < 1)
    assert.equal(ask('family=Departed&birthdate=1929-08-19&death-date=le2019-01-01', '9990548641'), undefined)
  })
})

describe('fuzzy', () => {
  const fuzzy = (query: string) => `${query}&_fuzzy-match=true`

  test('sound, short forms, any given position, swaps, former names', () => {
    for (const [query, nhsNumber] of [
      ['family=Smith&given=Joseph&birthdate=1962-09-30', joseph],
      ['family=Smythe&given=Joe&birthdate=1962-09-30', joseph],
      ['family=Smith&given=Mat&birthdate=ge1962-01-01&birthdate=le1962-12-31', joseph],
      ['family=Joseph&given=Smythe&birthdate=1962-09-30', joseph],
      ['family=Transposed&given=Justin&birthdate=1994-02-11', '9990548803'],
      ['family=Bloggson&given=Primrose&birthdate=1974-10-12', marigold],
      ["family=O'Hyphen&given=Anne%20Marie%20J&birthdate=1977-07-07", '9990548773'],
      ['family=OHyphen-Name&given=Anne&birthdate=1977-07-07', '9990548773'],
      ['family=Testcase&given=A&birthdate=1980-02-29', arlo],
      ['family=Testcase&birthdate=1980-02-29&gender=male&address-postalcode=ZZ993CZ', arlo],
      ['given=Arlo&birthdate=1980-02-29&gender=male&address-postalcode=ZZ993CZ', arlo],
    ] as const) {
      const found = score(fuzzy(query), nhsNumber)
      assert.ok(found > 0 && (found < 1 || !query.includes('Joseph&')), `${query}: ${found}`)
    }
    assert.equal(ask(fuzzy('family=Josef&given=Smith&birthdate=1962-09-30'), joseph)?.swapped, true)
  })

  test('a fuzzy search that is right in everything is exact', () => {
    assert.equal(score(fuzzy('family=Testcase&given=Arlo&birthdate=1980-02-29&gender=male'), arlo), 1)
    assert.equal(score(fuzzy('family=Testcase&given=Ben&given=Arlo&birthdate=1980-02-29'), arlo), 1)
    assert.ok(score(fuzzy('family=Testcase&given=Ben&birthdate=1980-02-29'), arlo) < 1)
  })

  test('the wrong date of birth never matches; another name neither', () => {
    assert.equal(ask(fuzzy('family=Testcase&given=Arlo&birthdate=1980-03-01'), arlo), undefined)
    assert.equal(ask(fuzzy('family=Testcase&given=Zebedee&birthdate=1980-02-29'), arlo), undefined)
    assert.equal(ask(fuzzy('family=Brown&given=Arlo&birthdate=1980-02-29'), arlo), undefined)
  })

  test('a wrong, mistyped or malformed postcode lowers the score and loses nobody whose name agrees', () => {
    const at = (postcode: string) =>
      score(fuzzy(`family=Testcase&given=Arlo&birthdate=1980-02-29&address-postalcode=${postcode}`), arlo)
    const [right, mistyped, wrong, malformed] = [at('ZZ993CZ'), at('ZZ993ZC'), at('LS11AA'), at('nowhere')]
    assert.equal(right, 1)
    assert.ok(mistyped < right && wrong < mistyped && malformed === wrong)
  })

  test('likeness of names does not outweigh a gender or postcode, nor any two fields, that disagree', () => {
    const alike = 'family=Smith&given=Joe&birthdate=1962-09-30'
    assert.ok(ask(fuzzy(alike), joseph))
    assert.ok(ask(fuzzy(`${alike}&general-practitioner=X99999`), joseph))
    assert.equal(ask(fuzzy(`${alike}&address-postalcode=LS11AA`), joseph), undefined)
    assert.equal(ask(fuzzy(`${alike}&gender=female`), joseph), undefined)
    assert.ok(ask(fuzzy('family=Smythe&given=Joseph&birthdate=1962-09-30&address-postalcode=LS11AA'), joseph))
    assert.equal(
      ask(fuzzy('family=Smythe&given=Matt&birthdate=1962-09-30&address-postalcode=LS11AA'), joseph),
      undefined,
      'a later given name is not enough against a postcode',
    )
    assert.equal(
      ask(fuzzy('family=Bloggson&given=Marigold&birthdate=1974-10-12&address-postalcode=LS11AA'), marigold),
      undefined,
      'nor is a former family name',
    )
    assert.equal(ask(fuzzy(`${alike}&address-postalcode=LS11AA&gender=female`), joseph), undefined)
    assert.ok(
      ask(fuzzy('family=Smythe&given=Joseph&birthdate=1962-09-30&address-postalcode=LS11AA&gender=female'), joseph),
    )
    assert.equal(
      ask(fuzzy('given=Arlo&birthdate=1980-02-29&gender=female&address-postalcode=ZZ993CZ'), arlo),
      undefined,
    )
  })

  test('a letter of a short name may differ where family name, gender and postcode all agree, and nowhere else', () => {
    const held = subject(joseph)
    const short: TraceSubject = {
      ...held,
      names: held.names.map((name) => ({ ...name, given: ['Luke'], foldedGiven: ['LUKE'] })),
    }
    const rejected = (more: string) => judge(criteria(fuzzy(`given=Lute&birthdate=1962-09-30&${more}`)), short).rejected
    const home = short.addresses.find(({ kind }) => kind === 0)?.postcode ?? ''
    const gender = short.gender ?? ''
    assert.equal(rejected(`family=Smythe&gender=${gender}&address-postalcode=${home}`), undefined)
    assert.equal(rejected(`family=Smythe&gender=${gender}`), 'short name')
    assert.equal(rejected(`family=Smythe&address-postalcode=${home}`), 'short name')
    assert.equal(rejected(`family=Smith&gender=${gender}&address-postalcode=${home}`), 'short name')
    assert.equal(rejected(`family=Smythe&gender=${gender}&address-postalcode=LS11AA`), 'short name')
    assert.equal(rejected(`gender=${gender}&address-postalcode=${home}`), 'short name')
  })

  test('without a place or contact that agrees one thing may be amiss, and the rest is only possible', () => {
    const possible = (query: string, nhsNumber: string) => {
      const found = ask(fuzzy(query), nhsNumber)
      assert.ok(found, query)
      assert.ok(found.possible === undefined || found.score < 0.95, `${query}: ${found.score}`)
      return found.possible
    }
    const day = '&birthdate=1962-09-30'
    for (const names of [
      'Smythe&given=Joseph',
      'Smythe&given=Joe',
      'Smythe&given=Matthew',
      'Smythe&given=J',
      'Joseph&given=Smythe',
    ])
      assert.equal(possible(`family=${names}${day}`, joseph), undefined, names)
    assert.equal(possible('family=Transposed&given=Justin&birthdate=1994-02-11', '9990548803'), undefined)
    assert.equal(possible("family=O'Hyphen-Name&given=Anne%20Marie%20J&birthdate=1977-07-07", '9990548773'), undefined)
    // The names are as they are now: what else differs lowers the score, as ever.
    assert.equal(possible(`family=Smythe&given=Joseph${day}&address-postalcode=LS11AA`, joseph), undefined)
    for (const [names, doubt] of [
      ['Smith&given=Joseph', 'family name'],
      ['Smith&given=Joe', 'family name'],
      ['Josef&given=Smith', 'family name'],
      ['Smythe&given=Mat', 'several slips'],
      ['Smythe&given=Josip', 'given name'],
    ] as const)
      assert.equal(possible(`family=${names}${day}`, joseph), doubt, names)
    assert.equal(possible('family=Bloggson&given=Primrose&birthdate=1974-10-12', marigold), 'family name')
    assert.equal(possible('family=Gardenia&given=Primula&birthdate=1974-10-12', marigold), undefined)
    assert.equal(possible(`family=OHyphen&given=Anne-Marie&birthdate=1977-07-07`, '9990548773'), 'family name')
    const range = '&birthdate=ge1962-01-01&birthdate=le1962-12-31'
    assert.equal(possible(`family=Smythe&given=Joseph${range}`, joseph), undefined)
    assert.equal(possible(`family=Smythe&given=Joe${range}`, joseph), 'several slips')
    // One of them bears out what the names alone do not.
    const [home, phone] = ['ZZ993CZ', subject(joseph).telecoms.find(({ kind }) => kind === 'phone')?.value]
    assert.equal(possible(`family=Smith&given=Joe${day}&address-postalcode=${home}`, joseph), undefined)
    if (phone) assert.equal(possible(`family=Smith&given=Joe${day}&phone=${phone}`, joseph), undefined)
    assert.equal(possible(`family=Smith&given=Joe${day}&general-practitioner=X99999`, joseph), 'family name')
  })

  test('gender current or former; telephone and mail filter, former ones too', () => {
    const marie = 'family=Gardenia&given=Marigold&birthdate=1974-10-12'
    assert.equal(score(fuzzy(`${marie}&gender=female`), marigold), 1)
    const former = score(fuzzy(`${marie}&gender=male`), marigold)
    assert.ok(former < 1 && former > score(fuzzy(`${marie}&gender=other`), marigold))
    assert.ok(ask(fuzzy(`${marie}&phone=01632960811`), marigold))
    assert.equal(ask(fuzzy(`${marie}&phone=01632960812`), marigold), undefined)
  })

  test('the practice only lowers the score', () => {
    const at = (gp: string) =>
      score(fuzzy(`family=Testcase&given=Arlo&birthdate=1980-02-29&general-practitioner=${gp}`), arlo)
    assert.equal(at('A20047'), 1)
    assert.ok(at('B82617') < 1)
  })
})

test('restricted people are found by name alone, never by place or contact; very restricted people never', () => {
  const wilma = 'family=Restricted&birthdate=1985-05-25'
  assert.equal(score(wilma, '9990548838'), 1)
  for (const more of [
    '&address-postalcode=ZZ992RR',
    '&address-postalcode=LS11AA',
    '&general-practitioner=A20047',
    '&phone=07700900838',
    '&email=restricted@example.com',
  ]) {
    assert.equal(ask(`${wilma}${more}`, '9990548838'), undefined)
    assert.equal(ask(`${wilma}&given=Wilma&_fuzzy-match=true${more}`, '9990548838'), undefined)
  }
  assert.equal(ask('family=Veryrestricted&birthdate=1985-05-25', '9990548846'), undefined)
})

test('reasons name field and comparison and no data', () => {
  const found = ask('family=Smith&given=Joe&birthdate=1962-09-30&_fuzzy-match=true', joseph)
  assert.deepEqual(
    found?.agreements.map(({ field, how }) => [field, how]),
    [
      ['family', 'sounds alike'],
      ['given', 'short form'],
      ['birthdate', 'equal'],
    ],
  )
})

/** Queries about people as they are and as they are mistaken. */
const people = [...syntheticPeople({ seed: 3, from: 0, count: 400 })].map(
  (record) => readPerson(storedPerson(record)).subject,
)
const someone = fc.constantFrom(...people.filter(({ sensitivity }) => sensitivity === 'U'))
const mistakes: readonly ((name: string) => string)[] = [
  (name) => name,
  (name) => name.toLowerCase(),
  (name) => name.slice(0, 1),
  (name) => name.slice(1) + name.slice(0, 1),
  (name) => `${name}e`,
  (name) => name.replace(/[aeiou]/, 'y'),
  () => 'Zzyzx',
]
const mistake = fc.constantFrom(...mistakes)

function about(
  person: TraceSubject,
  fuzzy: boolean,
  change: { family: (name: string) => string; given: (name: string) => string },
) {
  const [name] = person.names
  const parts = new URLSearchParams({
    family: change.family(name?.family ?? '').slice(0, 35),
    birthdate: dashed(person.birth),
  })
  parts.append('given', change.given(name?.given[0] ?? '').slice(0, 35))
  if (fuzzy) parts.append('_fuzzy-match', 'true')
  return parts
}
const dashed = (day: number | undefined) => String(day).replace(/^(....)(..)(..)$/, '$1-$2-$3')

const extras: readonly ((person: TraceSubject, agrees: boolean) => readonly [string, string] | undefined)[] = [
  (person, agrees) => ['gender', agrees ? (person.gender ?? '') : person.gender === 'male' ? 'female' : 'male'],
  (person, agrees) => {
    const home = person.addresses.find(({ kind }) => kind === 0)?.postcode
    return home === undefined ? undefined : ['address-postalcode', agrees ? home : 'LS1 4AP']
  },
  (person, agrees) => {
    const later = person.names[0]?.given[1]
    return later !== undefined && agrees ? ['given', later] : undefined
  },
  (person, agrees) => (person.gp === undefined ? undefined : ['general-practitioner', agrees ? person.gp : 'X99999']),
  (person, agrees) => {
    const phone = person.telecoms.find(({ kind, current }) => kind === 'phone' && current)
    return phone && agrees ? ['phone', phone.value] : undefined
  },
  (person, agrees) => {
    const email = person.telecoms.find(({ kind, current }) => kind === 'email' && current)
    return email && agrees ? ['email', email.value] : undefined
  },
  (person, agrees) =>
    person.death === undefined ? undefined : ['death-date', agrees ? dashed(person.death) : '1901-01-01'],
]

test('a field that agrees never lowers the score, and one that disagrees never raises it', () => {
  fc.assert(
    fc.property(
      someone,
      fc.boolean(),
      fc.record({ family: mistake, given: mistake }),
      fc.array(fc.tuple(fc.constantFrom(...extras), fc.boolean()), { minLength: 1, maxLength: 4 }),
      (person, fuzzy, change, more) => {
        const parts = about(person, fuzzy, change)
        for (const [extra, agrees] of more) {
          const before = match(criteria(parts.toString()), person)
          const added = extra(person, agrees)
          if (!added || (added[0] !== 'given' && parts.has(added[0]))) continue
          parts.append(...added)
          const after = match(criteria(parts.toString()), person)
          if (!before || !after) continue
          if (agrees) assert.ok(after.score >= before.score, `${before.score} → ${after.score}: ${parts}`)
          else assert.ok(after.score <= before.score, `${before.score} → ${after.score}: ${parts}`)
        }
      },
    ),
    { numRuns: 3000 },
  )
})

test('names that are only alike never outweigh two fields that disagree', () => {
  const wrong = [
    ['gender', (person: TraceSubject) => (person.gender === 'male' ? 'female' : 'male')],
    ['address-postalcode', () => 'LS1 4AP'],
    ['general-practitioner', () => 'X99999'],
    ['death-date', () => '1901-01-01'],
  ] as const
  let judged = 0
  fc.assert(
    fc.property(
      someone,
      fc.record({ family: mistake, given: mistake }),
      fc.subarray([...wrong], { minLength: 2 }),
      (person, change, disagreeing) => {
        const parts = about(person, true, change)
        for (const [name, value] of disagreeing) parts.append(name, value(person))
        const { rejected, agreements } = judge(criteria(parts.toString()), person)
        if (agreements.filter(({ worth, field }) => worth === 0 && field !== 'family' && field !== 'given').length < 2)
          return
        judged++
        const alike = agreements.some(
          ({ field, how }) => (field === 'family' || field === 'given') && how !== 'equal' && how !== 'accents differ',
        )
        assert.equal(rejected !== undefined, alike, `${parts} ${rejected}`)
      },
    ),
    { numRuns: 2000 },
  )
  assert.ok(judged > 500)
})

test('what is more alike is never worth less: the order of comparisons is that of their worth', () => {
  for (const [better, worse] of [
    ['equal', 'accents differ'],
    ['accents differ', 'short form'],
    ['short form', 'spelling variant'],
    ['sounds alike', 'one slip'],
    ['one slip', 'slip in a short name'],
    ['slip in a short name', 'initial'],
  ] as const)
    assert.ok(worth[better] > worth[worse], `${better} and ${worse}`)
})

test('scores lie between 0 and 1 with four decimals, 1 means that every reason is exact', () => {
  fc.assert(
    fc.property(
      someone,
      someone,
      fc.boolean(),
      fc.record({ family: mistake, given: mistake }),
      (asked, held, fuzzy, change) => {
        const found = match(criteria(about(asked, fuzzy, change).toString()), held)
        if (!found) return
        assert.ok(found.score > 0 && found.score <= 1 && Number.isInteger(Math.round(found.score * 1e8) / 1e4))
        assert.equal(found.score === 1, !found.swapped && found.agreements.every(({ worth }) => worth === 1))
      },
    ),
    { numRuns: 2000 },
  )
})

test('the sift lets everyone through whom the matcher would take', () => {
  const twins = people.flatMap((one) =>
    people.slice(0, 40).map((other): TraceSubject => ({ ...other, birth: one.birth ?? 0 })),
  )
  fc.assert(
    fc.property(
      someone,
      fc.constantFrom(...twins),
      fc.record({ family: mistake, given: mistake }),
      fc.boolean(),
      (asked, held, change, swap) => {
        const parts = about(asked, true, change)
        if (swap) {
          const [family, given] = [parts.get('family') ?? '', parts.get('given') ?? '']
          parts.set('family', given)
          parts.set('given', family)
        }
        const wanted = criteria(parts.toString())
        const subjectOfDay: TraceSubject = { ...held, birth: wanted.birth.from }
        for (const candidate of [asked, subjectOfDay]) {
          if (!match(wanted, candidate)) continue
          const passes = sift(wanted)
          const rows = candidate.names.map(({ foldedFamily, foldedGiven }) => ({
            family: foldedFamily,
            given: foldedGiven.join(' '),
            sound: soundexOf(foldedFamily),
          }))
          assert.ok(rows.some(passes), `${parts} and ${JSON.stringify(rows)}`)
        }
      },
    ),
    { numRuns: 3000 },
  )
})
