import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forwardedLine } from './heads.ts'

test('Forwarded names addresses and this proxy as RFC 7239 writes them', () => {
  const node = (address: string) =>
    /^Forwarded: for=(.*);proto=https;by=_proxy\.example\r\n$/.exec(
      String(forwardedLine(address, 'proxy.example')),
    )?.[1]
  assert.equal(node('192.0.2.7'), '192.0.2.7')
  assert.equal(node('2001:db8::1'), '"[2001:db8::1]"')
  assert.equal(node('fe80::1%eth0'), '"[fe80::1]"')
  assert.equal(node(''), 'unknown')
})
