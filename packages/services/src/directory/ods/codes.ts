import { readFileSync } from 'node:fs'
import { SpineError } from '@openspine/standards/error'
import { isXmlText } from '@openspine/standards/xml'
import { z } from 'zod'

/** A role of the Organisation Data Service. */
export interface RoleCode {
  /** `RO177`. */
  readonly id: string
  readonly name: string
  /** Whether an organisation can hold it as its primary role. */
  readonly primary: boolean
  /** For a role that is not primary: the primary role of those who hold it. */
  readonly under?: string
}

export interface CodedName {
  readonly id: string
  readonly name: string
}

/** What an organisation is: worked out of type code, type, sub-types and object class. */
export interface OrganisationKind {
  readonly recordClass: 'RC1' | 'RC2'
  /** Primary role first, eight at most. */
  readonly roles: readonly RoleCode[]
}

/** The code systems of the Organisation Data Service that this environment knows. */
export interface OdsCodes {
  readonly roles: ReadonlyMap<string, RoleCode>
  readonly relationships: ReadonlyMap<string, CodedName>
  readonly recordClasses: ReadonlyMap<string, CodedName>
  role(id: string): RoleCode
  kindOf(about: {
    readonly structural: string
    readonly typeCode: string
    readonly type: string
    readonly subTypes: readonly string[]
  }): OrganisationKind
}

/** Primary roles of the public ODS role list that are known here with their names. */
const primaryRoles = `
96 BRANCH SURGERY; 98 CLINICAL COMMISSIONING GROUP; 99 CLINICAL COMMISSIONING GROUP SITE; 101 SOCIAL CARE SITE;
103 CANCER NETWORK; 104 SOCIAL CARE PROVIDER; 105 CANCER REGISTRY; 107 CARE TRUST; 108 CARE TRUST SITE;
110 GENERAL DENTAL PRACTICE; 116 EXECUTIVE AGENCY; 117 EDUCATION ESTABLISHMENT; 126 GOVERNMENT DEPARTMENT;
134 HEALTH OBSERVATORY; 141 LOCAL AUTHORITY; 142 LOCAL HEALTH BOARD (WALES); 150 MILITARY HOSPITAL;
153 NORTHERN IRELAND HEALTH & SOCIAL CARE BOARD; 154 NORTHERN IRELAND HEALTH AND SOCIAL CARE TRUST;
157 NON-NHS ORGANISATION; 158 NON STATUTORY NHS ORGANISATION; 161 NHS SUPPORT AGENCY; 166 OPTICAL HEADQUARTERS;
167 OPTICAL SITE; 169 OTHER UNIT (IN SUPPORT OF NHS BUSINESS); 171 PRIMARY CARE GROUP;
172 INDEPENDENT SECTOR HEALTHCARE PROVIDER; 173 PATHOLOGY LAB; 175 PRISON;
176 INDEPENDENT SECTOR H/C PROVIDER SITE; 177 PRESCRIBING COST CENTRE; 179 PRIMARY CARE TRUST;
180 PRIMARY CARE TRUST SITE; 181 PHARMACY HEADQUARTER; 182 PHARMACY; 189 SPECIAL HEALTH AUTHORITY; 197 NHS TRUST;
198 NHS TRUST SITE; 209 NHS ENGLAND (REGION); 210 NHS ENGLAND (REGION, LOCAL OFFICE);
212 NHS ENGLAND (REGION, LOCAL OFFICE) SITE; 213 COMMISSIONING SUPPORT UNIT; 214 COMMISSIONING SUPPORT UNIT SITE;
218 COMMISSIONING HUB; 221 SCHOOL; 227 SCOTTISH GP PRACTICE; 228 YOUNG OFFENDER INSTITUTION;
231 SECURE CHILDREN'S HOME; 232 IMMIGRATION REMOVAL CENTRE; 233 CONSTABULARY; 234 POLICE CUSTODY SUITE; 235 COURT;
236 SEXUAL ASSAULT REFERRAL CENTRE; 261 STRATEGIC PARTNERSHIP; 272 PRIMARY CARE NETWORK; 280 PHARMACY SITE;
315 NORTHERN IRELAND GP PRACTICE`

/** Roles held beside a primary one, by the primary role that goes with them. */
const furtherRoles: Readonly<Record<string, string>> = {
  157: "7 HOSPICE; 15 REG'D UNDER PART 2 CARE STDS ACT 2000; 29 TREATMENT CENTRE",
  177: '72 OTHER PRESCRIBING COST CENTRE; 76 GP PRACTICE; 80 OUT OF HOURS COST CENTRE; 82 PRISON PRESCRIBING COST CENTRE; 87 WALK IN CENTRE',
  197: '57 FOUNDATION TRUST',
  98: '319 SUB ICB LOCATION',
  261: '318 INTEGRATED CARE BOARD',
}

const relationships = `
2 IS A SUB-DIVISION OF; 3 IS DIRECTED BY; 4 IS COMMISSIONED BY; 5 IS LOCATED IN THE GEOGRAPHY OF; 6 IS OPERATED BY;
8 IS PARTNER TO; 9 IS NOMINATED PAYEE FOR; 10 IS COVID NOMINATED PAYEE FOR; 11 IS CONSTITUENT OF`

