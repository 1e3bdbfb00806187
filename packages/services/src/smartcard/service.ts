import { createHash } from 'node:crypto'
import { AuditTrail } from '@openspine/platform/audit'
import type { Platform, Service } from '@openspine/platform/service'
import { SpineError } from '@openspine/standards/error'
import {
  type AssertedRole,
  conditionsAfterMs,
  conditionsBeforeMs,
  isTicket,
  type RoleAssertion,
  ticketBytes,
  ticketOf,
  writeRoleAssertion,
  writeRoleFailure,
} from '@openspine/standards/saml'
import { replaceIllegal } from '@openspine/standards/xml'
import type { AccessControl } from '../access-control/contract.ts'
import { type DirectoryPerson, type People, roleProfile } from '../directory/contract.ts'
import type { SmartcardConfig } from './config.ts'
import type { BrokerAnswer, SmartcardSession, Smartcards } from './contract.ts'
import { agentListener } from './http/agent.ts'
import { brokerFace } from './http/broker.ts'
import { migrations } from './migrations.ts'
import { sessionStore } from './store.ts'

export { type SmartcardConfig, smartcardConfig } from './config.ts'

/** So long a session is kept after its time, for whoever looks into what happened. */
const keptMs = 30 * 86_400_000
const digestOf = (ticket: string) => createHash('sha256').update(ticket).digest('hex')

/** Directory values as XML can carry them. */
const clean = (text: string) => replaceIllegal(text).trim()
const cleanAll = (texts: readonly string[]) => texts.map(clean).filter((text) => text !== '')

function rolesOf({ roles }: DirectoryPerson): readonly AssertedRole[] {
  return roles.map((role) => ({
    ...role,
    areasOfWork: cleanAll(role.areasOfWork),
    areaOfWorkCodes: cleanAll(role.areaOfWorkCodes),
    activities: cleanAll(role.activities),
    activityCodes: cleanAll(role.activityCodes),
    workgroups: cleanAll(role.workgroups),
    workgroupCodes: cleanAll(role.workgroupCodes),
    jobRole: clean(role.jobRole),
    ...(role.organisation === undefined ? {} : { organisation: clean(role.organisation) }),
  }))
}

const refuse = (code: string, status: number, explanation: string) => new SpineError(code, { status }, { explanation })

