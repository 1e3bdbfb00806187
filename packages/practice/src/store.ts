/** All SQL of the practice system: practices with their switches, and one document per patient. */
import { createHash } from 'node:crypto'
import type { Clock, Random } from '@openspine/platform/clock'
import type { Store } from '@openspine/platform/store'
import { SpineError } from '@openspine/standards/error'
import type { Kysely } from 'kysely'
import { sql } from 'kysely'
import { planSlots, putAppointments } from './appointments/store.ts'
import { type PatientRecord, type PracticeRecord, practiceRecord } from './record/model.ts'
import { recordAt } from './record/registration.ts'
import { type HeldAppointment, isRolling } from './record/scheduling.ts'
import { servicesOf } from './record/services.ts'
import { storedRecord } from './record/stored.ts'

interface Tables {
  practice: { ods_code: string; document: string; version: number }
  /** Every service root, and whose it is. */
  service: { service_root: string; ods_code: string }
  document_content: { ods_code: string; id: string; nhs_number: string; content: Buffer }
  patient: {
    ods_code: string
    nhs_number: string
    id: string
    document: string
    version: number
    /** Digest of the document as it was loaded; null: it never came from a file. */
    loaded: string | null
  }
}

export interface StoredPractice {
  readonly practice: PracticeRecord
  /** Grows by one with every change. */
  readonly version: number
}

export interface StoredPatient {
  readonly patient: PatientRecord
  /** Opaque and lasting: the same whatever is loaded later. */
  readonly id: string
  readonly version: number
}

export interface PracticeStore {
  /** The practice whose service root is one of these paths; the longest wins. */
  practiceAt(roots: readonly string[]): Promise<StoredPractice | undefined>
  practice(odsCode: string): Promise<StoredPractice | undefined>
  /** In order of ODS code. */
  practices(): Promise<readonly StoredPractice[]>
  /** As it is at this moment: whoever is no longer registered is not active. */
  patient(odsCode: string, nhsNumber: string): Promise<StoredPatient | undefined>
  /** NHS number of the patient whose document has content under this id. */
  documentOwner(odsCode: string, id: string): Promise<string | undefined>
  documentContent(odsCode: string, id: string): Promise<Buffer | undefined>
  patientById(odsCode: string, id: string): Promise<StoredPatient | undefined>
  /**
   * Writes one patient in one statement, if the record still has that version (0: there is none yet). Of several that
   * try at once one succeeds; undefined for the others. Contents of documents are left as they are.
   */
  writeIfUnchanged(odsCode: string, patient: PatientRecord, version: number): Promise<StoredPatient | undefined>
  /** Patients of a practice. */
  count(odsCode: string): Promise<number>
  /**
   * Writes practices and patients in one transaction; what has not changed keeps its version. A patient that is given
   * as at the last time stays as it was made since then, unless the change is complete.
   * SpineError `PRACTICE_ROOT_TAKEN` when another practice has the service root, `PRACTICE_SLOT_TAKEN` when a slot of a
   * given appointment is booked already.
   */
  write(changes: readonly PracticeChange[]): Promise<void>
  /**
   * Plans the slots of sessions that come again as of now, at every practice that has such. In one transaction for each
   * practice; may be done at any time, by several processes at once.
   */
  planAhead(): Promise<void>
  /** Adds or replaces patients of a practice that exists. */
  writePatients(odsCode: string, patients: readonly PatientRecord[]): Promise<void>
}

export interface PracticeChange {
  readonly practice: PracticeRecord
  readonly patients: readonly PatientRecord[]
  /** Remove the practice's other patients. */
  readonly complete: boolean
  /** Of its patients and in its books; one that is there already stays as it is. */
  readonly appointments?: readonly HeldAppointment[]
}

const rowsPerStatement = 500

/** The record as it is stored: contents of documents stand in a table of their own, known here by size and hash. */
export function withoutContent(patient: PatientRecord): PatientRecord {
  if (patient.documents.every(({ content }) => content === undefined)) return patient
  return {
    ...patient,
    documents: patient.documents.map(({ content, ...document }) => {
      if (content === undefined) return document
      const octets = Buffer.from(content, 'base64')
      return { ...document, size: octets.length, sha256: createHash('sha256').update(octets).digest('hex') }
    }),
  }
}

