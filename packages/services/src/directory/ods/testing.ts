import type { IncomingHttpHeaders } from 'node:http'
import { Agent, request } from 'node:https'
import { openDoor } from '@openspine/platform/doors'
import type { DirectoryEntry } from '../contract.ts'
import { gpPractice, put, startDirectory, type TestDirectory } from '../testing.ts'

/** A site (nhsSite) of an organisation. */
export function site(
  odsCode: string,
  name: string,
  more: Readonly<Record<string, readonly string[]>> = {},
): DirectoryEntry {
  const { o: _o, nhsPCTCode: _pct, ...attributes } = gpPractice(odsCode, name).attributes
  return {
    dn: `uniqueIdentifier=${odsCode},ou=Organisations,o=nhs`,
    attributes: {
      ...attributes,
      objectClass: ['top', 'organizationalUnit', 'nhsSite'],
      ou: [name],
      nhsOrgType: ['NHS TRUST SITE'],
      nhsOrgTypeCode: ['TS'],
      ...more,
    },
  }
}

/** An organisation (nhsOrg). */
export function organisation(
  odsCode: string,
  name: string,
  more: Readonly<Record<string, readonly string[]>> = {},
): DirectoryEntry {
  const { nhsPCTCode: _pct, ...attributes } = gpPractice(odsCode, name).attributes
  return {
    dn: `uniqueIdentifier=${odsCode},ou=Organisations,o=nhs`,
    attributes: {
      ...attributes,
      objectClass: ['top', 'organization', 'nhsOrg'],
      nhsOrgType: ['NHS TRUST'],
      nhsOrgTypeCode: ['TR'],
      ...more,
    },
  }
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface TestOds {
  readonly directory: TestDirectory
  /** Asks the door, below no base path. */
  get(path: string, headers?: Record<string, string>, method?: string): Promise<Answer>
  close(): Promise<void>
}

/** A directory with its ODS faces on a real door. */
export async function startOds(
  settings: Readonly<Record<string, unknown>> = {},
  overrides: Parameters<typeof startDirectory>[1] = {},
): Promise<TestOds> {
  const directory = await startDirectory({ odsPublicUrl: 'https://ods.example', ...settings }, overrides)
  const { platform, service } = directory
  const door = await openDoor({
    name: 'api',
    host: '127.0.0.1',
    port: 0,
    trust: platform.trust,
    identity: { fqdn: 'localhost' },
    mutual: 'none',
    log: platform.log,
    metrics: platform.metrics,
    clock: platform.clock,
    random: platform.random,
    routes: service.routes?.api === undefined ? [] : [service.routes.api],
  })
  const agent = new Agent({ keepAlive: true, ca: [...platform.trust.material().ca] })
  return {
    directory,
    get: (path, headers = {}, method = 'GET') =>
      new Promise((resolve, reject) => {
        const sent = request(`${door.url}${path}`, { agent, headers, method }, (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.on('error', reject)
          response.on('end', () =>
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              body: Buffer.concat(chunks).toString('utf8'),
            }),
          )
        })
        sent.on('error', reject)
        sent.end()
      }),
    async close() {
      agent.destroy()
      await door.close(100)
      await directory.close()
    },
  }
}

/** Six organisations that belong together. */
export const organisations = [
  put(
    organisation('QZZ', 'NHS INVENTED INTEGRATED CARE BOARD', {
      nhsOrgType: ['INTEGRATED CARE BOARD'],
      nhsOrgTypeCode: ['IC'],
      postalCode: ['ZZ99 1AA'],
      nhsOrgOpenDate: ['20220701'],
    }),
  ),
  put(
    organisation('RZZ', 'INVENTED HOSPITALS NHS TRUST', {
      nhsOrgSubType: ['RO57'],
      postalCode: ['ZZ99 2BB'],
      postalAddress: ['INVENTED HOUSE$1 CARE WAY$$LEEDS$WEST YORKSHIRE'],
      l: ['LEEDS'],
      nhsOrgOpenDate: ['19950401'],
      nhsOCSPredecessor: ['RZY'],
      nhsCountry: ['ENGLAND'],
      telephoneNumber: ['01632 960001'],
      facsimileTelephoneNumber: ['01632 960002'],
      mail: ['info@trust.example'],
      labeledURI: ['https://trust.example The trust'],
    }),
  ),
  put(
    site('RZZ01', "ST. SOMEBODY'S HOSPITAL & CLINIC", {
      nhsParentOrgCode: ['RZZ'],
      postalCode: ['ZZ9 9AA'],
      nhsOrgOpenDate: ['19990401'],
    }),
  ),
  put(
    gpPractice('A99968', 'THE INVENTED SURGERY', {
      nhsPCTCode: ['QZZ'],
      nhsOrgOpenDate: ['19740401'],
      postalCode: ['ZZ99 4AA'],
    }),
  ),
  put(
    gpPractice('A99969', 'FORMER SURGERY', {
      nhsPCTCode: ['QZZ'],
      nhsOrgOpenDate: ['19740401'],
      nhsOrgCloseDate: ['20240331'],
      nhsOCSSuccessor: ['A99968'],
    }),
  ),
  put(
    organisation('FZZ01', 'INVENTED PHARMACY', {
      nhsOrgType: ['PHARMACY'],
      nhsOrgTypeCode: ['PH'],
      postalCode: ['ZZ98 1ZZ'],
    }),
  ),
]
