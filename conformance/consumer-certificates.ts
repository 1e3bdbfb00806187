import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openTrust } from '@openspine/platform/trust'
import { consumer, type Sandbox } from './sandbox.ts'

const day = 86_400_000

/** What becomes of each state of the consumer's certificate: the status, and the check that refuses it. */
export const certificateStates = [
  ['none', 496, 'certificate-present'],
  ['expired', 495, 'certificate-valid'],
  ['revoked', 495, 'certificate-valid'],
  ['foreign', 495, 'certificate-valid'],
  ['misnamed', 495, 'sender-certificate'],
  ['right', 200, undefined],
] as const

/** Writes a certificate (`<state>.pem`) and key (`<state>.key`) of every state into the folder. */
export async function writeCertificates({ spine }: Sandbox, folder: string): Promise<void> {
  const { trust, clock, log } = spine.platform
  const keep = (kind: string, issued: { certificate: string; chain: string; key?: string }) => {
    writeFileSync(join(folder, `${kind}.pem`), issued.certificate + issued.chain)
    writeFileSync(join(folder, `${kind}.key`), String(issued.key))
  }
  const { fqdn } = consumer
  keep('right', await trust.issue({ fqdn }))
  keep('expired', await trust.issue({ fqdn, notBefore: Date.now() - 10 * day, days: 5 }))
  const revoked = await trust.issue({ fqdn })
  await trust.revoke(revoked.serial)
  keep('revoked', revoked)
  keep('misnamed', await trust.issue({ fqdn: 'other.openspine.example' }))
  const elsewhere = await openTrust({ directory: join(folder, 'elsewhere'), environment: 'elsewhere', clock, log })
  keep('foreign', await elsewhere.issue({ fqdn }))
  await elsewhere.close()
}

/** Runs a program to its end; what it printed on both, and its code. */
export function run(program: string, args: readonly string[], input = ''): Promise<{ code: number; out: string }> {
  return new Promise((resolve) => {
    const options = { timeout: 20_000, encoding: 'latin1', maxBuffer: 1 << 25 } as const
    const child = execFile(program, args, options, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : 127, out: stdout + stderr }),
    )
    child.stdin?.on('error', () => {})
    child.stdin?.end(input, 'latin1')
  })
}

/** Calls `url` with curl and the certificate of that state in the folder; `more` goes before the URL. */
export function curl(
  { spine }: Sandbox,
  folder: string,
  kind: string,
  url: string,
  headers: Readonly<Record<string, string>>,
  more: readonly string[] = [],
): Promise<{ code: number; out: string }> {
  const { host, port } = new URL(url)
  return run('curl', [
    ...['--silent', '--show-error', '--include', '--path-as-is', '--globoff', '--max-time', '15'],
    ...['--resolve', `${host.replace(/:\d+$/, '')}:${port}:127.0.0.1`, '--cacert', spine.platform.trust.files.bundle],
    ...(kind === 'none' ? [] : ['--cert', join(folder, `${kind}.pem`), '--key', join(folder, `${kind}.key`)]),
    ...Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]),
    ...more,
    url,
  ])
}
