import { globSync, readFileSync } from 'node:fs'
import { outcomes as practiceOutcomes } from '@openspine/practice/outcome'
import { flagOutcomes, gatewayOutcomes, spineOutcomes } from '@openspine/services/adjustments'
import { outcomes, type PdsOutcome } from '@openspine/services/demographics'
import { transportChecks } from '@openspine/services/demographics/soap-checks'
import { checks } from '@openspine/services/proxy'
import { scrOutcomes } from '@openspine/services/summary-care-record'
import { visitorsOutcomes } from '@openspine/services/visitors'

const prefixes = [
  'ADJUSTMENTS',
  'AUDIT',
  'CLIENT',
  'CONFIG',
  'CSV',
  'DEMOGRAPHICS',
  'DIRECTORY',
  'DOOR',
  'FHIR',
  'GATEWAY',
  'HL7V3',
  'ITK',
  'JOBS?',
  'LDAP',
  'LDIF',
  'OCSP',
  'ODS',
  'PRACTICE',
  'PROXY',
  'RBAC',
  'REGISTRATION',
  'REGISTRY',
  'SAML',
  'SIGN_IN',
  'SMARTCARD',
  'SOAP',
  'STORE',
  'TRUST',
  'VISITORS',
  'XML',
]
const families = new RegExp(`'((?:${prefixes.join('|')})_[A-Z0-9_]+|SERVICE_UNKNOWN|USAGE)'`, 'g')

/** The framer's faults are values, listed by code. */
const framing = /^ {2}(HTTP1_[A-Z0-9_]+):/gm

interface Source {
  readonly file: string
  readonly text: string
}

/** The sources that ship: no tests, no generated tables. */
export function sources(): readonly Source[] {
  return globSync(['packages/*/src/**/*.ts', 'packages/*/bin/*.mjs'])
    .filter((file) => !/\.(test|test-kit|bench)\.ts$|\/testing|\.tmp\.ts$|\.generated\.ts$/.test(file))
    .sort()
    .map((file) => ({ file, text: readFileSync(file, 'utf8') }))
}

/** Every stable code of the error family that the sources raise, with the files that name it; those of PDS come by their wire codes. */
export function errorCodes(read: readonly Source[] = sources()): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, Set<string>>()
  // One of GP Connect's codes begins like a family of ours, and so do rules of the SOAP header.
  const onTheWire = new Set<string>([
    ...Object.values(practiceOutcomes).map(({ code }) => code),
    ...transportChecks.map(({ name }) => name),
  ])
  for (const { file, text } of read)
    for (const [, code = ''] of [...text.matchAll(families), ...text.matchAll(framing)])
      if (!onTheWire.has(code)) found.set(code, (found.get(code) ?? new Set()).add(file))
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([code, files]) => [code, [...files]]))
}

/** What stands as first argument wherever an error of the family is made: a code, or an expression that yields one. */
export function raised(
  read: readonly Source[] = sources(),
): readonly { readonly file: string; readonly code: string }[] {
  return read.flatMap(({ file, text }) =>
    [...text.replaceAll(/^\s*\*.*$/gm, '').matchAll(/new SpineError\(\s*('[^']*'|`[^`]*`|\w+)/g)].map(
      ([, code = '']) => ({ file, code }),
    ),
  )
}

/** `status code` of every outcome of demographics. */
export function pdsWireCodes(): readonly string[] {
  const all = Object.values(outcomes).flatMap((outcome): PdsOutcome[] => {
    if (typeof outcome !== 'function') return [outcome]
    return [Reflect.apply(outcome, undefined, [['x'], 'x']) as PdsOutcome]
  })
  return [...new Set(all.map(({ status, coding }) => `${status} ${coding.code}`))]
}

/** `status code` of every outcome of the practice system. */
export function practiceWireCodes(): readonly string[] {
  return [...new Set(Object.values(practiceOutcomes).map(({ status, code }) => `${status} ${code}`))]
}

/** `status code` of every outcome of Reasonable Adjustments and Patient Flags. */
export function adjustmentsWireCodes(): readonly string[] {
  const flags = Object.values(flagOutcomes).map((outcome) =>
    typeof outcome === 'function' ? (Reflect.apply(outcome, undefined, ['x', 'x']) as PdsOutcome) : outcome,
  )
  const all = [...Object.values(gatewayOutcomes), ...Object.values(spineOutcomes), ...flags]
  return [...new Set(all.map(({ status, coding }) => `${status} ${coding.code}`)), '500 UNKNOWN_ERROR']
}

/** `status code` of every outcome of Visitors & Migrants. */
export function visitorsWireCodes(): readonly string[] {
  return Object.values(visitorsOutcomes).map(({ status, coding }) => `${status} ${coding.code}`)
}

/** `status issue` of every outcome of the Summary Care Record; the API platform says the last one. */
export function scrWireCodes(): readonly string[] {
  return [...Object.values(scrOutcomes).map(({ status, issue }) => `${status} ${issue}`), '429 throttled']
}

/** Every name under which the proxy says no: its admission checks, and the stages before and after them. */
export function proxyRefusals(read: readonly Source[] = sources()): readonly string[] {
  const stages = read
    .filter(({ file }) => /^packages\/services\/src\/proxy\//.test(file))
    .flatMap(({ text }) => [...text.matchAll(/\bcheck: '([a-z-]+)'/g)].map(([, name = '']) => name))
  return [...new Set([...checks.map(({ name }) => name), ...stages])]
}
