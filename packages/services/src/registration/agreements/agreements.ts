import { isAsid, isOdsCode } from '@openspine/standards/nhs'
import type { SharingAgreement } from '../contract.ts'

/** The agreements in force, held for look-ups by the two sides. */
export interface AgreementBook {
  readonly version: number
  readonly byId: ReadonlyMap<string, SharingAgreement>
  /** `from to` → agreements of these two sides. */
  readonly bySides: ReadonlyMap<string, readonly SharingAgreement[]>
}

export const emptyBook: AgreementBook = { version: 0, byId: new Map(), bySides: new Map() }

/** Sides compare without case: ODS codes are upper case in practice, and ASIDs are digits. */
const sides = (from: string, to: string) => `${from.toUpperCase()} ${to.toUpperCase()}`

/** The next book; the given one stays as it is. */
export function withChanges(
  book: AgreementBook,
  changes: readonly { readonly agreement: SharingAgreement; readonly inForce: boolean }[],
  version: number,
): AgreementBook {
  const byId = new Map(book.byId)
  const bySides = new Map(book.bySides)
  for (const { agreement, inForce } of changes) {
    const key = sides(agreement.from, agreement.to)
    const others = (bySides.get(key) ?? []).filter(({ id }) => id !== agreement.id)
    if (inForce) byId.set(agreement.id, agreement)
    else byId.delete(agreement.id)
    const now = inForce ? [...others, agreement] : others
    if (now.length > 0) bySides.set(key, now)
    else bySides.delete(key)
  }
  return { version, byId, bySides }
}

/** Whether an agreement's interaction (one id, or a prefix that ends in `*`) covers an interaction. */
export function covers(pattern: string, interaction: string): boolean {
  return pattern.endsWith('*') ? interaction.startsWith(pattern.slice(0, -1)) : pattern === interaction
}

/** The agreement that permits a call: each side may be named by ASID or by ODS code. */
export function permitting(
  book: AgreementBook,
  call: {
    readonly fromAsid: string
    readonly fromOdsCode: string
    readonly toAsid: string
    readonly toOdsCode: string
    readonly interaction: string
  },
): SharingAgreement | undefined {
  for (const from of [call.fromAsid, call.fromOdsCode]) {
    for (const to of [call.toAsid, call.toOdsCode]) {
      if (from === '' || to === '') continue
      const found = book.bySides
        .get(sides(from, to))
        ?.find((agreement) => covers(agreement.interaction, call.interaction))
      if (found !== undefined) return found
    }
  }
  return undefined
}

/** One rule on a new agreement. */
export interface AgreementCheck {
  readonly code: string
  readonly clause: string
  readonly asks: string
  readonly explanation: string
  passes(agreement: Omit<SharingAgreement, 'id'>): boolean
}

const isSide = (value: string) => isAsid(value) || isOdsCode(value)

/** In order; the first that fails decides. */
export const agreementChecks: readonly AgreementCheck[] = [
  {
    code: 'REGISTRATION_SIDE',
    clause: 'directory §1, §10.4',
    asks: 'Is the consumer named by ODS code or ASID?',
    explanation: '`from` must be an ODS code (1 to 9 letters and digits) or an ASID (12 digits).',
    passes: ({ from }) => isSide(from),
  },
  {
    code: 'REGISTRATION_SIDE',
    clause: 'directory §1, §10.4',
    asks: 'Is the provider named by ODS code or ASID?',
    explanation: '`to` must be an ODS code (1 to 9 letters and digits) or an ASID (12 digits).',
    passes: ({ to }) => isSide(to),
  },
  {
    code: 'REGISTRATION_INTERACTION',
    clause: 'directory §12',
    asks: 'Is the interaction one id, or a prefix of one that ends in an asterisk?',
    explanation:
      '`interaction` must be an interaction id such as urn:nhs:names:services:gpconnect:fhir:rest:read:metadata-1, or the beginning of one (at least the service name) followed by *.',
    passes: ({ interaction }) => interaction.length <= 255 && /^urn:[a-z0-9]+:[A-Za-z0-9._:-]+\*?$/.test(interaction),
  },
]
