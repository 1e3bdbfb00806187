import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { dstu2Tables } from './dstu2.generated.ts'
import { generateAll } from './generate.ts'
import { r4Tables } from './r4.generated.ts'
import { stu3Tables } from './stu3.generated.ts'
import { TypeLibrary } from './tables.ts'

test('the generated tables are those that the generator writes', () => {
  for (const { name, text } of generateAll())
    assert.equal(readFileSync(new URL(name, import.meta.url), 'utf8'), text, `${name} is stale: run generate.ts`)
})

test('every type that a table names is in the table', () => {
  for (const tables of [dstu2Tables, stu3Tables, r4Tables]) {
    const library = new TypeLibrary(tables)
    let members = 0
    for (const name of library.names())
      for (const member of library.type(name).members) {
        members++
        if (member.kind === 'complex') assert.ok(library.find(member.type), `${name}.${member.name}: ${member.type}`)
      }
    assert.ok(members > 4000, `${members} members`)
  }
})

test('inherited members stand before own ones, in the order of the specification', () => {
  const patient = new TypeLibrary(r4Tables).type('Patient')
  const expected = [
    'id',
    'meta',
    'implicitRules',
    'language',
    'text',
    'contained',
    'extension',
    'modifierExtension',
    'identifier',
    'active',
    'name',
  ]
  assert.deepEqual(
    patient.members.slice(0, expected.length).map(({ name }) => name),
    expected,
  )
  assert.deepEqual(
    patient.members.map(({ order }) => order),
    [...patient.members.keys()],
  )
})

test('choices are found, and look-alikes are not taken for them', () => {
  const library = new TypeLibrary(stu3Tables)
  const choiceOf = (type: string, name: string) => library.type(type).byName.get(name)?.choice
  assert.equal(choiceOf('Patient', 'deceasedBoolean'), 'deceased')
  assert.equal(choiceOf('Patient', 'deceasedDateTime'), 'deceased')
  assert.equal(choiceOf('Extension', 'valueCodeableConcept'), 'value')
  assert.equal(choiceOf('Patient', 'birthDate'), undefined)
})

test('DSTU2 has the elements that are defined by reference to others', () => {
  const library = new TypeLibrary(dstu2Tables)
  const elements = {
    BundleEntry: 'link',
    ConceptMapElementTarget: 'product',
    ConformanceRest: 'searchParam',
    ObservationComponent: 'referenceRange',
    OperationDefinitionParameter: 'part',
    ParametersParameter: 'part',
    QuestionnaireResponseGroup: 'group',
    QuestionnaireResponseGroupQuestionAnswer: 'group',
    TestScriptSetup: 'metadata',
    ValueSetCodeSystemConcept: 'concept',
    ValueSetCompose: 'exclude',
    ValueSetComposeIncludeConcept: 'designation',
    ValueSetExpansionContains: 'contains',
  }
  for (const [type, name] of Object.entries(elements))
    assert.equal(library.type(type).byName.get(name)?.kind, 'complex', `${type}.${name}`)
})

test('an element called resourceType in a backbone element is an ordinary one', () => {
  const payee = new TypeLibrary(stu3Tables).type('ClaimPayee')
  assert.equal(payee.isResource, false)
  assert.equal(payee.byName.get('resourceType')?.type, 'Coding')
})