/** Smartcards: a simulated identity agent, and the Spine Security Broker that vouches for its tickets (identity specification §5). */
export function smartcard({
  platform,
  config,
  people,
  access,
  issuer,
}: {
  readonly platform: Platform
  readonly config: SmartcardConfig
  readonly people: People
  readonly access: Pick<AccessControl, 'decide'>
  /** URL of the broker, where the configuration names none. */
  readonly issuer: string
}): Service<Smartcards> {
  const { clock, random, store, audit, log, profile } = platform
  const rows = sessionStore(store, config.idleMinutes * 60_000)
  const broker = config.issuer === '' ? issuer : config.issuer
  /** Desk → the ticket of its session, as this process made it: asked twice, the agent gives the same. */
  const made = new Map<string, { readonly session: string; readonly ticket: string }>()
  /** Anybody may ask with any ticket: many refusals go into one record. */
  const refusals = new AuditTrail<{ readonly at: number; readonly address: string }>({
    audit,
    clock,
    log,
    event: 'smartcard.assertion.refused',
    json: (refusal) => JSON.stringify(refusal),
    faultText: 'The audit of refused role assertions cannot be written.',
  })
  const hex = () => random.bytes(20).toString('hex')
  /** SAML writes whole seconds. */
  const second = (at: number) => Math.floor(at / 1000) * 1000

  const note = (event: string, { id, desk, uid, roleId, mode }: SmartcardSession) =>
    audit.append({ event, at: clock.now(), facts: { session: id, desk, uid, role: roleId, mode } })

  function personOf(uid: string): DirectoryPerson {
    const person = people.person(uid)
    if (person !== undefined && person.roles.length > 0) return person
    throw refuse(
      'SMARTCARD_UNKNOWN',
      404,
      'There is no card of this uid: nobody with a role at an organisation has it.',
    )
  }

  function roleIn(person: DirectoryPerson, roleId: string): string {
    if (person.roles.some(({ id }) => id === roleId)) return roleId
    throw refuse('SMARTCARD_ROLE', 409, 'That is no role of this person.')
  }

  async function sessionFor(ticket: string | undefined) {
    if (ticket === undefined || !isTicket(ticket)) return undefined
    const session = await rows.find(digestOf(ticket), clock.now())
    if (session?.roleId === undefined) return undefined
    const person = people.person(session.uid)
    // The role may have been taken away since.
    return person?.roles.some(({ id }) => id === session.roleId) === true ? { session, person } : undefined
  }

  function failure(recipient: string): string {
    return writeRoleFailure({
      responseId: hex(),
      issuedAt: second(clock.now()),
      recipient,
      status: 'Requester',
      message: 'The token is not that of a live session.',
    })
  }

  const contract: Smartcards = {
    people,
    async insert({ desk, uid, pin, roleId, training = false, address }) {
      const person = personOf(uid)
      if (pin !== config.pin) throw refuse('SMARTCARD_PIN', 403, 'The PIN is wrong.')
      const [first, ...further] = person.roles
      const role = roleId === undefined ? (further.length === 0 ? first?.id : undefined) : roleIn(person, roleId)
      const signedOnAt = clock.now()
      const session: SmartcardSession = {
        id: random.uuid(),
        desk,
        uid,
        ...(role === undefined ? {} : { roleId: role }),
        mode: training ? 'training' : 'live',
        ...(address === undefined ? {} : { address }),
        signedOnAt,
        expiresAt: signedOnAt + config.sessionMinutes * 60_000,
      }
      await rows.prune(signedOnAt - keptMs)
      if (!(await rows.open(session)))
        throw refuse('SMARTCARD_INSERTED', 409, 'A card is in already: take it out first.')
      await note('smartcard.signed-on', session)
      return session
    },
    at: (desk) => rows.at(desk, clock.now()),
    async chooseRole(desk, roleId) {
      const session = await rows.at(desk, clock.now())
      const absent = () => refuse('SMARTCARD_ABSENT', 404, 'No card is in.')
      if (session === undefined) throw absent()
      const chosen = await rows.choose(session.id, roleIn(personOf(session.uid), roleId), clock.now())
      if (chosen === undefined) throw absent()
      await note('smartcard.role-chosen', chosen)
      return chosen
    },
    async ticket(desk) {
      const session = await rows.at(desk, clock.now())
      if (session?.roleId === undefined) return undefined
      const known = made.get(desk)
      if (known?.session === session.id) return known.ticket
      const ticket = ticketOf(random.bytes(ticketBytes))
      if (!(await rows.addTicket(digestOf(ticket), session.id, clock.now()))) return undefined
      made.set(desk, { session: session.id, ticket })
      return ticket
    },
    async remove(desk) {
      const ended = await rows.end(desk, clock.now())
      if (ended === undefined) return false
      made.delete(desk)
      await note('smartcard.removed', ended)
      return true
    },
    session: sessionFor,
    async permission(ticket, { need, orgCode }) {
      const found = await sessionFor(ticket)
      if (found === undefined) return undefined
      const { session, person } = found
      const decision = access.decide({
        roles: person.roles.map(roleProfile),
        selectedRoleId: session.roleId,
        ...(orgCode === undefined ? {} : { orgCode }),
        need,
        // A card and its PIN.
        level: 3,
        mode: session.mode,
      })
      const facts = {
        session: session.id,
        uid: session.uid,
        role: session.roleId,
        mode: session.mode,
        need,
        ...decision,
      }
      await audit.append({ event: 'smartcard.access', at: clock.now(), facts })
      return decision
    },
    async roleAssertion(ticket, recipient): Promise<BrokerAnswer> {
      const found = await sessionFor(ticket)
      if (found === undefined) {
        await refusals.room()
        refusals.add({ at: clock.now(), address: recipient })
        return { xml: failure(recipient) }
      }
      const { session, person } = found
      const issuedAt = second(clock.now())
      const assertion: RoleAssertion = {
        responseId: hex(),
        recipient,
        assertionId: hex(),
        issuer: broker,
        issuedAt,
        notBefore: issuedAt - conditionsBeforeMs,
        notOnOrAfter: issuedAt + conditionsAfterMs,
        authentication: {
          assertionId: hex(),
          at: second(session.signedOnAt),
          ticket: ticket as string,
          ...(session.address === undefined ? {} : { address: session.address }),
        },
        version: '1.1',
        name: clean(person.name),
        uid: person.uid,
        ...(person.practitionerCode === undefined ? {} : { practitionerCode: clean(person.practitionerCode) }),
        mode: session.mode,
        activeRoleId: session.roleId as string,
        roles: rolesOf(person),
      }
      await note('smartcard.assertion', session)
      return { xml: writeRoleAssertion(assertion), session }
    },
  }

  const simulated = profile === 'sandbox' && config.agentPort >= 0
  return {
    name: 'smartcard',
    contract,
    migrations,
    routes: { api: brokerFace(contract) },
    listeners: simulated ? [agentListener(platform, config.agentPort, contract)] : [],
    async stop() {
      await refusals.flush()
    },
    async health() {
      return refusals.fault === undefined ? { status: 'pass' } : { status: 'fail', note: refusals.fault }
    },
  }
}
