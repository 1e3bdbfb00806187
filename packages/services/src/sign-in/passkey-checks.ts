import type { AuthenticatorData, ClientData } from '@openspine/standards/webauthn'

/** What the store knows of a challenge that came back; using it has spent it. */
export type ChallengeState = 'fresh' | 'unknown' | 'used before' | 'expired' | 'of another sign-in'

/** A passkey on its way through the checks of a registration or of a sign-in. */
export interface PasskeyAnswer {
  readonly client: ClientData | undefined
  readonly authenticator: AuthenticatorData | undefined
  readonly challenge: ChallengeState
  readonly expected: {
    readonly type: 'webauthn.create' | 'webauthn.get'
    readonly origin: string
    readonly rpIdHash: Uint8Array
  }
}

/** A registration: whether the statement that was not asked for is absent, and the id of the browser is that of the authenticator. */
export interface NewPasskey extends PasskeyAnswer {
  readonly statement: 'not evaluated' | 'empty' | 'unexpected'
  readonly sameId: boolean
}

/** A sign-in: whose credential it is, and what its key says of the signature. */
export interface UsedPasskey extends PasskeyAnswer {
  readonly owner: 'this person' | 'another person' | 'nobody'
  /** The browser's, where it gives one. */
  readonly userHandle: 'right' | 'absent' | 'wrong'
  readonly signed: boolean
}

/** What the person reads; who runs this finds the check in the audit. */
export type PasskeyText =
  | 'This passkey could not be read. Try again, or sign in another way.'
  | 'This attempt is no longer valid. Try again.'
  | 'This passkey is not one of yours here. Use another one, or sign in another way.'
  | 'Your device has to check that it is you, by PIN, fingerprint or face. Try again, or sign in another way.'
  | 'This passkey cannot be used any more. Sign in another way, and remove it.'
  | 'This passkey is registered already.'

/** What a check is, where it is written, and what the person is told when it fails. */
export interface PasskeyWords {
  readonly name: string
  /** Of Web Authentication, Level 2. */
  readonly clause: string
  readonly text: PasskeyText
  readonly explains: string
}

export interface PasskeyCheck<Answer> extends PasskeyWords {
  /** Undefined when it holds; otherwise why not. */
  examine(answer: Answer): string | undefined
}

const unreadable = 'This passkey could not be read. Try again, or sign in another way.'
const stale = 'This attempt is no longer valid. Try again.'
const notYours = 'This passkey is not one of yours here. Use another one, or sign in another way.'
const unverified =
  'Your device has to check that it is you, by PIN, fingerprint or face. Try again, or sign in another way.'

const holds = (condition: boolean, otherwise: string) => (condition ? undefined : otherwise)