/**
 * Two-letter codes of nhsOrgTypeCode. `PR` is a wire fact (directory specification §5E); the others are this
 * environment's own choice, because no public source lists them. A code of the form `RO…` is the role itself.
 */
const typeCodes: Readonly<Record<string, string>> = {
  PR: 'RO76',
  TR: 'RO197',
  TS: 'RO198',
  CT: 'RO107',
  PH: 'RO182',
  HQ: 'RO181',
  CC: 'RO98',
  IC: 'RO318',
  PN: 'RO272',
  BS: 'RO96',
  IS: 'RO172',
  LA: 'RO141',
  AP: 'RO157',
}

/** Without a type that says more. */
const roleOfClass: Readonly<Record<string, string>> = {
  nhsGPPractice: 'RO76',
  nhsOrg: 'RO157',
  nhsSite: 'RO198',
  nhsDept: 'RO169',
}

/** Classes of entries that are a place or part of an organisation. */
const siteClasses = new Set(['nhsSite', 'nhsDept'])

function list(text: string): { code: string; name: string }[] {
  return text
    .split(';')
    .map((each) => each.trim())
    .map((each) => ({ code: each.slice(0, each.indexOf(' ')), name: each.slice(each.indexOf(' ') + 1) }))
}

const role = z.object({
  id: z.string().regex(/^RO\d{1,5}$/),
  name: z.string().min(1).max(200).refine(isXmlText),
  primary: z.boolean(),
  under: z
    .string()
    .regex(/^RO\d{1,5}$/)
    .optional(),
})

/** What a file of further codes may hold: roles by id and type codes by role, added to the tables or instead of theirs. */
const codesFile = z.strictObject({
  roles: z.array(role).max(10_000).default([]),
  typeCodes: z
    .record(z.string().min(1).max(20), z.string().regex(/^RO\d{1,5}$/))
    .refine((types) => Object.keys(types).length <= 10_000)
    .default({}),
})

/**
 * The tables, and those of a JSON file where one is named:
 * `{"roles": [{"id": "RO900", "name": "X", "primary": true}], "typeCodes": {"XX": "RO900"}}`.
 *
 * @throws SpineError `CONFIG_INVALID` for a file that cannot be read as such
 */
export function odsCodes(path = ''): OdsCodes {
  const more = path === '' ? codesFile.parse({}) : readCodes(path)
  const roles = new Map<string, RoleCode>()
  const put = (each: RoleCode) => roles.set(each.id, each)
  for (const { code, name } of list(primaryRoles)) put({ id: `RO${code}`, name, primary: true })
  for (const [under, text] of Object.entries(furtherRoles)) {
    for (const { code, name } of list(text)) put({ id: `RO${code}`, name, primary: false, under: `RO${under}` })
  }
  for (const { under, ...each } of more.roles) put(under === undefined ? each : { ...each, under })
  const types = new Map(Object.entries({ ...typeCodes, ...more.typeCodes }))
  const byName = new Map([...roles.values()].map((each) => [each.name, each.id]))
  const roleOf = (id: string): RoleCode => roles.get(id) ?? { id, name: id, primary: true }
  const kinds = new Map<string, OrganisationKind>()

  /** A role by its id, a type code or its name. */
  const named = (text: string): string | undefined => {
    const written = text.trim().toUpperCase()
    return /^RO\d{1,5}$/.test(written) ? written : (types.get(written) ?? byName.get(written))
  }

  return {
    roles,
    relationships: new Map(
      list(relationships).map(({ code, name }) => [`RE${code}`, { id: `RE${code}`, name }] as const),
    ),
    recordClasses: new Map([
      ['RC1', { id: 'RC1', name: 'HSCOrg' }],
      ['RC2', { id: 'RC2', name: 'HSCSite' }],
    ]),
    role: roleOf,
    kindOf({ structural, typeCode, type, subTypes }) {
      const key = JSON.stringify([structural, typeCode, type, subTypes])
      let kind = kinds.get(key)
      if (kind === undefined) {
        const first = roleOf(named(typeCode) ?? named(type) ?? roleOfClass[structural] ?? 'RO157')
        const held = [first, ...subTypes.flatMap((each) => named(each) ?? []).map(roleOf)]
        const primary = first.primary ? first : roleOf(first.under ?? 'RO157')
        kind = {
          recordClass: siteClasses.has(structural) ? 'RC2' : 'RC1',
          roles: [...new Set([primary, ...held])].slice(0, 8),
        }
        // Few kinds serve all organisations; what is written into a directory does not fill the memory.
        if (kinds.size < 10_000) kinds.set(key, kind)
      }
      return kind
    },
  }
}

function readCodes(path: string): z.infer<typeof codesFile> {
  try {
    return codesFile.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch (cause) {
    throw new SpineError(
      'CONFIG_INVALID',
      { path },
      {
        explanation: `${path} (directory.odsCodesFile) is no file of ODS codes: ${cause instanceof z.ZodError ? z.prettifyError(cause) : 'it cannot be read as JSON'}.`,
        cause,
      },
    )
  }
}
