import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { isSpineError } from '../error.ts'
import {
  isTicket,
  type RoleAssertion,
  readRoleAssertion,
  roleAssertionUrl,
  ticketBytes,
  ticketIn,
  ticketOf,
  writeRoleAssertion,
  writeRoleFailure,
} from './saml.ts'

const now = Date.parse('2026-01-05T09:00:00Z')
const ticket = ticketOf(Buffer.alloc(ticketBytes, 0xfb))

const role = (id: string, odsCode: string) => ({
  id,
  odsCode,
  organisation: 'TESTHAM SURGERY',
  jobRole: '"Clinical":"Clinical Provision":"Clinical Practitioner Access Role"',
  jobRoleCode: 'S8000:G8000:R8000',
  areasOfWork: [],
  areaOfWorkCodes: [],
  activities: ['Amend Patient Demographics', 'Manage Detailed Health Records'],
  activityCodes: ['B8029', 'B0825'],
  workgroups: [],
  workgroupCodes: [],
})

const example: RoleAssertion = {
  responseId: 'a1',
  recipient: '192.0.2.7',
  assertionId: 'b2',
  issuer: 'http://ssb.example:8080',
  issuedAt: now,
  notBefore: now - 180_000,
  notOnOrAfter: now + 60_000,
  authentication: { assertionId: 'c3', at: now - 300_000, ticket, address: '192.0.2.7' },
  version: '1.1',
  name: 'Fairweather Imogen',
  uid: '555000111222',
  mode: 'live',
  activeRoleId: '555110000002',
  roles: [role('555110000001', 'A20047'), role('555110000002', 'X26')],
}
const written = writeRoleAssertion(example)

function refusal(document: string, at = now): string {
  try {
    readRoleAssertion(document, { now: at })
  } catch (error) {
    if (isSpineError(error)) return error.code
    throw error
  }
  return 'accepted'
}

