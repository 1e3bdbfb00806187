import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { liesUnder, readEndpoint, readTarget } from './target.ts'

const both = { encoded: true, mergedSlashes: false }
const registered = 'https://gp.example.test/A20047/STU3/1/gpconnect'

function admits(requestTarget: string, value = registered, accept = both): boolean {
  const reading = readTarget(requestTarget, accept)
  const endpoint = readEndpoint(value)
  assert.ok(endpoint)
  return reading.ok && liesUnder(reading.target, endpoint)
}

describe('targets that lie under the registered endpoint', () => {
  for (const target of [
    `/${registered}`,
    `/${registered}/`,
    `/${registered}?a=b`,
    `/${registered}/Patient?identifier=https://fhir.nhs.uk/Id/nhs-number|9990000018`,
    `/${registered}/Patient/$gpc.getstructuredrecord`,
    `/${registered}/Patient?a=%7C&a=&a=+;x&..=/../`,
    `/${registered}//double/slash`,
    `/${registered}/Binary/a.b..c/...`,
    '/https://GP.Example.TEST/A20047/STU3/1/gpconnect/metadata',
    '/https%3A%2F%2Fgp.example.test%2FA20047%2FSTU3%2F1%2Fgpconnect%2FBinary%2F1%3Fa%3Db%257C',
    '/https%3a%2f%2fgp.example.test%2fA20047%2fSTU3%2f1%2fgpconnect/Binary/1?a=%7C',
  ])
    it(target, () => assert.ok(admits(target)))
})

describe('targets that are refused', () => {
  for (const target of [
    '/',
    '*',
    '/metadata',
    '/https:/gp.example.test/A20047/STU3/1/gpconnect',
    '//https://gp.example.test/A20047/STU3/1/gpconnect',
    '/http://gp.example.test/A20047/STU3/1/gpconnect',
    '/HTTPS://gp.example.test/A20047/STU3/1/gpconnect',
    '/https://',
    '/https:///A20047/STU3/1/gpconnect',
    `/${registered}-evil/x`,
    `/${registered}evil`,
    `/${registered}%2Fx`,
    `/${registered};x`,
    `/${registered.toLowerCase()}/x`,
    '/https://gp.example.test:443/A20047/STU3/1/gpconnect/x',
    '/https://gp.example.test:8443/A20047/STU3/1/gpconnect/x',
    '/https://gp.example.test./A20047/STU3/1/gpconnect/x',
    '/https://gp.example.test.evil.test/A20047/STU3/1/gpconnect/x',
    '/https://evil.test/A20047/STU3/1/gpconnect/x',
    '/https://192.0.2.1/A20047/STU3/1/gpconnect/x',
    '/https://gp.example.test@evil.test/A20047/STU3/1/gpconnect/x',
    '/https://user:pass@gp.example.test/A20047/STU3/1/gpconnect/x',
    '/https://evil.test#@gp.example.test/A20047/STU3/1/gpconnect/x',
    '/https://gp.example.test%2FA20047/STU3/1/gpconnect/x',
    '/https://gp.example.test\\@evil.test/A20047/STU3/1/gpconnect/x',
    `/${registered}/../../../../admin`,
    `/${registered}/./x`,
    `/${registered}/..`,
    `/${registered}/x/%2e%2e/y`,
    `/${registered}/x/%2E./y`,
    `/${registered}/x/.%2e`,
    `/${registered}/..;/y`,
    `/${registered}/x/..%2Fy`,
    `/${registered}/x%2F..%2Fy`,
    `/${registered}/x%5C..%5Cy`,
    `/${registered}/x\\..\\y`,
    `/${registered}/x#fragment`,
    `/${registered}/x%00y`,
    `/${registered}/x%0d%0aHost:%20evil`,
    `/${registered}/x\u00e9`,
    '/https%3A%2F%2Fgp.example.test%2FA20047%2FSTU3%2F1%2Fgpconnect%2F%2e%2e%2Fx',
    '/https%3A%2F%2Fgp.example.test%2FA20047%2FSTU3%2F1%2Fgpconnect%2F%252e%252e%252Fx',
    '/https%3A%2F%2Fgp.example.test%2FA20047%2FSTU3%2F1%2Fgpconnect%2Fx%23y',
    '/https%3A%2F%2Fgp.example.test%2FA20047%2FSTU3%2F1%2Fgpconnect%2Fx%20y',
    '/https%3A%2F%2Fgp.example.test%2FA20047%2FSTU3%2F1%2Fgpconnect%2Fx%0Ay',
    '/https%3A%2F%2Fgp.example.test%2FA20047%2FSTU3%2F1%2Fgpconnect%2Fx%zz',
    '/https%253A%252F%252Fgp.example.test%252FA20047',
    '/https%3A//gp.example.test/A20047/STU3/1/gpconnect',
  ])
    it(target, () => assert.ok(!admits(target)))
})

