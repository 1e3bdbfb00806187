import { isNhsNumber } from '@openspine/standards/nhs'
import { errors } from 'oidc-provider'
import { asksForRole } from '../cis2.ts'
import type { Patients, Worker, Workers } from '../contract.ts'
import type { Issuer } from '../issuer.ts'
import {
  acrAsked,
  acrMet,
  authenticators,
  credentials,
  passkeyAuthenticator,
  passkeyCredential,
  proofings,
  vectorMet,
  vtrAsked,
} from '../levels.ts'
import { subjectOf } from '../nhs-login.ts'
import { mostRolesListed, type Problem, patientPage, rolePage, staffPage } from './pages.ts'
import { type PasskeyNeeds, passkeyStep } from './passkeys.ts'
import { type Asked, formOf, type OwnRoute, redirect, sendPage } from './routes.ts'

/** Most staff that the page lists; others are found by search. */
const mostListed = 20

interface Needs {
  readonly issuer: () => Issuer
  /** Ends a sign-on of this browser when another person signs in. */
  readonly end: (uid: string) => Promise<unknown>
  readonly record: (event: string, facts: Readonly<Record<string, unknown>>) => Promise<void>
}

type Interaction = Awaited<ReturnType<Issuer['provider']['interactionDetails']>>

interface Pending {
  readonly person: string
  readonly authenticator: string
  /** The passkey is waited for; nothing else goes on before. */
  readonly passkey?: true
}

async function interactionOf({ provider }: Issuer, { request, response, part }: Asked): Promise<Interaction> {
  const interaction = await provider.interactionDetails(request, response)
  // The address holds what the cookie holds: a form that somebody else's page sends cannot know it.
  if (interaction.uid !== part) throw new errors.SessionNotFound('another interaction')
  return interaction
}

const text = (value: unknown) => (typeof value === 'string' ? value : undefined)

async function nameOf({ provider }: Issuer, interaction: Interaction): Promise<string> {
  const client = await provider.Client.find(String(interaction.params['client_id']))
  return client?.clientName ?? String(interaction.params['client_id'])
}

async function finish(
  { issuer, end, record }: Needs,
  { request, response }: Asked,
  interaction: Interaction,
  result: Readonly<Record<string, unknown>> & {
    readonly login: { readonly accountId: string; readonly acr: string; readonly amr?: string[] }
  },
) {
  const { provider, kind } = issuer()
  const session = await provider.Session.get(provider.createContext(request, response))
  if (session.accountId !== undefined && session.accountId !== result.login.accountId) {
    await end(session.uid)
    Object.assign(interaction, { session: undefined })
    await interaction.persist()
  }
  await record('sign_in.signed_on', {
    issuer: kind.name,
    client: interaction.params['client_id'],
    subject: result.login.accountId,
    level: result.login.acr,
    ...(result['selectedRole'] === undefined ? {} : { role: result['selectedRole'] }),
  })
  await provider.interactionFinished(request, response, result)
}

async function refuse(
  { issuer, record }: Needs,
  { request, response }: Asked,
  interaction: Interaction,
  error_description: string,
) {
  const { provider, kind } = issuer()
  await record('sign_in.refused', { issuer: kind.name, client: interaction.params['client_id'] })
  const refusal = { error: 'access_denied', error_description }
  await provider.interactionFinished(request, response, refusal, { mergeWithLastSubmission: false })
}

/** What an interaction waits for: it is kept with it, and read by whichever process is asked next. */
async function waitsFor(interaction: Interaction, pending: Readonly<Record<string, unknown>> | undefined) {
  Object.assign(interaction, { result: pending === undefined ? undefined : { pending } })
  await interaction.persist()
}

