import { isIP } from 'node:net'
import { SpineError } from '@openspine/standards/error'

/** RFC 1123 labels; the whole must fit the 64 characters that X.520 allows a common name. */
const fqdnShape = /^(?=.{1,64}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/

/** Domain names have no case (RFC 4343); the directory and certificates carry them in lower case. */
export function endpointName(given: string): string {
  const name = given.toLowerCase()
  if (!fqdnShape.test(name) || isIP(name) !== 0) {
    throw new SpineError(
      'TRUST_NAME_INVALID',
      { status: 400 },
      {
        detail: `not a fully qualified domain name: ${JSON.stringify(given.slice(0, 100))}`,
        explanation:
          'The name must be a fully qualified domain name of at most 64 characters: letters, digits, hyphens and dots, no wildcard.',
      },
    )
  }
  return name
}

/** Name under which a server of ours is reached: an FQDN, or the address of a machine that has none. */
export function serverName(given: string): string {
  return isIP(given) ? given.toLowerCase() : endpointName(given)
}

/** Names of a leaf: its FQDN first, then what was asked for, and for this machine its loopback addresses. */
export function alternativeNames(fqdn: string, names: readonly string[]): readonly string[] {
  const loopback = fqdn === 'localhost' ? ['127.0.0.1', '::1'] : []
  const all = [fqdn, ...names.map(serverName), ...loopback]
  return [...new Set(all)]
}

/** Directory specification §13.2: the name lies below a suffix (`.nhs.uk` in live). No suffixes: any name. */
export function underSuffix(fqdn: string, suffixes: readonly string[]): boolean {
  if (suffixes.length === 0) return true
  return suffixes.some((suffix) => {
    const domain = suffix.toLowerCase().replace(/^\.?/, '.')
    return fqdn.endsWith(domain) && fqdn.length > domain.length
  })
}
