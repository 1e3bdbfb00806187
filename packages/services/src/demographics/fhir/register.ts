import type { Access } from '../access.ts'
import type { KeptAnswer } from '../changes/change.ts'
import { type Arrival, mustPass } from '../checks.ts'
import { singleValue } from '../criteria.ts'
import { outcomes } from '../outcomes.ts'
import type { StoredPerson } from '../person.ts'
import type { BirthNotification } from '../register/birth.ts'
import type { Creation } from '../register/create.ts'
import type { Registered } from '../register/register.ts'
import { birthQueryChecks, registerRequestChecks } from '../register/request-checks.ts'
import { retrieveView } from '../view.ts'
import { type Answer, refused, resourceIn } from './answer.ts'
import { authorOfRequest, etagOf, requestKey, type WriteRequest } from './update.ts'

/** What the answers to new people stand on. */
export interface RegisterAnswers {
  create(asked: Creation): Promise<Registered>
  birth(asked: BirthNotification): Promise<Registered>
  /** Id of a birth notification. */
  notificationId(): string
}

/** POST /Patient (§12). */
export async function createAnswer(
  parts: Pick<RegisterAnswers, 'create'>,
  arrival: Arrival,
  sent: WriteRequest,
): Promise<Answer> {
  return answerOf(await parts.create(creation(arrival, sent)))
}

/** POST /Patient/$process-birth-details (§13). */
export async function birthAnswer(parts: RegisterAnswers, arrival: Arrival, sent: WriteRequest): Promise<Answer> {
  mustPass(birthQueryChecks, arrival.parameters)
  const notification = creation(arrival, sent, { 'notification-id': parts.notificationId() })
  const ignorePotentialMatches = singleValue(arrival.parameters, 'ignore_potential_matches') === 'true'
  return answerOf(await parts.birth({ ...notification, ignorePotentialMatches }))
}

function creation(arrival: Arrival, sent: WriteRequest, headers: Readonly<Record<string, string>> = {}): Creation {
  mustPass(registerRequestChecks, { contentType: sent.contentType })
  return {
    value: resourceIn(sent.body),
    author: authorOfRequest(arrival, sent),
    request: requestKey(arrival),
    answer: (person) => created(person, arrival.access, headers),
  }
}

const created = (person: StoredPerson, access: Access, headers: Readonly<Record<string, string>>): KeptAnswer => ({
  status: 201,
  body: retrieveView(person, access),
  headers: { etag: etagOf(person.version), ...headers },
  shown: person.nhsNumber,
})

/** One who matches is told of, and of several only that they are. */
function answerOf(registered: Registered): Answer {
  if ('answer' in registered) {
    const { shown, ...answer } = registered.answer
    return { ...answer, shown: shown === undefined ? [] : [shown] }
  }
  const [only, ...more] = registered.matched
  return only !== undefined && more.length === 0
    ? { ...refused(outcomes.singleMatch(only)), shown: [only] }
    : refused(outcomes.multipleMatches)
}
