import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { encoded, takesGzip } from './exchange.ts'

describe('Accept-Encoding', () => {
  it('takes gzip where it is named or allowed, and not where it is refused', () => {
    for (const value of [
      'gzip',
      'deflate, gzip;q=0.5',
      'GZIP',
      '*',
      'br, *;q=0.1',
      'x-gzip',
      'identity;q=0, gzip;q=1.0',
    ])
      assert.equal(takesGzip(value), true, value)
    for (const value of [
      undefined,
      '',
      'identity',
      'br',
      'gzip;q=0',
      '*, gzip;q=0.000',
      '*;q=0',
      'gzipped',
      'gzip;q=x',
    ])
      assert.equal(takesGzip(value), false, value)
  })

  it('gives back the same content', async () => {
    const { bytes, headers } = await encoded('é'.repeat(5000), 'gzip')
    assert.deepEqual(headers, { 'content-encoding': 'gzip' })
    assert.ok(bytes.length < 1000)
    assert.equal(gunzipSync(bytes).toString(), 'é'.repeat(5000))
    assert.deepEqual((await encoded('x', undefined)).headers, {})
  })
})
