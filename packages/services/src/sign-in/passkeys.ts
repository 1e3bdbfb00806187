import { createHash } from 'node:crypto'
import type { Clock, Random } from '@openspine/platform/clock'
import {
  passkeyAlgorithms,
  passkeySigned,
  readAttestation,
  readAuthenticatorData,
  readClientData,
} from '@openspine/standards/webauthn'
import { z } from 'zod'
import type { IssuerName } from './contract.ts'
import {
  type ChallengeState,
  countedCheck,
  type NewPasskey,
  newCheck,
  type PasskeyCheck,
  type PasskeyText,
  type PasskeyWords,
  registrationChecks,
  signInChecks,
} from './passkey-checks.ts'
import { digestOf } from './records.ts'
import type { SignInStore, StoredPasskey } from './store.ts'

/** Milliseconds in which a challenge is answered; as long as the browser is told to wait. */
const challengeMs = 5 * 60_000

/** Most passkeys of one person. */
export const mostPasskeys = 10

const base64url = z
  .string()
  .max(8192)
  .regex(/^[A-Za-z0-9_-]*$/)
  .transform((text) => Buffer.from(text, 'base64url'))

/** RegistrationResponseJSON and AuthenticationResponseJSON of Web Authentication Level 3, as `toJSON()` writes them. */
const registration = z.object({
  rawId: base64url,
  type: z.literal('public-key'),
  response: z.object({
    clientDataJSON: base64url,
    attestationObject: base64url,
    transports: z.array(z.string().max(32)).max(10).default([]),
  }),
})
const assertion = z.object({
  rawId: base64url,
  type: z.literal('public-key'),
  response: z.object({
    clientDataJSON: base64url,
    authenticatorData: base64url,
    signature: base64url,
    userHandle: base64url.nullish(),
  }),
})

/** Whose a passkey is, as an authenticator shows it. */
export interface PasskeyPerson {
  /** Subject at the provider. */
  readonly id: string
  /** Nothing that identifies a patient: authenticators show it to whoever holds them. */
  readonly account: string
  readonly displayName: string
}

/** Where a challenge belongs: to one person in one interaction, or in one sign-on. */
export interface ChallengePlace {
  readonly purpose: 'register' | 'sign-in'
  readonly person: string
  /** Uid of the interaction or of the sign-on. */
  readonly within: string
}

export interface PasskeyRefused {
  readonly refused: true
  readonly check: string
  readonly clause: string
  /** For the person. */
  readonly text: PasskeyText
  /** For whoever runs this. */
  readonly cause: string
}

const refused = (
  { name: check, clause, text }: Pick<PasskeyWords, 'name' | 'clause' | 'text'>,
  cause: string,
): PasskeyRefused => ({ refused: true, check, clause, text, cause })

const unreadable = (cause: string) =>
  refused(
    {
      name: 'answer',
      clause: '5.1',
      text: 'This passkey could not be read. Try again, or sign in another way.',
    },
    cause,
  )

function firstRefusal<Answer>(checks: readonly PasskeyCheck<Answer>[], answer: Answer): PasskeyRefused | undefined {
  for (const check of checks) {
    const cause = check.examine(answer)
    if (cause !== undefined) return refused(check, cause)
  }
  return undefined
}

const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest()

/** What an authenticator keeps to say whose a passkey is: nothing that a stranger can read a name from (§14.6.1). */
const handleOf = (person: string) => sha256(`passkey ${person}`)

function parsed<Shape extends z.ZodType>(schema: Shape, text: string): z.infer<Shape> | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  const result = schema.safeParse(value)
  return result.success ? result.data : undefined
}

