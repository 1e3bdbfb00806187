import { type Door, openDoor } from '@openspine/platform/doors'
import type { Listener, Platform } from '@openspine/platform/service'
import { isSpineError, SpineError } from '@openspine/standards/error'
import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { SmartcardSession, Smartcards } from '../contract.ts'

const loopback = '127.0.0.1'
const deskName = /^[A-Za-z0-9._-]{1,64}$/

const cardBody = z.strictObject({
  uid: z.string(),
  pin: z.string(),
  role: z.string().optional(),
  training: z.boolean().optional(),
})
const roleBody = z.strictObject({ role: z.string() })

const question = (explanation: string, status = 400) =>
  new SpineError('SMARTCARD_QUESTION', { status }, { explanation })

function bodyOf<Body>(request: FastifyRequest, schema: z.ZodType<Body>): Body {
  let held: unknown
  try {
    held = JSON.parse(Buffer.isBuffer(request.body) ? request.body.toString('utf8') : '')
  } catch {
    throw question('The body is not JSON.')
  }
  const read = schema.safeParse(held)
  if (read.success) return read.data
  const [issue] = read.error.issues
  throw question(`The body is not as it should be: ${issue?.path.join('.') || 'the whole'}: ${issue?.message}.`)
}

function deskOf(request: FastifyRequest): string {
  const { desk = 'desk' } = request.query as Record<string, unknown>
  if (typeof desk === 'string' && deskName.test(desk)) return desk
  throw question('desk has 1 to 64 letters, digits, dots, hyphens and underscores.')
}

/** Only programs of this computer: a page in a browser, whatever name it gives the loopback address, is turned away. */
function fromProgramHere(request: FastifyRequest): void {
  const host = request.headers.host?.replace(/:\d+$/, '').toLowerCase() ?? ''
  if (!['127.0.0.1', 'localhost'].includes(host) || request.headers.origin !== undefined)
    throw question('The agent serves programs of this computer, not pages in a browser.', 403)
}

/** The simulated identity agent of a desktop: what stands in for card reader, PIN pad and the agent's ticket API. */
function agentFace(cards: Smartcards): FastifyPluginAsync {
  const shown = (session: SmartcardSession | undefined) => {
    if (session === undefined) return { card: 'absent' }
    const { uid, roleId, mode, signedOnAt, expiresAt } = session
    const person = cards.people.person(uid)
    return {
      card: 'inserted',
      uid,
      name: person?.name,
      role: roleId,
      training: mode === 'training',
      signedOnAt: new Date(signedOnAt).toISOString(),
      expiresAt: new Date(expiresAt).toISOString(),
      roles: person?.roles.map(({ id, odsCode, organisation, jobRole, jobRoleCode }) => ({
        role: id,
        odsCode,
        organisation,
        jobRole,
        jobRoleCode,
      })),
    }
  }
  return async (app) => {
    app.addHook('onRequest', async (request, reply) => {
      fromProgramHere(request)
      reply.header('cache-control', 'no-store')
    })
    app.setErrorHandler((error, _request, reply) => {
      const outcome = isSpineError(error) ? (error.outcome as { readonly status?: unknown } | undefined) : undefined
      if (!isSpineError(error) || typeof outcome?.status !== 'number') throw error
      return reply.code(outcome.status).send({ error: error.code, explanation: error.explanation })
    })
    app.get('/cards', async () => ({
      cards: cards.people.people().flatMap(({ uid, name, roles }) => (roles.length === 0 ? [] : [{ uid, name }])),
    }))
    app.get('/card', async (request) => shown(await cards.at(deskOf(request))))
    app.put('/card', async (request) => {
      const { uid, pin, role, training = false } = bodyOf(request, cardBody)
      const chosen = role === undefined ? {} : { roleId: role }
      return shown(await cards.insert({ desk: deskOf(request), uid, pin, training, address: request.ip, ...chosen }))
    })
    app.delete('/card', async (request) => ({ removed: await cards.remove(deskOf(request)) }))
    app.put('/role', async (request) => shown(await cards.chooseRole(deskOf(request), bodyOf(request, roleBody).role)))
    // getTicket() may prompt: here the prompt is the refusal, which says what to put in or to choose.
    app.get('/ticket', async (request, reply) => {
      const desk = deskOf(request)
      const ticket = await cards.ticket(desk)
      if (ticket !== undefined) return { ticket }
      const session = await cards.at(desk)
      if (session === undefined)
        throw new SpineError(
          'SMARTCARD_ABSENT',
          { status: 404 },
          { explanation: 'No card is in: PUT /card puts one in.' },
        )
      return reply.code(409).send({
        error: 'SMARTCARD_ROLE',
        explanation: 'A role must be chosen: PUT /role chooses one.',
        ...shown(session),
      })
    })
    // What no agent of the nation has: whether the role that is in may do something, and by which rules.
    app.get('/permission', async (request) => {
      const { activity } = request.query as Readonly<Record<string, unknown>>
      if (typeof activity !== 'string' || !/^B\d{4}$/.test(activity))
        throw question('Name one activity: ?activity=B0820.', 400)
      const ticket = await cards.ticket(deskOf(request))
      const decision = ticket === undefined ? undefined : await cards.permission(ticket, { need: { any: [activity] } })
      if (decision === undefined) throw question('No card is in, or no role was chosen.', 404)
      return decision
    })
    // getTicketNoAuth() never prompts, and may be empty.
    app.get('/ticket-no-auth', async (request) => ({ ticket: (await cards.ticket(deskOf(request))) ?? '' }))
  }
}

/** Plain http on the loopback address alone. */
export function agentListener(platform: Platform, port: number, cards: Smartcards): Listener {
  const { trust, log, metrics, clock, random } = platform
  let door: Door | undefined
  return {
    name: 'smartcard-agent',
    async listen() {
      door = await openDoor({
        name: 'smartcard-agent',
        host: loopback,
        port,
        plain: true,
        trust,
        identity: { fqdn: 'localhost' },
        mutual: 'none',
        log,
        metrics,
        clock,
        random,
        routes: [agentFace(cards)],
        limits: { bodyBytes: 16 * 1024, connections: 256 },
      })
      return { port: door.port, url: `http://${loopback}:${door.port}` }
    },
    async close(deadlineMs) {
      await door?.close(deadlineMs)
    },
  }
}
