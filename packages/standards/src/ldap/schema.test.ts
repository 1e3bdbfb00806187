import assert from 'node:assert/strict'
import { test } from 'node:test'
import { spineSchema } from './schema.ts'
import { attributeTypeText, objectClassText, subschemaText } from './schema-text.ts'

const schema = spineSchema()

test('the published text has the shape of the live servers', () => {
  const text = (name: string) => attributeTypeText(schema.attribute(name) as never)
  assert.equal(
    text('nhsmhssvcia'),
    "( 1.2.826.0.1285.0.2.1.123 NAME 'nhsMhsSvcIA' EQUALITY caseExactMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE X-ORIGIN 'nhsSDS' )",
  )
  assert.equal(
    text('nhsEBS'),
    "( 1.2.826.0.1285.0.2.1.281 NAME 'nhsEBS' SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 X-ORIGIN 'nhsSDS' )",
  )
  assert.equal(text('commonName'), "( 2.5.4.3 NAME ( 'cn' 'commonName' ) SUP name )")
  assert.equal(
    objectClassText(schema.objectClass('NHSLIST') as never),
    "( 1.2.826.0.1285.0.2.0.104 NAME 'nhsList' SUP top STRUCTURAL MUST ( objectClass $ cn ) MAY ( description $ uniqueIdentifier ) X-ORIGIN 'nhsSDS' )",
  )
})

test('irregular spellings are canonical', () => {
  for (const name of [
    'nhsMHSPartyKey',
    'nhsMhsSvcIA',
    'nhsMHsSN',
    'nhsMHsIN',
    'nhsMHSEndPoint',
    'nhsMhsFQDN',
    'nhsMhsCPAId',
    'nhsIDCode',
    'nhsAsSvcIA',
    'nhsMhsManufacturerOrg',
    'nhsTempUid',
    'nhsSHAcode',
    'labeledURI',
    'changenumber',
  ]) {
    assert.equal(schema.attribute(name.toUpperCase())?.name, name)
  }
})

test('every attribute of the specification is there, with a rule for none that declares none', () => {
  const ours = schema.attributes.filter(({ origin }) => origin === 'nhsSDS')
  assert.equal(ours.length, 131)
  assert.equal(new Set(schema.attributes.map(({ oid }) => oid)).size, schema.attributes.length)
  for (const attribute of ours) {
    assert.equal(attribute.substrings, undefined)
    assert.equal(attribute.ordering, undefined)
    assert.equal(attribute.syntax, '1.3.6.1.4.1.1466.115.121.1.15')
  }
  assert.equal(schema.attribute('nhsMHSRetries')?.equality, undefined)
  assert.equal(schema.attribute('nhsMHSPartyKey')?.equality?.name, 'caseIgnoreMatch')
  assert.equal(schema.attribute('uniqueIdentifier')?.single, false)
  assert.equal(schema.attribute('cn')?.equality?.name, 'caseIgnoreMatch', 'inherited from name')
})

test('classes know their lineage', () => {
  const lineage = (name: string) => schema.lineage(schema.objectClass(name) as never).map((each) => each.name)
  assert.deepEqual(lineage('nhsPerson'), ['nhsPerson', 'inetOrgPerson', 'organizationalPerson', 'person', 'top'])
  assert.deepEqual(lineage('nhsGPPractice'), ['nhsGPPractice', 'organization', 'top'])
  assert.equal(schema.objectClass('nhsRBAC')?.kind, 'AUXILIARY')
  assert.equal(schema.classes.filter(({ origin }) => origin === 'nhsSDS').length, 22)
})

test('what is published names only what is published', () => {
  const text = subschemaText(schema)
  const rules = new Set((text['matchingRules'] ?? []).map((line) => /NAME '([^']+)'/.exec(line)?.[1]))
  const syntaxes = new Set((text['ldapSyntaxes'] ?? []).map((line) => /^\( (\S+)/.exec(line)?.[1]))
  for (const line of text['attributeTypes'] ?? []) {
    for (const [, rule] of line.matchAll(/(?:EQUALITY|ORDERING|SUBSTR) (\S+)/g))
      assert.ok(rules.has(rule), `${rule} in ${line}`)
    for (const [, syntax] of line.matchAll(/SYNTAX (\S+)/g)) assert.ok(syntaxes.has(syntax), `${syntax} in ${line}`)
  }
  for (const line of text['objectClasses'] ?? []) {
    for (const [, list] of line.matchAll(/(?:MUST|MAY) (?:\( ([^)]*) \)|(\S+))/g)) {
      for (const name of (list ?? '').split(' $ ').filter((each) => each !== '')) {
        assert.equal(schema.attribute(name)?.name, name, `${name} in ${line}`)
      }
    }
  }
})
