import { isOdsCode } from '@openspine/standards/nhs'
import type { DirectoryEntry } from '../contract.ts'

/** What the organisations of a file are; the public files hold one kind each. */
export const fileTypes = {
  practice: { typeCode: 'PR', type: 'GP PRACTICE', objectClass: 'nhsGPPractice', files: ['epraccur'] },
  trust: { typeCode: 'TR', type: 'NHS TRUST', objectClass: 'nhsOrg', files: ['etr'] },
  site: { typeCode: 'TS', type: 'NHS TRUST SITE', objectClass: 'nhsSite', files: ['ets'] },
  'care-trust': { typeCode: 'CT', type: 'CARE TRUST', objectClass: 'nhsOrg', files: ['ect'] },
  pharmacy: { typeCode: 'PH', type: 'PHARMACY', objectClass: 'nhsOrg', files: ['edispensary'] },
  'pharmacy-headquarter': {
    typeCode: 'HQ',
    type: 'PHARMACY HEADQUARTER',
    objectClass: 'nhsOrg',
    files: ['epharmacyhq'],
  },
  commissioner: { typeCode: 'CC', type: 'CLINICAL COMMISSIONING GROUP', objectClass: 'nhsOrg', files: ['eccg'] },
  'branch-surgery': { typeCode: 'BS', type: 'BRANCH SURGERY', objectClass: 'nhsSite', files: ['ebranchs'] },
} as const

export type FileType = keyof typeof fileTypes

/** The kind of organisations of a public file, by its name; undefined for another name. */
export function fileTypeOf(path: string): FileType | undefined {
  const name = path
    .replace(/^.*[/\\]/, '')
    .replace(/\..*$/, '')
    .toLowerCase()
  return (Object.keys(fileTypes) as FileType[]).find((type) =>
    (fileTypes[type].files as readonly string[]).includes(name),
  )
}

/** A row that is an organisation, or why it is none. */
export type RowReading = { readonly entry: DirectoryEntry } | { readonly rejected: string }

/** Places of the 27 columns of the public files, from 0; the others are empty or not kept. */
const columns = {
  code: 0,
  name: 1,
  nationalGrouping: 2,
  geography: 3,
  address: 4,
  postcode: 9,
  opened: 10,
  closed: 11,
  status: 12,
  parent: 14,
  joined: 15,
  left: 16,
  telephone: 17,
  prescribingSetting: 25,
} as const

/** Prescribing settings of practices that are no GP practice, as roles below RO177. */
const settings: Readonly<Record<string, string>> = { 1: 'RO87', 2: 'RO80', 25: 'RO82' }
const gpPractice = '4'

const escapeLine = (line: string) => line.replaceAll('\\', '\\5C').replaceAll('$', '\\24')

/**
 * One row of a public ODS file (headerless, 27 columns) as a directory entry. Column 15 is the commissioner of a
 * practice or pharmacy and the parent of a site.
 */
export function organisationOfRow(fields: readonly string[], fileType: FileType): RowReading {
  const at = (column: number) => (fields[column] ?? '').replace(/\s+/g, ' ').trim()
  const code = at(columns.code).toUpperCase()
  if (fields.length < 13) return { rejected: `has ${fields.length} columns; the public files have 27` }
  if (!isOdsCode(code)) return { rejected: 'has no ODS code in column 1' }
  const name = at(columns.name)
  if (name === '') return { rejected: 'has no name in column 2' }
  const postcode = at(columns.postcode)
  if (postcode === '') return { rejected: 'has no postcode in column 10, which the directory requires' }
  const lines = [0, 1, 2, 3, 4].map((line) => at(columns.address + line))
  const town = lines[3] || lines.findLast((line) => line !== '')
  if (town === undefined) return { rejected: 'has no address in columns 5 to 9, which the directory requires' }
  const dates = { nhsOrgOpenDate: at(columns.opened), nhsOrgCloseDate: at(columns.closed) }
  for (const [attribute, date] of Object.entries({
    ...dates,
    nhsJoinDate: at(columns.joined),
    nhsLeftDate: at(columns.left),
  })) {
    if (date !== '' && !/^\d{8}$/.test(date))
      return { rejected: `has ${date.slice(0, 40)} where ${attribute} is a date YYYYMMDD` }
  }
  if (at(columns.status).toUpperCase() === 'C' && dates.nhsOrgCloseDate === '') {
    return { rejected: 'is closed (C in column 13) without a close date in column 12' }
  }
  const { typeCode, type, objectClass } = fileTypes[fileType]
  const setting = at(columns.prescribingSetting)
  const parent = at(columns.parent).toUpperCase()
  const prescriber = fileType === 'practice' && setting !== '' && setting !== gpPractice
  // nhsGPPractice requires a commissioner: one without is an organisation like others, with the same roles.
  const structural = prescriber || (fileType === 'practice' && parent === '') ? 'nhsOrg' : objectClass
  const isSite = structural === 'nhsSite'
  const optional: Readonly<Record<string, string>> = {
    ...dates,
    nhsJoinDate: at(columns.joined),
    nhsLeftDate: at(columns.left),
    nhsOrgSubType: prescriber ? (settings[setting] ?? 'RO72') : '',
    nhsDHSCcode: at(columns.nationalGrouping),
    nhsSHAcode: at(columns.geography),
    [isSite ? 'nhsParentOrgCode' : 'nhsPCTCode']: parent,
    telephoneNumber: at(columns.telephone),
    nhsCountry: 'ENGLAND',
  }
  return {
    entry: {
      dn: `uniqueIdentifier=${code},ou=Organisations,o=nhs`,
      attributes: {
        objectClass: ['top', isSite ? 'organizationalUnit' : 'organization', structural],
        uniqueIdentifier: [code],
        nhsIDCode: [code],
        [isSite ? 'ou' : 'o']: [name],
        nhsOrgType: [prescriber ? 'PRESCRIBING COST CENTRE' : type],
        nhsOrgTypeCode: [prescriber ? 'RO177' : typeCode],
        postalAddress: [lines.map(escapeLine).join('$')],
        postalCode: [postcode],
        l: [town],
        ...Object.fromEntries(
          Object.entries(optional).flatMap(([key, value]) => (value === '' ? [] : [[key, [value]]])),
        ),
      },
    },
  }
}