describe('role assertion', () => {
  it('is written as the broker writes it', () => {
    const start =
      '<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:1.0:protocol" ResponseID="a1" InResponseTo="null" ' +
      'MajorVersion="1" MinorVersion="1" IssueInstant="2026-01-05T09:00:00Z" Recipient="192.0.2.7">' +
      '<samlp:Status><samlp:StatusCode Value="samlp:Success"/></samlp:Status>' +
      '<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:1.0:assertion" MajorVersion="1" MinorVersion="1" ' +
      'AssertionID="b2" Issuer="http://ssb.example:8080" IssueInstant="2026-01-05T09:00:00Z">' +
      '<saml:Conditions NotBefore="2026-01-05T08:57:00Z" NotOnOrAfter="2026-01-05T09:01:00Z"/>' +
      '<saml:AttributeStatement><saml:Subject>' +
      '<saml:NameIdentifier NameQualifier="o=nhs">uid=555000111222,ou=People,o=nhs</saml:NameIdentifier>' +
      '<saml:SubjectConfirmation><saml:ConfirmationMethod>urn:com:sun:identity</saml:ConfirmationMethod>' +
      '<saml:SubjectConfirmationData><saml:Assertion MajorVersion="1" MinorVersion="1" AssertionID="c3"'
    assert.equal(written.slice(0, start.length), start)
    assert.ok(written.includes(`<saml:SubjectConfirmationData>${ticket}</saml:SubjectConfirmationData>`))
    assert.ok(written.includes('AuthenticationMethod="urn:com:sun:identity:ExtendedLoginModule"'))
    assert.ok(
      written.includes(
        '<saml:Attribute AttributeName="ssbMode" AttributeNamespace="http://www.syntegra.com"><saml:AttributeValue>0</saml:AttributeValue></saml:Attribute>',
      ),
    )
    assert.ok(!written.includes('nhsWorkGroups'), 'attributes with no value are absent')
    const names = [...written.matchAll(/AttributeName="(\w+)"/g)].map(([, name]) => name)
    assert.deepEqual(names.slice(0, 6), [
      'ssbAssertionVersion',
      'cn',
      'uid',
      'ssbSessionRoleUid',
      'ssbMode',
      'nhsIdCode',
    ])
    assert.equal(names.filter((name) => name === 'nhsIdCode').length, 2)
  })

  it('is read as it was written', () => {
    assert.deepEqual(readRoleAssertion(written, { now }), example)
    assert.deepEqual(readRoleAssertion(Buffer.from(written), { now }), example)
  })

  const swap = (from: string | RegExp, to: string) => {
    const changed = written.replace(from, to)
    assert.notEqual(changed, written, String(from))
    return changed
  }
  const attribute = (name: string, value: string) =>
    `<saml:Attribute AttributeName="${name}" AttributeNamespace="http://www.syntegra.com"><saml:AttributeValue>${value}</saml:AttributeValue></saml:Attribute>`
  const outer = /<saml:Assertion xmlns:saml.*<\/saml:Assertion>/.exec(written)?.[0] ?? ''

  /** What is done to the document → what becomes of it. */
  const rows: readonly [string, string, string][] = [
    ['names in another case', swap(/nhsIdCode/g, 'nhsIDCode'), 'accepted'],
    ['another prefix', written.replaceAll('samlp:', 'p:').replaceAll('xmlns:samlp', 'xmlns:p'), 'accepted'],
    ['an unknown attribute', swap(attribute('ssbMode', '0'), attribute('favourite', 'tea')), 'accepted'],
    ['an empty attribute', swap(attribute('ssbMode', '0'), attribute('ssbMode', '')), 'accepted'],
    [
      'no nested assertion',
      swap(
        /<saml:SubjectConfirmation>.*?<\/saml:SubjectConfirmation><\/saml:Subject>(?=<saml:Attribute )/,
        '</saml:Subject>',
      ),
      'accepted',
    ],
    ['spaces in the name', swap('uid=555000111222,ou=People,o=nhs', 'UID=555000111222, ou=people, o=NHS'), 'accepted'],
    [
      'a fraction of a second',
      swap('IssueInstant="2026-01-05T09:00:00Z"', 'IssueInstant="2026-01-05T09:00:00.123Z"'),
      'accepted',
    ],
    ['a DTD', `<!DOCTYPE x [<!ENTITY e "x">]>${written}`, 'XML_DTD_FORBIDDEN'],
    ['an entity', swap('Fairweather', '&e;'), 'XML_NOT_WELL_FORMED'],
    ['no XML', 'AQIC', 'XML_NOT_WELL_FORMED'],
    ['nothing', '', 'XML_NOT_WELL_FORMED'],
    ['SAML 2.0', written.replaceAll('SAML:1.0', 'SAML:2.0'), 'SAML_STRUCTURE'],
    ['another version', swap('MinorVersion="1"', 'MinorVersion="0"'), 'SAML_STRUCTURE'],
    ['another status', swap('samlp:Success', 'samlp:Requester'), 'SAML_STATUS'],
    ['a status without prefix', swap('samlp:Success', 'Success'), 'SAML_STATUS'],
    [
      'a status of another namespace',
      swap('<samlp:StatusCode', '<samlp:StatusCode xmlns:q="urn:q"').replace('samlp:Success', 'q:Success'),
      'SAML_STATUS',
    ],
    ['no status', swap(/<samlp:Status>.*<\/samlp:Status>/, ''), 'SAML_STRUCTURE'],
    [
      'two statuses',
      swap('<samlp:Status>', '<samlp:Status><samlp:StatusCode Value="samlp:Requester"/></samlp:Status><samlp:Status>'),
      'SAML_STRUCTURE',
    ],
    ['two assertions', swap('</samlp:Response>', `${outer}</samlp:Response>`), 'SAML_ASSERTIONS'],
    ['no assertion', swap(outer, ''), 'SAML_ASSERTIONS'],
    ['no conditions', swap(/<saml:Conditions [^>]*\/>/, ''), 'SAML_STRUCTURE'],
    ['a condition that is no time', swap('2026-01-05T09:01:00Z', '2026-02-30T09:01:00Z'), 'SAML_STRUCTURE'],
    ['a condition in local time', swap('2026-01-05T09:01:00Z', '2026-01-05T09:01:00+01:00'), 'SAML_STRUCTURE'],
    ['another subject', swap('uid=555000111222,', 'uid=555000111223,'), 'SAML_SUBJECT'],
    ['another uid', swap(attribute('uid', '555000111222'), attribute('uid', '555000111223')), 'SAML_SUBJECT'],
    ['a subject with a tail', swap('ou=People,o=nhs', 'ou=People,o=nhs,x=y'), 'SAML_STRUCTURE'],
    [
      'somebody else who signed on',
      swap(/(<saml:AuthenticationStatement.*?uid=)\d+/, '$1555000111223'),
      'SAML_SUBJECT',
    ],
    ['elements within a value', swap('>555000111222<', '>5550<x/>00111222<'), 'SAML_STRUCTURE'],
    ['a comment within a value', swap('>555000111222<', '>5550<!-- -->00111222<'), 'accepted'],
    ['no uid', swap(attribute('uid', '555000111222'), ''), 'SAML_STRUCTURE'],
    ['no cn', swap(attribute('cn', 'Fairweather Imogen'), ''), 'SAML_STRUCTURE'],
    ['no session role', swap(attribute('ssbSessionRoleUid', '555110000002'), ''), 'SAML_STRUCTURE'],
    ['no version of the assertion', swap(attribute('ssbAssertionVersion', '1.1'), ''), 'SAML_STRUCTURE'],
    ['uid twice', swap(attribute('uid', '555000111222'), attribute('uid', '555000111222').repeat(2)), 'SAML_STRUCTURE'],
    [
      'uid of another namespace',
      swap(
        'AttributeName="uid" AttributeNamespace="http://www.syntegra.com"',
        'AttributeName="uid" AttributeNamespace="urn:x"',
      ),
      'SAML_STRUCTURE',
    ],
    [
      'another active role',
      swap(attribute('ssbSessionRoleUid', '555110000002'), attribute('ssbSessionRoleUid', '555110000009')),
      'SAML_ROLE',
    ],
    [
      'an active role in two blocks',
      swap(attribute('uniqueIdentifier', '555110000001'), attribute('uniqueIdentifier', '555110000002')),
      'SAML_ROLE',
    ],
    ['a role without id', swap(attribute('uniqueIdentifier', '555110000001'), ''), 'SAML_STRUCTURE'],
    ['no roles', swap(/<saml:Attribute AttributeName="nhsIdCode".*(?=<\/saml:AttributeStatement>)/, ''), 'SAML_ROLE'],
    [
      'a role attribute before every block',
      swap(attribute('nhsIdCode', 'A20047'), attribute('o', 'X') + attribute('nhsIdCode', 'A20047')),
      'SAML_STRUCTURE',
    ],
    [
      'two job roles in one block',
      swap(
        attribute('nhsJobRoleCode', 'S8000:G8000:R8000'),
        attribute('nhsJobRoleCode', 'R1') + attribute('nhsJobRoleCode', 'R2'),
      ),
      'SAML_STRUCTURE',
    ],
    ['another mode', swap(attribute('ssbMode', '0'), attribute('ssbMode', '2')), 'SAML_STRUCTURE'],
    ['far too deep', swap('Fairweather', '<x>'.repeat(20) + '</x>'.repeat(20)), 'XML_TOO_DEEP'],
    ['far too large', swap('Fairweather', 'x'.repeat(1_100_000)), 'XML_TOO_LARGE'],
  ]
  for (const [what, document, code] of rows) it(`with ${what}: ${code}`, () => assert.equal(refusal(document), code))

  it('is good from three minutes before to one minute after its issue', () => {
    for (const [at, code] of [
      [now - 180_001, 'SAML_CONDITIONS'],
      [now - 180_000, 'accepted'],
      [now + 59_999, 'accepted'],
      [now + 60_000, 'SAML_CONDITIONS'],
    ] as const)
      assert.equal(refusal(written, at), code, String(at - now))
    assert.equal(readRoleAssertion(written, { now: now + 70_000, allowanceMs: 15_000 }).uid, example.uid)
  })

  it('says which status a failure has', () => {
    const failure = writeRoleFailure({ responseId: 'a1', issuedAt: now, status: 'Requester', message: 'No <session>.' })
    assert.throws(
      () => readRoleAssertion(failure, { now }),
      (error) =>
        isSpineError(error) &&
        error.code === 'SAML_STATUS' &&
        (error.outcome as { status: string }).status === 'samlp:Requester' &&
        error.detail === 'No <session>.',
    )
  })
})

