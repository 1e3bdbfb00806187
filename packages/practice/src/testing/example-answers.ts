/** The worked example behind `answer`, without store and socket. */
import { manualClock } from '@openspine/platform/clock'
import { type Answer, answer } from '../answer.ts'
import type { AppointmentStore } from '../appointments/store.ts'
import { endpoints } from '../endpoints.ts'
import { readPracticeFile } from '../record/file.ts'
import type { PatientRecord, PracticeFile } from '../record/model.ts'
import { servicesOf } from '../record/services.ts'
import { workedExample } from '../sandbox/worked-example.ts'
import type { ReceivedRequest } from '../sheet.ts'
import { withoutContent } from '../store.ts'
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
export function exampleAnswers(settings: Partial<PracticeInput> = {}) {
  const example = workedExample({ asid: testAsid, asids: testAsids, today })
  const { practices } = readPracticeFile({
    ...example,
    practices: example.practices.map((practice) => ({ ...practice, ...settings })),
  })
  const patientWhere = (odsCode: string, wanted: (patient: PatientRecord) => boolean) => {
    const patient = practices.find((practice) => practice.odsCode === odsCode)?.patients.find(wanted)
    return patient && { patient: withoutContent(patient), id: exampleId(patient.nhsNumber), version: 2 }
  }
  const documentWhere = (odsCode: string, id: string) =>
    practices
      .find((practice) => practice.odsCode === odsCode)
      ?.patients.flatMap(({ nhsNumber, documents }) => documents.map((document) => ({ nhsNumber, document })))
      .filter(({ document }) => document.id === id && document.content !== undefined)
      .map(({ nhsNumber, document }) => ({ nhsNumber, content: Buffer.from(document.content ?? '', 'base64') }))[0]
  let uuids = 0
  const clock = manualClock(now)
  return async (
    request: TestRequest,
    more: { readonly peer?: ReceivedRequest['peer']; readonly tooLong?: boolean } = {},
  ): Promise<Answer> =>
    answer(
      received(request, now, more.peer),
      async () => (more.tooLong ? undefined : new TextEncoder().encode(request.body)),
      {
        endpoints,
        clock,
        random: {
          uuid: () => `00000000-0000-4000-8000-${String(++uuids).padStart(12, '0')}`,
          bytes: (length) => Buffer.alloc(length),
        },
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
        },
      },
    )
}
