import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  formatNhsNumber,
  isAsid,
  isInteractionId,
  isNhsNumber,
  isOdsCode,
  isPartyKey,
  nhsNumberCheckDigit,
  splitInteractionId,
} from './nhs.ts'

describe('NHS number', () => {
  it('accepts a right check digit, including eleven that becomes zero', () => {
    assert.ok(isNhsNumber('9990548609'))
    assert.equal(nhsNumberCheckDigit('999000000'), undefined, '243 leaves 1, so the digit would be ten')
    assert.ok(isNhsNumber('0000000000'), 'a sum of zero gives eleven, which is written 0')
  })

  it('refuses spaces, letters, wrong lengths, other digits, and what is not a string', () => {
    for (const wrong of [
      '999 054 8609',
      '999054860',
      '99905486090',
      '999054860X',
      ' 9990548609',
      '9990548609\n',
      '９９９０５４８６０９',
      9990548609,
      null,
    ])
      assert.equal(isNhsNumber(wrong), false, String(wrong))
  })

  it('has exactly one right check digit, or none', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 999_999_999 }), (n) => {
        const nine = String(n).padStart(9, '0')
        const right = [...'0123456789'].filter((d) => isNhsNumber(nine + d))
        const digit = nhsNumberCheckDigit(nine)
        assert.deepEqual(right, digit === undefined ? [] : [String(digit)])
      }),
    )
  })

  it('notices every single wrong digit and every swap of two neighbours', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 999_999_999 }), fc.nat(9), fc.integer({ min: 1, max: 9 }), (n, at, by) => {
        const nine = String(n).padStart(9, '0')
        const digit = nhsNumberCheckDigit(nine)
        fc.pre(digit !== undefined)
        const number = nine + digit
        const changed = number.slice(0, at) + ((Number(number[at]) + by) % 10) + number.slice(at + 1)
        assert.equal(isNhsNumber(changed), false)
        if (at < 9 && number[at] !== number[at + 1]) {
          const swapped = number.slice(0, at) + number[at + 1] + number[at] + number.slice(at + 2)
          assert.equal(isNhsNumber(swapped), false)
        }
      }),
    )
  })

  it('is written in groups of three, three and four', () => assert.equal(formatNhsNumber('9990548609'), '999 054 8609'))
})

describe('other identifiers', () => {
  it('knows an ODS code, an ASID and a party key', () => {
    assert.ok(
      isOdsCode('A20047') &&
        isOdsCode('TMSAsync1') &&
        !isOdsCode('') &&
        !isOdsCode('A20047-1') &&
        !isOdsCode('ABCDEFGHIJ'),
    )
    assert.ok(isAsid('000428682512') && !isAsid('42868251') && !isAsid('00042868251A'))
    assert.ok(
      isPartyKey('YES-0000806') &&
        isPartyKey('A99968-850000') &&
        !isPartyKey('A99968850000') &&
        !isPartyKey('A99968-85'),
    )
  })

  it('knows an interaction id and splits it into service and interaction', () => {
    const id = 'urn:nhs:names:services:gpconnect:fhir:operation:gpc.getcarerecord'
    assert.ok(isInteractionId(id))
    assert.deepEqual(splitInteractionId(id), {
      service: 'urn:nhs:names:services:gpconnect',
      interaction: 'fhir:operation:gpc.getcarerecord',
    })
    for (const wrong of [
      '',
      'urn:nhs:names:services:gpconnect',
      'URN:NHS:NAMES:SERVICES:gpconnect:x',
      `${id} `,
      `${id}\n`,
      'urn:nhs:names:services::x',
    ])
      assert.equal(isInteractionId(wrong), false, wrong)
  })
})
