import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileFilter, evaluate } from './compile.ts'
import { parseFilter } from './filter-text.ts'
import { prepare, prepareForSubstrings, prepareSubstring } from './prepare.ts'
import { spineSchema } from './schema.ts'

const schema = spineSchema()

const entries: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  system: {
    objectClass: ['top', 'nhsAs'],
    uniqueIdentifier: ['200000000001'],
    nhsIDCode: ['YES'],
    nhsMHSPartyKey: ['YES-0000806'],
    nhsAsSvcIA: ['urn:nhs:names:services:gpconnect:fhir:rest:read:metadata-1', 'urn:nhs:names:services:pds:X'],
    nhsMHSRetries: ['2'],
    nhsPuSecret: ['hidden'],
    nhsProductName: ['Straße  Records'],
  },
  person: {
    objectClass: ['nhsPerson'],
    uid: ['555'],
    cn: ['Ann  Other'],
    telephoneNumber: ['+44 113 496-0000'],
    createTimestamp: ['20260101120000Z'],
    entryDN: ['uid=555,ou=People,o=nhs'],
    structuralObjectClass: ['nhsPerson'],
    postalAddress: ['1 High St$$TOWN'],
  },
}

function truth(entry: string, filter: string, strict = false): string {
  const values = entries[entry] ?? {}
  const compiled = compileFilter(parseFilter(filter), schema, { strict })
  const dn = entry === 'system' ? 'uniqueIdentifier=200000000001,ou=Services,o=nhs' : 'uid=555,ou=People,o=nhs'
  return evaluate(compiled, { dn, values: ({ name }) => values[name] ?? [] }, schema)
}

