/** Object identifiers of the national messages (messaging specification §1, demographics specification §1 and §19). */
export const oid = {
  /** Accredited system id (ASID). */
  asid: '1.2.826.0.1285.0.2.0.107',
  sdsUser: '1.2.826.0.1285.0.2.0.65',
  sdsRoleProfile: '1.2.826.0.1285.0.2.0.67',
  sdsJobRole: '1.2.826.0.1285.0.2.1.104',
  sdsOrganisation: '1.2.826.0.1285.0.1.10',
  interaction: '2.16.840.1.113883.2.1.3.2.4.12',
  nhsNumber: '2.16.840.1.113883.2.1.4.1',
  healthProfessional: '2.16.840.1.113883.2.1.4.2',
  organisation: '2.16.840.1.113883.2.1.4.3',
  /** ODS site, as the Mini Services name a practice. */
  site: '2.16.840.1.113883.2.1.3.2.4.19.2',
  /** Of a name, an address, a telecom: the object ids of PDS. */
  pdsObject: '2.16.840.1.113883.2.1.3.2.4.18.1',
  sensitivity: '2.16.840.1.113883.2.1.3.2.4.16.1',
  consentValue: '2.16.840.1.113883.2.1.3.2.4.16.2',
  deathNotification: '2.16.840.1.113883.2.1.3.2.4.16.5',
  contactMethod: '2.16.840.1.113883.2.1.3.2.4.16.16',
  writtenFormat: '2.16.840.1.113883.2.1.3.2.4.16.17',
  sex: '2.16.840.1.113883.2.1.3.2.4.16.25',
  interpreterRequired: '2.16.840.1.113883.2.1.3.2.4.16.39',
  acknowledgementDetail: '2.16.840.1.113883.2.1.3.2.4.17.32',
  pdsObservation: '2.16.840.1.113883.2.1.3.2.4.17.35',
  historicDataIndicator: '2.16.840.1.113883.2.1.3.2.4.17.36',
  careProvision: '2.16.840.1.113883.2.1.3.2.4.17.37',
  previousContact: '2.16.840.1.113883.2.1.3.2.4.17.38',
  searchParameter: '2.16.840.1.113883.2.1.3.2.4.17.39',
  updateMode: '2.16.840.1.113883.2.1.3.2.4.17.40',
  pdsResponse: '2.16.840.1.113883.2.1.3.2.4.17.42',
  qualifier: '2.16.840.1.113883.2.1.3.2.4.17.104',
  consentType: '2.16.840.1.113883.2.1.3.2.4.17.164',
  nhaisEvent: '2.16.840.1.113883.2.1.3.2.4.17.165',
  removalReason: '2.16.840.1.113883.2.1.3.2.4.17.168',
  ignoreHistory: '2.16.840.1.113883.2.1.3.2.4.17.169',
  toolkitError: '2.16.840.1.113883.2.1.3.2.4.17.268',
  miniServiceMessage: '2.16.840.1.113883.2.1.3.2.4.17.284',
  miniServiceResponse: '2.16.840.1.113883.2.1.3.2.4.17.285',
  validIdentifier: '2.16.840.1.113883.2.1.3.2.4.17.287',
} as const

/** Roots under which an NHS number of the old style, or a temporary one, has been sent. */
export const oldNhsNumberRoots: readonly string[] = ['2.16.840.1.113883.2.1.3.2.4.1', '2.16.840.1.113883.2.1.3.2.4.3']
