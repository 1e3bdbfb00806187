import { execFile } from 'node:child_process'
import type { Service } from '@openspine/platform/service'
import { type TestPlatform, testPlatform } from '@openspine/platform/testing'
import type { Directory, DirectoryChange, DirectoryEntry } from './contract.ts'
import { directory, directoryConfig } from './service.ts'

/** A running directory for tests: real sockets, real certificates. */
export interface TestDirectory {
  readonly platform: TestPlatform
  readonly service: Service<Directory>
  readonly url: string
  readonly port: number
  /** Of the plain port; undefined unless asked for. */
  readonly plainPort: number | undefined
  close(): Promise<void>
}

/** Starts a directory on free ports. */
export async function startDirectory(
  settings: Readonly<Record<string, unknown>> = {},
  overrides: Parameters<typeof testPlatform>[0] = {},
): Promise<TestDirectory> {
  const platform = await testPlatform(overrides)
  const config = directoryConfig.parse({ port: 0, ...settings })
  const service = directory({ platform, config })
  await platform.store.migrate('directory', service.migrations ?? {})
  await service.start?.()
  const listeners = service.listeners ?? []
  const addresses: { port: number; url: string }[] = []
  for (const listener of listeners) addresses.push(await listener.listen())
  const [secure, plain] = addresses
  return {
    platform,
    service,
    url: secure?.url ?? '',
    port: secure?.port ?? 0,
    plainPort: plain?.port,
    async close() {
      await Promise.all(listeners.map((listener) => listener.close(500)))
      await service.stop?.(500)
      await platform.close()
    },
  }
}

const approved = {
  nhsRequestorURP: ['uniqueIdentifier=555,uniqueIdentifier=444,uid=333, ou=People, o=nhs'],
  nhsDateRequested: ['20260101090000'],
  nhsApproverURP: ['System'],
  nhsDateApproved: ['20260102090000'],
}
const product = { nhsProductKey: ['1'], nhsProductName: ['Invented Records'], nhsProductVersion: ['1.0'] }

export function accreditedSystem(about: {
  readonly asid: string
  readonly odsCode: string
  readonly partyKey: string
  readonly interactions: readonly string[]
  readonly manufacturer?: string
  readonly more?: Readonly<Record<string, readonly string[]>>
}): DirectoryEntry {
  return {
    dn: `uniqueIdentifier=${about.asid},ou=Services,o=nhs`,
    attributes: {
      objectClass: ['top', 'nhsAs'],
      uniqueIdentifier: [about.asid],
      nhsIDCode: [about.odsCode],
      nhsAsClient: [about.odsCode],
      nhsMHSPartyKey: [about.partyKey],
      nhsAsSvcIA: about.interactions,
      nhsMhsManufacturerOrg: [about.manufacturer ?? 'YY001'],
      ...product,
      ...approved,
      ...about.more,
    },
  }
}

export function messageHandlingSystem(about: {
  readonly cpaId: string
  readonly odsCode: string
  readonly partyKey: string
  readonly service: string
  readonly interaction: string
  readonly endpoint: string
  readonly more?: Readonly<Record<string, readonly string[]>>
}): DirectoryEntry {
  return {
    dn: `uniqueIdentifier=${about.cpaId},ou=Services,o=nhs`,
    attributes: {
      objectClass: ['top', 'nhsMhs'],
      uniqueIdentifier: [about.cpaId],
      nhsIDCode: [about.odsCode],
      nhsMHSPartyKey: [about.partyKey],
      nhsMhsSvcIA: [`${about.service}:${about.interaction}`],
      nhsMHsSN: [about.service],
      nhsMHsIN: [about.interaction],
      nhsMHSEndPoint: [about.endpoint],
      nhsMhsFQDN: [new URL(about.endpoint).hostname],
      nhsMHSIsAuthenticated: ['none'],
      nhsMhsCPAId: [about.cpaId],
      nhsMhsManufacturerOrg: ['YY001'],
      nhsDNSApprover: ['System'],
      nhsDateDNSApproved: ['20260101090000'],
      nhsEPInteractionType: ['FHIR'],
      nhsContractPropertyTemplateKey: ['14'],
      nhsMHSSyncReplyMode: ['none'],
      nhsMHSAckRequested: ['never'],
      nhsMHSDuplicateElimination: ['never'],
      ...product,
      ...approved,
      ...about.more,
    },
  }
}

