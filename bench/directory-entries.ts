/** Entries of a directory of national size, the same for every server that is measured: all invented. */
export interface BenchEntry {
  readonly dn: string
  readonly attributes: Readonly<Record<string, readonly string[]>>
}

const handlersOfPractice = 9

const interactions = Array.from({ length: 40 }, (_, i) => `fhir:rest:read:subject${i}-1`)
const service = 'urn:nhs:names:services:gpconnect'

/** Ten entries a practice: one accredited system with all interactions, nine message handling systems. */
export function practiceOf(practice: number): {
  odsCode: string
  asid: string
  partyKey: string
  interactions: string[]
} {
  const odsCode = `A${String(practice).padStart(5, '0')}`
  return {
    odsCode,
    asid: String(200_000_100_000 + practice),
    partyKey: `${odsCode}-850000`,
    interactions: Array.from(
      { length: handlersOfPractice },
      (_, i) => `${service}:${interactions[(practice + i) % interactions.length]}`,
    ),
  }
}

export function practicesOf(entries: number): number {
  return Math.floor(entries / (handlersOfPractice + 1))
}

const approved = {
  nhsRequestorURP: ['uniqueIdentifier=555555555555,uniqueIdentifier=444444444444,uid=333333333333,ou=People,o=nhs'],
  nhsDateRequested: ['20260101090000'],
  nhsApproverURP: ['uniqueIdentifier=888888888888,uniqueIdentifier=777777777777,uid=666666666666,ou=People,o=nhs'],
  nhsDateApproved: ['20260102090000'],
}
const product = { nhsProductKey: ['4711'], nhsProductName: ['Invented Records'], nhsProductVersion: ['1.0'] }

export function* benchEntries(count: number): IterableIterator<BenchEntry> {
  for (let practice = 0; practice < practicesOf(count); practice++) {
    const about = practiceOf(practice)
    yield {
      dn: `uniqueIdentifier=${about.asid},ou=Services,o=nhs`,
      attributes: {
        objectClass: ['top', 'nhsAs'],
        uniqueIdentifier: [about.asid],
        nhsIDCode: [about.odsCode],
        nhsAsClient: [about.odsCode],
        nhsMHSPartyKey: [about.partyKey],
        nhsAsSvcIA: about.interactions,
        nhsMhsManufacturerOrg: ['YY001'],
        ...product,
        ...approved,
      },
    }
    for (const interaction of about.interactions) {
      const cpaId = `S${about.asid}${interaction.length}${interactions.indexOf(interaction.slice(service.length + 1))}`
      yield {
        dn: `uniqueIdentifier=${cpaId},ou=Services,o=nhs`,
        attributes: {
          objectClass: ['top', 'nhsMhs'],
          uniqueIdentifier: [cpaId],
          nhsIDCode: [about.odsCode],
          nhsMHSPartyKey: [about.partyKey],
          nhsMhsSvcIA: [interaction],
          nhsMHsSN: [service],
          nhsMHsIN: [interaction.slice(service.length + 1)],
          nhsMHSEndPoint: [`https://${about.odsCode.toLowerCase()}.practice.example/${about.odsCode}/STU3/1/gpconnect`],
          nhsMhsFQDN: [`${about.odsCode.toLowerCase()}.practice.example`],
          nhsMHSIsAuthenticated: ['none'],
          nhsMhsCPAId: [cpaId],
          nhsMhsManufacturerOrg: ['YY001'],
          nhsDNSApprover: ['System'],
          nhsDateDNSApproved: ['20260102090000'],
          nhsEPInteractionType: ['FHIR'],
          nhsContractPropertyTemplateKey: ['14'],
          nhsMHSSyncReplyMode: ['none'],
          nhsMHSAckRequested: ['never'],
          nhsMHSDuplicateElimination: ['never'],
          ...product,
          ...approved,
        },
      }
    }
  }
}