const table: readonly (readonly [entry: string, filter: string, newer: string, strict?: string])[] = [
  // directory specification §4.4, row "caseExactMatch / caseIgnoreMatch"
  ['system', '(nhsIDCode=  YES )', 'true'],
  ['system', '(nhsIDCode=yes)', 'false'],
  ['system', '(nhsMHSPartyKey=yes-0000806)', 'true'],
  ['system', '(NHSMHSPARTYKEY=YES-0000806)', 'true'],
  ['system', '(1.2.826.0.1285.0.2.1.82=YES-0000806)', 'true'],
  ['system', '(nhsAsSvcIA=urn:nhs:names:services:pds:X)', 'true'],
  ['system', '(nhsAsSvcIA=urn:nhs:names:services:PDS:X)', 'false'],
  ['person', '(cn=ann other)', 'true'],
  ['person', '(cn= ann    other )', 'true'],
  ['system', '(nhsProductName=STRASSE records)', 'true'],
  // Undefined: the negation of it is no match either (RFC 4511 §4.5.1.7)
  ['system', '(!(structuralObjectClass=1.2.3.4))', 'undefined'],
  ['system', '(objectClass:caseIgnoreMatch:=top)', 'undefined'],
  ['system', '(nhsIDCode:distinguishedNameMatch:=o=nhs)', 'undefined'],
  ['system', '(!(internationaliSDNNumber=1*x))', 'undefined'],
  ['person', '(!(mail=zo\\c3\\ab@example.nhs.uk))', 'undefined'],
  // aliases and numbers of attribute types in names; a class by its number
  ['person', '(entryDN=userid=555 , 2.5.4.11=people,organizationName=NHS)', 'true'],
  ['person', '(structuralObjectClass=1.2.826.0.1285.0.2.0.65)', 'true'],
  ['system', '(objectClass= nhsAs )', 'true', 'undefined'],
  // a rule alone: every attribute of its syntax
  ['system', '(:caseIgnoreMatch:=yes)', 'true'],
  ['system', '(:caseExactMatch:=yes-0000806)', 'false'],
  // row "objectClass"
  ['person', '(objectClass=person)', 'true'],
  ['person', '(objectClass=INETORGPERSON)', 'true'],
  ['person', '(objectClass=2.5.6.6)', 'true'],
  ['person', '(objectClass=nhsAs)', 'false'],
  ['person', '(objectClass=nosuchclass)', 'undefined'],
  ['system', '(objectClass=nhsas)', 'true'],
  // row "no declared equality rule"
  ['system', '(nhsMHSRetries=2)', 'true', 'undefined'],
  ['system', '(nhsAsSvcIA=urn:nhs:names:services:gpconnect*)', 'true', 'undefined'],
  ['system', '(nhsAsSvcIA=URN:nhs:names:services:gpconnect*)', 'false', 'undefined'],
  ['system', '(nhsMHSPartyKey=yes*806)', 'true', 'undefined'],
  ['person', '(cn=a*n*OTHER)', 'true', 'true'],
  ['person', '(cn=a*n*n*n*)', 'false'],
  // row "present, not"
  ['system', '(nhsMHSRetries=*)', 'true', 'true'],
  ['system', '(!(nhsMHSRetries=*))', 'false'],
  ['person', '(!(nhsMHSRetries=*))', 'true'],
  ['person', '(nosuch=*)', 'undefined'],
  // row "approx, ≥, ≤"
  ['person', '(cn~=ANN OTHER)', 'true'],
  ['system', '(nhsMHSRetries>=1)', 'true', 'undefined'],
  ['system', '(nhsMHSRetries<=1)', 'false', 'undefined'],
  ['person', '(createTimestamp>=20260101000000Z)', 'true', 'true'],
  ['person', '(createTimestamp<=20260101120000.5+0100)', 'false', 'false'],
  ['person', '(createTimestamp=202601011200Z)', 'true'],
  ['person', '(createTimestamp>=yesterday)', 'undefined'],
  // three values
  ['system', '(nosuch=1)', 'undefined'],
  ['system', '(!(nosuch=1))', 'undefined'],
  ['system', '(|(nosuch=1)(nhsIDCode=YES))', 'true'],
  ['system', '(|(nosuch=1)(nhsIDCode=NO))', 'undefined'],
  ['system', '(&(nosuch=1)(nhsIDCode=YES))', 'undefined'],
  ['system', '(&(nosuch=1)(nhsIDCode=NO))', 'false'],
  ['system', '(&)', 'true'],
  ['system', '(|)', 'false'],
  ['system', '(!(|))', 'true'],
  // inheritance, other rules
  ['person', '(name=ann other)', 'true'],
  ['person', '(telephoneNumber=+441134960000)', 'true'],
  ['person', '(postalAddress=1 HIGH ST$$town)', 'true'],
  ['person', '(commonName=Ann Other)', 'true'],
  // extensible
  ['system', '(nhsIDCode:caseIgnoreMatch:=yes)', 'true'],
  ['system', '(nhsMHSPartyKey:2.5.13.5:=yes-0000806)', 'false'],
  ['person', '(:caseIgnoreMatch:=ann other)', 'true'],
  ['person', '(ou:dn:=people)', 'true'],
  ['person', '(ou:=people)', 'false'],
  ['person', '(cn:nosuchrule:=x)', 'undefined'],
  ['person', '(objectClass:objectIdentifierMatch:=person)', 'true'],
  // what must never be told
  ['system', '(nhsPuSecret=*)', 'undefined'],
  ['system', '(nhsPuSecret=hidden)', 'undefined'],
  ['system', '(:caseIgnoreMatch:=hidden)', 'false'],
  ['system', '(cn;lang-en=x)', 'undefined'],
  // bytes that are no text
  ['system', '(nhsIDCode=\\ff)', 'undefined'],
]

test('filters evaluate as the directory specification says', () => {
  for (const [entry, filter, newer, strict] of table) {
    assert.equal(truth(entry, filter), newer, filter)
    if (strict !== undefined) assert.equal(truth(entry, filter, true), strict, `strict ${filter}`)
  }
})

test('preparation follows RFC 4518', () => {
  assert.equal(prepare('  A  b ', false), 'A b')
  assert.equal(prepare('ΑΣ', true), prepare('ας', true))
  assert.equal(prepare('a\u00ad\u200bb', false), 'ab')
  assert.equal(prepare('a\tb\u00a0c', false), 'a b c')
  assert.equal(prepare('ﬁ', true), 'fi')
  assert.equal(prepare('\ufffd', true), undefined)
  assert.equal(prepare('\ue000', true), undefined)
  assert.equal(prepareForSubstrings('foo bar', true), ' foo  bar ')
  assert.equal(prepareSubstring('Foo ', 'initial', true), ' foo ')
  assert.equal(prepareSubstring(' o', 'any', true), ' o')
  assert.equal(prepareSubstring('bar', 'final', true), 'bar ')
  assert.equal(prepareSubstring('   ', 'any', true), ' ')
})
