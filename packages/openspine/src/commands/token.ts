import { existsSync, readFileSync, statSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { gpConnectToken, spineToken } from '@openspine/client'
import {
  interactionToken,
  type LintOptions,
  lintToken,
  type TokenLint,
  type TokenScope,
  type TokenVariant,
  tokenScopes,
  tokenVariants,
} from '@openspine/standards/audit-token'
import { SpineError } from '@openspine/standards/error'
import { readToken } from '@openspine/standards/jwt'
import { isNhsNumber } from '@openspine/standards/nhs'
import { serviceNamePrefix } from '@openspine/standards/nhs/interactions'
import { type Command, Option } from 'commander'
import { action, consumerSystem, globalOptions, settingsOf, terminalUser } from '../context.ts'
import type { Settings } from '../settings.ts'
import { bold, dim, exitCode, green, output, red } from '../terminal.ts'
import { usage } from './registration.ts'

/** A file of headers or of a client's log is as good as the token alone; nobody keeps a token in more than this. */
const longestFile = 1024 * 1024

/** The token in what somebody has: the value of an Authorization header where there is one among other lines, else all of it. */
export function tokenIn(held: string): string {
  return /^[ \t>]*authorization[ \t]*:[ \t]*(\S.*)$/im.exec(held)?.[1]?.trim() ?? held.trim()
}

async function heldText(words: readonly string[]): Promise<string> {
  const given = words.join(' ')
  if (given === '' || given === '-') {
    if (process.stdin.isTTY) throw usage('Give a token, a file, or - and the token on standard input.')
    return text(process.stdin)
  }
  if (given.length < 4096 && existsSync(given)) {
    if (!statSync(given).isFile() || statSync(given).size > longestFile)
      throw usage(`${given} is no file, or far too long for a token.`)
    return readFileSync(given, 'utf8')
  }
  if (/^[.~]?\/|\.(txt|jwt|json|log|http)$/.test(given)) throw usage(`There is no file ${given}.`)
  return given
}

/** Seconds since the epoch: `1700000000`, a date and time, or `issued` for the token's own iat. */
export function secondsOf(given: string | undefined, token: string, now: number): number {
  if (given === undefined) return now
  if (given === 'issued') {
    const reading = readToken(token.replace(/^bearer\s+/i, ''))
    const iat = reading.ok ? reading.claims['iat'] : undefined
    return typeof iat === 'number' ? iat : now
  }
  const seconds = /^\d{1,12}$/.test(given) ? Number(given) : Math.floor(Date.parse(given) / 1000)
  if (!Number.isFinite(seconds))
    throw usage(
      `${given} is no time: give seconds since 1970, a date and time such as 2026-01-31T12:00:00Z, or issued.`,
    )
  return seconds
}

const wholeInteraction = (given: string) => (given.startsWith(serviceNamePrefix) ? given : serviceNamePrefix + given)

function knownInteraction(given: string | undefined) {
  if (given === undefined) return undefined
  const interaction = wholeInteraction(given)
  const wanted = interactionToken(interaction)
  if (wanted === undefined)
    throw usage(`Which token ${interaction} wants is not known: give --variant (and --scope) in its place.`)
  return { interaction, ...wanted }
}

/** What people read: the variant, why, and each fault with what was found and what to do. */
export function lintLines({ variant, why, findings, ok }: TokenLint): string[] {
  const errors = findings.filter(({ level }) => level === 'error').length
  const warnings = findings.length - errors
  const count = (number: number, what: string) => `${number} ${what}${number === 1 ? '' : 's'}`
  return [
    ...(variant === undefined ? [] : [`${bold(variant)}  ${dim(why.join(' '))}`]),
    ...findings.flatMap(({ claim, level, rule, says, found, remedy }) => [
      `${level === 'error' ? red('✖') : '!'} ${bold(claim)}  ${says}  ${dim(`[${rule}]`)}`,
      `    found  ${found}`,
      `    do     ${remedy}`,
    ]),
    ok
      ? `${green('✔')} Nothing here that a service refuses${warnings === 0 ? '.' : `; ${count(warnings, 'warning')}.`}`
      : `${count(errors, 'error')}${warnings === 0 ? '' : `, ${count(warnings, 'warning')}`}: a service refuses this token.`,
  ]
}

export interface MakeOptions {
  readonly variant?: TokenVariant
  readonly interaction?: string
  readonly endpoint?: string
  readonly scope?: TokenScope
  readonly org?: string
  readonly orgName?: string
  readonly patient?: string
  readonly provider?: string
  readonly asid?: string
  readonly roleProfile?: string
  readonly sensitive?: boolean
  readonly reason?: 'directcare' | 'migration' | 'secondaryuses' | 'patientaccess'
  readonly issued?: string
  readonly header?: boolean
}

/** ODS code in a service root: `https://host/A20047/DSTU2/1`. */
function providerIn(endpoint: string | undefined): string | undefined {
  return /^https?:\/\/[^/]+\/([A-Za-z0-9]{1,9})\/(?:DSTU2|STU3)\//.exec(endpoint ?? '')?.[1]
}

/** A right token for these options, or a sentence about what is missing or does not go together. */
export function makeToken(
  settings: Settings,
  options: MakeOptions,
): { readonly token: string; readonly variant: TokenVariant } {
  const wanted = knownInteraction(options.interaction)
  const variant = options.variant ?? wanted?.variants[0] ?? 'gpconnect-1.2'
  if (variant === 'visitors') throw usage('A token of Visitors & Migrants is only checked here, not made.')
  if (wanted && !wanted.variants.includes(variant))
    throw usage(`${wanted.interaction} wants a token of ${wanted.variants.join(' or ')}, not of ${variant}.`)
  const { endpoint, roleProfile } = options
  if (endpoint === undefined && variant !== 'gpconnect-0')
    throw usage('Give --endpoint: the service root, or the URL that is called, is the audience of the token.')
  const { client } = settings.values
  const own = {
    organisation: {
      odsCode: options.org ?? client.odsCode,
      name: options.orgName ?? (options.org === undefined ? client.organisationName : `Organisation ${options.org}`),
    },
    system: consumerSystem(settings),
    asid: options.asid ?? client.asid,
  }
  const issuedAt = secondsOf(options.issued, '', Math.floor(Date.now() / 1000))
  const scope = options.scope ?? wanted?.scope ?? 'patient/*.read'
  const { reason } = options
  if (variant === 'spine-core' || variant === 'nrl') {
    if (reason === 'migration') throw usage('migration is a reason of GP Connect 1.6 alone.')
    if (variant === 'nrl' && roleProfile === undefined)
      throw usage('Give --role-profile: the record locator wants to know the user.')
    const user = roleProfile === undefined ? {} : { roleProfileId: roleProfile }
    const why = reason === undefined ? {} : { reason }
    return { variant, token: spineToken(own, { audience: endpoint ?? '', scope, issuedAt, ...user, ...why }) }
  }
  if (reason === 'secondaryuses' || reason === 'patientaccess') throw usage(`${reason} is no reason of GP Connect.`)
  const practitioner = { ...terminalUser, ...(roleProfile === undefined ? {} : { sdsRoleProfileId: roleProfile }) }
  if (variant === 'gpconnect-0') {
    const isPatient = scope.startsWith('patient/')
    const number = options.patient?.replaceAll(' ', '')
    if (isPatient && !isNhsNumber(number))
      throw usage('Give --patient with a valid NHS number: a token of 0.x says whose record is asked for.')
    const organisation = options.provider ?? providerIn(endpoint)
    return {
      variant,
      token: gpConnectToken(own, {
        practitioner,
        scope,
        issuedAt,
        ...(isPatient && number !== undefined ? { patient: number } : {}),
        ...(organisation === undefined ? {} : { organisation }),
      }),
    }
  }
  const migration = wanted?.migrate === true
  return {
    variant,
    token: gpConnectToken(own, {
      practitioner,
      generation: 'stu3',
      audience: endpoint ?? '',
      scope,
      issuedAt,
      ...((reason ?? (migration ? 'migration' : undefined)) ? { reason: reason ?? 'migration' } : {}),
      ...(options.sensitive || migration ? { confidentiality: options.sensitive ? 'R' : 'N' } : {}),
    }),
  }
}

/** Commands that need no environment: the token is read and made as it stands. */
export function tokenCommands(program: Command): void {
  const token = program.command('token').description('check and make audit tokens (GP Connect, Spine, NRL)')
  const variantOption = (variants: readonly TokenVariant[]) =>
    new Option('--variant <variant>', 'which rules').choices(variants)

  token
    .command('lint')
    .argument('[token...]', 'a token, "Bearer <token>", a file that holds one (or a request), or - for standard input')
    .addOption(variantOption(tokenVariants))
    .option('--interaction <id>', 'interaction that is called: says variant and scope (the prefix may be left out)')
    .option('--audience <url>', 'service root that aud must be')
    .option('--now <time>', 'judge it at this time: seconds, a date and time, or issued')
    .description('say everything that is wrong with a token, with what to do; exit code 1 where a service refuses it')
    .action(
      action(
        async (
          command,
          words: readonly string[],
          options: { variant?: TokenVariant; interaction?: string; audience?: string; now?: string },
        ) => {
          const held = tokenIn(await heldText(words))
          const wanted = knownInteraction(options.interaction)
          const lintOptions: LintOptions = {
            now: secondsOf(options.now, held, Math.floor(Date.now() / 1000)),
            ...(options.variant === undefined ? {} : { variant: options.variant }),
            ...(wanted === undefined ? {} : { interaction: wanted.interaction }),
            ...(options.audience === undefined ? {} : { expectedAudience: options.audience }),
          }
          const lint = lintToken(held, lintOptions)
          if (globalOptions(command).json) output.json(lint)
          else for (const line of lintLines(lint)) output.line(line)
          return lint.ok ? exitCode.done : exitCode.failed
        },
      ),
    )

  token
    .command('make')
    // A token of Visitors & Migrants names the record in another form: it is checked here, and made by who sends it.
    .addOption(variantOption(tokenVariants.filter((variant) => variant !== 'visitors')))
    .option('--interaction <id>', 'interaction to call: says variant and scope (the prefix may be left out)')
    .option('--endpoint <url>', 'service root of the provider, or the URL that is called: the audience')
    .addOption(new Option('--scope <scope>', 'scope of the interaction').choices(tokenScopes))
    .option('--org <ods code>', 'organisation that asks (default: client.odsCode)')
    .option('--org-name <name>', 'its name')
    .option('--patient <nhs number>', 'whose record is asked for (0.x)')
    .option('--provider <ods code>', 'whose capabilities are asked for (0.x; default: as in the endpoint)')
    .option('--asid <asid>', 'system that asks (Spine and NRL; default: client.asid)')
    .option('--role-profile <id>', 'role profile id (URPID) of the user')
    .addOption(
      new Option('--reason <reason>', 'reason for the request').choices([
        'directcare',
        'migration',
        'secondaryuses',
        'patientaccess',
      ]),
    )
    .option('--sensitive', 'ask for what is sensitive as well (conf/R, 1.6)')
    .option('--issued <time>', 'make it as of this time: seconds, or a date and time')
    .option('--header', 'print the whole header line, as curl -H takes it')
    .description('make a token that is right, for one request by hand; it lives five minutes')
    .action(
      action(async (command, options: MakeOptions) => {
        const made = makeToken(settingsOf(command), options)
        const at = secondsOf(options.issued, '', Math.floor(Date.now() / 1000))
        const fault = lintToken(made.token, { now: at, variant: made.variant }).findings.find(
          ({ level }) => level === 'error',
        )
        if (fault !== undefined)
          throw new SpineError('USAGE', { claim: fault.claim }, { explanation: `${fault.says} ${fault.remedy}` })
        const reading = readToken(made.token)
        if (globalOptions(command).json)
          output.json({ ...made, authorization: `Bearer ${made.token}`, ...(reading.ok && { claims: reading.claims }) })
        else output.line(options.header ? `Authorization: Bearer ${made.token}` : made.token)
      }),
    )
}
