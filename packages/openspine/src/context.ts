import { existsSync, readFileSync } from 'node:fs'
import { createClient, type Practitioner, type SpineClient } from '@openspine/client'
import { type Clock, systemClock } from '@openspine/platform/clock'
import { makeLog } from '@openspine/platform/log'
import { openStore, type Store } from '@openspine/platform/store'
import type { IssuedCertificate, Trust } from '@openspine/platform/trust'
import { SpineError } from '@openspine/standards/error'
import type { Command } from 'commander'
import { auditFolder, makeServices, type OpenPlatform, openPlatform, type Services, storeOptions } from './house.ts'
import { readSettings, type Settings } from './settings.ts'
import { exitCode, reportError } from './terminal.ts'

export interface GlobalOptions {
  readonly config?: string
  readonly set: Readonly<Record<string, string>>
  readonly json: boolean
}

/** `--config`, `--set` and `--json`, wherever on the line they stand. */
export function globalOptions(command: Command): GlobalOptions {
  const { config, set = {}, json = false } = command.optsWithGlobals()
  return { set, json, ...(config === undefined ? {} : { config }) }
}

export function settingsOf(command: Command, overrides: Readonly<Record<string, unknown>> = {}): Settings {
  const { config, set } = globalOptions(command)
  return readSettings({
    env: process.env,
    overrides: { ...overrides, ...set },
    ...(config === undefined ? {} : { file: config }),
  })
}

/** Wraps a command's work: what it throws is said in plain words, and decides the exit code. */
export function action<Arguments extends unknown[]>(
  work: (command: Command, ...given: Arguments) => Promise<number | undefined>,
): (...given: [...Arguments, ...unknown[]]) => Promise<void> {
  return async (...given) => {
    const command = given.at(-1) as Command
    try {
      process.exitCode = (await work(command, ...(given as unknown as Arguments))) ?? exitCode.done
    } catch (error) {
      process.exitCode = reportError(error, globalOptions(command).json)
    }
  }
}

/** For commands that change what a server may be using right now: the whole platform, beside the server where one runs. */
export async function withPlatform<Result>(
  command: Command,
  work: (platform: OpenPlatform['platform']) => Promise<Result>,
): Promise<Result> {
  const { platform, close } = await openPlatform(settingsOf(command, { logLevel: 'warn' }), { attach: true })
  try {
    return await work(platform)
  } finally {
    await close()
  }
}

/** What commands of registration work with. */
export interface AtRegistration {
  readonly platform: OpenPlatform['platform']
  readonly settings: Settings
  readonly directory: Services['directory']['contract']
  readonly registration: Services['registration']['contract']
}

/** For commands that register: the services themselves, beside the server where one runs, which sees the change within a second. */
export function withRegistration<Result>(
  command: Command,
  work: (at: AtRegistration) => Promise<Result>,
): Promise<Result> {
  const settings = settingsOf(command, { logLevel: 'warn' })
  return withPlatform(command, async (platform) => {
    const { directory, registration } = makeServices(platform, settings)
    const started: (typeof directory | typeof registration)[] = []
    try {
      for (const service of [directory, registration]) {
        await platform.store.migrate(service.name, service.migrations ?? {})
        await service.start?.()
        started.push(service)
      }
      return await work({
        platform,
        settings,
        directory: directory.contract,
        registration: registration.contract,
      })
    } finally {
      for (const service of started.toReversed()) await service.stop?.(settings.values[''].stopSeconds * 1000)
    }
  })
}

/** For commands that only read the audit: no writer is opened, so that looking leaves no trace of its own. */
export async function withAuditReader<Result>(
  command: Command,
  work: (reader: { readonly store: Store; readonly journalDir: string; readonly clock: Clock }) => Promise<Result>,
): Promise<Result> {
  const settings = settingsOf(command, { logLevel: 'warn' })
  const store = await openStore({
    ...storeOptions(settings, { attach: true }),
    log: makeLog({ level: settings.values[''].logLevel, environment: settings.values[''].environment }),
    clock: systemClock,
  })
  try {
    return await work({ store, journalDir: auditFolder(settings), clock: systemClock })
  } finally {
    await store.close()
  }
}

/** Who sits at the terminal, as the audit token names them. */
export const terminalUser: Practitioner = { id: 'openspine-cli', family: 'Terminal', given: 'Test', prefix: 'Dr' }

/** Where the doors are when the settings name no other address. */
export function localUrls(settings: Settings): Record<'pds' | 'directory' | 'proxy', string> {
  const { values } = settings
  const host = values[''].publicHost
  return {
    pds: `https://${host}:${values[''].apiPort}${values.demographics.basePath}`,
    directory: `ldaps://${host}:${values.directory.port}`,
    proxy: `https://${host}:${values.proxy.port}`,
  }
}

/** The consumer system, as its audit tokens name it. */
export function consumerSystem({ values }: Settings) {
  return { url: `https://${values.client.fqdn}/`, deviceId: 'openspine', model: 'OpenSpine', version: '0.1.0' }
}

/** A client of the services that the settings name: this environment's own unless they say otherwise. */
export function consumerClient(
  settings: Settings,
  material: { readonly ca: string; readonly cert: string; readonly key: string },
  urls: { readonly pds: string; readonly directory: string; readonly proxy: string } = localUrls(settings),
): SpineClient {
  const { client } = settings.values
  return createClient({
    pdsUrl: client.pdsUrl || urls.pds,
    directoryUrl: client.directoryUrl || urls.directory,
    proxyUrl: client.proxyUrl || urls.proxy,
    tls: material,
    asid: client.asid,
    organisation: { odsCode: client.odsCode, name: client.organisationName, phone: client.phone },
    system: consumerSystem(settings),
    timeoutMs: client.timeoutSeconds * 1000,
    ...(client.accessToken === '' ? {} : { accessToken: () => client.accessToken }),
  })
}

/** The consumer's certificate: the files that the settings name, or one of this environment's CA (written there by a start in the sandbox). */
export async function consumerMaterial(
  settings: Settings,
  trust: () => Promise<Pick<Trust, 'identity' | 'files'>>,
): Promise<{ ca: string; cert: string; key: string }> {
  const { client } = settings.values
  const read = (name: 'certificateFile' | 'keyFile' | 'caFile') => {
    const path = client[name]
    if (!existsSync(path))
      throw new SpineError(
        'CONFIG_NO_FILE',
        { path },
        { explanation: `client.${name} names ${path}, which does not exist.` },
      )
    return readFileSync(path, 'utf8')
  }
  const named = client.certificateFile !== ''
  const own = named && client.caFile !== '' ? undefined : await trust()
  const identity: (IssuedCertificate & { key: string }) | undefined = named
    ? undefined
    : await own?.identity(client.fqdn)
  return {
    ca: client.caFile !== '' ? read('caFile') : readFileSync((own as Trust).files.bundle, 'utf8'),
    cert: named ? read('certificateFile') : `${identity?.certificate}${identity?.chain}`,
    key: named ? read('keyFile') : (identity?.key as string),
  }
}
