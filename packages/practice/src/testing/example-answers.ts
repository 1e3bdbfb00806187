/** The worked example behind `answer`, without store and socket. */
import { manualClock } from '@openspine/platform/clock'
import { type Answer, answer } from '../answer.ts'
import type { AppointmentStore } from '../appointments/store.ts'
import type { LookUp } from '../demographics.ts'
import { endpoints } from '../endpoints.ts'
import { readPracticeFile } from '../record/file.ts'
import type { PatientRecord, PracticeFile } from '../record/model.ts'
import { recordAt } from '../record/registration.ts'
import { servicesOf } from '../record/services.ts'
import { workedExample } from '../sandbox/worked-example.ts'
import type { ReceivedRequest } from '../sheet.ts'
import { type StoredPatient, withoutContent } from '../store.ts'
import type { LongRecords } from '../structured/long-records.ts'
import { proxyFqdn, received, type TestRequest, testAsid } from './requests.ts'
import { testAsids } from './stu3-requests.ts'

export const now = Date.parse('2026-11-20T10:00:00Z')
export const today = '2026-11-20'

/** The id of a patient of the worked example; every patient has version 2 and the practice 3. */
export const exampleId = (nhsNumber: string): string => `p-${nhsNumber.slice(-3)}`

const noAppointments: AppointmentStore = {
  freeSlots: async () => [],
  slots: async () => [],
  book: async () => undefined,
  appointment: async () => undefined,
  ofPatient: async () => [],
  change: async () => undefined,
}

type PracticeInput = PracticeFile['practices'][number]

/** Answers requests from a practice file held in memory; `settings` replace those of the worked example. */
export function exampleAnswers(
  settings: Partial<PracticeInput> = {},
  more: {
    readonly demographics?: LookUp | undefined
    /** When the requests come; a test may move it on. */
    readonly clock?: ReturnType<typeof manualClock>
    readonly longRecords?: Pick<LongRecords, 'write'> | undefined
  } = {},
) {
  const example = workedExample({ asid: testAsid, asids: testAsids, today })
  const { practices } = readPracticeFile({
    ...example,
    practices: example.practices.map((practice) => ({ ...practice, ...settings })),
  })
  const clock = more.clock ?? manualClock(now)
  /** Patients that were written since, by practice and NHS number. */
  const written = new Map<string, StoredPatient>()
  const patientWhere = (odsCode: string, wanted: (patient: PatientRecord) => boolean) => {
    const practice = practices.find((one) => one.odsCode === odsCode)
    const kept = [...written.values()].find(({ patient }) => wanted(patient))
    const later = kept && { ...kept, patient: recordAt(kept.patient, clock.now()) }
    const patient = practice?.patients.find(wanted)
    const asLoaded = patient && {
      patient: recordAt(withoutContent(patient), clock.now()),
      id: exampleId(patient.nhsNumber),
      version: 2,
    }
    return practice && (later ?? asLoaded)
  }
  const documentWhere = (odsCode: string, id: string) =>
    practices
      .find((practice) => practice.odsCode === odsCode)
      ?.patients.flatMap(({ nhsNumber, documents }) => documents.map((document) => ({ nhsNumber, document })))
      .filter(({ document }) => document.id === id && document.content !== undefined)
      .map(({ nhsNumber, document }) => ({ nhsNumber, content: Buffer.from(document.content ?? '', 'base64') }))[0]
  let uuids = 0
  return async (
    request: TestRequest,
    sent: { readonly peer?: ReceivedRequest['peer']; readonly tooLong?: boolean } = {},
  ): Promise<Answer> =>
    answer(
      received(request, clock.now(), sent.peer),
      async () => (sent.tooLong ? undefined : new TextEncoder().encode(request.body)),
      {
        endpoints,
        clock,
        random: {
          uuid: () => `00000000-0000-4000-8000-${String(++uuids).padStart(12, '0')}`,
          bytes: (length) => Buffer.alloc(length),
        },
        demographics: more.demographics,
        ...(more.longRecords === undefined ? {} : { longRecords: more.longRecords }),
        proxyFqdn,
        exactAudience: false,
        quoteSingleDates: true,
        appointments: noAppointments,
        store: {
          async practiceAt(roots) {
            const found = practices.find((practice) =>
              servicesOf(practice).some(({ serviceRoot }) => roots.includes(serviceRoot)),
            )
            return found && { practice: found, version: 3 }
          },
          patient: async (odsCode, nhsNumber) => patientWhere(odsCode, (patient) => patient.nhsNumber === nhsNumber),
          documentOwner: async (odsCode, id) => documentWhere(odsCode, id)?.nhsNumber,
          documentContent: async (odsCode, id) => documentWhere(odsCode, id)?.content,
          patientById: async (odsCode, id) => patientWhere(odsCode, (patient) => exampleId(patient.nhsNumber) === id),
          async writeIfUnchanged(odsCode, patient, version) {
            const { nhsNumber } = patient
            const held = patientWhere(odsCode, (one) => one.nhsNumber === nhsNumber)
            if ((held?.version ?? 0) !== version) return undefined
            const stored = { patient, id: exampleId(nhsNumber), version: version + 1 }
            written.set(`${odsCode} ${nhsNumber}`, stored)
            return stored
          },
        },
      },
    )
}
