import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isSpineError } from '../error.ts'
import { attributeOf, parseXml, textOf, type XmlElement } from './tree.ts'
import { escapeAttribute, isXmlText, replaceIllegal, writeXml, XmlWriter } from './writer.ts'
import { xhtmlDivProblem } from './xhtml.ts'

const notWritable = (error: unknown) => isSpineError(error) && error.code === 'XML_NOT_WRITABLE'
/** Any text, with the awkward characters often. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom(...'<>&"\'\n\r\t]\u0000\ud800é') }),
)

test('text and attributes come back as they were, or are refused as a whole', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const write = () =>
        new XmlWriter()
          .open('', 'a', [{ name: 'b', value: text }])
          .text(text)
          .close()
          .toString()
      if (!isXmlText(text)) return assert.throws(write, notWritable)
      const root = parseXml(write())
      assert.equal(textOf(root), text)
      assert.equal(attributeOf(root, 'b'), text)
    }),
    { numRuns: 1000 },
  )
})

test('illegal characters are those that no reader accepts', () => {
  for (const code of [0, 1, 8, 11, 12, 14, 31, 0xd800, 0xdfff, 0xfffe, 0xffff]) {
    const text = `a${String.fromCharCode(code)}b`
    assert.equal(isXmlText(text), false, code.toString(16))
    assert.equal(replaceIllegal(text), 'a\ufffdb')
  }
  for (const text of ['\t\n\r', ' ', '\u007f\u0085', '\ud7ff\ue000\ufffd', '🙂']) assert.equal(isXmlText(text), true)
  assert.equal(replaceIllegal('🙂\ud83d'), '🙂\ufffd')
})

test('namespaces are declared once, where they are first needed', () => {
  const writer = new XmlWriter().declaration()
  writer.open('urn:soap', 'Envelope', [], { prefix: 's' }).open('urn:soap', 'Body', [], { prefix: 's' })
  writer.open('urn:x', 'a', [
    { name: 'r', namespace: 'urn:soap', value: '1' },
    { name: 'p', namespace: 'urn:y', value: '2', prefix: 'y' },
  ])
  writer.leaf('urn:x', 'b', '<&>').leaf('', 'c').close().close().close()
  assert.equal(
    writer.toString(),
    '<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="urn:soap"><s:Body>' +
      '<a xmlns="urn:x" xmlns:y="urn:y" s:r="1" y:p="2"><b>&lt;&amp;&gt;</b><c xmlns=""/></a></s:Body></s:Envelope>',
  )
})

test('a prefix that is taken makes way for another', () => {
  const written = new XmlWriter()
    .open('urn:a', 'a', [{ name: 'x', namespace: 'urn:b', prefix: 'p', value: '1' }], { prefix: 'p' })
    .close()
    .toString()
  const root = parseXml(written)
  assert.equal(root.namespace, 'urn:a')
  assert.equal(attributeOf(root, 'x', 'urn:b'), '1')
})

/** A tree as it reads, whatever prefixes were chosen. */
function meaning(element: XmlElement): unknown {
  return [
    element.namespace,
    element.name,
    element.attributes.map(({ namespace, name, value }) => [namespace, name, value]),
    element.children.map((child) => (typeof child === 'string' ? child : meaning(child))),
  ]
}

test('a parsed document is written to the same meaning', () => {
  const texts = [
    '<a/>',
    '<p:a xmlns:p="1"><p:b xmlns:p="2" xmlns="3"><c p:x="&#10;" x=""/></p:b><e xml:lang="en">x&amp;&#13;</e></p:a>',
    '<a xmlns="1"><b xmlns=""><c xmlns="1" xmlns:q="4" q:r="v">t<d/>u</c></b></a>',
  ]
  for (const text of texts) assert.deepEqual(meaning(parseXml(writeXml(parseXml(text)))), meaning(parseXml(text)), text)
})

test('what cannot be well-formed is refused', () => {
  assert.throws(() => new XmlWriter().open('', 'a b'), notWritable)
  assert.throws(() => new XmlWriter().open('', 'a:b'), notWritable)
  assert.throws(() => new XmlWriter().open('', ''), notWritable)
  assert.throws(() => new XmlWriter().open('', 'a', [], { prefix: 'p' }), notWritable)
  assert.throws(() => new XmlWriter().open('', 'a', [{ name: 'b>', value: '' }]), notWritable)
  const twice = { name: 'b', value: '' }
  assert.throws(() => new XmlWriter().open('', 'a', [twice, twice]), notWritable)
  assert.throws(() => escapeAttribute('\ud800'), notWritable)
  assert.throws(() => new XmlWriter().open('', 'a').toString(), /still open/)
  assert.throws(() => new XmlWriter().leaf('', 'a').open('', 'b'), /one root/)
  assert.throws(() => new XmlWriter().text('a'), /inside/)
})

test('a narrative is one well-formed div of XHTML', () => {
  const div = (inside: string) => `<div xmlns="http://www.w3.org/1999/xhtml">${inside}</div>`
  for (const good of [
    div(''),
    div('<p>a &amp; b<br/></p>'),
    div('&#160;<!-- c -->'),
    '<div xmlns="http://www.w3.org/1999/xhtml"/>',
  ])
    assert.equal(xhtmlDivProblem(good), undefined, good)
  const bad = [
    '',
    'text',
    '<p xmlns="http://www.w3.org/1999/xhtml"/>',
    '<div>x</div>',
    div('<p>'),
    div('<br>'),
    div('&nbsp;'),
    div('a & b'),
    div('<p class=a/>'),
    div('<x:p/>'),
    `${div('')}<div/>`,
    `${div('')}<!-- after -->`,
    `<?xml version="1.0"?>${div('')}`,
    `<!DOCTYPE div>${div('')}`,
    '<divx xmlns="http://www.w3.org/1999/xhtml"/>',
    div('\u0000'),
    div('<p>'.repeat(100_000)),
  ]
  for (const text of bad) assert.equal(typeof xhtmlDivProblem(text), 'string', text.slice(0, 80))
})
