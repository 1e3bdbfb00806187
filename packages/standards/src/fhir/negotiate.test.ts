import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bodyFormat, contentTypeOf, negotiate } from './negotiate.ts'
import type { FhirVersion } from './types.ts'

const stu3 = 'stu3' as const

test('_format goes before Accept, Accept before Content-Type, and JSON is what remains', () => {
  const [json, xml] = ['application/fhir+json', 'application/fhir+xml']
  assert.equal(negotiate({ version: stu3, format: xml, accept: json, contentType: json }), 'xml')
  assert.equal(negotiate({ version: stu3, accept: xml, contentType: json }), 'xml')
  assert.equal(negotiate({ version: stu3, contentType: xml }), 'xml')
  assert.equal(negotiate({ version: stu3 }), 'json')
  assert.equal(negotiate({ version: stu3, accept: '', contentType: ' ' }), 'json')
  // The first that is present decides, also when it is not spoken.
  assert.equal(negotiate({ version: stu3, format: 'text/html', accept: json }), undefined)
  assert.equal(negotiate({ version: stu3, accept: 'text/html', contentType: json }), undefined)
})

test('each version has its own media types', () => {
  const cases: readonly (readonly [FhirVersion, string, 'json' | 'xml' | undefined])[] = [
    ['dstu2', 'application/json+fhir', 'json'],
    ['dstu2', 'application/xml+fhir', 'xml'],
    ['dstu2', 'application/fhir+json', undefined],
    ['stu3', 'application/fhir+json', 'json'],
    ['stu3', 'application/xml+fhir', undefined],
    ['r4', 'application/fhir+xml', 'xml'],
    ['r4', 'application/json', undefined],
    ['r4', 'json', undefined],
    ['r4', 'constructor', undefined],
  ]
  for (const [version, type, expected] of cases) {
    assert.equal(negotiate({ version, accept: type }), expected, `${version} Accept: ${type}`)
    assert.equal(negotiate({ version, format: type }), expected, `${version} _format=${type}`)
    assert.equal(negotiate({ version, contentType: type }), expected, `${version} Content-Type: ${type}`)
    assert.equal(bodyFormat(type, version), expected)
  }
  assert.equal(contentTypeOf('dstu2', 'xml'), 'application/xml+fhir;charset=utf-8')
})

test('lenient faces also take short names, plain types and those of other versions', () => {
  for (const accept of ['json', 'application/json', 'text/json', 'application/json+fhir'])
    assert.equal(negotiate({ version: 'r4', accept, lenient: true }), 'json', accept)
  for (const format of ['xml', 'text/xml', 'application/xml'])
    assert.equal(negotiate({ version: 'r4', format, lenient: true }), 'xml', format)
  assert.equal(negotiate({ version: 'r4', format: 'toString', lenient: true }), undefined)
})

test('_format comes raw, decoded, or with its plus made a space', () => {
  for (const format of [
    'application/fhir+xml',
    'application/fhir xml',
    'application/fhir%2Bxml',
    'application%2Ffhir%2bxml',
    'Application/FHIR+XML',
    'application/fhir+xml;charset=utf-8',
    'application/fhir xml; charset=UTF-8',
  ])
    assert.equal(negotiate({ version: stu3, format }), 'xml', format)
  for (const format of [
    '',
    'application/fhir',
    'application/fhir%2',
    'application/fhir++xml',
    '*/*',
    'application/fhir+xml;charset=latin1',
  ])
    assert.equal(negotiate({ version: stu3, format }), undefined, format)
})

test('Accept lists follow quality, then order; wildcards mean JSON', () => {
  const cases: readonly (readonly [string, 'json' | 'xml' | undefined])[] = [
    ['*/*', 'json'],
    ['application/*', 'json'],
    ['text/html, */*;q=0.1', 'json'],
    ['application/fhir+xml, */*', 'xml'],
    ['*/*, application/fhir+xml', 'json'],
    ['application/fhir+xml;q=0.9, application/fhir+json', 'json'],
    ['application/fhir+xml , application/fhir+json', 'xml'],
    ['application/fhir+json;q=0, */*', 'xml'],
    ['application/fhir+json;q=0', undefined],
    ['application/fhir+json;q=0.2,application/fhir+xml;q=0.3', 'xml'],
    ['application/fhir+xml;q=abc', undefined],
    ['application/fhir+xml;q=2', undefined],
    ['application/fhir+json; charset="UTF-8"', 'json'],
    ['application/fhir+json;charset=iso-8859-1', undefined],
    ['application/fhir+xml;profile="a,b;c";q=0.5, application/fhir+json;q=0.4', 'xml'],
    ['image/png, text/*', undefined],
    [',,', undefined],
  ]
  for (const [accept, expected] of cases) assert.equal(negotiate({ version: stu3, accept }), expected, accept)
})
