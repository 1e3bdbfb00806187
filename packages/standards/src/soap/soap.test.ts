import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { isSpineError } from '../error.ts'
import { makeElement, type XmlElement } from '../xml/xml.ts'
import {
  type Addressing,
  type AddressingEdition,
  addressingNamespaces,
  noAddressing,
  readAddressing,
  readEnvelope,
  readErrorList,
  readFault,
  readSecurity,
  readSoapAction,
  securityTime,
  soapNamespace,
  writeAddressing,
  writeEnvelope,
  writeErrorList,
  writeFault,
  writeSecurity,
} from './soap.ts'

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

/** Text that XML can carry and that trimming leaves alone. */
const text = fc.stringMatching(/^[!-~éß€]([ -~éß€]{0,12}[!-~éß€])?$/)
const list = fc.array(text, { maxLength: 3 })

function refusal(document: string): string {
  try {
    readEnvelope(document)
  } catch (error) {
    if (isSpineError(error)) return error.code
    throw error
  }
  return 'accepted'
}

const wrap = (inner: string) => `<s:Envelope xmlns:s="${soapNamespace}">${inner}</s:Envelope>`

describe('the envelope', () => {
  it('reads what it writes, under any prefix, and header blocks stay header blocks', () => {
    fc.assert(
      fc.property(list, list, fc.constantFrom('SOAP', 'SOAP-ENV', 'soap', 'S'), (headers, body, prefix) => {
        const elements = (texts: readonly string[]): XmlElement[] =>
          texts.map((each, index) => makeElement('urn:x', `e${index}`, { a: each }, [each]))
        const written = writeEnvelope({ headers: elements(headers), body: elements(body) }, { prefix })
        const read = readEnvelope(written)
        const plain = (found: readonly XmlElement[] = []) =>
          found.map(({ name, attributes, children }) => [name, attributes[0]?.value, children[0]])
        assert.deepEqual(
          plain(read.headers),
          headers.map((each, index) => [`e${index}`, each, each]),
        )
        assert.deepEqual(
          plain(read.body),
          body.map((each, index) => [`e${index}`, each, each]),
        )
      }),
    )
  })

  it('tells no header from an empty one', () => {
    assert.equal(readEnvelope(wrap('<s:Body/>')).headers, undefined)
    assert.deepEqual(readEnvelope(wrap('<s:Header/><s:Body/>')).headers, [])
  })

  it('refuses what is no message, with a code for each', () => {
    const cases: readonly (readonly [string, string])[] = [
      ['', 'XML_NOT_WELL_FORMED'],
      ['<a/>', 'SOAP_NOT_ENVELOPE'],
      ['<Envelope xmlns="http://www.w3.org/2003/05/soap-envelope"><Body/></Envelope>', 'SOAP_NOT_ENVELOPE'],
      [wrap(''), 'SOAP_STRUCTURE'],
      [wrap('<s:Header/>'), 'SOAP_STRUCTURE'],
      [wrap('<s:Body/><s:Body/>'), 'SOAP_STRUCTURE'],
      [wrap('<s:Header/><s:Header/><s:Body/>'), 'SOAP_STRUCTURE'],
      [wrap('<s:Body/><s:Header/>'), 'SOAP_STRUCTURE'],
      [wrap('<s:Body/><x/>'), 'SOAP_STRUCTURE'],
      [wrap('text<s:Body/>'), 'SOAP_STRUCTURE'],
      [wrap('<s:Body>text</s:Body>'), 'SOAP_STRUCTURE'],
      [`<!DOCTYPE s [<!ENTITY x SYSTEM "file:///etc/passwd">]>${wrap('<s:Body>&x;</s:Body>')}`, 'XML_DTD_FORBIDDEN'],
      [wrap(`<s:Body>${'<a>'.repeat(300)}${'</a>'.repeat(300)}</s:Body>`), 'XML_TOO_DEEP'],
    ]
    for (const [document, code] of cases) assert.equal(refusal(document), code, document.slice(0, 120))
  })
})

