import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { elementsOf, parseXml, type XmlElement } from '@openspine/standards/xml'
import fc from 'fast-check'
import { sanitiseHtml } from './sanitise.ts'

const xhtml = 'http://www.w3.org/1999/xhtml'

describe('HTML of a record, made safe', () => {
  it('leaves a section that keeps the rules as it is, texts, ids, classes and banners alike', () => {
    const inside =
      '<h1>Medications</h1><div class="exclusion-banner"><p>Items excluded due to confidentiality and/or patient preferences</p></div>' +
      '<table id="med-tab-all-sum"><thead><tr><th>Date</th></tr></thead><tbody><tr><td class="med-item-column" colspan="9"><strong>A &amp; B &lt; 3</strong></td></tr>' +
      '<tr><td class="date-column">04-Jan-2018</td><td>one<br/>two</td></tr></tbody></table>'
    assert.deepEqual(sanitiseHtml(`<div xmlns="${xhtml}">${inside}</div>`), {
      html: `<div>${inside}</div>`,
      removed: [],
    })
  })

  const cases: readonly (readonly [given: string, html: string, removed: readonly string[]])[] = [
    ['<p>a<script>alert(1)</script>b</p>', '<p>ab</p>', ['script']],
    ['<p><SCRIPT>alert(1)</SCRIPT></p>', '<p></p>', ['script']],
    ['<td onclick="x()" ONMOUSEOVER="x()" class="k">1</td>', '<td class="k">1</td>', ['td@onclick', 'td@onmouseover']],
    ['<p style="background:url(https://x.example)">a</p>', '<p>a</p>', ['p@style']],
    ['<style>p{}</style><link rel="stylesheet" href="x"/><base href="x"/>', '', ['style', 'link', 'base']],
    ['<iframe src="https://x.example">a</iframe><object data="x"/><embed src="x"/>', '', ['iframe', 'object', 'embed']],
    [
      '<form action="x"><p>kept</p><input name="a"/><button formaction="javascript:x()">b</button></form>',
      '<p>kept</p>',
      ['form', 'input', 'button'],
    ],
    ['<img src="x" onerror="x()"/>', '', ['img']],
    ['<a href="javascript:x()">l</a>', '<a>l</a>', ['a@href']],
    ['<a href=" java&#10;script:x()">l</a>', '<a>l</a>', ['a@href']],
    ['<a href="data:text/html,x">l</a>', '<a>l</a>', ['a@href']],
    ['<a href="//x.example">l</a>', '<a>l</a>', ['a@href']],
    [
      '<a href="https://x.example/?a=1&amp;b">l</a>',
      '<a href="https://x.example/?a=1&amp;b" rel="noopener noreferrer">l</a>',
      [],
    ],
    ['<svg xmlns="http://www.w3.org/2000/svg"><script>x</script></svg>', '', ['svg']],
    [
      '<h:script xmlns:h="http://www.w3.org/1999/xhtml">x</h:script><h:b xmlns:h="http://www.w3.org/1999/xhtml">y</h:b>',
      '<b>y</b>',
      ['script'],
    ],
    ['<p xmlns:x="urn:x" x:onclick="y">a</p>', '<p>a</p>', ['p@onclick']],
    ['<font color="red"><center>kept</center></font>', 'kept', ['font', 'center']],
    ['<!-- <script>x()</script> --><?php x ?><p>a</p>', '<p>a</p>', []],
    ['<p><![CDATA[<script>x()</script>]]></p>', '<p>&lt;script&gt;x()&lt;/script&gt;</p>', []],
    ['<p>20&nbsp;&micro;g</p>', '<p>20\u00a0µg</p>', []],
    ['<td colspan="2" rowspan="x">a</td>', '<td colspan="2">a</td>', ['td@rowspan']],
    ['<p/><td/>', '<p></p><td></td>', []],
  ]
  for (const [given, html, removed] of cases)
    it(`${given.slice(0, 70)} → ${html.slice(0, 50) || 'nothing'}`, () => {
      assert.deepEqual(sanitiseHtml(`<div>${given}</div>`), { html: `<div>${html}</div>`, removed })
    })

  it('shows the source of what is no well-formed XML, as text', () => {
    for (const broken of [
      '<div><p>a</div><script>x()</script>',
      '<!DOCTYPE html [<!ENTITY a "<script/>">]><div>&a;</div>',
      '',
      `${'<b>'.repeat(5000)}`,
    ]) {
      const { html, removed } = sanitiseHtml(broken)
      assert.deepEqual(removed, ['markup'])
      assert.match(html, /^<div><pre>[^<>]*<\/pre><\/div>$/)
      assert.ok(broken === '' || html.includes('&lt;'))
    }
  })

  it('wraps what is no div, and drops a root that may not stand', () => {
    assert.equal(sanitiseHtml('<p>a</p>').html, '<div><p>a</p></div>')
    assert.equal(sanitiseHtml('<body onload="x()"><p>a</p></body>').html, '<div><p>a</p></div>')
    assert.equal(sanitiseHtml('<script>x()</script>').html, '<div></div>')
  })

  it('lets through nothing but what is on the list, whatever comes', () => {
    const names = ['div', 'p', 'script', 'a', 'td', 'form', 'x', 'SVG', 'iframe', 'Img', 'style']
    const attribute = fc.record({
      name: fc.constantFrom('onclick', 'href', 'class', 'src', 'style', 'srcdoc', 'formaction', 'xlink'),
      value: fc.constantFrom('javascript:x()', 'JaVaScRiPt:x()', 'https://x.example', '&quot;&gt;&lt;script&gt;', 'k'),
    })
    const tree: fc.Arbitrary<string> = fc.letrec<{ node: string }>((tie) => ({
      node: fc.oneof(
        { depthSize: 'small' },
        fc.constantFrom('text', '&lt;script&gt;', '&#60;b&#62;'),
        fc
          .tuple(
            fc.constantFrom(...names),
            fc.uniqueArray(attribute, { selector: ({ name }) => name, maxLength: 3 }),
            fc.array(tie('node'), { maxLength: 3 }),
          )
          .map(
            ([name, given, inside]) =>
              `<${name}${given.map((one) => ` ${one.name}="${one.value}"`).join('')}>${inside.join('')}</${name}>`,
          ),
      ),
    })).node
    fc.assert(
      fc.property(tree, (given) => {
        const root = parseXml(sanitiseHtml(`<div>${given}</div>`).html)
        const visit = (element: XmlElement): void => {
          assert.ok(['div', 'p', 'a', 'td'].includes(element.name), element.name)
          for (const { name, value } of element.attributes) {
            assert.ok(['class', 'href', 'rel'].includes(name), name)
            if (name === 'href') assert.equal(value, 'https://x.example')
          }
          elementsOf(element).forEach(visit)
        }
        visit(root)
        assert.equal(sanitiseHtml(sanitiseHtml(given).html).removed.length, 0, 'twice is once')
      }),
      { numRuns: 200 },
    )
  })
})