describe('role assertion, whatever it holds', () => {
  const text = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 30 })
    .map((it) => it.trim())
    .filter((it) => it !== '' && !/[\u0000-\u001f\ufffe\uffff]|\p{Surrogate}/u.test(it))
  const digits = fc.stringMatching(/^[1-9]\d{11}$/)
  const second = fc.integer({ min: 1_500_000_000, max: 2_000_000_000 }).map((it) => it * 1000)
  const list = fc.array(text, { maxLength: 4 })
  const optional = <Value>(name: string, value: fc.Arbitrary<Value>) =>
    fc.option(value).map((it) => (it === null ? {} : { [name]: it }))
  const anyRole = fc
    .tuple(
      fc.record({
        id: digits,
        odsCode: fc.stringMatching(/^[A-Z0-9]{3,6}$/),
        areasOfWork: list,
        areaOfWorkCodes: list,
        activities: list,
        activityCodes: list,
        workgroups: list,
        workgroupCodes: list,
      }),
      optional('organisation', text),
      optional('jobRole', text),
      optional('jobRoleCode', text),
    )
    .map(([base, ...rest]) => Object.assign({}, base, ...rest) as RoleAssertion['roles'][number])
  const assertion = fc
    .tuple(
      fc.record({
        responseId: text,
        assertionId: text,
        issuer: text,
        issuedAt: second,
        version: text,
        name: text,
        uid: digits,
        roles: fc.uniqueArray(anyRole, { minLength: 1, maxLength: 5, selector: ({ id }) => id }),
      }),
      fc.nat(),
      optional('recipient', text),
      optional('practitionerCode', text),
      optional('mode', fc.constantFrom('live', 'training')),
      optional('authentication', fc.record({ assertionId: text, at: second, ticket: text }, { noNullPrototype: true })),
    )
    .map(([base, pick, ...rest]) => {
      const { issuedAt, roles } = base
      const times = { notBefore: issuedAt - 180_000, notOnOrAfter: issuedAt + 60_000 }
      const activeRoleId = roles[pick % roles.length]?.id ?? ''
      return Object.assign({ ...times, activeRoleId }, base, ...rest) as RoleAssertion
    })

  it('comes back as it was written', () => {
    fc.assert(
      fc.property(assertion, (it) => {
        assert.deepEqual(readRoleAssertion(writeRoleAssertion(it), { now: it.issuedAt }), it)
      }),
    )
  })

  it('means the same in any order within its blocks', () => {
    fc.assert(
      fc.property(assertion, fc.infiniteStream(fc.nat()), (it, stream) => {
        const document = writeRoleAssertion(it)
        const all = document.match(/<saml:Attribute .*?<\/saml:Attribute>/gs) ?? []
        const shuffled = (list: string[]) =>
          list
            .map((each) => [stream.next().value as number, each] as const)
            .toSorted(([a], [b]) => a - b)
            .map(([, each]) => each)
        const blocks: string[][] = [[]]
        for (const each of all) {
          if (each.includes('"nhsIdCode"')) blocks.push([])
          blocks.at(-1)?.push(each)
        }
        const [person = [], ...roles] = blocks
        const mixed = [...shuffled(person), ...roles.flatMap(([first = '', ...rest]) => [first, ...shuffled(rest)])]
        const at = document.indexOf(all[0] ?? '')
        const changed = document.slice(0, at) + mixed.join('\n ') + document.slice(at + all.join('').length)
        assert.deepEqual(readRoleAssertion(changed, { now: it.issuedAt }), it)
      }),
    )
  })

  it('is refused by a code of ours when it is damaged, and never by anything else', () => {
    fc.assert(
      fc.property(fc.nat(written.length), fc.nat(40), fc.string({ maxLength: 8 }), (at, length, put) => {
        const code = refusal(written.slice(0, at) + put + written.slice(at + length))
        assert.match(code, /^(accepted|XML_|SAML_)/)
      }),
      { numRuns: 500 },
    )
  })
})

