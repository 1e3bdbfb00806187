import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { isSpineError } from '../error.ts'
import { makeElement, parseXml, writeXml } from '../xml/xml.ts'
import {
  type DistributionEnvelope,
  readDistributionEnvelope,
  readToolkitError,
  writeDistributionEnvelope,
  writeToolkitError,
} from './itk.ts'

/** A record with the prototype that readers give. */
function record<Model extends object, Key extends keyof Model = keyof Model>(
  model: { [Member in keyof Model]: fc.Arbitrary<Model[Member]> },
  { requiredKeys }: { readonly requiredKeys?: readonly Key[] } = {},
) {
  return fc.record<Model, Key>(model, {
    noNullPrototype: true,
    ...(requiredKeys === undefined ? {} : { requiredKeys: [...requiredKeys] }),
  } as never)
}

const text = fc.stringMatching(/^[!-~é]([ -~é]{0,12}[!-~é])?$/)
const address = record({ uri: text, type: text }, { requiredKeys: ['uri'] })
const flag = fc.boolean()

const envelope: fc.Arbitrary<DistributionEnvelope> = record(
  {
    service: text,
    trackingId: fc.uuid(),
    addresses: fc.array(address, { maxLength: 2 }),
    auditIdentities: fc.array(address, { maxLength: 2 }),
    sender: address,
    handling: fc.array(record({ key: text, value: text }), { maxLength: 2 }),
    items: fc.uniqueArray(
      record(
        { id: fc.uuid(), mimetype: text, profileid: text, base64: flag, compressed: flag, encrypted: flag },
        { requiredKeys: ['id', 'mimetype'] },
      ),
      { minLength: 1, maxLength: 3, selector: ({ id }) => id },
    ),
  },
  { requiredKeys: ['service', 'trackingId', 'addresses', 'auditIdentities', 'handling', 'items'] },
).map(({ items, ...rest }) => ({
  ...rest,
  manifest: items,
  payloads: items.map(({ id }) => ({ id, content: [`text of ${id}`] })),
}))

const written = writeXml(
  writeDistributionEnvelope({
    service: 'urn:nhs-itk:services:201005:getNHSNumber-v1-0',
    trackingId: '2D37D9CA-5223-41C7-A159-F33D5A914EB5',
    addresses: [],
    auditIdentities: [{ type: '1.2.826.0.1285.0.2.0.107', uri: '200000100000' }],
    manifest: [{ id: 'uuid_1', mimetype: 'text/xml' }],
    handling: [],
    payloads: [{ id: 'uuid_1', content: [makeElement('urn:hl7-org:v3', 'a')] }],
  }),
)

describe('the distribution envelope', () => {
  it('reads what it writes', () => {
    fc.assert(
      fc.property(envelope, (value) => {
        assert.deepEqual(readDistributionEnvelope(parseXml(writeXml(writeDistributionEnvelope(value)))), value)
      }),
    )
  })

  it('refuses one that lacks a part, and one whose manifest does not fit', () => {
    const refusal = (document: string) => {
      try {
        readDistributionEnvelope(parseXml(document))
      } catch (error) {
        if (isSpineError(error)) return error.code
        throw error
      }
      return 'accepted'
    }
    assert.equal(refusal(written), 'accepted')
    assert.equal(refusal('<a/>'), 'ITK_STRUCTURE')
    assert.equal(refusal(written.replace(/ service="[^"]*"/, '')), 'ITK_STRUCTURE')
    assert.equal(refusal(written.replace(/<itk:manifest .*<\/itk:manifest>/, '')), 'ITK_STRUCTURE')
    assert.equal(refusal(written.replace(/<itk:payloads.*<\/itk:payloads>/, '')), 'ITK_STRUCTURE')
    assert.equal(refusal(written.replace('<itk:payloads count="1">', '<itk:payloads count="2">')), 'ITK_MANIFEST')
    assert.equal(refusal(written.replace('<itk:payload id="uuid_1">', '<itk:payload id="uuid_2">')), 'ITK_MANIFEST')
  })
})

it('carries a fault of the toolkit in its detail', () => {
  const error = { id: 'E1', code: '1000', text: 'Invalid Message', diagnostic: 'no manifest' }
  assert.deepEqual(readToolkitError([parseXml(writeXml(writeToolkitError(error)))]), error)
  assert.equal(readToolkitError([]), undefined)
})
