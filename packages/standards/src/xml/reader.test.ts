import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isSpineError } from '../error.ts'
import type { XmlLimits } from './problem.ts'
import { readXml, XmlReader, type XmlStart } from './reader.ts'
import { attributeOf, childElement, childElements, elementsOf, parseXml, textOf } from './tree.ts'

function refusal(input: Uint8Array | string, limits?: XmlLimits): string {
  try {
    parseXml(input, limits)
  } catch (error) {
    if (isSpineError(error)) return error.code
    throw error
  }
  return 'accepted'
}

const envelope = `<?xml version="1.0" encoding="UTF-8"?>
<s:Envelope xmlns:s="urn:soap" xmlns="urn:body"><s:Body a="1" s:b="2 &amp; 3"><m>é<![CDATA[<x>]]>🙂</m><m/></s:Body></s:Envelope>
`

test('a document becomes a tree with namespaces, attributes and joined text', () => {
  const root = parseXml(Buffer.from(envelope))
  assert.equal(root.name, 'Envelope')
  assert.equal(root.namespace, 'urn:soap')
  assert.deepEqual(
    [...(root.declarations ?? [])],
    [
      ['s', 'urn:soap'],
      ['', 'urn:body'],
    ],
  )
  const body = childElement(root, 'urn:soap', 'Body')
  assert.ok(body)
  assert.equal(attributeOf(body, 'a'), '1')
  assert.equal(attributeOf(body, 'b', 'urn:soap'), '2 & 3')
  assert.equal(attributeOf(body, 'b'), undefined)
  assert.equal(childElements(body, 'urn:body', 'm').length, 2)
  assert.deepEqual(elementsOf(body)[0]?.children, ['é<x>🙂'])
  assert.equal(textOf(root), 'é<x>🙂')
  assert.deepEqual([root.line, root.column, body.line], [2, 0, 2])
})

test('portions of any size give the same tree', () => {
  const bytes = Buffer.from('\ufeff' + envelope.replaceAll('\n', '\r\n'))
  const whole = JSON.stringify(parseXml(bytes))
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 200 }), (sizes) => {
      const portions: Buffer[] = []
      for (let at = 0, i = 0; at < bytes.length; i++) {
        const size = sizes[i % sizes.length] ?? 1
        portions.push(bytes.subarray(at, at + size))
        at += size
      }
      assert.equal(JSON.stringify(parseXml(portions)), whole)
    }),
    { numRuns: 200 },
  )
})

test('text outside the root and the end of each element are told apart', () => {
  const seen: string[] = []
  const text = '<a> <b/>x</a>\n'
  readXml(text, {
    start: (element) => seen.push(`<${element.name}@${element.offset}`),
    text: (characters) => seen.push(characters),
    end: (offset) => seen.push(`>@${offset}`),
  })
  assert.deepEqual(seen, ['<a@0', ' ', '<b@4', '>@8', 'x', '>@13'])
})

test('every kind of malformed document is refused with its code', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['', 'XML_NOT_WELL_FORMED'],
    ['   ', 'XML_NOT_WELL_FORMED'],
    ['text', 'XML_NOT_WELL_FORMED'],
    ['<a>', 'XML_NOT_WELL_FORMED'],
    ['<a></b>', 'XML_NOT_WELL_FORMED'],
    ['<a/><b/>', 'XML_NOT_WELL_FORMED'],
    ['<a/>x', 'XML_NOT_WELL_FORMED'],
    ['<a b="1" b="2"/>', 'XML_NOT_WELL_FORMED'],
    ['<a xmlns:p="u" xmlns:q="u" p:b="1" q:b="2"/>', 'XML_NOT_WELL_FORMED'],
    ['<a b=1/>', 'XML_NOT_WELL_FORMED'],
    ['<a b/>', 'XML_NOT_WELL_FORMED'],
    ['<a b="<"/>', 'XML_NOT_WELL_FORMED'],
    ['<p:a/>', 'XML_NOT_WELL_FORMED'],
    ['<a p:b="1"/>', 'XML_NOT_WELL_FORMED'],
    ['<a xmlns:p=""/>', 'XML_NOT_WELL_FORMED'],
    ['<a>&nbsp;</a>', 'XML_NOT_WELL_FORMED'],
    ['<a>&#0;</a>', 'XML_NOT_WELL_FORMED'],
    ['<a>&#xD800;</a>', 'XML_NOT_WELL_FORMED'],
    ['<a>\u0000</a>', 'XML_NOT_WELL_FORMED'],
    ['<a>\u0001</a>', 'XML_NOT_WELL_FORMED'],
    ['<a>\uffff</a>', 'XML_NOT_WELL_FORMED'],
    ['<a>]]></a>', 'XML_NOT_WELL_FORMED'],
    ['<a><!-- -- --></a>', 'XML_NOT_WELL_FORMED'],
    ['<a:b:c xmlns:a="u"/>', 'XML_NOT_WELL_FORMED'],
    ['<1a/>', 'XML_NOT_WELL_FORMED'],
    ['<p:1a xmlns:p="u"/>', 'XML_NOT_WELL_FORMED'],
    ['<a xmlns:p="u" p:-="1"/>', 'XML_NOT_WELL_FORMED'],
    ['<a xmlns:.="u"/>', 'XML_NOT_WELL_FORMED'],
    [' <?xml version="1.0"?><a/>', 'XML_NOT_WELL_FORMED'],
    ['<?xml version="1.1"?><a/>', 'XML_VERSION'],
    ['<!DOCTYPE a><a/>', 'XML_DTD_FORBIDDEN'],
    ['<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', 'XML_DTD_FORBIDDEN'],
    ['<!DOCTYPE a [<!ENTITY x SYSTEM "http://127.0.0.1/">]><a>&x;</a>', 'XML_DTD_FORBIDDEN'],
  ]
  for (const [text, code] of cases) {
    assert.equal(refusal(text), code, text)
    assert.equal(refusal(Buffer.from(text)), code, `bytes of ${text}`)
  }
})

