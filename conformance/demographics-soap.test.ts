/** Demographics over SOAP as client systems ask it: curl, mutual TLS, the whole house. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { strictTests } from '@openspine/platform/testing'
import { readPdsRegistered, readPdsSubject, readPdsUpdated, readTransmission } from '@openspine/standards/hl7v3'
import { readDistributionEnvelope } from '@openspine/standards/itk'
import { readEnvelope, readErrorList, readFault } from '@openspine/standards/soap'
import { elementsOf, type XmlElement } from '@openspine/standards/xml'
import { consumer, type Sandbox, startSandbox } from './sandbox.ts'

const run = promisify(execFile)
const has = (name: string, argument: string) =>
  run(name, [argument]).then(
    () => true,
    () => false,
  )
const [curl, xmllint] = await Promise.all([has('curl', '--version'), has('xmllint', '--version')])
const needsCurl = { skip: curl || strictTests ? false : 'curl is not installed' }
const needsXmllint = { skip: (curl && xmllint) || strictTests ? false : 'xmllint is not installed' }

const example = (name: string) => readFileSync(new URL(`../examples/pds-hl7v3/${name}`, import.meta.url), 'utf8')

/** The example as a known client writes it: default namespace in the body, hl7 in the header, the value before its text. */
const retrieval = ({ number = '9990548609', sender = consumer.asid as string } = {}) =>
  example('retrieval.xml').replaceAll('9990548609', number).replaceAll(consumer.asid, sender)

const mini = (expires: string) => example('number.xml').replace('2099-01-01T00:00:00Z', expires)

const query = 'urn:nhs:names:services:pdsquery/QUPA_IN000008UK02'