export function practiceStore(store: Store, random: Random, clock: Clock): PracticeStore {
  const db = (store.db as Kysely<Tables>).withSchema('practice')

  const readPractice = (row: { document: string; version: number }): StoredPractice => ({
    // Through the schema again: a document of an earlier release gains the defaults of this one.
    practice: practiceRecord.parse(JSON.parse(row.document)),
    version: row.version,
  })

  const patients = (odsCode: string) =>
    db.selectFrom('patient').select(['id', 'document', 'version']).where('ods_code', '=', odsCode)

  const readPatientRow = async ({ id, document, version }: { id: string; document: string; version: number }) => ({
    patient: recordAt(await storedRecord(document), clock.now()),
    id,
    version,
  })

  const documentRows = (odsCode: string, id: string) =>
    db.selectFrom('document_content').where('ods_code', '=', odsCode).where('id', '=', id)

  async function putPractice(transaction: Kysely<Tables>, practice: PracticeRecord): Promise<void> {
    await sql`
      insert into practice.practice as held (ods_code, document, version)
      values (${practice.odsCode}, ${JSON.stringify(practice)}, 1)
      on conflict (ods_code) do update
        set document = excluded.document, version = held.version + 1
        where held.document is distinct from excluded.document`.execute(transaction)
    const roots = servicesOf(practice).map(({ serviceRoot }) => serviceRoot)
    await sql`
      delete from practice.service
      where ods_code = ${practice.odsCode} and service_root <> all(${roots}::text[])`.execute(transaction)
    await sql`
      insert into practice.service (service_root, ods_code)
      select service_root, ${practice.odsCode} from unnest(${roots}::text[]) as given (service_root)
      on conflict (service_root) do nothing`.execute(transaction)
    const others = await transaction
      .selectFrom('service')
      .select('service_root')
      .where('service_root', 'in', roots)
      .where('ods_code', '<>', practice.odsCode)
      .execute()
    const [taken] = others
    if (taken !== undefined)
      throw new SpineError(
        'PRACTICE_ROOT_TAKEN',
        { serviceRoot: taken.service_root },
        { explanation: `Another practice already answers at ${taken.service_root}.` },
      )
    await planSlots(transaction, practice, random, clock.now())
  }

  /** Writes the contents of the patients' documents, and removes those that are no longer named. */
  async function putContent(
    transaction: Kysely<Tables>,
    odsCode: string,
    patients: readonly PatientRecord[],
  ): Promise<void> {
    const kept = patients.flatMap(({ documents }) => documents.map(({ id }) => id))
    await transaction
      .deleteFrom('document_content')
      .where('ods_code', '=', odsCode)
      .where(sql<boolean>`nhs_number = any(${patients.map(({ nhsNumber }) => nhsNumber)}::text[])`)
      .where(sql<boolean>`id <> all(${kept}::text[])`)
      .execute()
    for (const { nhsNumber, documents } of patients)
      for (const { id, content } of documents) {
        if (content === undefined) continue
        const { numAffectedRows } = await sql`
          insert into practice.document_content as held (ods_code, id, nhs_number, content)
          values (${odsCode}, ${id}, ${nhsNumber}, ${Buffer.from(content, 'base64')})
          on conflict (ods_code, id) do update set content = excluded.content
          where held.nhs_number = excluded.nhs_number`.execute(transaction)
        if (numAffectedRows === 0n)
          throw new SpineError(
            'PRACTICE_DOCUMENT_TAKEN',
            { id },
            { explanation: `The document id ${id} belongs to another patient of this practice.` },
          )
      }
  }

  async function putPatients(
    transaction: Kysely<Tables>,
    odsCode: string,
    patients: readonly PatientRecord[],
    always: boolean,
  ): Promise<void> {
    for (let i = 0; i < patients.length; i += rowsPerStatement) {
      const some = patients.slice(i, i + rowsPerStatement).map(withoutContent)
      await putContent(transaction, odsCode, patients.slice(i, i + rowsPerStatement))
      const documents = some.map((patient) => JSON.stringify(patient))
      await sql`
        insert into practice.patient as held (ods_code, nhs_number, id, document, version, loaded)
        select ${odsCode}, nhs_number, id, document, 1, loaded
        from unnest(
          ${some.map((patient) => patient.nhsNumber)}::text[],
          ${some.map(() => random.uuid())}::text[],
          ${documents}::text[],
          ${documents.map((document) => createHash('sha256').update(document).digest('base64'))}::text[]
        ) as given (nhs_number, id, document, loaded)
        on conflict (ods_code, nhs_number) do update
          set document = excluded.document,
            version = held.version + case when held.document is distinct from excluded.document then 1 else 0 end,
            loaded = excluded.loaded
          where held.loaded is distinct from excluded.loaded
            or (${always} and held.document is distinct from excluded.document)`.execute(transaction)
    }
  }

  return {
    async practiceAt(roots) {
      if (roots.length === 0) return undefined
      const row = await db
        .selectFrom('service')
        .innerJoin('practice', 'practice.ods_code', 'service.ods_code')
        .select(['practice.document', 'practice.version'])
        .where('service.service_root', 'in', roots)
        .orderBy(sql`length(service.service_root)`, 'desc')
        .limit(1)
        .executeTakeFirst()
      return row && readPractice(row)
    },

    async practice(odsCode) {
      const row = await db
        .selectFrom('practice')
        .select(['document', 'version'])
        .where('ods_code', '=', odsCode)
        .executeTakeFirst()
      return row && readPractice(row)
    },

    async practices() {
      const rows = await db.selectFrom('practice').select(['document', 'version']).orderBy('ods_code').execute()
      return rows.map(readPractice)
    },

    async patient(odsCode, nhsNumber) {
      const row = await patients(odsCode).where('nhs_number', '=', nhsNumber).executeTakeFirst()
      return row && readPatientRow(row)
    },

    async patientById(odsCode, id) {
      const row = await patients(odsCode).where('id', '=', id).executeTakeFirst()
      return row && readPatientRow(row)
    },

    async documentOwner(odsCode, id) {
      const row = await documentRows(odsCode, id).select('nhs_number').executeTakeFirst()
      return row?.nhs_number
    },

    async documentContent(odsCode, id) {
      const row = await documentRows(odsCode, id).select('content').executeTakeFirst()
      return row?.content
    },

    async writeIfUnchanged(odsCode, patient, version) {
      const document = JSON.stringify(withoutContent(patient))
      const { nhsNumber } = patient
      const row =
        version === 0
          ? await db
              .insertInto('patient')
              .values({ ods_code: odsCode, nhs_number: nhsNumber, id: random.uuid(), document, version: 1 })
              .onConflict((conflict) => conflict.columns(['ods_code', 'nhs_number']).doNothing())
              .returning(['id', 'document', 'version'])
              .executeTakeFirst()
          : await db
              .updateTable('patient')
              .set({ document, version: version + 1 })
              .where('ods_code', '=', odsCode)
              .where('nhs_number', '=', nhsNumber)
              .where('version', '=', version)
              .returning(['id', 'document', 'version'])
              .executeTakeFirst()
      return row && readPatientRow(row)
    },

    async count(odsCode) {
      const row = await db
        .selectFrom('patient')
        .select(({ fn }) => fn.countAll().as('n'))
        .where('ods_code', '=', odsCode)
        .executeTakeFirstOrThrow()
      return Number(row.n)
    },

    async write(changes) {
      await db.transaction().execute(async (transaction) => {
        for (const { practice, patients, complete, appointments = [] } of changes) {
          await putPractice(transaction, practice)
          if (complete)
            await sql`
              delete from practice.patient
              where ods_code = ${practice.odsCode}
                and nhs_number <> all(${patients.map((patient) => patient.nhsNumber)}::text[])`.execute(transaction)
          if (complete)
            await sql`
              delete from practice.document_content
              where ods_code = ${practice.odsCode}
                and nhs_number <> all(${patients.map((patient) => patient.nhsNumber)}::text[])`.execute(transaction)
          await putPatients(transaction, practice.odsCode, patients, complete)
          await putAppointments(transaction, practice, appointments)
        }
      })
    },

    async planAhead() {
      for (const { practice } of await this.practices()) {
        if (!practice.schedules.some(isRolling)) continue
        await db.transaction().execute(async (transaction) => {
          // Whoever writes the practice, or plans it as well, waits for this row.
          const row = await transaction
            .selectFrom('practice')
            .select(['document', 'version'])
            .where('ods_code', '=', practice.odsCode)
            .forUpdate()
            .executeTakeFirst()
          if (row !== undefined) await planSlots(transaction, readPractice(row).practice, random, clock.now())
        })
      }
    },

    async writePatients(odsCode, patients) {
      await db.transaction().execute((transaction) => putPatients(transaction, odsCode, patients, true))
    },
  }
}
