/** SOAP 1.1, by which everything synchronous and ebXML travels. */
export const soapNamespace = 'http://schemas.xmlsoap.org/soap/envelope/'

/** WS-Addressing in the edition of the Spine's own services, and in that of the Interoperability Toolkit. */
export const addressingNamespaces = {
  '2004/08': 'http://schemas.xmlsoap.org/ws/2004/08/addressing',
  '2005/08': 'http://www.w3.org/2005/08/addressing',
} as const

/** Edition of WS-Addressing. */
export type AddressingEdition = keyof typeof addressingNamespaces

/** Web Services Security 1.0. */
export const securityNamespace = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd'
export const utilityNamespace = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd'

/** The detail of the Spine's faults. */
export const errorListNamespace = 'http://national.carerecords.nhs.uk/schema/'