test('entities cannot be declared, so nothing multiplies', () => {
  const lines = Array.from({ length: 20 }, (_, i) => `<!ENTITY e${i + 1} "${`&e${i};`.repeat(10)}">`).join('')
  assert.equal(refusal(`<!DOCTYPE a [<!ENTITY e0 "ha">${lines}]><a>&e20;</a>`), 'XML_DTD_FORBIDDEN')
})

test('a truncated document is refused wherever it ends', () => {
  const bytes = Buffer.from(envelope.trimEnd())
  for (let length = 0; length < bytes.length; length++)
    assert.match(refusal(bytes.subarray(0, length)), /^XML_(NOT_WELL_FORMED|ENCODING)$/, `${length} bytes`)
  assert.equal(refusal(bytes), 'accepted')
})

test('one changed byte gives a tree or an error of the family, never anything else', () => {
  const bytes = Buffer.from(envelope)
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, value) => {
      const changed = Buffer.from(bytes)
      changed[at] = value
      assert.match(refusal(changed), /^(accepted|XML_\w+)$/)
    }),
    { numRuns: 1000 },
  )
})

test('encodings: UTF-8, US-ASCII and ISO-8859-1 are read, others and wrong bytes are refused', () => {
  const declared = (encoding: string, tail: Buffer): Buffer =>
    Buffer.concat([Buffer.from(`<?xml version='1.0' encoding = '${encoding}' ?><a>`), tail, Buffer.from('</a>')])
  assert.equal(textOf(parseXml(declared('utf-8', Buffer.from('é')))), 'é')
  assert.equal(textOf(parseXml(declared('ISO-8859-1', Buffer.from([0xe9])))), 'é')
  assert.equal(textOf(parseXml(declared('US-ASCII', Buffer.from('e')))), 'e')
  assert.equal(textOf(parseXml(Buffer.from('\ufeff<a>é</a>'))), 'é')
  assert.equal(refusal(declared('US-ASCII', Buffer.from('é'))), 'XML_ENCODING')
  assert.equal(refusal(declared('windows-1252', Buffer.from('e'))), 'XML_ENCODING')
  assert.equal(refusal(declared('UTF-16', Buffer.from('e'))), 'XML_ENCODING')
  assert.equal(refusal(declared('__proto__', Buffer.from('e'))), 'XML_ENCODING')
  assert.equal(refusal(declared('utf-8', Buffer.from([0xe9]))), 'XML_ENCODING')
  for (const wrong of [[0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xff]])
    assert.equal(refusal(declared('utf-8', Buffer.from(wrong))), 'XML_ENCODING', wrong.join())
  assert.equal(refusal(Buffer.from('\ufeff<a/>', 'utf16le')), 'XML_ENCODING')
  assert.equal(refusal(Buffer.from('<a/>', 'utf16le')), 'XML_ENCODING')
  assert.equal(refusal(Buffer.concat([Buffer.from('<a>'), Buffer.from([0xc3])])), 'XML_ENCODING')
})

