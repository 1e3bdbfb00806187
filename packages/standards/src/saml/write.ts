import { XmlWriter } from '../xml/xml.ts'
import type { AssertedRole, RoleAssertion } from './assertion.ts'
import {
  assertionNamespace,
  attributeNamespace,
  authenticationMethod,
  confirmationMethod,
  nameQualifier,
  protocolNamespace,
  subjectName,
} from './names.ts'

/** `2026-01-05T09:00:00Z`. */
export const instant = (at: number): string => `${new Date(at).toISOString().slice(0, 19)}Z`

type Attributes = Readonly<Record<string, string | undefined>>

/** One document under the two prefixes that the broker uses. */
class Document {
  readonly #writer = new XmlWriter()

  open(prefix: 'saml' | 'samlp', name: string, attributes: Attributes = {}): this {
    const namespace = prefix === 'saml' ? assertionNamespace : protocolNamespace
    const written = Object.entries(attributes).flatMap(([attribute, value]) =>
      value === undefined ? [] : [{ name: attribute, value }],
    )
    this.#writer.open(namespace, name, written, { prefix })
    return this
  }

  leaf(prefix: 'saml' | 'samlp', name: string, attributes: Attributes = {}, text = ''): this {
    this.open(prefix, name, attributes)
    if (text !== '') this.#writer.text(text)
    return this.close()
  }

  text(text: string): this {
    this.#writer.text(text)
    return this
  }

  close(): this {
    this.#writer.close()
    return this
  }

  /** Attributes without a value are absent. */
  attribute(name: string, values: readonly (string | undefined)[]): this {
    const written = values.filter((value) => value !== undefined && value !== '')
    if (written.length === 0) return this
    this.open('saml', 'Attribute', { AttributeName: name, AttributeNamespace: attributeNamespace })
    for (const value of written) this.leaf('saml', 'AttributeValue', {}, value)
    return this.close()
  }

  toString(): string {
    return this.#writer.toString()
  }
}

const version = { MajorVersion: '1', MinorVersion: '1' }

function response(document: Document, about: { responseId: string; issuedAt: number; recipient?: string }): Document {
  return document.open('samlp', 'Response', {
    ResponseID: about.responseId,
    InResponseTo: 'null',
    ...version,
    IssueInstant: instant(about.issuedAt),
    Recipient: about.recipient,
  })
}

function role(document: Document, it: AssertedRole): void {
  // nhsIdCode begins each block; readers may rely on no other order.
  document
    .attribute('nhsIdCode', [it.odsCode])
    .attribute('o', [it.organisation])
    .attribute('nhsAreaOfWork', it.areasOfWork)
    .attribute('nhsAreaOfWorkCodes', it.areaOfWorkCodes)
    .attribute('nhsBusinessFunctions', it.activities)
    .attribute('nhsBusinessFunctionsCodes', it.activityCodes)
    .attribute('nhsWorkGroups', it.workgroups)
    .attribute('nhsWorkGroupsCodes', it.workgroupCodes)
    .attribute('nhsJobRole', [it.jobRole])
    .attribute('uniqueIdentifier', [it.id])
    .attribute('nhsJobRoleCode', [it.jobRoleCode])
}

/**
 * Writes the answer of the broker for a live session (§5): unsigned, because trust rests on TLS to the broker.
 *
 * @throws SpineError `XML_NOT_WRITABLE` for a character that XML cannot carry
 */
export function writeRoleAssertion(it: RoleAssertion): string {
  const document = response(new Document(), it)
  document.open('samlp', 'Status').leaf('samlp', 'StatusCode', { Value: 'samlp:Success' }).close()
  const conditions = { NotBefore: instant(it.notBefore), NotOnOrAfter: instant(it.notOnOrAfter) }
  const assertion = (id: string) =>
    document
      .open('saml', 'Assertion', { ...version, AssertionID: id, Issuer: it.issuer, IssueInstant: instant(it.issuedAt) })
      .leaf('saml', 'Conditions', conditions)
  const subject = () =>
    document
      .open('saml', 'Subject')
      .leaf('saml', 'NameIdentifier', { NameQualifier: nameQualifier }, subjectName(it.uid))
      .open('saml', 'SubjectConfirmation')
      .leaf('saml', 'ConfirmationMethod', {}, confirmationMethod)

  assertion(it.assertionId).open('saml', 'AttributeStatement')
  subject()
  if (it.authentication !== undefined) {
    const { assertionId, at, ticket, address } = it.authentication
    document.open('saml', 'SubjectConfirmationData')
    assertion(assertionId).open('saml', 'AuthenticationStatement', {
      AuthenticationInstant: instant(at),
      AuthenticationMethod: authenticationMethod,
    })
    subject().leaf('saml', 'SubjectConfirmationData', {}, ticket).close().close()
    if (address !== undefined) document.leaf('saml', 'SubjectLocality', { IPAddress: address })
    document.close().close().close()
  }
  document.close().close()
  document
    .attribute('ssbAssertionVersion', [it.version])
    .attribute('cn', [it.name])
    .attribute('uid', [it.uid])
    .attribute('nhsOcsPrCode', [it.practitionerCode])
    .attribute('ssbSessionRoleUid', [it.activeRoleId])
    .attribute('ssbMode', [it.mode === undefined ? undefined : it.mode === 'training' ? '1' : '0'])
  for (const each of it.roles) role(document, each)
  return document.close().close().close().toString()
}

/** Writes the answer of the broker for a ticket that is dead, unknown or none: a status and nothing else. */
export function writeRoleFailure(about: {
  readonly responseId: string
  readonly issuedAt: number
  readonly recipient?: string
  /** `Requester`: the ticket is at fault; `Responder`: the broker is. */
  readonly status: 'Requester' | 'Responder'
  readonly message: string
}): string {
  return response(new Document(), about)
    .open('samlp', 'Status')
    .leaf('samlp', 'StatusCode', { Value: `samlp:${about.status}` })
    .leaf('samlp', 'StatusMessage', {}, about.message)
    .close()
    .close()
    .toString()
}