/** What registrations and sign-ins have in common; the clauses are those of §7.1 (registering) and §7.2 (signing in). */
const common: readonly PasskeyCheck<PasskeyAnswer>[] = [
  {
    name: 'client data',
    clause: '7.1 #6, 7.2 #10',
    text: unreadable,
    explains: 'The client data are JSON with type, challenge and origin.',
    examine: ({ client }) => holds(client !== undefined, 'clientDataJSON cannot be read'),
  },
  {
    name: 'type',
    clause: '7.1 #7, 7.2 #11',
    text: unreadable,
    explains: 'The browser was asked to do what is being done: a registration is no sign-in.',
    examine: ({ client, expected }) => holds(client?.type === expected.type, `type is not ${expected.type}`),
  },
  {
    name: 'challenge',
    clause: '7.1 #8, 7.2 #12',
    text: stale,
    explains:
      'The challenge was made for this person at this place, less than five minutes ago, and has not been used.',
    examine: ({ challenge }) => holds(challenge === 'fresh', `the challenge is ${challenge}`),
  },
  {
    name: 'origin',
    clause: '7.1 #9, 7.2 #13',
    text: unreadable,
    explains: 'The page was one of this provider, and stood in no frame of another site.',
    examine: ({ client, expected }) =>
      holds(client?.origin === expected.origin, `origin is not ${expected.origin}`) ??
      holds(client?.crossOrigin !== true, 'the page stood in a frame of another site'),
  },
  {
    name: 'authenticator data',
    clause: '7.1 #12, 6.1',
    text: unreadable,
    explains: 'The authenticator’s data are laid out as §6.1 says.',
    examine: ({ authenticator }) => holds(authenticator !== undefined, 'authenticatorData cannot be read'),
  },
  {
    name: 'relying party',
    clause: '7.1 #13, 7.2 #15',
    text: notYours,
    explains: 'The authenticator was asked for the host of this provider.',
    examine: ({ authenticator, expected }) =>
      holds(Buffer.from(authenticator?.rpIdHash ?? []).equals(expected.rpIdHash), 'rpIdHash is of another host'),
  },
  {
    name: 'user present',
    clause: '7.1 #14, 7.2 #16',
    text: unverified,
    explains: 'Somebody was there.',
    examine: ({ authenticator }) => holds(authenticator?.userPresent === true, 'the flag UP is not set'),
  },
  {
    name: 'user verified',
    clause: '7.1 #15, 7.2 #17',
    text: unverified,
    explains: 'The authenticator has verified who it was; level 3 needs it.',
    examine: ({ authenticator }) => holds(authenticator?.userVerified === true, 'the flag UV is not set'),
  },
  {
    name: 'backup flags',
    clause: 'Level 3, 6.1.3',
    text: unreadable,
    explains: 'What cannot be backed up is not backed up.',
    examine: ({ authenticator }) =>
      holds(authenticator?.backupEligible === true || authenticator?.backedUp !== true, 'BS is set without BE'),
  },
]

/** The last one of a registration: the store sees to it, of several at once one succeeds. */
export const newCheck: PasskeyWords = {
  name: 'new',
  clause: '7.1 #22',
  text: 'This passkey is registered already.',
  explains: 'No credential of this id is registered, for anybody.',
}

/** The last one of a sign-in: the store sees to it, of several at once one succeeds. */
export const countedCheck: PasskeyWords = {
  name: 'counter',
  clause: '7.2 #21',
  text: 'This passkey cannot be used any more. Sign in another way, and remove it.',
  explains:
    'The counter has gone on since the last use, or the authenticator does not count: otherwise it may have been copied.',
}

/** Before a passkey is kept (§7.1). */
export const registrationChecks: readonly PasskeyCheck<NewPasskey>[] = [
  ...common,
  {
    name: 'algorithm',
    clause: '7.1 #16',
    text: unreadable,
    explains: 'The key is one of EdDSA, ES256 or RS256, and sound.',
    examine: ({ authenticator }) =>
      holds(authenticator?.credential?.key !== undefined, 'no key of a kind that is read'),
  },
  {
    name: 'attestation',
    clause: '7.1 #18, 8.7',
    text: unreadable,
    explains: 'No statement was asked for; format none has an empty one. Those of other formats are not evaluated.',
    examine: ({ statement }) => holds(statement !== 'unexpected', 'format none with a statement'),
  },
  {
    name: 'credential id',
    clause: '7.1 #17, 5.1',
    text: unreadable,
    explains: 'The browser and the authenticator name the same credential.',
    examine: ({ sameId }) => holds(sameId, 'rawId is not the id of the authenticator'),
  },
]

/** Before somebody is signed in (§7.2). */
export const signInChecks: readonly PasskeyCheck<UsedPasskey>[] = [
  {
    name: 'owner',
    clause: '7.2 #5 to #7',
    text: notYours,
    explains: 'The credential is registered, for the person who signs in.',
    examine: ({ owner }) => holds(owner === 'this person', `the credential is of ${owner}`),
  },
  {
    name: 'user handle',
    clause: '7.2 #6',
    text: notYours,
    explains: 'Where the authenticator says whose it is, it is this person’s.',
    examine: ({ userHandle }) => holds(userHandle !== 'wrong', 'userHandle is of another person'),
  },
  ...common,
  {
    name: 'signature',
    clause: '7.2 #20',
    text: notYours,
    explains: 'The registered key signed these data.',
    examine: ({ signed }) => holds(signed, 'the signature is wrong'),
  },
]