test('limits hold, each with its code', () => {
  assert.equal(refusal('<a/>', { bytes: 3 }), 'XML_TOO_LARGE')
  assert.equal(refusal('<a/>', { bytes: 4 }), 'accepted')
  assert.equal(refusal('<a><b><c/></b></a>', { depth: 2 }), 'XML_TOO_DEEP')
  assert.equal(refusal('<a><b><c/></b></a>', { depth: 3 }), 'accepted')
  assert.equal(refusal('<a b="" c="" xmlns="u"/>', { attributes: 2 }), 'XML_TOO_MANY_ATTRIBUTES')
  assert.equal(refusal('<a b="" c="" xmlns="u"/>', { attributes: 3 }), 'accepted')
  assert.equal(refusal('<a><b/><b/></a>', { nodes: 2 }), 'XML_TOO_MANY_NODES')
  assert.equal(refusal('<a><b/><!-- --></a>', { nodes: 2 }), 'XML_TOO_MANY_NODES')
  assert.equal(refusal('<a b="12">34</a>', { text: 3 }), 'XML_TOO_MUCH_TEXT')
  assert.equal(refusal('<a b="12">34</a>', { text: 4 }), 'accepted')
})

test('hostile shapes cost little', () => {
  const started = process.threadCpuUsage()
  assert.equal(refusal('<a>'.repeat(200_000)), 'XML_TOO_DEEP')
  assert.equal(refusal('<a '.repeat(200_000)), 'XML_NOT_WELL_FORMED')
  assert.equal(
    refusal(`<a ${Array.from({ length: 100_000 }, (_, i) => `b${i}=""`).join(' ')}/>`),
    'XML_TOO_MANY_ATTRIBUTES',
  )
  assert.equal(refusal(`<a>${'x'.repeat(3_000_000)}</a>`, { text: 1_000_000 }), 'XML_TOO_MUCH_TEXT')
  assert.equal(refusal(`<a>${'&amp;'.repeat(200_000)}</a>`), 'accepted')
  assert.equal(refusal(`<a>${'<![CDATA[]]>'.repeat(100_000)}</a>`), 'accepted')
  // Many siblings at great depth: names are resolved through every level without the cache of bindings.
  assert.equal(refusal(`${'<a>'.repeat(250)}${'<a xml:lang=""/>'.repeat(50_000)}${'</a>'.repeat(250)}`), 'accepted')
  // Time of the processor: what else the machine does is no business of the reader's.
  const { user, system } = process.threadCpuUsage(started)
  assert.ok(user + system < 5_000_000, `${user + system} µs`)
})

test('an error names the place and quotes nothing of the document to the caller', () => {
  try {
    parseXml('<a>\n  <b secret="9990548609"></c></a>')
    assert.fail('accepted')
  } catch (error) {
    assert.ok(isSpineError(error))
    assert.deepEqual(Object.keys(error.outcome as object), ['line', 'column'])
    assert.equal((error.outcome as { line: number }).line, 2)
    assert.match(error.explanation ?? '', /line 2/)
    assert.doesNotMatch(error.explanation ?? '', /secret|999/)
  }
})

test('names like __proto__ are ordinary names', () => {
  const root = parseXml('<__proto__ __proto__="1" constructor="2"><toString/></__proto__>')
  assert.equal(root.name, '__proto__')
  assert.deepEqual(
    root.attributes.map(({ name, value }) => [name, value]),
    [
      ['__proto__', '1'],
      ['constructor', '2'],
    ],
  )
})

test('a prefix may be bound anew inside and is the outer one again behind', () => {
  const seen: string[] = []
  const start = ({ prefix, name, namespace }: XmlStart) => seen.push(`${prefix}:${name}=${namespace}`)
  readXml('<p:a xmlns:p="1"><p:b xmlns:p="2" xmlns="3"><c/><p:d/></p:b><p:e/><f/></p:a>', { start })
  assert.deepEqual(seen, ['p:a=1', 'p:b=2', ':c=3', 'p:d=2', 'p:e=1', ':f='])
})

test('a reader that has failed or ended takes no more', () => {
  const reader = new XmlReader({ start() {} })
  assert.throws(() => reader.write('<a><'.repeat(2)))
  assert.throws(() => reader.write('x'), /failed/)
  assert.throws(() => reader.end(), /failed/)
  const ended = new XmlReader({ start() {} })
  ended.write('<a/>')
  ended.end()
  assert.throws(() => ended.write('<b/>'), /ended/)
})

test('an error of the handler passes through unchanged', () => {
  const own = new Error('mine')
  assert.throws(
    () =>
      readXml('<a/>', {
        start() {
          throw own
        },
      }),
    (error) => error === own,
  )
})
