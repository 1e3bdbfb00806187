import type { Platform } from '@openspine/platform/service'
import type { Schema } from '@openspine/standards/ldap'
import type { FastifyPluginAsync } from 'fastify'
import type { DirectoryConfig } from '../config.ts'
import { entryStore } from '../store.ts'
import { Catalogue, type CatalogueState } from './catalogue.ts'
import { odsCodes } from './codes.ts'
import { deletionsOf } from './deletions.ts'
import { odsFace } from './face.ts'
import { ordDialect } from './ord.ts'
import { organisationReader } from './organisation.ts'
import { r4Dialect } from './r4.ts'
import { fairUse } from './rate.ts'
import { stu3Dialect } from './stu3.ts'

/** Requests a second that the live service calls fair use (§9.1). */
const fairPerSecond = 5

/** The organisations of the directory in the three languages of the Organisation Data Service, for the door `api`. */
export function odsFaces(needs: {
  readonly platform: Platform
  readonly config: DirectoryConfig
  readonly schema: Schema
  readonly state: () => CatalogueState
}): FastifyPluginAsync {
  const { platform, config, schema, state } = needs
  const codes = odsCodes(config.odsCodesFile)
  const reader = organisationReader(schema, codes)
  const catalogue = new Catalogue({ state, reader, schema, clock: platform.clock })
  const store = entryStore(platform.store)
  const requests = platform.metrics.counter('openspine_ods_requests_total', 'Requests for organisations', [
    'dialect',
    'status',
  ])
  const chosen = config.odsRequestsPerSecond
  const wait = fairUse(chosen >= 0 ? chosen : platform.profile === 'strict' ? fairPerSecond : 0, platform.clock)
  const face = {
    publicUrl: config.odsPublicUrl,
    wait,
    settled: (dialect: string, status: number) => requests.inc({ dialect, status: String(status) }),
  }
  const shared = { catalogue, reader, codes }
  const dialects = [
    ordDialect({
      ...shared,
      basePath: config.odsOrdPath,
      async deletions(since) {
        const rows = await store.deletedOrganisations(since)
        const now = await catalogue.current()
        return deletionsOf(rows, codes, (odsCode) => now.get(odsCode) !== undefined)
      },
    }),
    stu3Dialect({ ...shared, basePath: config.odsStu3Path, json: config.odsStu3Json }),
    r4Dialect({ ...shared, basePath: config.odsR4Path }),
  ]
  return async (app) => {
    for (const dialect of dialects) await app.register(odsFace(dialect, face))
  }
}
