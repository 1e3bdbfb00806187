import type { PatientInput } from '@openspine/practice'
import { escapeAttribute, escapeText } from '@openspine/standards/xml'

/** Where a demonstration summary comes from. */
export interface SummaryOrigin {
  readonly odsCode: string
  readonly practice: string
  /** An instant. */
  readonly at: string
  newId(): string
}

const uuidSystem = 'https://tools.ietf.org/html/rfc4122'
const snomed = (code: string, display: string) => ({ coding: [{ system: 'http://snomed.info/sct', code, display }] })
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** As summaries print days: `05-Mar-2019`. */
function day(text: string | undefined): string {
  const [year = '', month = '', rest = ''] = (text ?? '').slice(0, 10).split('-')
  return [rest, months[Number(month) - 1] ?? month, year].filter((part) => part !== '').join('-')
}

type Row = readonly string[]

/** A section with one table; where there are no rows, it says so. */
function section(code: string, title: string, headings: Row, rows: readonly Row[]) {
  const cells = (row: Row, element: 'td' | 'th') =>
    row.map((cell) => `<${element}>${escapeText(cell)}</${element}>`).join('')
  const body =
    rows.length === 0
      ? `<tr><td colspan="${headings.length}">No relevant information available for this category.</td></tr>`
      : rows.map((row) => `<tr>${cells(row, 'td')}</tr>`).join('')
  const id = escapeAttribute(code.replace('Header', ''))
  const table = `<table id="${id}"><thead><tr>${cells(headings, 'th')}</tr></thead><tbody>${body}</tbody></table>`
  return narrated(code, title, table)
}

const narrated = (code: string, title: string, html: string) => ({
  title,
  code: { coding: [{ code }] },
  text: { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml">${html}</div>` },
})

/** What a practice would upload about a patient of its own, out of the rows of the record: allergies, medicines, problems, vaccinations. */
export function summaryOf(patient: PatientInput, origin: SummaryOrigin) {
  const { odsCode, practice, at, newId } = origin
  const [composition, subject, role, person, organisation] = Array.from({ length: 5 }, () => newId().toUpperCase())
  const { allergies = [], medications = [], problems = [], immunisations = [], name } = patient
  const open = medications.filter(({ ended, elsewhere, confidential }) => !ended && !elsewhere && !confidential)
  const medicine = ({ startDate, recordedDate, item, dosage, quantity = '' }: (typeof open)[number]) => [
    day(startDate ?? recordedDate),
    item,
    dosage,
    quantity,
  ]
  const medicineHeadings = ['Date', 'Medication Item', 'Dosage Instructions', 'Quantity']
  const sections = [
    narrated(
      'Title',
      'General Practice Summary',
      `<h3 id="Disclaimer">An invented record. This summary may not include all the information pertinent to this patient.</h3><p id="CreateTime">Summary Created: ${escapeText(`${day(at)} ${at.slice(11, 16)}`)}</p><p id="Practice">${escapeText(practice)}.</p>`,
    ),
    section(
      'AllergiesHeader',
      'Allergies and Adverse Reactions',
      ['Date', 'Description'],
      allergies
        .filter(({ endDate, confidential }) => endDate === undefined && !confidential)
        .map(({ startDate, details }) => [day(startDate), details]),
    ),
    section(
      'AcuteMedsHeader',
      'Acute Medications',
      medicineHeadings,
      open.filter(({ type }) => type === 'acute').map(medicine),
    ),
    section(
      'RepeatMedsHeader',
      'Current Repeat Medications',
      medicineHeadings,
      open.filter(({ type }) => type !== 'acute').map(medicine),
    ),
    section(
      'DiagnosesHeader',
      'Diagnoses',
      ['Date', 'Description', 'Additional information'],
      problems
        .filter(({ status, confidential }) => status === 'active' && !confidential)
        .map(({ startDate, entry, details = '' }) => [day(startDate), entry, details]),
    ),
    section(
      'TreatmentsHeader',
      'Treatments',
      ['Date', 'Description', 'Additional information'],
      immunisations
        .filter(({ notGiven, confidential }) => !notGiven && !confidential)
        .map(({ date, vaccination, details = '' }) => [day(date), vaccination, details]),
    ),
  ]
  const resources = [
    {
      resourceType: 'Composition',
      id: composition,
      meta: { lastUpdated: at },
      identifier: { system: uuidSystem, value: composition },
      status: 'final',
      type: snomed('196981000000101', 'General Practice Summary'),
      category: [snomed('163171000000105', 'Care Professional Documentation')],
      subject: { reference: `Patient/${subject}` },
      date: at,
      author: [{ reference: `PractitionerRole/${role}` }],
      title: 'General Practice Summary',
      section: sections,
    },
    {
      resourceType: 'PractitionerRole',
      id: role,
      practitioner: { reference: `Practitioner/${person}` },
      organization: { reference: `Organization/${organisation}` },
    },
    { resourceType: 'Practitioner', id: person, name: [{ text: 'Dr Ada Mockingham' }] },
    {
      resourceType: 'Organization',
      id: organisation,
      identifier: [{ system: 'https://fhir.nhs.uk/Id/ods-organization-code', value: odsCode }],
      name: practice,
    },
    {
      resourceType: 'Patient',
      id: subject,
      identifier: [{ system: 'https://fhir.nhs.uk/Id/nhs-number', value: patient.nhsNumber }],
      name: [{ family: name.family, given: name.given }],
      gender: patient.gender,
      birthDate: patient.birthDate,
    },
  ]
  return {
    resourceType: 'Bundle',
    id: newId().toUpperCase(),
    identifier: { system: uuidSystem, value: newId().toUpperCase() },
    type: 'document',
    timestamp: at,
    entry: resources.map((resource) => ({ fullUrl: `urn:uuid:${resource.id}`, resource })),
  }
}
