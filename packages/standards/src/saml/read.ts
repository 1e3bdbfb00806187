import { SpineError } from '../error.ts'
import { attributeOf, childElement, childElements, elementsOf, parseXml, textOf, type XmlElement } from '../xml/xml.ts'
import type { AssertedRole, Authentication, RoleAssertion } from './assertion.ts'
import {
  assertionNamespace,
  attributeNamespace,
  personAttributes,
  protocolNamespace,
  roleAttributes,
  roleLists,
} from './names.ts'

/** Every code with which a role assertion is refused; those of XML (`XML_…`) come before them. */
export type SamlCode =
  /** Not a Response of SAML 1.1 in the form of the broker. */
  | 'SAML_STRUCTURE'
  /** The broker says no: the ticket is dead or unknown. */
  | 'SAML_STATUS'
  /** Not exactly one outer assertion. */
  | 'SAML_ASSERTIONS'
  /** Outside the time for which it was issued. */
  | 'SAML_CONDITIONS'
  /** The subject is another person than the attributes tell of. */
  | 'SAML_SUBJECT'
  /** No block for the role that is active, or two. */
  | 'SAML_ROLE'

/** A person has some dozens of roles at most; an assertion with them has some hundred kilobytes at most. */
const limits = { bytes: 1024 * 1024, depth: 16, attributes: 32, nodes: 100_000, text: 1024 * 1024 }

export interface ReadOptions {
  /** Milliseconds since the epoch. */
  readonly now: number
  /** By how much the broker's clock may differ; the conditions leave three minutes and one anyway. Default 0. */
  readonly allowanceMs?: number
}

function refuse(code: SamlCode, explanation: string, detail?: string): SpineError<{ readonly status?: string }> {
  return new SpineError(code, {}, detail === undefined ? { explanation } : { explanation, detail })
}

const structure = (explanation: string) => refuse('SAML_STRUCTURE', explanation)

/** The one child of that name; more or fewer are refused. */
function only(parent: XmlElement, namespace: string, name: string): XmlElement {
  const found = childElements(parent, namespace, name)
  if (found.length !== 1 || found[0] === undefined)
    throw structure(`${parent.name} holds ${found.length} elements ${name} in place of one.`)
  return found[0]
}

function atMostOne(parent: XmlElement, namespace: string, name: string): XmlElement | undefined {
  return childElements(parent, namespace, name).length > 1
    ? only(parent, namespace, name)
    : childElement(parent, namespace, name)
}

/** Text and nothing else: an element within would make two readers read two values. */
function plainText(element: XmlElement): string {
  if (elementsOf(element).length > 0) throw structure(`${element.name} holds elements in place of text.`)
  return textOf(element).trim()
}

function required(element: XmlElement, attribute: string): string {
  const value = attributeOf(element, attribute)
  if (value === undefined || value === '') throw structure(`${element.name} lacks ${attribute}.`)
  return value
}

/** An instant in UTC; a fraction of a second is dropped. */
function instantOf(element: XmlElement, attribute: string): number {
  const value = required(element, attribute)
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d{1,9})?Z$/.exec(value)
  const at = match?.[1] === undefined ? Number.NaN : Date.parse(`${match[1]}Z`)
  // A day that there is not, such as the 30th of February, comes out as another one.
  if (Number.isNaN(at) || new Date(at).toISOString().slice(0, 19) !== match?.[1])
    throw structure(`${attribute} of ${element.name} is no time in UTC.`)
  return at
}

function version11(element: XmlElement): void {
  if (attributeOf(element, 'MajorVersion') !== '1' || attributeOf(element, 'MinorVersion') !== '1')
    throw structure(`${element.name} is not of SAML 1.1.`)
}

/** The local part of a qualified name in a value; undefined where its prefix means another namespace. */
function protocolName(value: string, path: readonly XmlElement[]): string | undefined {
  const [prefix = '', local = '', ...rest] = value.split(':')
  if (local === '' || rest.length > 0) return undefined
  const declaring = path.findLast(({ declarations }) => declarations?.has(prefix) === true)
  return declaring?.declarations?.get(prefix) === protocolNamespace ? local : undefined
}

