import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ldifLine, ldifModifications, readLdif, readLdifPieces, writeLdif } from './ldif.ts'

const attributes = fc
  .dictionary(
    fc.stringMatching(/^[a-zA-Z][a-zA-Z0-9-]{0,10}$/),
    fc.array(fc.string({ unit: 'grapheme', maxLength: 120 }), { minLength: 1, maxLength: 3 }),
    { minKeys: 1, maxKeys: 5, noNullPrototype: true },
  )
  .filter((given) => Object.keys(given).every((name) => !/^(dn|changetype|control)$/i.test(name)))

test('entries survive the way to LDIF and back', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ dn: fc.string({ unit: 'grapheme', minLength: 1 }), attributes }), { maxLength: 4 }),
      (entries) => {
        const text = [...writeLdif(entries)].join('')
        for (const line of text.split('\n')) assert.ok(line.length <= 76)
        const read = [...readLdif(text)]
        assert.deepEqual(
          read.map(({ dn, attributes: lines }) => ({ dn, lines })),
          entries.map(({ dn, attributes: given }) => ({
            dn,
            lines: Object.entries(given).flatMap(([name, values]) => values.map((value) => [name, value])),
          })),
        )
      },
    ),
  )
})

test('any text is LDIF or is refused with its line', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom(...'d:n \n#-a=<>é', 'dn: x\n', 'changetype: modify\n', 'add: a\n') }),
      (text) => {
        try {
          for (const _ of readLdif(text));
        } catch (error) {
          assert.equal((error as { code?: string }).code, 'LDIF_SYNTAX')
        }
      },
    ),
    { numRuns: 2000 },
  )
})

test('reads comments, folding, base64, carriage returns and change records', () => {
  const text = [
    'version: 1',
    '# a comment',
    ' that goes on',
    'dn: uniqueIdentifier=1,ou=Services,',
    ' o=nhs',
    'nhsIDCode: YES',
    'description:: w6k=',
    '',
    'dn: o=nhs\r',
    'changetype: modify\r',
    'replace: description\r',
    'description: a\r',
    'description: b\r',
    '-\r',
    'delete: l\r',
    '-\r',
    '\r',
    'dn: uid=1,o=nhs',
    'control: 1.2.3 true',
    'changetype: delete',
    '',
  ].join('\n')
  assert.deepEqual(
    [...readLdif(text)],
    [
      {
        dn: 'uniqueIdentifier=1,ou=Services,o=nhs',
        attributes: [
          ['nhsIDCode', 'YES'],
          ['description', 'é'],
        ],
        line: 4,
      },
      {
        dn: 'o=nhs',
        attributes: [],
        changeType: 'modify',
        modifications: [
          { kind: 'replace', attribute: 'description', values: ['a', 'b'] },
          { kind: 'delete', attribute: 'l', values: [] },
        ],
        line: 9,
      },
      { dn: 'uid=1,o=nhs', attributes: [], changeType: 'delete', line: 18 },
    ],
  )
})

test('refuses what is no LDIF, naming the line', () => {
  for (const [text, line] of [
    ['cn: a', 1],
    ['dn: a\nxyz', 2],
    ['dn: a\nb:: !', 2],
    ['dn: a\nb:< file:///etc/passwd', 2],
    [' x', 1],
    ['version: 2\ndn: a', 1],
    ['dn: a\nchangetype: explode', 1],
    ['dn: a\nchangetype: modify\nadd: x\ny: 1', 4],
    ['dn: a\nchangetype: modify\nfrobnicate: x', 3],
    ['dn: a\nchangetype: modify\n-', 3],
  ] as const) {
    assert.throws(() => [...readLdif(text)], { code: 'LDIF_SYNTAX', outcome: { line } }, text)
  }
})

test('writes what needs base64 in base64', () => {
  assert.equal(ldifLine('a', 'b'), 'a: b\n')
  assert.equal(ldifLine('a', ''), 'a:\n')
  for (const value of [' b', ':b', '<b', 'b ', 'é', 'a\nb']) assert.match(ldifLine('a', value), /^a:: /)
  assert.equal(ldifModifications([{ kind: 'add', attribute: 'l', values: ['x', 'y'] }]), 'add: l\nl: x\nl: y\n-\n')
})

test('cut anywhere, a file gives the same records, with the same lines', async () => {
  const text =
    'version: 1\n\n# a comment\n of two lines\ndn: o=nhs\no: nhs\ndescription: one\n  two\n\n\r\ndn:: b3U9w6k=\r\nchangetype: modify\r\nadd: l\r\nl: Zoë\r\n-\r\n\r\ndn: o=x\nchangetype: delete\n'
  const whole = [...readLdif(text)]
  assert.deepEqual(
    whole.map(({ dn, line }) => [dn, line]),
    [
      ['o=nhs', 5],
      ['ou=é', 11],
      ['o=x', 17],
    ],
  )
  const bytes = Buffer.from(text)
  for (let size = 1; size < bytes.length; size += 3) {
    const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
      bytes.subarray(i * size, (i + 1) * size),
    )
    const records: unknown[] = []
    for await (const record of readLdifPieces(pieces)) records.push(record)
    assert.deepEqual(records, whole, `in pieces of ${size}`)
  }
  const failing = async () => {
    for await (const _ of readLdifPieces(['dn: o=nhs\no: nhs\n\n', 'dn: o=x\nrubbish\n']));
  }
  await assert.rejects(failing, { code: 'LDIF_SYNTAX', outcome: { line: 5 } })
})
