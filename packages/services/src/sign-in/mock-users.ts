/** The users of the mock identity service (§2.10). All are invented. */
export interface MockUser {
  /** Claims of the ID token. */
  readonly token: Readonly<Record<string, unknown>>
  /** Claims of userinfo beyond `sub`. */
  readonly info: Readonly<Record<string, unknown>>
}

const role = (person_roleid: string, role_code: string, more: Readonly<Record<string, unknown>> = {}) => ({
  person_orgid: '555254239107',
  person_roleid,
  org_code: 'Y51',
  role_name: '"Clinical":"Clinical Provision":"Invented Access Role"',
  role_code,
  ...more,
})

const staffMember = (uid: string, level: 1 | 2 | 3, roles: unknown, selected?: string): readonly [string, MockUser] => [
  uid,
  {
    token: {
      authentication_assurance_level: String(level),
      id_assurance_level: '3',
      amr: [level === 3 ? 'N3_SMARTCARD' : level === 2 ? 'TOTP' : 'USERPASS'],
      acr: level === 1 ? 'AAL1_USERPASS' : `AAL${level}_ANY`,
      ...(selected === undefined ? {} : { selected_roleid: selected }),
    },
    info: {
      nhsid_useruid: uid,
      uid,
      name: 'MOCKUSER Invented',
      family_name: 'Mockuser',
      given_name: 'Invented',
      ...(roles === undefined ? {} : { nhsid_nrbac_roles: roles }),
    },
  },
]

const patient = (nhsNumber: string, level: 'P9' | 'P5' | 'P0'): readonly [string, MockUser] => [
  nhsNumber,
  {
    token: {
      identity_proofing_level: level,
      nhs_number: nhsNumber,
      vot: `${level}.Cp.Cd`,
      birthdate: '1939-09-26',
      family_name: 'MOCKPATIENT',
    },
    info: {
      identity_proofing_level: level,
      nhs_number: nhsNumber,
      birthdate: '1939-09-26',
      family_name: 'MOCKPATIENT',
    },
  },
]

export const mockUsers = {
  Cis2: new Map([
    staffMember('656005750104', 3, [
      role('656014452101', 'S8001:G8002:R8008', {
        activity_codes: ['B0145', 'B8002', 'B1560'],
        activities: ['Access Invented Activity A', 'Access Invented Activity B', 'Access Invented Activity C'],
      }),
      role('555254242102', 'S8000:G8000:R8000'),
    ]),
    staffMember('656005750105', 3, [role('555254242103', 'S8000:G8000:R8001')]),
    staffMember('656005750106', 3, [role('555254242104', 'S8000:G8000:R8003')]),
    staffMember('656005750107', 3, [role('555254242105', 'S8000:G8000:R8000')], '555254242105'),
    staffMember('656005750108', 3, [role('555254242106', 'S0010:G0020:R0260')]),
    staffMember('656005750109', 2, [role('555254242107', 'S8000:G8000:R8000')]),
    staffMember('656005750110', 1, undefined),
    staffMember('656005750111', 2, [role('555254242108', 'S0010:G0020:R0260')]),
    staffMember('656005750112', 2, [role('555254242109', 'S8001:G8002:R8008')]),
    staffMember('787807429512', 3, [role('555254242105', 'S8000:G8000:R8000')]),
    staffMember('Aal3', 3, undefined),
    staffMember('Aal4', 3, [role('555254242110', 'S8000:G8000:R8000')], ''),
    staffMember('Aal5', 3, 'not a list of roles'),
  ]),
  'NHS-Login': new Map([patient('9912003071', 'P9'), patient('9912003072', 'P5'), patient('9912003073', 'P0')]),
} as const
