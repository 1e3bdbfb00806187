import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ReservedPort, reservePort } from '@openspine/platform/doors'
import type { Platform } from '@openspine/platform/service'
import { makeServices, openPlatform, runHouse, type Services } from './house.ts'
import { readSettings, type Settings } from './settings.ts'

export type { Services } from './house.ts'
export { loadSandbox } from './sandbox/sandbox.ts'
export { readSettings, type Settings, sections } from './settings.ts'

/** A Spine in this process. */
export interface Spine {
  /** Where each door answers, by its name. */
  readonly urls: Readonly<Record<string, string>>
  readonly platform: Platform
  /** The services' contracts: the same calls that the services use among themselves. */
  readonly contracts: { readonly [Name in keyof Services]: Services[Name]['contract'] }
  readonly settings: Settings
  /** Finishes what is in flight, closes everything and, for an ephemeral Spine, removes its files. */
  stop(): Promise<void>
}

export interface StartOptions {
  /** Read with `readSettings`. Without them the Spine is ephemeral: free ports, store in memory, a CA of its own in a temporary folder. */
  readonly settings?: Settings
  /** For an ephemeral Spine: setting name → value, for example `{ profile: 'strict' }`. */
  readonly overrides?: Readonly<Record<string, unknown>>
  /** Open the doors of these services alone. */
  readonly only?: readonly string[]
}

/** Settings of an ephemeral Spine. */
const ephemeral = {
  apiPort: 0,
  spinePort: 0,
  pkiPort: 0,
  'directory.port': 0,
  'proxy.port': 0,
  'practice.port': 0,
  logLevel: 'warn',
  stopSeconds: 2,
} as const

/**
 * Starts a Spine.
 *
 * @example
 * const spine = await startSpine()
 * try {
 *   const answer = await fetch(`${spine.urls.api}/_ping`) // trust spine.platform.trust.files.bundle
 * } finally {
 *   await spine.stop()
 * }
 */
export async function startSpine(options: StartOptions = {}): Promise<Spine> {
  const temporary = options.settings ? undefined : mkdtempSync(join(tmpdir(), 'openspine-'))
  const removeFiles = () => {
    if (temporary) rmSync(temporary, { recursive: true, force: true })
  }
  let reserved: ReservedPort | undefined
  try {
    const given =
      options.settings ??
      readSettings({
        // Nobody opens that folder again, so nobody needs to know what its keys are encrypted with.
        overrides: {
          ...ephemeral,
          dataDir: temporary,
          'trust.passphrase': randomBytes(24).toString('hex'),
          ...options.overrides,
        },
      })
    // Issuers and audiences name the port of the door `api`: it has to be known before there is a service.
    const { host, apiPort } = given.values['']
    reserved = apiPort === 0 ? await reservePort(host) : undefined
    const settings = reserved === undefined ? given : withApiPort(given, reserved.port)
    const base = await openPlatform(settings, { memory: temporary !== undefined })
    const { platform, close } = base
    try {
      const services = makeServices(platform, settings)
      const house = await runHouse(base, services, settings, {
        ...options,
        ...(reserved === undefined ? {} : { apiPort: reserved }),
      })
      const contracts = Object.fromEntries(
        Object.entries(services).map(([name, service]) => [name, service.contract]),
      ) as unknown as Spine['contracts']
      let stopped: Promise<void> | undefined
      return {
        urls: house.urls,
        platform,
        contracts,
        settings,
        stop() {
          stopped ??= house.stop().then(close).finally(removeFiles)
          return stopped
        },
      }
    } catch (error) {
      await close()
      throw error
    }
  } catch (error) {
    reserved?.release()
    removeFiles()
    throw error
  }
}

const withApiPort = (settings: Settings, apiPort: number): Settings => ({
  ...settings,
  values: { ...settings.values, '': { ...settings.values[''], apiPort } },
})