describe('readings', () => {
  it('keep path and query byte for byte', () => {
    const reading = readTarget(`/${registered}/Patient?a=%7C|$%24+;&&b=`, both)
    assert.ok(reading.ok)
    assert.equal(reading.target.rest, '/A20047/STU3/1/gpconnect/Patient?a=%7C|$%24+;&&b=')
  })
  it('decode the encoded form exactly once, and leave a raw query behind it as it is', () => {
    const reading = readTarget('/https%3A%2F%2Fgp.example.test%2Fa%257C?b=%7C', both)
    assert.ok(reading.ok)
    assert.equal(reading.target.url, 'https://gp.example.test/a%7C?b=%7C')
  })
  it('refuse the encoded form where it is switched off', () => {
    assert.ok(!readTarget('/https%3A%2F%2Fgp.example.test%2Fa', { encoded: false, mergedSlashes: false }).ok)
  })
  it('accept merged slashes where that courtesy is switched on', () => {
    assert.ok(
      admits('/https:/gp.example.test/A20047/STU3/1/gpconnect', registered, { encoded: true, mergedSlashes: true }),
    )
  })
  it('say in words what is wrong', () => {
    const reading = readTarget('/https:/gp.example.test/x', both)
    assert.ok(!reading.ok)
    assert.match(reading.why, /likely cause is a front end that normalises paths .* proxy\.mergedSlashes/)
  })
  it('treat a registered value with and without a slash at its end as equal', () => {
    assert.ok(admits(`/${registered}`, `${registered}/`))
    assert.ok(admits(`/${registered}/x`, `${registered}/`))
    assert.ok(!admits(`/${registered}x`, `${registered}/`))
  })
  it('demand the port that is registered', () => {
    const value = 'https://gp.example.test:4430/base'
    assert.ok(admits('/https://gp.example.test:4430/base/x', value))
    assert.ok(!admits('/https://gp.example.test/base/x', value))
    assert.equal(readEndpoint(value)?.port, 4430)
    assert.equal(readEndpoint('https://gp.example.test/base')?.port, 443)
  })
  it('find no endpoint in values that cannot be dialled', () => {
    for (const value of [
      '',
      'gp.example.test',
      'http://gp.example.test/',
      'https://gp.example.test:0/',
      'https://gp.example.test:70000/',
      'https://a/b?c',
    ])
      assert.equal(readEndpoint(value), undefined, value)
  })
  it('never throw, and never admit another host', () => {
    const endpoint = readEndpoint(registered)
    assert.ok(endpoint)
    const piece = fc.constantFrom(
      'https://',
      'https%3A%2F%2F',
      'gp.example.test',
      'evil.test',
      '/A20047/STU3/1/gpconnect',
      '@',
      '%',
      '%40',
      '#',
      '\\',
      ':443',
      '..',
      '%2e',
      '?',
      '/',
      ';',
      'x',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const reading = readTarget(`/${pieces.join('')}`, { encoded: true, mergedSlashes: true })
        if (!reading.ok || !liesUnder(reading.target, endpoint)) return
        // The URL standard's own parser is the judge of where this would go.
        const url = new URL(reading.target.url)
        assert.equal(url.host, 'gp.example.test')
        assert.ok(`${url.pathname}/`.startsWith('/A20047/STU3/1/gpconnect/'), url.pathname)
        assert.equal(url.username + url.hash, '')
      }),
      { numRuns: 3000 },
    )
  })
})
