import type { PdsUpdate } from '@openspine/standards/hl7v3'
import { does, filled } from './object-checks.ts'
import { sharedUpdateChecks, type UpdateCheck } from './update-checks.ts'

const clause = 'messaging §8.3'

const practices = ({ provisions }: PdsUpdate, ...modes: readonly string[]) =>
  provisions.filter(({ code, updateMode }) => code === '1' && does(updateMode, ...modes))

/** The rules of an update by NHAIS (PRPA_IN000204): those of every update, and those of joining and leaving a list. */
export const nhaisChecks: readonly UpdateCheck[] = [
  ...sharedUpdateChecks,
  {
    name: 'UNSUPPORTED_PATIENT_CARE',
    where: 'NHAIS',
    clause,
    explains: 'NHAIS registers with a practice (1) and with no other provider of care.',
    breaks: ({ provisions }) => provisions.some(({ code, updateMode }) => updateMode !== undefined && code !== '1'),
  },
  {
    name: 'MANDATORY_FIELD_MISSING',
    where: 'nHAISRemovalRegistrationEvent',
    clause,
    explains: 'Leaving a list has a reasonCode and an effectiveTime.',
    breaks: ({ removal }) =>
      does(removal?.updateMode, 'added', 'altered') &&
      (!filled(removal?.code) || !removal?.effectiveTime?.bounds.some(({ value }) => filled(value))),
  },
  {
    name: 'UNEXPECTED_DATA_IN_NHAIS_REMOVAL_REG_EVENT',
    clause,
    explains: 'Leaving a list that is removed carries no value.',
    breaks: ({ removal }) =>
      removal?.updateMode === 'removed' && (filled(removal.code) || removal.effectiveTime !== undefined),
  },
  {
    name: 'GP_PROVDER_RULE86',
    clause,
    explains: 'Nobody is registered with a practice in a message that tells their death or that they leave the list.',
    breaks: (update) =>
      practices(update, 'added', 'altered').length > 0 &&
      [update.deathNotification, update.removal].some((told) => does(told?.updateMode, 'added', 'altered')),
  },
  {
    name: 'REG_REMOVAL_AND_PCP_MUTUALLY_EXCLUSIVE',
    clause,
    explains: 'A removal from a list is taken back where a practice is added, and not otherwise.',
    breaks: (update) => update.removal?.updateMode === 'removed' && practices(update, 'added').length !== 1,
  },
]