export function gpPractice(
  odsCode: string,
  name: string,
  more: Readonly<Record<string, readonly string[]>> = {},
): DirectoryEntry {
  return {
    dn: `uniqueIdentifier=${odsCode},ou=Organisations,o=nhs`,
    attributes: {
      objectClass: ['top', 'organization', 'nhsGPPractice'],
      uniqueIdentifier: [odsCode],
      nhsIDCode: [odsCode],
      o: [name],
      nhsOrgType: ['GP PRACTICE'],
      nhsOrgTypeCode: ['PR'],
      postalAddress: ['1 HIGH ST$$$TOWN$COUNTY'],
      postalCode: ['ZZ99 4AA'],
      l: ['TOWN'],
      nhsPCTCode: ['X26'],
      ...more,
    },
  }
}

export const put = (entry: DirectoryEntry): DirectoryChange => ({ kind: 'put', entry })

export const structured = 'urn:nhs:names:services:gpconnect:fhir:operation:gpc.getstructuredrecord-1'
export const metadata = 'urn:nhs:names:services:gpconnect:fhir:rest:read:metadata-1'
export const visitors = 'urn:nhs:names:services:visitorsandmigrants:fhir:rest:search:observation:1'

/** A small national picture: Spine, a practice with one endpoint, a consumer, and a person with two roles. */
export const samples: readonly DirectoryChange[] = [
  put(gpPractice('A99968', 'INVENTED SURGERY')),
  put(gpPractice('YES', 'SPINE')),
  put(gpPractice('X26', 'INVENTED TRUST')),
  put(
    messageHandlingSystem({
      cpaId: '0123456789abcdef0123',
      odsCode: 'A99968',
      partyKey: 'A99968-850000',
      service: 'urn:nhs:names:services:gpconnect',
      interaction: 'fhir:operation:gpc.getstructuredrecord-1',
      endpoint: 'https://gp.example.thirdparty.nhs.uk/A99968/STU3/1/gpconnect/structured',
    }),
  ),
  put(
    accreditedSystem({
      asid: '200000100101',
      odsCode: 'A99968',
      partyKey: 'A99968-850000',
      interactions: [structured, metadata],
    }),
  ),
  put(
    messageHandlingSystem({
      cpaId: 'S20001A000182',
      odsCode: 'YES',
      partyKey: 'YES-0000806',
      service: 'urn:nhs:names:services:visitorsandmigrants',
      interaction: 'fhir:rest:search:observation:1',
      endpoint: 'https://msg.example.nhs.uk/visitors',
      more: { nhsMHSActor: ['urn:oasis:names:tc:ebxml-msg:actor:toPartyMSH'], nhsMHSRetries: ['2'] },
    }),
  ),
  put(
    accreditedSystem({
      asid: '227319907548',
      odsCode: 'YES',
      partyKey: 'YES-0000806',
      interactions: [visitors, 'urn:nhs:names:services:pdsquery:QUPA_IN040000UK32'],
    }),
  ),
  put(
    accreditedSystem({
      asid: '200000100202',
      odsCode: 'X26',
      partyKey: 'X26-850002',
      interactions: [structured],
      manufacturer: 'Z9Z99',
    }),
  ),
  put({
    dn: 'uid=111111111111,ou=People,o=nhs',
    attributes: {
      objectClass: ['top', 'person', 'organizationalPerson', 'inetOrgPerson', 'nhsPerson'],
      uid: ['111111111111'],
      cn: ['Ann Other'],
      sn: ['Other'],
      givenName: ['Ann'],
      nhsPersonStatus: ['1'],
      nhsPuSecret: ['do not tell'],
    },
  }),
  put({
    dn: 'uniqueIdentifier=222222222222,uid=111111111111,ou=People,o=nhs',
    attributes: {
      objectClass: ['top', 'person', 'organizationalPerson', 'inetOrgPerson', 'nhsOrgPerson'],
      uniqueIdentifier: ['222222222222'],
      uid: ['111111111111'],
      cn: ['Ann Other'],
      sn: ['Other'],
      o: ['INVENTED SURGERY'],
      nhsIDCode: ['A99968'],
    },
  }),
  ...['333333333331', '333333333332'].map((role) =>
    put({
      dn: `uniqueIdentifier=${role},uniqueIdentifier=222222222222,uid=111111111111,ou=People,o=nhs`,
      attributes: {
        objectClass: ['top', 'nhsOrgPersonRole'],
        uniqueIdentifier: [role],
        nhsJobRole: ['"Clinical":"Clinical Provision":"General Medical Practitioner"'],
        nhsJobRoleCode: ['S8000:G8000:R8000'],
        nhsIDCode: ['A99968'],
      },
    }),
  ),
]

export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program to its end, without waiting on the event loop's thread. */
export function run(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    execFile(
      program,
      args,
      { env: { PATH: process.env['PATH'], ...env }, timeout: 20_000, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        if (error !== null && typeof error.code !== 'number') reject(error)
        else resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr })
      },
    )
  })
}
