import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { openMemoryStore, testPlatform } from '@openspine/platform/testing'
import { directory, directoryConfig } from '@openspine/services/directory'
import type { DirectoryChange, DirectoryEntry } from '@openspine/services/directory/contract'
import { registration, registrationConfig } from '@openspine/services/registration'
import { type RegistryPart, type RegistryServices, registryParts } from './registry.ts'

/** A registry of its own in memory. */
export interface TestRegistry extends RegistryServices {
  readonly parts: readonly RegistryPart[]
  /** Rows of the store, for what no contract shows. */
  query(sql: string): Promise<readonly Record<string, unknown>[]>
  close(): Promise<void>
}

export async function openRegistry(): Promise<TestRegistry> {
  const store = await openMemoryStore()
  const platform = await testPlatform({ store })
  const theDirectory = directory({ platform, config: directoryConfig.parse({ port: 0 }) })
  const config = registrationConfig.parse({ maxAgreements: 50 })
  const services = [theDirectory, registration({ platform, config, directory: theDirectory.contract })] as const
  for (const service of services) {
    await store.migrate(service.name, service.migrations ?? {})
    await service.start?.()
  }
  const contracts = { directory: services[0].contract, registration: services[1].contract.agreements }
  return {
    ...contracts,
    parts: registryParts(contracts),
    query: async (sql) => (await store.pool.query(sql)).rows,
    async close() {
      for (const service of services) await service.stop?.(100)
      await platform.close()
      await store.close()
    },
  }
}

/** An empty folder, removed after the test. */
export function emptyFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'openspine-registry-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Path → text of every file of a folder. */
export function filesOf(folder: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((path) => statSync(join(folder, path)).isFile())
      .sort()
      .map((path) => [path, readFileSync(join(folder, path), 'utf8')]),
  )
}

export const put = (entry: DirectoryEntry): DirectoryChange => ({ kind: 'put', entry })

type More = Readonly<Record<string, readonly string[]>>

const approved = {
  nhsRequestorURP: ['System'],
  nhsDateRequested: ['20260101090000'],
  nhsApproverURP: ['System'],
  nhsDateApproved: ['20260102090000'],
  nhsProductKey: ['1'],
}

export function organisation(odsCode: string, more: More = {}): DirectoryEntry {
  return {
    dn: `uniqueIdentifier=${odsCode},ou=Organisations,o=nhs`,
    attributes: {
      objectClass: ['top', 'organization', 'nhsOrg'],
      uniqueIdentifier: [odsCode],
      nhsIDCode: [odsCode],
      o: ['INVENTED TRUST'],
      nhsOrgType: ['NHS TRUST'],
      nhsOrgTypeCode: ['TR'],
      postalAddress: ['1 HIGH ST$TOWN'],
      postalCode: ['ZZ99 4AA'],
      l: ['TOWN'],
      ...more,
    },
  }
}

export function system(asid: string, odsCode: string, more: More = {}, registeredFqdn?: string): DirectoryEntry {
  return {
    dn: `uniqueIdentifier=${asid},ou=Services,o=nhs`,
    attributes: {
      objectClass: ['top', 'nhsAs'],
      uniqueIdentifier: [asid],
      nhsIDCode: [odsCode],
      nhsMHSPartyKey: [`${odsCode}-850000`],
      nhsAsSvcIA: ['urn:nhs:names:services:gpconnect:fhir:rest:read:metadata-1'],
      ...approved,
      ...more,
    },
    ...(registeredFqdn === undefined ? {} : { registeredFqdn }),
  }
}

export function handler(cpaId: string, odsCode: string, interaction: string, more: More = {}): DirectoryEntry {
  const service = 'urn:nhs:names:services:gpconnect'
  return {
    dn: `uniqueIdentifier=${cpaId},ou=Services,o=nhs`,
    attributes: {
      objectClass: ['top', 'nhsMhs'],
      uniqueIdentifier: [cpaId],
      nhsIDCode: [odsCode],
      nhsMHSPartyKey: [`${odsCode}-850000`],
      nhsMhsSvcIA: [`${service}:${interaction}`],
      nhsMHsSN: [service],
      nhsMHsIN: [interaction],
      nhsMHSEndPoint: ['https://gp.example/A/1'],
      nhsMhsFQDN: ['gp.example'],
      nhsMHSIsAuthenticated: ['none'],
      nhsMhsCPAId: [cpaId],
      nhsDNSApprover: ['System'],
      nhsDateDNSApproved: ['20260101090000'],
      nhsEPInteractionType: ['FHIR'],
      nhsContractPropertyTemplateKey: ['14'],
      ...approved,
      ...more,
    },
  }
}

/** A person, a person of an organisation, and a role, parents first. */
export function person(uid: string, odsCode: string, more: More = {}): DirectoryEntry[] {
  const classes = ['top', 'person', 'organizationalPerson', 'inetOrgPerson']
  const dn = `uid=${uid},ou=People,o=nhs`
  const names = { uid: [uid], cn: ['Ann Other'], sn: ['Other'] }
  const role = `7${uid.slice(1)}`
  return [
    { dn, attributes: { objectClass: [...classes, 'nhsPerson'], ...names, nhsPersonStatus: ['1'], ...more } },
    {
      dn: `uniqueIdentifier=8,${dn}`,
      attributes: {
        objectClass: [...classes, 'nhsOrgPerson'],
        uniqueIdentifier: ['8'],
        ...names,
        o: ['INVENTED TRUST'],
        nhsIDCode: [odsCode],
      },
    },
    {
      dn: `uniqueIdentifier=${role},uniqueIdentifier=8,${dn}`,
      attributes: {
        objectClass: ['top', 'nhsOrgPersonRole'],
        uniqueIdentifier: [role],
        nhsJobRole: ['"Clinical":"General Medical Practitioner"'],
        nhsIDCode: [odsCode],
      },
    },
  ]
}
