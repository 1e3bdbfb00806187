/**
 * What a SOAPAction header names: without quotes, and without the doubled `urn:` that a known sender writes. Undefined
 * where there is no header or it is empty.
 */
export function readSoapAction(header: string | undefined): string | undefined {
  const plain = header
    ?.trim()
    .replace(/^"(.*)"$/, '$1')
    .trim()
    .replace(/^urn:(?=urn:)/, '')
  return plain === '' ? undefined : plain
}