describe('demographics over SOAP, mutual TLS and curl', needsCurl, () => {
  let sandbox: Sandbox
  let folder: string

  before(async () => {
    sandbox = await startSandbox()
    folder = await mkdtemp(join(tmpdir(), 'openspine-soap-'))
    const { material, spine } = sandbox
    const other = await spine.platform.trust.identity('other.openspine.example')
    await Promise.all([
      writeFile(join(folder, 'ca.pem'), material.ca),
      writeFile(join(folder, 'consumer.pem'), material.cert + material.key),
      writeFile(join(folder, 'other.pem'), other.certificate + other.chain + other.key),
    ])
  })
  after(async () => {
    await sandbox?.stop()
    await rm(folder, { recursive: true, force: true })
  })

  async function post(
    path: string,
    body: string,
    about: { action?: string; certificate?: string | undefined } = { certificate: 'consumer.pem' },
  ) {
    const file = join(folder, 'request.xml')
    await writeFile(file, body)
    const { certificate = 'consumer.pem', action } = about
    const { stdout } = await run('curl', [
      '-s',
      '-i',
      ...['--cacert', join(folder, 'ca.pem')],
      ...(certificate === '' ? [] : ['--cert', join(folder, certificate)]),
      ...(action === undefined ? [] : ['-H', `SOAPAction: "${action}"`]),
      ...['-H', 'Content-Type: text/xml; charset=UTF-8', '--data-binary', `@${file}`],
      `${sandbox.spine.urls['spine']}${path}`,
    ])
    const [head = '', ...rest] = stdout.split('\r\n\r\n')
    const text = rest.join('\r\n\r\n')
    return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1]), head, text }
  }

  const transmission = (text: string) => {
    const [wrapper] = readEnvelope(text).body
    assert.ok(wrapper, text)
    const [payload] = elementsOf(wrapper)
    assert.ok(payload, text)
    return { wrapper, ...readTransmission(payload) }
  }
  const errors = (text: string) =>
    readErrorList(readFault(readEnvelope(text)) ?? { detail: [] }).map(({ errorCode }) => errorCode)

  it('retrieves a person at both addresses, in text/xml and with a length', async () => {
    for (const path of ['/sync-service', '/syncservice-pds/pds']) {
      const { status, head, text } = await post(path, retrieval(), { action: query })
      assert.equal(status, 200, text)
      assert.match(head, /^content-type: text\/xml\r?$/im)
      assert.match(head, /^content-length: \d+\r?$/im)
      const { wrapper, interaction, controlAct } = transmission(text)
      assert.deepEqual([wrapper.name, interaction], ['retrievalQueryResponse', 'QUPA_IN000009UK03'])
      const [subject] = controlAct.content
      assert.equal(readPdsSubject(subject as XmlElement)[0]?.names[0]?.family[0], 'Testcase')
    }
  })

  it('refuses without a certificate, with another system’s, and for an interaction that is not there', async () => {
    const none = await post('/sync-service', retrieval(), { action: query, certificate: '' })
    assert.deepEqual([none.status, errors(none.text)], [500, ['300']])
    const other = await post('/sync-service', retrieval(), { action: query, certificate: 'other.pem' })
    assert.deepEqual([other.status, errors(other.text)], [500, ['300']])
    const foreign = await post('/sync-service', retrieval(), {
      action: 'urn:nhs:names:services:mmquery/QURX_IN000005UK99',
    })
    assert.deepEqual([foreign.status, errors(foreign.text)], [500, ['101']])
    const unnamed = await post('/sync-service', retrieval(), {})
    assert.equal(unnamed.status, 400)
  })

  it('tells a client of the practice systems’ ASID that the certificate is not theirs', async () => {
    const { status, head, text } = await post('/sync-service', retrieval({ sender: '200000100001' }), { action: query })
    assert.deepEqual([status, errors(text)], [500, ['300']])
    assert.match(head, /^x-openspine-rule: SENDER_CERTIFICATE; /im)
  })

  it('says no match in the form of the Spine, and the audit knows who asked', async () => {
    const { status, text } = await post('/sync-service', retrieval({ number: '9999999999' }), { action: query })
    const { interaction, acknowledgement, controlAct } = transmission(text)
    assert.deepEqual([status, interaction, acknowledgement?.typeCode], [200, 'QUQI_IN010000UK14', 'AE'])
    assert.deepEqual(
      controlAct.reasons.map(({ code, displayName, qualifiers }) => [code, displayName, qualifiers?.[0]?.code]),
      [
        ['1', 'No match to a Service User record', 'ER'],
        ['RT003', 'No match to a Service User record', 'ER'],
      ],
    )
  })

  it('changes a record once, and tells the new version', async () => {
    const action = 'urn:nhs:names:services:pds/PRPA_IN000203UK03'
    const first = await post('/sync-service', example('update.xml'), { action })
    assert.equal(first.status, 200, first.text)
    const [payload] = readEnvelope(first.text).body
    const { interaction, controlAct } = readTransmission(payload as XmlElement)
    assert.equal(interaction, 'PRPA_IN000202UK01')
    assert.equal(readPdsUpdated(controlAct.content[0] as XmlElement), '3')
    const again = await post('/sync-service', example('update.xml'), { action })
    assert.equal(again.text, first.text)
    const read = await post('/sync-service', retrieval(), { action: query })
    const [person] = readPdsSubject(transmission(read.text).controlAct.content[0] as XmlElement)
    assert.equal(person?.serialChangeNumber, '3')
    assert.ok(person.telecoms.some(({ value }) => value === 'tel:01632960099'))
  })

  it('gives a new person a number once, and another message that asks for the same person that number', async () => {
    const action = 'urn:nhs:names:services:pds/PRPA_IN000200UK03'
    const first = await post('/sync-service', example('register.xml'), { action })
    assert.equal(first.status, 200, first.text)
    const [payload] = readEnvelope(first.text).body
    const { interaction, controlAct } = readTransmission(payload as XmlElement)
    assert.equal(interaction, 'PRPA_IN000201UK01', first.text)
    const { nhsNumber, serialChangeNumber } = readPdsRegistered(controlAct.content[0] as XmlElement) ?? {}
    assert.equal(serialChangeNumber, '1')
    const again = await post('/sync-service', example('register.xml'), { action })
    assert.equal(again.text, first.text)
    const other = await post('/sync-service', example('register.xml').replaceAll('-000000000003', '-000000000004'), {
      action,
    })
    assert.ok(other.text.includes(`SINGLE_MATCH: Unable to create new patient. NHS number ${nhsNumber}`), other.text)
    const read = await post('/sync-service', retrieval({ number: nhsNumber ?? '' }), { action: query })
    const [person] = readPdsSubject(transmission(read.text).controlAct.content[0] as XmlElement)
    assert.equal(person?.names[0]?.family[0], 'Toregister')
  })

  it('serves the Mini Services', async () => {
    const { status, text } = await post('/smsp/pds', mini('2099-01-01T00:00:00Z'), {
      action: 'urn:nhs-itk:services:201005:getNHSNumber-v1-0',
    })
    assert.equal(status, 200, text)
    const [root] = readEnvelope(text).body
    const [payload] = readDistributionEnvelope(root as XmlElement).payloads
    assert.match(text, /code="SMSP-0000"/)
    assert.match(text, /extension="9990548609"/)
    assert.ok(payload)
    const late = await post('/smsp/pds', mini('2026-01-01T00:00:00Z'), {
      action: 'urn:nhs-itk:services:201005:getNHSNumber-v1-0',
    })
    assert.equal(late.status, 500)
    assert.match(late.text, /<itk:ErrorCode codeSystem="2\.16\.840\.1\.113883\.2\.1\.3\.2\.4\.17\.268">3000</)
  })

  it('writes documents that another reader takes apart', needsXmllint, async () => {
    const value = async (expression: string, text: string) => {
      const file = join(folder, 'reply.xml')
      await writeFile(file, text)
      const { stdout } = await run('xmllint', ['--noent', '--nonet', '--xpath', expression, file])
      return stdout.trim()
    }
    const { text } = await post('/sync-service', retrieval({ number: '9990548811' }), { action: query })
    const at = (path: string) => path.replaceAll(/([A-Za-z][\w.]*)/g, "*[local-name()='$1']")
    assert.equal(await value(`count(${at('/Envelope/Body/retrievalQueryResponse')}/*)`, text), '1')
    const person = at('//patientPerson')
    assert.equal(await value(`count(${person}/*[local-name()='COCT_MT000203UK02.PartOfWhole'])`, text), '4')
    assert.equal(await value(`namespace-uri(${person})`, text), 'urn:hl7-org:v3')
    assert.equal(
      await value(`string(${at('//patientCareProvisionEvent/performer/assignedEntity/id')}/@extension)`, text),
      'A20047',
    )
  })
})
