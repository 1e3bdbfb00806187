import type { Ad, Cd, Ii, Ivl, Pn, Tel, Valued } from './datatypes.ts'
import type { PdsRelated } from './pds-related.ts'

/** Who provides care: the registered practice (code 1), a pharmacy or appliance supplier (P1 to P3). */
export interface CareProvision {
  readonly code: string
  readonly effectiveTime?: Ivl
  readonly id?: Ii
  readonly organisation: Ii
}

/**
 * A person as the messages of PDS tell of them, apart from the form of a message: what each form shows, and where, is in
 * {@link PdsForm}.
 */
export interface PdsPerson {
  /** NHS number. */
  readonly id: Ii
  /** Serial change number (SCN). */
  readonly serialChangeNumber?: string
  /** Code of sensitivity, where the record is not open to everyone. */
  readonly confidentiality?: string
  readonly gender?: Cd
  readonly birthTime?: Valued
  readonly deceasedTime?: Valued
  readonly multipleBirth?: string
  readonly birthplace?: Ad
  readonly language?: { readonly code: string; readonly interpreter: string }
  readonly provisions: readonly CareProvision[]
  readonly addresses: readonly Ad[]
  readonly telecoms: readonly Tel[]
  readonly names: readonly Pn[]
  readonly related: readonly PdsRelated[]
  /** 1 informal, 2 formal, U removed. */
  readonly deathNotification?: string
  /** When the death was notified: MIM 7 tells it. */
  readonly deathNotified?: string
  readonly consents: readonly { readonly type: string; readonly value: string }[]
  readonly contact?: { readonly method?: string; readonly times?: string }
  readonly writtenFormat?: string
  /** Reason and time of leaving the practice's list. */
  readonly removal?: { readonly reason: string; readonly effectiveTime?: Ivl }
  /** How well the person matches, in per cent: replies of advanced traces. */
  readonly matchingLevel?: string
}

/** Members that a form may leave out. */
export type PdsMember = Exclude<keyof PdsPerson, 'id'>

/** How a reply shows people: names of elements differ from edition to edition (§8.2), and so does what is shown. */
export interface PdsForm {
  /** Element under `subject`. */
  readonly element: 'PDSResponse' | 'PdsSuccessfulRetrieval' | 'PdsTraceMatch' | 'PdsNhsNumberConfirmation'
  /** Names, addresses, telecoms inline, or each in a part of its own with this suffix of the common types. */
  readonly parts: 'inline' | 'UK02' | 'UK03'
  readonly provision: 'patientCareProvisionEvent' | 'patientCareProvision'
  readonly performer: 'assignedEntity' | 'assignedOrganization' | 'healthCareProvider'
  /** Whether a provision of care has an object id. */
  readonly provisionId: boolean
  /** Number of the `subjectOf…` that holds the death notification. */
  readonly deathIn: number
  readonly shows: ReadonlySet<PdsMember>
}

const basics: readonly PdsMember[] = [
  'confidentiality',
  'gender',
  'birthTime',
  'deceasedTime',
  'provisions',
  'addresses',
  'names',
  'deathNotification',
]
const everything: readonly PdsMember[] = [
  ...basics,
  'serialChangeNumber',
  'multipleBirth',
  'birthplace',
  'language',
  'related',
  'telecoms',
  'consents',
  'contact',
  'writtenFormat',
  'removal',
]

/** The forms of the replies, by the kind of query and the edition of the messages (MIM). */
export const pdsForms = {
  /** QUPA_IN000009UK03 (PRPA_MT000201, MIM 6). */
  'retrieval-6': {
    element: 'PDSResponse',
    parts: 'UK02',
    provision: 'patientCareProvisionEvent',
    performer: 'assignedEntity',
    provisionId: true,
    deathIn: 2,
    shows: new Set(everything),
  },
  /** QUPA_IN000009UK06 (MIM 7). */
  'retrieval-7': {
    element: 'PDSResponse',
    parts: 'UK03',
    provision: 'patientCareProvision',
    performer: 'assignedEntity',
    provisionId: true,
    deathIn: 2,
    shows: new Set([...everything, 'deathNotified'] as const),
  },
  /** QUPA_IN050000UK32 (MIM 3). */
  'retrieval-3': {
    element: 'PdsSuccessfulRetrieval',
    parts: 'inline',
    provision: 'patientCareProvision',
    performer: 'healthCareProvider',
    provisionId: true,
    deathIn: 3,
    shows: new Set([...basics, 'serialChangeNumber', 'telecoms', 'multipleBirth'] as const),
  },
  /** QUPA_IN000007 (PRPA_MT000200), QUPA_IN030000UK32. */
  trace: {
    element: 'PdsTraceMatch',
    parts: 'inline',
    provision: 'patientCareProvision',
    performer: 'assignedOrganization',
    provisionId: false,
    deathIn: 3,
    shows: new Set([...basics, 'telecoms', 'multipleBirth'] as const),
  },
  /** QUPA_IN000011 (PRPA_MT000207): as a trace, several people, each with its matching level. */
  'advanced-trace': {
    element: 'PdsTraceMatch',
    parts: 'inline',
    provision: 'patientCareProvision',
    performer: 'assignedOrganization',
    provisionId: false,
    deathIn: 3,
    shows: new Set([...basics, 'telecoms', 'multipleBirth', 'matchingLevel'] as const),
  },
  /** QUPA_IN000010 (PRPA_MT000202), QUPA_IN070000UK30. */
  confirmation: {
    element: 'PdsNhsNumberConfirmation',
    parts: 'inline',
    provision: 'patientCareProvision',
    performer: 'assignedOrganization',
    provisionId: false,
    deathIn: 2,
    shows: new Set([...basics, 'serialChangeNumber', 'consents'] as const),
  },
  /** QUPA_IN000015 (PRPA_MT000213). */
  'cross-check': {
    element: 'PDSResponse',
    parts: 'inline',
    provision: 'patientCareProvision',
    performer: 'assignedOrganization',
    provisionId: false,
    deathIn: 2,
    shows: new Set([...basics, 'serialChangeNumber'] as const),
  },
} as const satisfies Readonly<Record<string, PdsForm>>

/** Name of a form. */
export type PdsFormName = keyof typeof pdsForms
