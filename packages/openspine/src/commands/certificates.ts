import { mkdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { systemClock } from '@openspine/platform/clock'
import { makeLog } from '@openspine/platform/log'
import { type CertificateRecord, openTrust, type Trust } from '@openspine/platform/trust'
import { SpineError } from '@openspine/standards/error'
import type { Command } from 'commander'
import { action, globalOptions, settingsOf } from '../context.ts'
import { trustOptions } from '../house.ts'
import { output, table } from '../terminal.ts'

/** The environment's CA works on files, so these commands need no store and no running server; a running one notices within a second. */
export async function withTrust<Result>(command: Command, work: (trust: Trust) => Promise<Result>): Promise<Result> {
  const settings = settingsOf(command)
  const log = makeLog({ level: 'warn', environment: settings.values[''].environment })
  mkdirSync(resolve(settings.values[''].dataDir), { recursive: true, mode: 0o700 })
  const trust = await openTrust({ ...trustOptions(settings), clock: systemClock, log })
  try {
    return await work(trust)
  } finally {
    await trust.close()
  }
}

function readRequest(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new SpineError('USAGE', { file }, { cause, explanation: `The signing request ${file} cannot be read.` })
  }
}

const day = (at: number) => new Date(at).toISOString().slice(0, 10)

function state(record: CertificateRecord, now: number): string {
  if (record.revokedAt !== undefined)
    return `revoked ${day(record.revokedAt)}${record.reason ? ` (${record.reason})` : ''}`
  return record.notAfter < now ? `expired ${day(record.notAfter)}` : `valid until ${day(record.notAfter)}`
}

export function certificateCommands(program: Command): void {
  const cert = program.command('cert').description("issue, revoke and show certificates of this environment's CA")

  cert
    .command('issue')
    .argument(
      '<fqdn>',
      'fully qualified domain name of the endpoint: becomes the subject and a subject alternative name',
    )
    .option('--csr <file>', 'sign this PKCS#10 request instead of making a key here')
    .option('--name <name...>', 'further subject alternative names')
    .option('--days <days>', 'how long it is valid', Number)
    .description('issue a certificate for client and server use')
    .action(
      action(async (command, fqdn: string, options: { csr?: string; name?: string[]; days?: number }) => {
        const days = options.days === undefined ? {} : { days: options.days }
        if (options.days !== undefined && !(options.days > 0))
          throw new SpineError('USAGE', {}, { explanation: '--days wants a number above zero.' })
        const issued = await withTrust(command, async (trust) => {
          const certificate =
            options.csr === undefined
              ? await trust.issue({ fqdn, ...days, ...(options.name === undefined ? {} : { names: options.name }) })
              : await trust.signRequest(readRequest(options.csr), { ...days, fqdn })
          return { ...certificate, bundle: trust.files.bundle }
        })
        if (globalOptions(command).json) {
          const { key: _secret, ...shown } = issued
          return void output.json(shown)
        }
        output.line(`${issued.fqdn}  serial ${issued.serial}  ${state(issued, Date.now())}`)
        output.line(`certificate  ${issued.files.fullChain}`)
        if (issued.files.key) output.line(`key          ${issued.files.key}`)
        output.line(`issuers      ${issued.bundle}`)
      }),
    )

  cert
    .command('revoke')
    .argument('<serial or fqdn>', 'a serial number, or an FQDN for every live certificate of it')
    .option('--reason <reason>', 'keyCompromise, cessationOfOperation, superseded, …')
    .description('revoke and publish a new CRL at once; running servers take it up within a second')
    .action(
      action(async (command, which: string, options: { reason?: string }) => {
        const revoked = await withTrust(command, (trust) => trust.revoke(which, options.reason))
        if (globalOptions(command).json) return void output.json(revoked)
        for (const record of revoked)
          output.line(`${record.fqdn}  serial ${record.serial}  ${state(record, Date.now())}`)
      }),
    )

  cert
    .command('show')
    .argument('[serial or fqdn]', 'only these')
    .description('list the certificates of this environment')
    .action(
      action(async (command, which?: string) => {
        const all = await withTrust(command, async (trust) => trust.list())
        const wanted = which?.toLowerCase()
        const records = all.filter(
          ({ serial, fqdn }) =>
            wanted === undefined || fqdn.toLowerCase() === wanted || serial.toLowerCase() === wanted,
        )
        if (records.length === 0 && which !== undefined)
          throw new SpineError(
            'CLIENT_NOT_FOUND',
            { which },
            { explanation: `This environment has issued no certificate ${which}.` },
          )
        if (globalOptions(command).json) return void output.json(records)
        for (const line of table(records.map((record) => [record.fqdn, record.serial, state(record, Date.now())])))
          output.line(line)
      }),
    )
}