describe('addressing', () => {
  const addressing: fc.Arbitrary<Addressing> = record({
    messageId: list,
    action: list,
    to: fc.array(fc.oneof(text, fc.constant('')), { maxLength: 2 }),
    from: list,
    replyTo: list,
    faultTo: list,
    relatesTo: list,
  })

  it('reads what it writes in both editions, every occurrence of it', () => {
    fc.assert(
      fc.property(
        addressing,
        fc.constantFrom<AddressingEdition>(...(Object.keys(addressingNamespaces) as AddressingEdition[])),
        (value, edition) => {
          const document = writeEnvelope({ headers: writeAddressing(value, edition), body: [] })
          const { headers = [] } = readEnvelope(document)
          assert.deepEqual(readAddressing(headers, edition), value)
          const other = edition === '2004/08' ? '2005/08' : '2004/08'
          assert.deepEqual(readAddressing(headers, other), noAddressing)
        },
      ),
    )
  })
})

describe('faults', () => {
  it('reads what it writes, with the error list of the Spine', () => {
    const entry = record({
      codeContext: text,
      errorCode: text,
      severity: text,
      location: text,
      description: text,
    })
    fc.assert(
      fc.property(
        fc.constantFrom('Client', 'Server'),
        text,
        fc.array(entry, { minLength: 1, maxLength: 3 }),
        (code, string, entries) => {
          const fault = readFault(readEnvelope(writeFault({ code, string, detail: [writeErrorList(entries)] })))
          assert.ok(fault)
          assert.deepEqual([fault.code, fault.string, readErrorList(fault)], [code, string, entries])
        },
      ),
    )
  })

  it('writes the fault of the specification, its parts without a namespace', () => {
    const detail = writeErrorList([
      {
        codeContext: 'urn:nhs:names:error:tms',
        errorCode: '200',
        severity: 'Error',
        location: 'Not Supported',
        description: 'System failure to process message - default',
      },
    ])
    assert.equal(
      writeFault({ code: 'Server', string: 'Application Exception', detail: [detail] }),
      '<?xml version="1.0" encoding="UTF-8"?>\n<SOAP:Envelope xmlns:SOAP="http://schemas.xmlsoap.org/soap/envelope/"><SOAP:Body><SOAP:Fault><faultcode>SOAP:Server</faultcode><faultstring>Application Exception</faultstring><detail><nasp:errorList xmlns:nasp="http://national.carerecords.nhs.uk/schema/"><nasp:error><nasp:codeContext>urn:nhs:names:error:tms</nasp:codeContext><nasp:errorCode>200</nasp:errorCode><nasp:severity>Error</nasp:severity><nasp:location>Not Supported</nasp:location><nasp:description>System failure to process message - default</nasp:description></nasp:error></nasp:errorList></detail></SOAP:Fault></SOAP:Body></SOAP:Envelope>',
    )
    assert.equal(readFault(readEnvelope(wrap('<s:Body><a/></s:Body>'))), undefined)
  })
})

describe('security', () => {
  it('reads what it writes', () => {
    const security = record({ created: text, expires: text, username: text, timestampId: text }, { requiredKeys: [] })
    fc.assert(
      fc.property(security, (value) => {
        const { headers = [] } = readEnvelope(writeEnvelope({ headers: [writeSecurity(value)], body: [] }))
        assert.deepEqual(readSecurity(headers), value)
      }),
    )
    assert.equal(readSecurity([]), undefined)
  })

  it('reads times in UTC and with an offset, and nothing else', () => {
    assert.equal(securityTime('2026-01-05T09:00:00Z'), Date.parse('2026-01-05T09:00:00Z'))
    assert.equal(securityTime('2026-01-05T10:00:00.123+01:00'), Date.parse('2026-01-05T09:00:00Z'))
    for (const wrong of ['', '2026-01-05', '2026-01-05T09:00:00', '2026-02-30T09:00:00Z', '2026-13-01T00:00:00Z'])
      assert.equal(securityTime(wrong), undefined, wrong)
  })
})

it('reads a SOAPAction with and without quotes, and mends the doubled urn', () => {
  assert.equal(readSoapAction('"urn:nhs:names:services:pdsquery/X"'), 'urn:nhs:names:services:pdsquery/X')
  assert.equal(readSoapAction('urn:urn:nhs:names:services:pdsquery/X'), 'urn:nhs:names:services:pdsquery/X')
  for (const none of [undefined, '', ' ', '""']) assert.equal(readSoapAction(none), undefined)
})
