import type { Platform } from '@openspine/platform/service'
import type { FastifyPluginAsync } from 'fastify'
import type { Directory } from '../directory/contract.ts'
import type { DemographicsConfig } from './config.ts'
import { hl7v3Face } from './hl7v3/face.ts'
import { syncRecord } from './hl7v3/record.ts'
import type { QueryCases } from './hl7v3/run.ts'
import type { ChangeCases } from './hl7v3/run-change.ts'
import { smspFace } from './smsp/face.ts'
import { miniRecord } from './smsp/record.ts'

/** The faces over SOAP on the door `spine`: HL7 V3 (§19) and the Mini Services (§20), over the same use cases. */
export function spineFaces(
  parts: QueryCases &
    ChangeCases & {
      readonly platform: Platform
      readonly config: DemographicsConfig
      readonly directory: Pick<Directory, 'snapshot'>
      mayRegister(now: number): boolean
    },
): FastifyPluginAsync {
  const { platform, config, retrieve, search, crossCheck } = parts
  const { clock, random, log, metrics, audit } = platform
  const requests = metrics.counter('openspine_pds_soap_requests_total', 'PDS over SOAP: requests by face and outcome', [
    'face',
    'operation',
    'outcome',
  ])
  const seconds = metrics.histogram('openspine_pds_soap_request_seconds', 'PDS over SOAP: time to the answer', ['face'])
  const counted = (face: string, operation: string, outcome: string, at: number) => {
    requests.inc({ face, operation, outcome })
    seconds.observe({ face }, (clock.now() - at) / 1000)
  }
  const common = {
    retrieve,
    search,
    crossCheck,
    clock,
    random,
    log,
    directory: () => parts.directory.snapshot(),
    // A header of ours helps whoever tries a client out; the profile strict is the specification and nothing else.
    diagnostics: platform.profile === 'sandbox',
  }
  return async (app) => {
    if (config.hl7v3Paths.length > 0)
      await app.register(
        hl7v3Face({
          ...common,
          related: parts.related,
          update: parts.update,
          create: parts.create,
          birth: parts.birth,
          mayRegister: parts.mayRegister,
          paths: config.hl7v3Paths,
          from: config.hl7v3From,
          async settled(event) {
            await audit.append(syncRecord(event))
            counted('hl7v3', event.operation, event.outcome, event.at)
          },
        }),
      )
    if (config.smspPath !== '')
      await app.register(
        smspFace({
          ...common,
          path: config.smspPath,
          timestamps: config.smspTimestamps,
          async settled(event) {
            await audit.append(miniRecord(event))
            counted('smsp', event.operation, event.code, event.at)
          },
        }),
      )
  }
}
