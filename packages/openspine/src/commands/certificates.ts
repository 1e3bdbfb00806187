import { mkdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { systemClock } from '@openspine/platform/clock'
import { makeLog } from '@openspine/platform/log'
import {
  type CertificateRecord,
  endingSoon,
  type IssuedCertificate,
  type OpenTrust,
  openTrust,
  renewCertificate,
  revocationReasons,
} from '@openspine/platform/trust'
import { SpineError } from '@openspine/standards/error'
import type { Command } from 'commander'
import { action, globalOptions, settingsOf } from '../context.ts'
import { trustOptions } from '../house.ts'
import { output, table } from '../terminal.ts'

/** The environment's CA works on files, so these commands need no store and no running server; a running one notices within a second. */
export async function withTrust<Result>(
  command: Command,
  work: (trust: OpenTrust) => Promise<Result>,
): Promise<Result> {
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

function daysOf(days: number | undefined, name: string): { readonly days?: number } {
  if (days === undefined) return {}
  if (days > 0) return { days }
  throw new SpineError('USAGE', {}, { explanation: `${name} wants a number above zero.` })
}

type Issued = IssuedCertificate & { readonly bundle: string }

/** Keys stay in their file: no output shows one. */
function withoutKey({ key: _secret, ...shown }: Issued) {
  return shown
}

function showIssued(issued: Issued): void {
  output.line(`${issued.fqdn}  serial ${issued.serial}  ${state(issued, Date.now())}`)
  output.line(`certificate  ${issued.files.fullChain}`)
  if (issued.files.key) output.line(`key          ${issued.files.key}`)
  output.line(`issuers      ${issued.bundle}`)
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
        const days = daysOf(options.days, '--days')
        const issued = await withTrust(command, async (trust) => {
          const certificate =
            options.csr === undefined
              ? await trust.issue({ fqdn, ...days, ...(options.name === undefined ? {} : { names: options.name }) })
              : await trust.signRequest(readRequest(options.csr), { ...days, fqdn })
          return { ...certificate, bundle: trust.files.bundle }
        })
        if (globalOptions(command).json) return void output.json(withoutKey(issued))
        showIssued(issued)
      }),
    )

  cert
    .command('renew')
    .argument('<fqdn or serial>', 'whose certificate; by FQDN the newest that is not revoked')
    .option('--csr <file>', 'sign this PKCS#10 request instead of making a key here')
    .option('--days <days>', 'how long the new one is valid', Number)
    .option('--revoke-old', 'revoke the old one at once, as superseded')
    .option('--keep-old', 'let the old one end by itself (this is the default)')
    .description('issue a new certificate with the names of an earlier one')
    .action(
      action(
        async (
          command,
          which: string,
          options: { csr?: string; days?: number; revokeOld?: boolean; keepOld?: boolean },
        ) => {
          if (options.revokeOld && options.keepOld)
            throw new SpineError('USAGE', {}, { explanation: 'Either --revoke-old or --keep-old, not both.' })
          const csr = options.csr === undefined ? {} : { csr: readRequest(options.csr) }
          const renewal = { ...csr, ...daysOf(options.days, '--days'), revokeOld: options.revokeOld === true }
          const { issued, old } = await withTrust(command, async (trust) => {
            const renewed = await renewCertificate(trust, which, renewal)
            return { ...renewed, issued: { ...renewed.issued, bundle: trust.files.bundle } }
          })
          if (globalOptions(command).json) return void output.json({ ...withoutKey(issued), old })
          showIssued(issued)
          output.line(`the old one  serial ${old.serial}  ${state(old, Date.now())}`)
        },
      ),
    )

  cert
    .command('crl')
    .option('--refresh', 'sign and publish new ones first')
    .description('show the revocation lists in force: of the issuing CA, then of the root')
    .action(
      action(async (command, options: { refresh?: boolean }) => {
        const lists = await withTrust(command, async (trust) => {
          if (options.refresh) await trust.publishCrls()
          return trust.crls()
        })
        if (globalOptions(command).json) {
          const time = (at: number) => (Number.isFinite(at) ? new Date(at).toISOString() : undefined)
          return void output.json(
            lists.map((list) => ({ ...list, thisUpdate: time(list.thisUpdate), nextUpdate: time(list.nextUpdate) })),
          )
        }
        for (const { issuer, number, thisUpdate, nextUpdate, serials } of lists) {
          const until = Number.isFinite(nextUpdate) ? ` until ${day(nextUpdate)}` : ''
          output.line(
            `${issuer}  number ${number ?? 'none'}  from ${day(thisUpdate)}${until}  ${serials.length} revoked`,
          )
        }
      }),
    )

  cert
    .command('revoke')
    .argument('<serial or fqdn>', 'a serial number, or an FQDN for every live certificate of it')
    .option('--reason <reason>', `one of ${Object.keys(revocationReasons).join(', ')}`)
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
    .option('--expiring <days>', 'only those that end within so many days and have no successor', Number)
    .description('list the certificates of this environment')
    .action(
      action(async (command, which: string | undefined, options: { expiring?: number }) => {
        const { days } = daysOf(options.expiring, '--expiring')
        const all = await withTrust(command, async (trust) => trust.list())
        const wanted = which?.toLowerCase()
        const listed = days === undefined ? all : endingSoon(all, Date.now(), days)
        const records = listed.filter(
          ({ serial, fqdn }) =>
            wanted === undefined || fqdn.toLowerCase() === wanted || serial.toLowerCase() === wanted,
        )
        if (records.length === 0 && which !== undefined && days === undefined)
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