/** Passkeys of one provider (W3C Web Authentication, Level 2): registered once, and used to sign in from then on. */
export function makePasskeys(needs: {
  readonly rows: SignInStore
  readonly clock: Clock
  readonly random: Random
  readonly name: IssuerName
  /** Issuer of the provider on whose pages they are used. */
  readonly issuer: string
  readonly record: (event: string, facts: Readonly<Record<string, unknown>>) => Promise<void>
}) {
  const { rows, clock, random, name: provider, issuer, record } = needs
  // A browser leaves the port of the scheme out of an origin, whatever the issuer says.
  const { origin, hostname } = new URL(issuer)
  const rpIdHash = sha256(hostname)
  const keyOf = (challenge: string) => ({ issuer: provider, model: 'PasskeyChallenge', id: digestOf(challenge) })

  async function challenge(place: ChallengePlace): Promise<string> {
    const made = random.bytes(32).toString('base64url')
    await rows.put({ ...keyOf(made), payload: { ...place }, expiresAt: clock.now() + challengeMs })
    return made
  }

  /** Looks a challenge up and spends it, whatever becomes of the answer. */
  async function spent(
    challenge: string | undefined,
    { purpose, person, within }: ChallengePlace,
  ): Promise<ChallengeState> {
    if (challenge === undefined) return 'unknown'
    const key = keyOf(challenge)
    const found = await rows.find(key)
    if (found === undefined) return 'unknown'
    if (!(await rows.consume(key, clock.now()))) return 'used before'
    if ((found.expiresAt ?? 0) <= clock.now()) return 'expired'
    const { payload } = found
    const here = payload['purpose'] === purpose && payload['person'] === person && payload['within'] === within
    return here ? 'fresh' : 'of another sign-in'
  }

  async function refuse(place: ChallengePlace, refusal: PasskeyRefused): Promise<PasskeyRefused> {
    const { check, cause } = refusal
    await record('sign_in.passkey.refused', {
      issuer: provider,
      subject: place.person,
      purpose: place.purpose,
      check,
      cause,
    })
    return refusal
  }

  const descriptors = (passkeys: readonly StoredPasskey[]) =>
    passkeys.map(({ credential, transports }) => ({ type: 'public-key', id: credential, transports }))

  return {
    of: (person: string) => rows.passkeysOf(person),

    /** PublicKeyCredentialCreationOptionsJSON. */
    async creationOptions(
      within: string,
      { id: person, account, displayName }: PasskeyPerson,
    ): Promise<Readonly<Record<string, unknown>>> {
      const place: ChallengePlace = { purpose: 'register', person, within }
      return {
        rp: { id: hostname, name: provider === 'cis2' ? 'Sign-in for staff' : 'Sign-in for patients' },
        user: { id: handleOf(person).toString('base64url'), name: account, displayName },
        challenge: await challenge(place),
        pubKeyCredParams: passkeyAlgorithms.map((alg) => ({ type: 'public-key', alg })),
        timeout: challengeMs,
        attestation: 'none',
        excludeCredentials: descriptors(await rows.passkeysOf(person)),
        authenticatorSelection: { residentKey: 'preferred', userVerification: 'required' },
      }
    },

    /** PublicKeyCredentialRequestOptionsJSON. */
    async requestOptions(place: ChallengePlace): Promise<Readonly<Record<string, unknown>>> {
      return {
        rpId: hostname,
        challenge: await challenge(place),
        timeout: challengeMs,
        allowCredentials: descriptors(await rows.passkeysOf(place.person)),
        userVerification: 'required',
      }
    },

    /** Keeps the passkey that a browser made (§7.1). */
    async register(place: ChallengePlace, name: string, text: string): Promise<PasskeyRefused | undefined> {
      const given = parsed(registration, text)
      if (given === undefined) return refuse(place, unreadable('not a RegistrationResponseJSON'))
      const { rawId, response } = given
      const client = readClientData(response.clientDataJSON)
      const attestation = readAttestation(response.attestationObject)
      const answer: NewPasskey = {
        client,
        authenticator: attestation?.data,
        challenge: await spent(client?.challenge, place),
        expected: { type: 'webauthn.create', origin, rpIdHash },
        statement:
          attestation?.format !== 'none' ? 'not evaluated' : attestation.statementIsEmpty ? 'empty' : 'unexpected',
        sameId: rawId.equals(attestation?.data.credential?.id ?? Buffer.alloc(0)),
      }
      const refusal = firstRefusal(registrationChecks, answer)
      if (refusal !== undefined) return refuse(place, refusal)
      const { credential, counter, backedUp } = attestation?.data ?? {}
      if (credential?.key === undefined) throw new Error('a checked registration has a key')
      const added = await rows.addPasskey({
        credential: rawId.toString('base64url'),
        account: place.person,
        name,
        key: credential.key,
        aaguid: credential.aaguid,
        transports: response.transports,
        backedUp: backedUp === true,
        counter: counter ?? 0,
        createdAt: clock.now(),
      })
      if (!added) return refuse(place, refused(newCheck, 'the credential id is registered'))
      await record('sign_in.passkey.registered', { issuer: provider, subject: place.person, model: credential.aaguid })
      return undefined
    },

    /** Whether the person proved who they are with a passkey of theirs (§7.2). */
    async prove(place: ChallengePlace, text: string): Promise<PasskeyRefused | undefined> {
      const given = parsed(assertion, text)
      if (given === undefined) return refuse(place, unreadable('not an AuthenticationResponseJSON'))
      const { clientDataJSON, authenticatorData, signature, userHandle } = given.response
      const client = readClientData(clientDataJSON)
      const authenticator = readAuthenticatorData(authenticatorData)
      const credential = given.rawId.toString('base64url')
      const passkey = await rows.passkey(credential)
      const handle = userHandle?.length ? userHandle : undefined
      const refusal = firstRefusal(signInChecks, {
        client,
        authenticator,
        challenge: await spent(client?.challenge, place),
        expected: { type: 'webauthn.get', origin, rpIdHash },
        owner: passkey === undefined ? 'nobody' : passkey.account === place.person ? 'this person' : 'another person',
        userHandle: handle === undefined ? 'absent' : handle.equals(handleOf(place.person)) ? 'right' : 'wrong',
        signed:
          passkey !== undefined && passkeySigned(passkey.key, signature, authenticatorData, sha256(clientDataJSON)),
      })
      if (refusal !== undefined) return refuse(place, refusal)
      const { counter = 0, backedUp = false } = authenticator ?? {}
      if (!(await rows.usedPasskey({ credential, account: place.person, counter, backedUp }, clock.now())))
        return refuse(place, refused(countedCheck, 'the counter has not gone on: the passkey may have been copied'))
      return undefined
    },

    async remove(person: string, credential: string): Promise<void> {
      if (await rows.removePasskey(person, credential))
        await record('sign_in.passkey.removed', { issuer: provider, subject: person })
    },
  }
}

export type Passkeys = ReturnType<typeof makePasskeys>
