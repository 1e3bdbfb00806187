import { type Cd, hl7, oid, writeAd, writeCd, writeIi, writePn, writeTel } from '@openspine/standards/hl7v3'
import { writeDistributionEnvelope } from '@openspine/standards/itk'
import { noAddressing, writeAddressing, writeEnvelope } from '@openspine/standards/soap'
import type { XmlElement } from '@openspine/standards/xml'
import { genderCode } from '../asked.ts'
import { asJson, items, type Json, text } from '../person.ts'
import { addressOf, moment, nameOf, telecomOf } from '../spine-person.ts'
import { actionOf, type Operation, replyName } from './operations.ts'
import type { MiniResult } from './run.ts'

/** What every reply needs. Ids are upper-case UUIDs. */
export interface MiniReplyTo {
  readonly operation: Operation
  readonly messageId: string
  readonly trackingId: string
  readonly payloadId: string
  /** Name of a practice; undefined where the directory does not know it. */
  practiceName(odsCode: string): string | undefined
}

const fixed = (codeSystem: string, code: string): Cd => ({ codeSystem, code })
const addressUses: ReadonlySet<unknown> = new Set(['home', 'temp', 'billing'])

const nhsNumber = (extension: string) => writeIi('id', { root: oid.nhsNumber, extension })

function practice(shown: Json, { practiceName }: MiniReplyTo): XmlElement | undefined {
  const odsCode = text(asJson(items(shown['generalPractitioner'])[0]?.['identifier'])['value'])
  if (odsCode === undefined) return undefined
  const name = practiceName(odsCode)
  return hl7(
    'gPPractice',
    { classCode: 'SDLOC' },
    hl7(
      'locationOrganization',
      { classCode: 'ORG', determinerCode: 'INSTANCE' },
      writeIi('id', { root: oid.site, extension: odsCode }),
      name === undefined ? undefined : hl7('name', {}, name),
    ),
  )
}

/** Everything of a person that the details have; five address lines always, empty ones as empty elements. */
function details(number: string, shown: Json, to: MiniReplyTo): XmlElement {
  const [usual] = items(shown['name']).filter(({ use }) => use === 'usual')
  const gender = genderCode(shown['gender'])
  const birth = moment(shown['birthDate'])
  const died = moment(shown['deceasedDateTime'])
  return hl7(
    'subject',
    { typeCode: 'SBJ' },
    hl7(
      'patient',
      { classCode: 'PAT' },
      nhsNumber(number),
      usual && writePn('name', withoutUse(nameOf(usual))),
      ...items(shown['address'])
        .filter(({ use }) => addressUses.has(use))
        .map((address) => {
          const { use = 'H', lines, postalCode } = addressOf(address)
          const short = { use, lines, ...(postalCode === undefined ? {} : { postalCode }) }
          return writeAd('addr', short, { codeFirst: true })
        }),
      ...items(shown['telecom']).map((telecom) => {
        const { id, ...shortened } = telecomOf(telecom)
        return writeTel('telecom', shortened)
      }),
      hl7(
        'patientPerson',
        { classCode: 'PSN', determinerCode: 'INSTANCE' },
        gender === undefined ? undefined : writeCd('administrativeGenderCode', { code: gender, codeSystem: oid.sex }),
        birth === undefined ? undefined : hl7('birthTime', { value: birth }),
        died === undefined ? undefined : hl7('deceasedTime', { value: died }),
        practice(shown, to),
      ),
    ),
  )
}

const withoutUse = ({ prefix, given, family, suffix }: ReturnType<typeof nameOf>) => ({ prefix, given, family, suffix })

function content(result: MiniResult, to: MiniReplyTo): XmlElement | undefined {
  if (result.code !== 'SMSP-0000') return undefined
  const { person, shown } = result
  if (to.operation === 'verifyNHSNumber')
    return hl7(
      'component',
      { typeCode: 'COMP' },
      hl7(
        'validIdentifier',
        { classCode: 'OBS', moodCode: 'EVN' },
        writeCd('code', fixed(oid.validIdentifier, 'VI')),
        hl7('value', { value: 'true' }),
        hl7('subject', { typeCode: 'SBJ' }, hl7('patient', { classCode: 'PAT' }, nhsNumber(person.nhsNumber))),
      ),
    )
  if (to.operation === 'getNHSNumber')
    return hl7('subject', { typeCode: 'SBJ' }, hl7('patient', { classCode: 'PAT' }, nhsNumber(person.nhsNumber)))
  return details(person.nhsNumber, shown, to)
}

/** The reply as a document: always 200, whatever the code. */
export function writeMiniReply(result: MiniResult, to: MiniReplyTo): string {
  const name = replyName(to.operation)
  const action = `${actionOf(to.operation)}Response`
  const payload = hl7(
    name,
    { classCode: 'OBS', moodCode: 'EVN' },
    writeIi('id', { root: to.payloadId }),
    writeCd('code', fixed(oid.miniServiceMessage, name)),
    writeCd('value', fixed(oid.miniServiceResponse, result.code)),
    content(result, to),
  )
  const id = `uuid_${to.payloadId}`
  const envelope = writeDistributionEnvelope({
    service: action,
    trackingId: to.trackingId,
    addresses: [],
    auditIdentities: [],
    handling: [],
    manifest: [
      {
        id,
        mimetype: 'text/xml',
        profileid: `urn:nhs-en:profile:${name}`,
        base64: false,
        compressed: false,
        encrypted: false,
      },
    ],
    payloads: [{ id, content: [payload] }],
  })
  const headers = writeAddressing({ ...noAddressing, messageId: [to.messageId], action: [action] }, '2005/08')
  return writeEnvelope({ headers, body: [envelope] }, miniStyle)
}

/** Prefixes of every document of the Mini Services. */
export const miniStyle = {
  prefix: 'soap',
  declare: [
    ['wsa', 'http://www.w3.org/2005/08/addressing'],
    ['itk', 'urn:nhs-itk:ns:201005'],
  ] as const,
}
