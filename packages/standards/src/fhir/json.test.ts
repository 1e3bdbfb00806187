import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isSpineError } from '../error.ts'
import { FhirDecimal, type JsonLimits, numberFrom, parseJson, writeJson } from './json.ts'

function refusal(input: Uint8Array | string, limits?: JsonLimits): string {
  try {
    parseJson(input, limits)
  } catch (error) {
    if (isSpineError(error)) return error.code
    throw error
  }
  return 'accepted'
}

test('all JSON is read as JSON.parse reads it', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), fc.nat(3), (value, indent) => {
      const text = JSON.stringify(value, null, indent)
      if (text.includes('"__proto__"')) return
      const plain = JSON.parse(writeJson(parseJson(text)))
      assert.deepEqual(plain, JSON.parse(text))
      assert.deepEqual(parseJson(Buffer.from(text)), parseJson(text.toWellFormed()))
    }),
    { numRuns: 500 },
  )
})

test('mutated JSON is refused exactly where JSON.parse refuses it', () => {
  const text = '{"a": [1, -0.5e+2, "x\\u00e9\\n", true, false, null, {}], "b": {"c": []}}'
  fc.assert(
    fc.property(
      fc.nat(text.length - 1),
      fc.nat(2),
      fc.constantFrom(...' {}[]",:\\0-.+eEtfnu\n\u0001x'),
      (at, cut, by) => {
        const changed = text.slice(0, at) + by + text.slice(at + cut)
        let expected = 'accepted'
        try {
          JSON.parse(changed)
        } catch {
          expected = 'FHIR_JSON_INVALID'
        }
        assert.ok([expected, 'FHIR_JSON_DUPLICATE_KEY'].includes(refusal(changed)), changed)
      },
    ),
    { numRuns: 3000 },
  )
})

test('decimals keep their digits in both directions, integers are numbers', () => {
  for (const text of [
    '1.50',
    '0.0',
    '-0',
    '-0.10',
    '1e2',
    '1E-7',
    '100000000000000000000',
    '0.1000000000000000055511151231257827',
  ])
    assert.equal(writeJson(parseJson(`[{"value":${text}}]`)), `[{"value":${text}}]`)
  assert.equal(parseJson('5'), 5)
  assert.equal(parseJson('-9007199254740991'), -9007199254740991)
  assert.deepEqual(parseJson('9007199254740993'), new FhirDecimal('9007199254740993'))
  const decimal = new FhirDecimal('1.50')
  assert.equal(Number(decimal) * 2, 3)
  assert.equal(`${decimal}`, '1.50')
  assert.equal(JSON.stringify({ decimal }, null, 1), '{\n "decimal": 1.50\n}')
  for (const text of ['', '01', '1.', '.5', '+1', 'NaN', 'Infinity', '1e', '0x10', ' 1', '1 ', '1_0', '١']) {
    assert.equal(numberFrom(text), undefined, text)
    assert.throws(() => new FhirDecimal(text), RangeError)
  }
})

test('a member that stands twice is an error, however it is written', () => {
  assert.equal(refusal('{"a":1,"a":1}'), 'FHIR_JSON_DUPLICATE_KEY')
  assert.equal(refusal('{"a":1,"\\u0061":2}'), 'FHIR_JSON_DUPLICATE_KEY')
  assert.equal(refusal('{"a":1,"b":{"a":1}}'), 'accepted')
})

test('no name reaches a prototype', () => {
  assert.equal(refusal('{"__proto__":{"polluted":true}}'), 'FHIR_JSON_INVALID')
  assert.equal(refusal('{"\\u005f_proto__":{"polluted":true}}'), 'FHIR_JSON_INVALID')
  const value = parseJson('{"constructor":{"prototype":{"polluted":true}},"toString":1}')
  assert.equal(({} as { polluted?: boolean }).polluted, undefined)
  assert.deepEqual(Object.keys(value as object), ['constructor', 'toString'])
})

test('depth and size are bounded', () => {
  assert.equal(refusal('[[[]]]', { depth: 2 }), 'FHIR_TOO_DEEP')
  assert.equal(refusal('[[{}]]', { depth: 3 }), 'accepted')
  assert.equal(refusal('[[],[],[[]]]', { depth: 3 }), 'accepted')
  assert.equal(refusal('[{"a":[]},{"a":{}}]', { depth: 3 }), 'accepted')
  assert.equal(refusal('[1,2]', { bytes: 4 }), 'FHIR_TOO_LARGE')
  const started = process.threadCpuUsage()
  assert.equal(refusal('['.repeat(1_000_000)), 'FHIR_TOO_DEEP')
  assert.equal(refusal('{"a":'.repeat(1_000_000)), 'FHIR_TOO_DEEP')
  assert.equal(refusal(`"${'\\n'.repeat(1_000_000)}"`), 'accepted')
  assert.equal(refusal(`[${'"a",'.repeat(500_000)}1]`), 'accepted')
  const { user, system } = process.threadCpuUsage(started)
  assert.ok(user + system < 3_000_000, `${user + system} µs`)
})

test('bytes are UTF-8, with or without byte order mark', () => {
  assert.deepEqual(parseJson(Buffer.from('\ufeff{"a":"é🙂"}')), { a: 'é🙂' })
  assert.equal(refusal(Buffer.from([0x22, 0xe9, 0x22])), 'FHIR_JSON_INVALID')
  assert.equal(refusal(Buffer.from('{}', 'utf16le')), 'FHIR_JSON_INVALID')
})

test('an error names line and column and quotes nothing', () => {
  assert.throws(
    () => parseJson('{\n  "secret": 9990548609x\n}'),
    (error) =>
      isSpineError(error) &&
      (error.outcome as { path: string }).path === 'line 2, column 23' &&
      !/secret|999/.test(error.message),
  )
})
