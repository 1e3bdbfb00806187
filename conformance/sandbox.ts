import { readFileSync } from 'node:fs'
import { createClient, gpConnectToken, type SpineClient } from '@openspine/client'
import { loadSandbox, type Spine, startSpine } from 'openspine'

export const consumer = {
  fqdn: 'consumer.openspine.example',
  asid: '200000100000',
  organisation: { odsCode: 'X26', name: 'Invented Trust' },
  system: { url: 'https://consumer.openspine.example/', deviceId: 'conformance', model: 'Conformance', version: '1' },
  practitioner: { id: 'u-17', family: 'Jones', given: 'Claire', prefix: 'Dr' },
} as const

export const careRecordInteraction = 'urn:nhs:names:services:gpconnect:fhir:operation:gpc.getcarerecord'
export const metadataInteraction = 'urn:nhs:names:services:gpconnect:fhir:rest:read:metadata'

export interface TlsMaterial {
  readonly ca: string
  readonly cert: string
  readonly key: string
}

/** A Spine with the sandbox in it, and a consumer's certificate and client. */
export interface Sandbox {
  readonly spine: Spine
  readonly material: TlsMaterial
  readonly client: SpineClient
  stop(): Promise<void>
}

export async function startSandbox(overrides: Readonly<Record<string, unknown>> = {}): Promise<Sandbox> {
  const spine = await startSpine({ overrides })
  try {
    await loadSandbox(spine)
    const identity = await spine.platform.trust.identity(consumer.fqdn)
    const material = {
      ca: readFileSync(spine.platform.trust.files.bundle, 'utf8'),
      cert: identity.certificate + identity.chain,
      key: identity.key,
    }
    const client = createClient({
      pdsUrl: `${spine.urls['api']}/personal-demographics/FHIR/R4`,
      directoryUrl: String(spine.urls['directory']),
      proxyUrl: String(spine.urls['proxy']),
      tls: material,
      asid: consumer.asid,
      organisation: consumer.organisation,
      system: consumer.system,
    })
    return {
      spine,
      material,
      client,
      async stop() {
        await client.close()
        await spine.stop()
      },
    }
  } catch (error) {
    await spine.stop()
    throw error
  }
}

/** The five headers of one request, good ones; a test spoils what it is about. */
export function sspHeaders(about: {
  readonly interaction: string
  readonly to: string
  readonly traceId: string
  readonly patient?: string
  readonly organisation?: string
}): Record<string, string> {
  const token = gpConnectToken(consumer, {
    practitioner: consumer.practitioner,
    scope: about.patient === undefined ? 'organization/*.read' : 'patient/*.read',
    issuedAt: Math.floor(Date.now() / 1000),
    ...(about.patient === undefined ? { organisation: about.organisation ?? 'A20047' } : { patient: about.patient }),
  })
  return {
    'Ssp-TraceID': about.traceId,
    'Ssp-From': consumer.asid,
    'Ssp-To': about.to,
    'Ssp-InteractionID': about.interaction,
    Authorization: `Bearer ${token}`,
  }
}