/** The pages of staff: person and authenticator, then the passkey where there is one, then the role where one is asked for (§3.3). */
export function staffRoutes(
  needs: Needs & {
    readonly workers: Workers
    readonly passkeys: PasskeyNeeds
    /** Whether the authenticator of passkeys asks for one of everybody. */
    readonly passkeyAlways: boolean
  },
): OwnRoute {
  const { workers, issuer, passkeys, passkeyAlways } = needs
  const passkey = passkeyStep(passkeys)

  const showStaff = async (
    asked: Asked,
    interaction: Interaction,
    problems: readonly Problem[],
    chosen: { readonly person?: string | undefined; readonly authenticator?: string | undefined } = {},
  ) => {
    const searched = (asked.query.get('q') ?? '').slice(0, 100)
    const found = await workers.search(searched, mostListed + 1)
    const wanted = acrAsked(text(interaction.params['acr_values'])) ?? []
    sendPage(
      asked.response,
      problems.length === 0 ? 200 : 400,
      staffPage({
        application: await nameOf(issuer(), interaction),
        staff: found.slice(0, mostListed),
        authenticators: authenticators.filter(({ value }) => acrMet(wanted, value) !== undefined),
        searched,
        searchable: searched !== '' || found.length > mostListed,
        problems,
        chosen,
      }),
    )
  }

  const showRoles = async (asked: Asked, interaction: Interaction, worker: Worker, problems: readonly Problem[]) => {
    const searchable = worker.roles.length > mostRolesListed
    const searched = searchable ? (asked.query.get('q') ?? '').slice(0, 100) : ''
    const wanted = searched.trim().toLowerCase()
    const roles = worker.roles.filter((role) =>
      [role.roleName, role.odsCode, role.organisation ?? '', role.roleId, role.roleCode ?? '']
        .join(' ')
        .toLowerCase()
        .includes(wanted),
    )
    const name = worker.displayName ?? `${worker.givenName ?? ''} ${worker.familyName}`
    const application = await nameOf(issuer(), interaction)
    sendPage(
      asked.response,
      problems.length === 0 ? 200 : 400,
      rolePage({ name, application, roles, searched, searchable, problems }),
    )
  }

  const done = (
    asked: Asked,
    interaction: Interaction,
    { person, authenticator }: Pending,
    role: string | undefined,
  ) => {
    const used = authenticators.find(({ value }) => value === authenticator)
    if (used === undefined) throw new Error('an authenticator that is not in the table')
    return finish(needs, asked, interaction, {
      login: { accountId: person, acr: used.value, amr: [used.amr] },
      ...(role === undefined ? {} : { selectedRole: role }),
    })
  }

  /** Who it is has been settled: on to the role, or away. */
  const settled = async (asked: Asked, interaction: Interaction, worker: Worker, authenticator: string) => {
    const pending = { person: worker.uid, authenticator }
    if (!asksForRole(interaction.params)) return done(asked, interaction, pending, undefined)
    if (worker.roles.length <= 1) return done(asked, interaction, pending, worker.roles[0]?.roleId)
    await waitsFor(interaction, { ...pending })
    return showRoles(asked, interaction, worker, [])
  }

  return {
    methods: ['GET', 'POST'],
    path: '/sign-in/:part',
    async handle(asked) {
      const interaction = await interactionOf(issuer(), asked)
      const pending = (interaction.result as { pending?: Pending } | undefined)?.pending
      const chosen = pending === undefined ? undefined : await workers.find(pending.person)
      if (asked.request.method === 'GET') {
        if (pending === undefined || chosen === undefined) return showStaff(asked, interaction, [])
        if (pending.passkey) return passkey.show(asked, chosen.uid, await nameOf(issuer(), interaction))
        return showRoles(asked, interaction, chosen, [])
      }
      const form = await formOf(asked.request, issuer().issuer)
      if (form.get('answer') === 'no') return refuse(needs, asked, interaction, 'The sign-in was cancelled')
      if (pending?.passkey && chosen !== undefined) {
        if (form.get('answer') === 'other') {
          await waitsFor(interaction, undefined)
          return redirect(asked.response, issuer().urlOf(`/sign-in/${asked.part}`))
        }
        const proved = await passkey.proved(asked, chosen.uid, await nameOf(issuer(), interaction), form)
        return proved ? settled(asked, interaction, chosen, pending.authenticator) : undefined
      }
      if (pending !== undefined && chosen !== undefined) {
        const role = chosen.roles.find(({ roleId }) => roleId === form.get('role'))
        return role === undefined
          ? showRoles(asked, interaction, chosen, [{ field: 'role', text: 'Choose the role in which you act' }])
          : done(asked, interaction, pending, role.roleId)
      }
      const person = form.get('person') ?? ''
      const authenticator = form.get('authenticator') ?? ''
      const worker = await workers.find(person)
      const wanted = acrAsked(text(interaction.params['acr_values'])) ?? []
      const problems = [
        ...(worker === undefined ? [{ field: 'person', text: 'Choose who you are' }] : []),
        ...(acrMet(wanted, authenticator) === undefined
          ? [{ field: 'authenticator', text: 'Choose how you sign in' }]
          : []),
      ]
      const byPasskey = authenticator === passkeyAuthenticator
      const hasPasskey = worker !== undefined && byPasskey && (await passkey.has(person))
      if (problems.length === 0 && byPasskey && !hasPasskey && passkeyAlways)
        problems.push({ field: 'authenticator', text: 'Choose another way: this person has no passkey here' })
      if (worker === undefined || problems.length > 0)
        return showStaff(asked, interaction, problems, { person, authenticator })
      if (!hasPasskey) return settled(asked, interaction, worker, authenticator)
      await waitsFor(interaction, { person, authenticator, passkey: true })
      return passkey.show(asked, worker.uid, await nameOf(issuer(), interaction))
    },
  }
}

