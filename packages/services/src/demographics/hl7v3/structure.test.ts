import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { strictTests } from '@openspine/platform/testing'
import { oid } from '@openspine/standards/hl7v3'
import { parseXml, writeXml, type XmlElement } from '@openspine/standards/xml'
import { answerRules, structureFaults } from './answer-structure.test-kit.ts'
import { at, face, indicator, named, number, sound } from './hl7v3.test-kit.ts'
import { changes, interactions } from './interactions.ts'

const run = promisify(execFile)
const xmllint = await run('xmllint', ['--version']).then(
  () => true,
  () => false,
)

/** Answers of every kind to requests in both styles of senders, each with what it answers. */
async function answers(): Promise<readonly (readonly [asked: string, body: string])[]> {
  const over = face()
  const told: (readonly [string, string])[] = []
  let count = 0
  const people = [
    '9990548609',
    '9990548625',
    '9990548668',
    '9990548684',
    '9990548692',
    '9990548811',
    '9990548838',
    '9990548846',
  ]
  const others = ['9990548854', '9990548889', '9999999999', '123']
  for (const { request, kind } of interactions)
    for (const style of ['schema', 'live'] as const) {
      const ask = async (more: Parameters<typeof over.ask>[1], spoil?: (text: string) => string) => {
        const options = { style, ...(spoil && { spoil }) }
        const { body } = await over.ask(request, { ...sound[kind], ...more }, options)
        told.push([`${request} ${style} ${count++}`, body])
      }
      await ask({})
      for (const one of kind === 'retrieval' ? [...people, ...others] : ['9990548692', ...others])
        await ask({ personId: [number(one)], historicDataIndicator: [indicator('1')] })
      await ask({ birthTime: [at('19700124')], personName: [named('Mockley')], gender: [{ code: '2' }], personId: [] })
      await ask({
        birthTime: [at('19850525')],
        personName: [named('Restricted')],
        gender: [{ code: '2' }],
        personId: [],
      })
      await ask({ birthTime: [] })
      await ask({}, (text) => text.replace(/<versionCode[^>]*>/, ''))
      await ask({}, (text) => text.replace(/(<\/[\w-]+:Header>.*?<id) root="[^"]*"/, '$1'))
      await ask({}, (text) => text.slice(0, -5))
    }
  const gender = { gender: { code: '2', updateMode: 'altered' } } as const
  for (const { request: interaction, kind } of changes) {
    if (!kind.endsWith('update')) continue
    const change = async (...[about, changed, options]: Parameters<typeof over.change>) => {
      const id = `0A1B2C3D-0000-4000-8000-${String(count++).padStart(12, '0')}`
      const { body } = await over.change(about, changed, { interaction, id, ...options })
      told.push([`${interaction} ${count}`, body])
    }
    await change({ number: '9990548609', version: String((await over.retrieve('9990548609')).version) }, gender)
    await change({ number: '9990548609', version: '1' }, gender)
    await change({ number: '9999999999', version: '1' }, gender)
    await change({ number: '9990548609', version: '1' }, { gender: { updateMode: 'removed' } })
    await change({ number: '9990548609', version: '1' }, gender, {
      spoil: (text) => text.replace(/<subject[\s\S]*<\/subject>/, ''),
    })
  }
  return told
}

let corpus: readonly (readonly [asked: string, body: string])[]
before(async () => {
  corpus = await answers()
})

type Path = readonly number[]
const isElement = (child: XmlElement | string): child is XmlElement => typeof child !== 'string'

/** Every element of a document, with the places that lead to it. */
function everyElement(element: XmlElement, path: Path = []): readonly (readonly [Path, XmlElement])[] {
  return [
    [path, element],
    ...element.children.flatMap((child, place) => (isElement(child) ? everyElement(child, [...path, place]) : [])),
  ]
}

function changedAt(element: XmlElement, [place, ...rest]: Path, change: (found: XmlElement) => XmlElement): XmlElement {
  if (place === undefined) return change(element)
  const child = element.children[place]
  assert.ok(child !== undefined && isElement(child))
  return { ...element, children: element.children.with(place, changedAt(child, rest, change)) }
}

/** Attributes whose values are fixed wherever they stand. */
const fixed = new Set(['classCode', 'typeCode', 'moodCode', 'determinerCode', 'codeSystem', 'contextConductionInd'])

/** Mutations that break an answer whatever it is: each with its name. */
function* mutations(root: XmlElement): Generator<readonly [name: string, mutated: XmlElement]> {
  const unknown: XmlElement = { ...root, name: 'unknown', attributes: [], children: [] }
  for (const [path, element] of everyElement(root)) {
    const at = (change: (found: XmlElement) => XmlElement) => changedAt(root, path, change)
    const { name, children } = element
    const leaf = children.every((child) => !isElement(child))
    yield [`${name}: another element within`, at((found) => ({ ...found, children: [...found.children, unknown] }))]
    yield [
      `${name}: another attribute`,
      at((found) => ({
        ...found,
        attributes: [...found.attributes, { namespace: '', prefix: '', name: 'more', value: 'x' }],
      })),
    ]
    if (!leaf) yield [`${name}: text between`, at((found) => ({ ...found, children: ['text', ...found.children] }))]
    if (path.length > 0) {
      yield [`${name}: renamed`, at((found) => ({ ...found, name: `${found.name}X` }))]
      yield [`${name}: of another namespace`, at((found) => ({ ...found, namespace: 'urn:other' }))]
    }
    for (const [place, { name: attribute, value }] of element.attributes.entries())
      if (fixed.has(attribute) && value !== 'PRS')
        yield [
          `${name}/@${attribute}: another value`,
          at((found) => ({
            ...found,
            attributes: found.attributes.with(place, {
              ...found.attributes[place],
              value: `${value}9`,
            } as XmlElement['attributes'][number]),
          })),
        ]
    const within = children.flatMap((child, place) => (isElement(child) ? [[place, child] as const] : []))
    for (const [index, [place, child]] of within.entries()) {
      const next = within[index + 1]
      if (next !== undefined && next[1].name !== child.name)
        yield [
          `${name}: ${child.name} behind ${next[1].name}`,
          at((found) => ({ ...found, children: found.children.with(place, next[1]).with(next[0], child) })),
        ]
    }
  }
}

/** By the message that is broken, and what is done to its text: each must be noticed. */
const spoilt: readonly (readonly [message: string, from: RegExp, to: string])[] = [
  ['QUPA_IN000009UK03', /<pertinentInformation.*?<\/pertinentInformation>/s, ''],
  ['QUPA_IN000009UK03', /(<patientRole classCode="PAT">)<id[^>]*>/, '$1'],
  ['QUPA_IN000009UK03', new RegExp(`root="${oid.pdsObject}"`), `root="${oid.organisation}"`],
  ['QUPA_IN000009UK03', /<streetAddressLine\/>/, ''],
  ['QUPA_IN000009UK03', /administrativeGenderCode code="\d"/, 'administrativeGenderCode code="7"'],
  ['QUPA_IN000009UK03', /birthTime value="\d+"/, 'birthTime value="1980-02-29"'],
  ['QUPA_IN000009UK03', /<preferenceInd[^>]*>/, ''],
  ['QUPA_IN000009UK06', /UK03\.PartOfWhole/g, 'UK02.PartOfWhole'],
  ['QUPA_IN000007UK01', /<queryAck.*<\/queryAck>/, ''],
  ['QUPA_IN000007UK01', /queryResponseCode code="OK"/, 'queryResponseCode code="ID"'],
  ['QUPA_IN000011UK02', /<matchingLevel.*?<\/matchingLevel>/, ''],
  ['QUPA_IN000010UK02', /<id root="[^"]*" extension="\d{10}"\/>/, '<id root="1" extension="1"/>'],
  ['QUPA_IN000015UK02', /<crossCheckTraceQueryResponse>(.*)<\/crossCheckTraceQueryResponse>/s, '$1'],
  ['QUQI_IN010000UK14', /<reason .*<\/reason>/, ''],
  ['QUQI_IN010000UK14', /typeCode="AE"/, 'typeCode="AA"'],
  ['MCCI_IN010000UK13', /<wsa:RelatesTo>.*<\/wsa:RelatesTo>/, ''],
  ['PRPA_IN000202UK01', /V3NPfIT4\.2\.00/, 'V3NPfIT3.0'],
  ['PRPA_IN000202UK01', /<value value="\d+"\/>/, ''],
  ['PRPA_IN000209UK02', / contextConductionInd="false"/, ''],
]

describe('the structure of answers', () => {
  it('is that of the rules, whoever asked in whichever style, found or refused', () => {
    for (const [asked, body] of corpus) assert.deepEqual(structureFaults(parseXml(body)), [], `${asked}\n${body}`)
    const seen = corpus.map(([, body]) => body).join('\n')
    // Registrations are answered in a test of their own, which holds its answers against the same rules.
    const elsewhere = ['PRPA_IN000201UK01', 'PRPA_IN000206UK01']
    for (const rule of Object.keys(answerRules)) {
      const [message = ''] = rule.split(' ')
      assert.ok(elsewhere.includes(message) || seen.includes(`<${message}>`), `no answer is a ${message}`)
    }
    for (const part of [
      'scopedRelatedPersonRole',
      'use="EC"',
      'nHAISRemovalRegistrationEvent',
      'confidentialityCode',
      'notificationTime',
      'SOAP:Fault',
    ])
      assert.ok(seen.includes(part), `no answer has ${part}`)
  })

  it('is missed by every mutation of an answer', () => {
    const kinds = new Map<string, string>()
    for (const [asked, body] of corpus) {
      const kind = /<([A-Z]{4}_IN\d{6}UK\d\d)>/.exec(body)?.[1] ?? 'fault'
      // The longest has the most that can be broken.
      if ((kinds.get(kind)?.length ?? 0) < body.length && !asked.includes('live')) kinds.set(kind, body)
    }
    let tried = 0
    for (const [kind, body] of kinds)
      for (const [name, mutated] of mutations(parseXml(body))) {
        tried++
        assert.ok(structureFaults(mutated).length > 0, `${kind}: ${name} is not noticed`)
      }
    assert.ok(tried > 5_000, `${tried} mutations were tried`)
  })

  for (const [message, from, to] of spoilt)
    it(`${message} is not one with ${from} changed`, () => {
      const found = corpus.find(([, body]) => body.includes(`<${message}>`) && from.test(body))
      assert.ok(found, 'no answer can be spoilt like this')
      const [, body] = found
      assert.deepEqual(structureFaults(parseXml(body)), [])
      assert.ok(structureFaults(parseXml(body.replace(from, to))).length > 0)
    })

  it('is well-formed for another reader', {
    skip: xmllint || strictTests ? false : 'xmllint is not installed',
  }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'openspine-hl7v3-'))
    try {
      const files = await Promise.all(
        corpus.map(async ([, body], place) => {
          const file = join(folder, `${place}.xml`)
          await writeFile(file, body)
          return file
        }),
      )
      await run('xmllint', ['--noout', '--nonet', ...files])
      // That reader does find fault.
      await writeFile(join(folder, 'broken.xml'), corpus[0]?.[1].slice(0, -5) ?? '')
      await assert.rejects(run('xmllint', ['--noout', '--nonet', join(folder, 'broken.xml')]))
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })

  it('survives a reader and a writer of ours', () => {
    for (const [asked, body] of corpus.slice(0, 40))
      assert.deepEqual(structureFaults(parseXml(writeXml(parseXml(body)))), [], asked)
  })
})
