import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ProxyReport } from './report.ts'

const at = Date.UTC(2026, 10, 20, 23, 59, 59, 999)
const interaction = 'urn:nhs:names:services:gpconnect:fhir:rest:read:metadata-1'
const good = {
  ending: 'relayed',
  status: 200,
  from: '200000000001',
  to: '200000000002',
  interaction,
  senderOds: 'X26',
  receiverOds: 'A20047',
  agreement: 'a1',
  bytesIn: 10,
  bytesOut: 1000,
  firstByteMs: 40,
  providerMs: 45,
  totalMs: 50,
}
const { firstByteMs: _none, agreement: _neither, ...unadmitted } = good
const refusedBy = (check: string, more: object = {}) => ({
  ...unadmitted,
  ending: 'refused',
  status: 403,
  check,
  bytesOut: 0,
  totalMs: 1,
  ...more,
})

function report(by: ConstructorParameters<typeof ProxyReport>[0], records: readonly object[], when = [at]) {
  const made = new ProxyReport(by)
  for (const [i, facts] of records.entries()) made.add({ at: when[i] ?? at, facts: facts as Record<string, unknown> })
  return made
}

describe('the volumetric report', () => {
  it('counts by outcome, with bytes and times', () => {
    const [row, ...others] = report(
      ['provider'],
      [
        good,
        { ...good, status: 404, firstByteMs: 60, totalMs: 1234, bytesOut: 1 },
        refusedBy('sharing-agreement'),
        { ...good, ending: 'failed', status: 502, check: 'provider', firstByteMs: undefined },
        { ...good, ending: 'consumer-left', status: 499, firstByteMs: undefined },
      ],
    ).rows()
    assert.deepEqual(others, [])
    assert.deepEqual(row, {
      group: { provider: { odsCode: 'A20047', asid: '200000000002' } },
      requests: 5,
      relayed: 2,
      successful: 1,
      refused: 1,
      failed: 1,
      consumerLeft: 1,
      other: 0,
      statuses: { 200: 1, 403: 1, 404: 1, 499: 1, 502: 1 },
      bytesIn: 50,
      bytesOut: 3001,
      firstByteMs: { mean: 50, median: 40, p95: 60, greatest: 60 },
      totalMs: { mean: 277, median: 50, p95: 1200, greatest: 1234 },
    })
  })

  it('breaks down by several dimensions, in their order, and by the day of UTC', () => {
    const rows = report(
      ['day', 'interaction'],
      [good, { ...good, interaction: 'urn:nhs:names:services:a' }, good],
      [at, at + 1, at + 1],
    ).rows()
    assert.deepEqual(
      rows.map(({ group, requests }) => [group.day, group.interaction, requests]),
      [
        ['2026-11-20', interaction, 1],
        ['2026-11-21', 'urn:nhs:names:services:a', 1],
        ['2026-11-21', interaction, 1],
      ],
    )
  })

  it('gives nobody a row who only wrote a name into a header', () => {
    const records = [
      refusedBy('sender-known', { senderOds: undefined, receiverOds: undefined, from: '200000000099' }),
      refusedBy('sender-certificate', { receiverOds: undefined, status: 495 }),
      refusedBy('sender-interaction', { receiverOds: undefined, interaction: 'urn:nhs:names:services:invented' }),
      refusedBy('receiver-interaction', { receiverOds: undefined, to: '200000000098' }),
      { ending: 'closed', status: 444, check: 'framing', totalMs: 3 },
      { ending: 'answered', status: 200, from: '200000000001', to: '200000000002' },
      { damaged: 'text' },
    ]
    const unknown = (by: 'provider' | 'consumer' | 'interaction') =>
      report([by], records)
        .rows()
        .filter(({ group }) => group[by] === undefined)
        .map(({ requests }) => requests)
    assert.deepEqual(unknown('provider'), [7])
    assert.deepEqual(unknown('consumer'), [5])
    assert.deepEqual(unknown('interaction'), [6])
    const total = report(['provider'], records).total()
    assert.deepEqual([total.requests, total.refused, total.other], [7, 4, 3])
  })

  it('holds a few hundred counters however many records there are', () => {
    const made = new ProxyReport(['provider'])
    for (let ms = 0; ms < 50_000; ms++) made.add({ at, facts: { ...good, totalMs: ms } })
    assert.deepEqual(made.total().totalMs, { mean: 24_999.5, median: 24_000, p95: 47_000, greatest: 49_999 })
  })
})
