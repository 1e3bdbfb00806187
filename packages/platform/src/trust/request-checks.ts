import type { KeyObject } from 'node:crypto'
import { SpineError } from '@openspine/standards/error'
import type { ReadRequest } from './authority.ts'
import { endpointName, underSuffix } from './endpoint-name.ts'

interface RequestCheck {
  readonly name: string
  readonly clause: string
  readonly code: string
  readonly explanation: string
  holds(request: ReadRequest, rules: RequestRules): boolean | Promise<boolean>
}

export interface RequestRules {
  /** Suffixes under which an FQDN must lie (`.nhs.uk` in live); none: any. */
  readonly suffixes: readonly string[]
  /** The FQDN that was registered for whoever asks; absent: any. */
  readonly expected?: string
}

const clause = 'directory specification §13.2'

function keyIsStrong(key: KeyObject): boolean {
  const { modulusLength, namedCurve } = key.asymmetricKeyDetails ?? {}
  if (key.asymmetricKeyType === 'rsa')
    return modulusLength !== undefined && modulusLength >= 2048 && modulusLength <= 8192
  return key.asymmetricKeyType === 'ec' && namedCurve === 'prime256v1'
}

/** What a signing request must satisfy, in this order. The key comes first: a signature by a bad key proves nothing. */
export const requestChecks: readonly RequestCheck[] = [
  {
    name: 'key',
    clause,
    code: 'TRUST_REQUEST_KEY',
    explanation: 'The key of the signing request must be RSA of 2048 to 8192 bits, or elliptic on the curve P-256.',
    holds: ({ publicKey }) => keyIsStrong(publicKey),
  },
  {
    name: 'digest',
    clause,
    code: 'TRUST_REQUEST_DIGEST',
    explanation: 'The signing request must be signed with SHA-256 or stronger.',
    holds: ({ digest }) => ['SHA-256', 'SHA-384', 'SHA-512'].includes(digest),
  },
  {
    name: 'signature',
    clause,
    code: 'TRUST_REQUEST_SIGNATURE',
    explanation: 'The signature of the signing request does not belong to its key: make the request again.',
    holds: (request) => request.signatureHolds(),
  },
  {
    name: 'subject',
    clause,
    code: 'TRUST_REQUEST_SUBJECT',
    explanation:
      'Only the common name (CN) of the signing request may be filled in, once; country, organisation, email and the rest stay blank.',
    holds: ({ subject }) => subject.length === 1 && subject[0]?.attribute === 'CN',
  },
  {
    name: 'suffix',
    clause,
    code: 'TRUST_REQUEST_SUFFIX',
    explanation: 'The common name must lie under a domain for which this environment issues certificates.',
    holds: (request, { suffixes }) => underSuffix(endpointName(commonName(request)), suffixes),
  },
  {
    name: 'name',
    clause,
    code: 'TRUST_REQUEST_NAME',
    explanation: 'The common name of the signing request is not the FQDN for which it was handed in.',
    holds: (request, { expected }) =>
      expected === undefined || endpointName(commonName(request)) === endpointName(expected),
  },
]

function commonName(request: ReadRequest): string {
  return request.subject[0]?.value ?? ''
}

/** Applies the checks; SpineError `TRUST_REQUEST_…` or `TRUST_NAME_INVALID`. Extensions asked for are ignored: the leaf is named by its CN alone. */
export async function checkRequest(
  csr: string,
  read: (text: string) => ReadRequest,
  rules: RequestRules,
): Promise<{ readonly fqdn: string; readonly publicKey: KeyObject }> {
  const refuse = (code: string, explanation: string, cause?: unknown) =>
    new SpineError(code, { status: 400 }, { explanation, ...(cause === undefined ? {} : { cause }) })
  const unreadable = 'The text is not a PKCS#10 signing request in PEM form.'
  const blocks =
    csr.length > 64_000
      ? null
      : csr.match(/-----BEGIN (NEW )?CERTIFICATE REQUEST-----[\s\S]*?-----END (NEW )?CERTIFICATE REQUEST-----/g)
  const [block] = blocks ?? []
  if (block === undefined || blocks?.length !== 1) throw refuse('TRUST_REQUEST_UNREADABLE', unreadable)
  let request: ReadRequest
  try {
    request = read(block.replaceAll('NEW CERTIFICATE', 'CERTIFICATE'))
  } catch (cause) {
    throw refuse('TRUST_REQUEST_UNREADABLE', unreadable, cause)
  }
  for (const check of requestChecks) {
    if (!(await check.holds(request, rules))) throw refuse(check.code, check.explanation)
  }
  return { fqdn: endpointName(commonName(request)), publicKey: request.publicKey }
}