function succeeded(response: XmlElement): void {
  const status = only(response, protocolNamespace, 'Status')
  const code = only(status, protocolNamespace, 'StatusCode')
  const value = required(code, 'Value')
  if (protocolName(value, [response, status, code]) === 'Success') return
  const message = childElement(status, protocolNamespace, 'StatusMessage')
  throw new SpineError(
    'SAML_STATUS',
    { status: value },
    {
      explanation: 'The broker does not vouch for this ticket: the session has ended, or there never was one.',
      ...(message === undefined ? {} : { detail: textOf(message).slice(0, 500) }),
    },
  )
}

/** Uid of `uid=…,ou=People,o=nhs`. */
function uidOf(subject: XmlElement): string {
  const name = plainText(only(subject, assertionNamespace, 'NameIdentifier'))
  const uid = /^uid=([^,=+\\"]+?)\s*,\s*ou=People\s*,\s*o=nhs$/i.exec(name)?.[1]?.trim()
  if (uid === undefined) throw structure('The name of the subject is not that of somebody in ou=People.')
  return uid
}

function authenticationOf(subject: XmlElement, uid: string): Authentication | undefined {
  const confirmation = atMostOne(subject, assertionNamespace, 'SubjectConfirmation')
  const data = confirmation && atMostOne(confirmation, assertionNamespace, 'SubjectConfirmationData')
  const assertion = data && atMostOne(data, assertionNamespace, 'Assertion')
  if (assertion === undefined) return undefined
  version11(assertion)
  const statement = only(assertion, assertionNamespace, 'AuthenticationStatement')
  const inner = only(statement, assertionNamespace, 'Subject')
  if (uidOf(inner) !== uid) throw refuse('SAML_SUBJECT', 'Somebody else signed on than the assertion is about.')
  const innerData = only(
    only(inner, assertionNamespace, 'SubjectConfirmation'),
    assertionNamespace,
    'SubjectConfirmationData',
  )
  const locality = atMostOne(statement, assertionNamespace, 'SubjectLocality')
  const address = locality && attributeOf(locality, 'IPAddress')
  return {
    assertionId: required(assertion, 'AssertionID'),
    at: instantOf(statement, 'AuthenticationInstant'),
    ticket: plainText(innerData),
    ...(address === undefined ? {} : { address }),
  }
}

const canonical = new Map(
  [...personAttributes, ...roleAttributes, ...roleLists].map((name) => [name.toLowerCase(), name]),
)
const ofPerson: ReadonlySet<string> = new Set(personAttributes)
const isList: ReadonlySet<string> = new Set(roleLists)

type Block = Map<string, string[]>

/**
 * Header and person in one block, then a block for each role profile. `nhsIdCode` begins a block; within it no order
 * counts. Names are compared without case, because the documents spell them in two ways; unknown names are passed over.
 */
function blocksOf(statement: XmlElement): { readonly person: Block; readonly roles: readonly Block[] } {
  const person: Block = new Map()
  const roles: Block[] = []
  for (const element of childElements(statement, assertionNamespace, 'Attribute')) {
    if (attributeOf(element, 'AttributeNamespace') !== attributeNamespace) continue
    const name = canonical.get(required(element, 'AttributeName').toLowerCase())
    if (name === undefined) continue
    const values = childElements(element, assertionNamespace, 'AttributeValue')
      .map(plainText)
      .filter((value) => value !== '')
    if (values.length === 0) continue
    if (name === 'nhsIdCode') roles.push(new Map())
    const block = ofPerson.has(name) ? person : roles.at(-1)
    if (block === undefined)
      throw structure(`${name} stands before the first nhsIdCode, so that it belongs to no role.`)
    const before = block.get(name)
    if (!isList.has(name) && (before !== undefined || values.length > 1))
      throw structure(`${name} has more than one value where one is meant.`)
    block.set(name, [...(before ?? []), ...values])
  }
  return { person, roles }
}

function roleOf(block: Block): AssertedRole {
  const one = (name: (typeof roleAttributes)[number]) => block.get(name)?.[0]
  const list = (name: (typeof roleLists)[number]): readonly string[] => block.get(name) ?? []
  const [id, odsCode] = [one('uniqueIdentifier'), one('nhsIdCode')]
  if (id === undefined || odsCode === undefined) throw structure('A role profile lacks its uniqueIdentifier.')
  const [organisation, jobRole, jobRoleCode] = [one('o'), one('nhsJobRole'), one('nhsJobRoleCode')]
  return {
    id,
    odsCode,
    ...(organisation === undefined ? {} : { organisation }),
    ...(jobRole === undefined ? {} : { jobRole }),
    ...(jobRoleCode === undefined ? {} : { jobRoleCode }),
    areasOfWork: list('nhsAreaOfWork'),
    areaOfWorkCodes: list('nhsAreaOfWorkCodes'),
    activities: list('nhsBusinessFunctions'),
    activityCodes: list('nhsBusinessFunctionsCodes'),
    workgroups: list('nhsWorkGroups'),
    workgroupCodes: list('nhsWorkGroupsCodes'),
  }
}

/**
 * Reads the answer of the broker. It is bounded, refuses document type declarations, and takes nothing from an
 * assertion within another. It is unsigned: whoever calls this has spoken TLS with the broker.
 *
 * @throws SpineError {@link SamlCode}, or `XML_…` where it is not sound XML
 *
 * @example
 * const { uid, activeRoleId } = readRoleAssertion(await answer.bytes(), { now: Date.now() })
 */
export function readRoleAssertion(input: Uint8Array | string, { now, allowanceMs = 0 }: ReadOptions): RoleAssertion {
  const response = parseXml(input, limits)
  if (response.namespace !== protocolNamespace || response.name !== 'Response')
    throw structure('The document is no Response of SAML 1.1.')
  version11(response)
  succeeded(response)
  const outer = childElements(response, assertionNamespace, 'Assertion')
  const [assertion] = outer
  if (outer.length !== 1 || assertion === undefined)
    throw refuse('SAML_ASSERTIONS', `The answer holds ${outer.length} assertions in place of one.`)
  version11(assertion)
  const conditions = only(assertion, assertionNamespace, 'Conditions')
  const [notBefore, notOnOrAfter] = [instantOf(conditions, 'NotBefore'), instantOf(conditions, 'NotOnOrAfter')]
  if (now < notBefore - allowanceMs)
    throw refuse('SAML_CONDITIONS', 'The assertion is not valid yet: is the clock of this computer right?')
  if (now >= notOnOrAfter + allowanceMs) throw refuse('SAML_CONDITIONS', 'The assertion has expired.')

  const statement = only(assertion, assertionNamespace, 'AttributeStatement')
  const subject = only(statement, assertionNamespace, 'Subject')
  const { person, roles } = blocksOf(statement)
  const one = (name: (typeof personAttributes)[number]) => person.get(name)?.[0]
  const needed = (name: (typeof personAttributes)[number]) => {
    const value = one(name)
    if (value === undefined) throw structure(`${name} is missing.`)
    return value
  }
  const uid = needed('uid')
  if (uidOf(subject) !== uid) throw refuse('SAML_SUBJECT', 'The subject is another person than the attributes tell of.')
  const activeRoleId = needed('ssbSessionRoleUid')
  const read = roles.map(roleOf)
  if (read.filter(({ id }) => id === activeRoleId).length !== 1)
    throw refuse('SAML_ROLE', 'The role that is active is none of the role profiles, or two of them.')
  const mode = one('ssbMode')
  if (mode !== undefined && mode !== '0' && mode !== '1') throw structure('ssbMode is neither 0 nor 1.')
  const authentication = authenticationOf(subject, uid)
  const recipient = attributeOf(response, 'Recipient')
  const practitionerCode = one('nhsOcsPrCode')
  return {
    responseId: required(response, 'ResponseID'),
    ...(recipient === undefined ? {} : { recipient }),
    assertionId: required(assertion, 'AssertionID'),
    issuer: required(assertion, 'Issuer'),
    issuedAt: instantOf(assertion, 'IssueInstant'),
    notBefore,
    notOnOrAfter,
    ...(authentication === undefined ? {} : { authentication }),
    version: needed('ssbAssertionVersion'),
    name: needed('cn'),
    uid,
    ...(practitionerCode === undefined ? {} : { practitionerCode }),
    ...(mode === undefined ? {} : { mode: mode === '1' ? 'training' : 'live' }),
    activeRoleId,
    roles: read,
  }
}