/** The page of patients: person, proofing, credential, and consent (§4.1). */
export function patientRoutes(
  needs: Needs & {
    readonly patients: Patients
    /** Remembers whose subject it is. */
    readonly know: (subject: string, nhsNumber: string) => Promise<void>
    readonly passkeys: PasskeyNeeds
    readonly passkeyAlways: boolean
  },
): OwnRoute {
  const { patients, issuer, know, passkeys, passkeyAlways } = needs
  const passkey = passkeyStep(passkeys)
  return {
    methods: ['GET', 'POST'],
    path: '/sign-in/:part',
    async handle(asked) {
      const interaction = await interactionOf(issuer(), asked)
      const wanted = vtrAsked(text(interaction.params['vtr'])) ?? []
      const show = async (problems: readonly Problem[], chosen: Readonly<Record<string, string>>) =>
        sendPage(
          asked.response,
          problems.length === 0 ? 200 : 400,
          patientPage({
            application: await nameOf(issuer(), interaction),
            patients: await patients.offered(),
            scopes: (text(interaction.params['scope']) ?? '')
              .split(' ')
              .flatMap((scope) => (shared[scope] === undefined ? [] : [shared[scope]])),
            problems,
            wanted,
            chosen,
          }),
        )
      const pending = (interaction.result as { pending?: { subject: string; signOn: string } } | undefined)?.pending
      if (asked.request.method === 'GET') {
        if (pending === undefined) return show([], {})
        return passkey.show(asked, pending.subject, await nameOf(issuer(), interaction))
      }
      const form = await formOf(asked.request, issuer().issuer)
      if (form.get('answer') === 'no') return refuse(needs, asked, interaction, 'ConsentNotGiven')
      if (pending !== undefined) {
        const { subject, signOn } = pending
        if (form.get('answer') === 'other') {
          await waitsFor(interaction, undefined)
          return redirect(asked.response, issuer().urlOf(`/sign-in/${asked.part}`))
        }
        const proved = await passkey.proved(asked, subject, await nameOf(issuer(), interaction), form)
        return proved ? finish(needs, asked, interaction, { login: { accountId: subject, acr: signOn } }) : undefined
      }
      const typed = (form.get('number') ?? '').replaceAll(' ', '')
      const nhsNumber = typed === '' ? (form.get('patient') ?? '') : typed
      const proofing = form.get('proofing') ?? ''
      const credential = form.get('credential') ?? ''
      const patient = await patients.find(nhsNumber)
      const signOn = `${proofing}.${credential}`
      const known =
        (proofings as readonly string[]).includes(proofing) && credentials.some(({ value }) => value === credential)
      const problems: Problem[] = []
      if (nhsNumber === '') problems.push({ field: 'number', text: 'Choose a patient or enter an NHS number' })
      else if (!isNhsNumber(nhsNumber))
        problems.push({ field: 'number', text: 'Enter an NHS number of 10 digits that is valid' })
      else if (patient === undefined)
        problems.push({ field: 'number', text: 'Enter the NHS number of somebody whom demographics knows here' })
      if (!known) problems.push({ field: 'proofing', text: 'Choose how your identity was proved and how you sign in' })
      else if (vectorMet(wanted, signOn) === undefined)
        problems.push({
          field: 'proofing',
          text: `Choose a level that the application accepts: ${wanted.join(', ')}`,
        })
      const subject = patient === undefined ? undefined : subjectOf(patient.nhsNumber)
      const byPasskey = credential === passkeyCredential
      const hasPasskey = subject !== undefined && byPasskey && (await passkey.has(subject))
      if (problems.length === 0 && byPasskey && !hasPasskey && passkeyAlways)
        problems.push({ field: 'credential', text: 'Choose another way: this person has no passkey here' })
      if (patient === undefined || subject === undefined || problems.length > 0)
        return show(problems, Object.fromEntries(form))
      await know(subject, patient.nhsNumber)
      if (hasPasskey) {
        await waitsFor(interaction, { subject, signOn })
        return passkey.show(asked, subject, await nameOf(issuer(), interaction))
      }
      return finish(needs, asked, interaction, { login: { accountId: subject, acr: signOn } })
    },
  }
}

/** What a person reads for each scope. */
const shared: Readonly<Record<string, string>> = {
  openid: 'that you signed in',
  profile: 'your NHS number, family name, date of birth and level of proof',
  basic_demographics: 'your family name, date of birth and level of proof',
  profile_extended: 'your first name',
  email: 'your email address',
  phone: 'your telephone number',
  gp_registration_details: 'your GP practice',
}