describe('ticket', () => {
  it('has the shape of the broker, and goes through a URL', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: ticketBytes, maxLength: ticketBytes }), (random) => {
        const made = ticketOf(random)
        assert.match(made, /^AQIC5w[A-Za-z0-9+/]+=@AAJTSQACMDE=#$/)
        assert.ok(isTicket(made))
        const url = new URL(roleAssertionUrl('https://ssb.example.test/', made))
        assert.equal(url.hash, '')
        assert.equal(url.pathname, '/saml/RoleAssertion')
        assert.equal(url.searchParams.get('token'), made)
        assert.equal(ticketIn(url.search.slice(1)), made)
      }),
    )
  })

  it('is taken from a query where there is one', () => {
    for (const [query, found] of [
      ['token=a%2Bb', 'a+b'],
      ['token=a+b', 'a+b'],
      ['x=1&token=a%3D&y=2', 'a='],
      ['token=a=@b=', 'a=@b='],
      ['', undefined],
      ['token', ''],
      ['token=a&token=b', undefined],
      ['token=%zz', undefined],
      ['TOKEN=a', undefined],
    ] as const)
      assert.equal(ticketIn(query), found, query)
    for (const other of [
      '',
      'AQIC',
      'AQIC5w=@AA=',
      `${ticketOf(Buffer.alloc(ticketBytes))}x`,
      `AQIC${'a'.repeat(600)}=@A=#`,
    ])
      assert.equal(isTicket(other), false, other)
  })
})
