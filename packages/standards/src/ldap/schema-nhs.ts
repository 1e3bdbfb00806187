/**
 * The schema of the Spine directory: names, OIDs and rules are wire facts (directory specification §3).
 * Every attribute is a Directory String of origin `nhsSDS`; none declares a substrings or ordering rule.
 */

/** Parent of every OID below. */
export const nhsArc = '1.2.826.0.1285.'

/** `name suffix flags`: X caseExactMatch, I caseIgnoreMatch, - none declared; S single-valued, M multi-valued. */
export const nhsAttributes = `
changenumber 0.2.1.298 -S; firstchangenumber 0.2.1.296 -S; lastchangenumber 0.2.1.297 -S; nhsAlertBlock 0.2.1.20 IM;
nhsAlertMethod 0.2.1.19 IM; nhsAltAlertRecipient 0.2.1.21 IM; nhsAltOrgNames 0.1.16 IM; nhsApproverURP 0.2.1.216 -S;
nhsAreaOfWork 0.2.1.45 XM; nhsAreaOfWorkCodes 0.2.1.105 XM; nhsAsACF 0.2.1.121 XM; nhsAsCategoryBag 0.2.1.176 IM;
nhsAsClient 0.2.1.175 IM; nhsAsSvcIA 0.2.1.122 XM; nhsBusinessFunctions 0.2.1.46 XM;
nhsBusinessFunctionsCodes 0.2.1.106 XM; nhsConsultant 0.2.1.167 -S; nhsContractPropertyTemplateKey 0.2.1.223 -S;
nhsCountry 0.1.2 XS; nhsCreateDate 0.2.1.171 -S; nhsCwgId 0.2.1.136 XM; nhsDateApproved 0.2.1.217 -S;
nhsDateDNSApproved 0.2.1.219 -S; nhsDateRequested 0.2.1.215 -S; nhsDeptCodes 0.2.1.57 XM; nhsDHSCcode 0.2.1.30 -S;
nhsDNSApprover 0.2.1.218 -S; nhsEBS 0.2.1.281 -M; nhsEPInteractionType 0.2.1.222 -S; nhsGDC 0.2.1.169 -S;
nhsGDP 0.2.1.165 XS; nhsGMC 0.2.1.164 XS; nhsGMP 0.2.1.168 XS; nhsGNC 0.2.1.125 XS; nhsIDCode 0.1.10 XS;
nhsJobRole 0.2.1.44 XS; nhsJobRoleCode 0.2.1.104 XM; nhsJoinDate 0.2.1.36 -S; nhsLeftDate 0.2.1.37 -S;
nhsLegalEst 0.2.1.137 -S; nhsList1Code 0.2.1.102 -M; nhsList1Name 0.2.1.103 -M; nhsList2Code 0.2.1.100 -M;
nhsList2Name 0.2.1.101 -M; nhsList3Code 0.2.1.109 -M; nhsList3Name 0.2.1.108 -M; nhsLrCloseExpiry 0.2.1.152 -S;
nhsLrCpmlnExpiry 0.2.1.141 -S; nhsLrCreateExpiry 0.2.1.151 -S; nhsLrExprsExpiry 0.2.1.140 -S;
nhsLrGPDeregExpiry 0.2.1.229 -S; nhsLrGPDeregFreeze 0.2.1.228 -S; nhsLrGrantExpiry 0.2.1.153 -S;
nhsLrOrderExpiry 0.2.1.139 -S; nhsLrRefAbanFreeze 0.2.1.142 -S; nhsLrRefAccExpiry 0.2.1.150 -S;
nhsLrRefAccFreeze 0.2.1.144 -S; nhsLrRefDisFreeze 0.2.1.143 -S; nhsLrRefExpFreeze 0.2.1.145 -S;
nhsLrRefPostAccFreeze 0.2.1.149 -S; nhsLrRegExpiry 0.2.1.147 -S; nhsLrRegFreeze 0.2.1.146 -S;
nhsLrSelfExpiry 0.2.1.154 -S; nhsLrSrefFreeze 0.2.1.148 -S; nhsMHSAckRequested 0.2.1.91 -S; nhsMHSActionName 0.2.1.83 XS;
nhsMHSActor 0.2.1.93 XM; nhsMHSCategoryBag 0.2.1.81 XM; nhsMhsCPAId 0.2.1.124 XS; nhsMHSDuplicateElimination 0.2.1.92 -S;
nhsMHSEndPoint 0.2.1.84 XM; nhsMhsFQDN 0.2.1.224 -S; nhsMHsIN 0.2.1.127 -S; nhsMhsIPAddress 0.2.1.225 -S;
nhsMHSIsAuthenticated 0.2.1.86 -S; nhsMhsManufacturerOrg 0.2.1.299 IS; nhsMhsNetwork 0.2.1.226 -S;
nhsMHSPartyKey 0.2.1.82 IS; nhsMHSPersistDuration 0.2.1.87 -S; nhsMHSRetries 0.2.1.88 -S; nhsMHSRetryInterval 0.2.1.89 -S;
nhsMHSServiceDescription 0.2.1.85 -S; nhsMHSServiceName 0.2.1.80 XS; nhsMhsSinCode 0.2.1.227 -S; nhsMHsSN 0.2.1.126 -S;
nhsMhsSvcIA 0.2.1.123 XS; nhsMHSSyncReplyMode 0.2.1.90 -S; nhsMiddleNames 0.2.1.111 -S; nhsNMC 0.2.1.170 -S;
nhsNN4BCode 0.2.1.245 -S; nhsNN4BName 0.2.1.244 -S; nhsOCSPRCode 0.2.1.54 -M; nhsOCSPredecessor 0.2.1.52 XM;
nhsOCSSuccessor 0.2.1.53 -M; nhsOrgCloseDate 0.2.1.33 -S; nhsOrgMail 0.2.1.59 IM; nhsOrgOpenDate 0.2.1.32 -S;
nhsOrgSubType 0.2.1.34 XM; nhsOrgType 0.1.15 -S; nhsOrgTypeCode 0.2.1.234 XS; nhsParentOrgCode 0.2.1.35 -S;
nhsPCTCode 0.2.1.42 IS; nhsPersonStatus 0.2.1.55 -S; nhsPrinOcc 0.2.1.162 -S; nhsProductKey 0.2.1.220 -S;
nhsProductName 0.2.1.157 IS; nhsProductVersion 0.2.1.158 IS; nhsPuSecret 0.2.1.113 -S; nhsPwgId 0.2.1.135 -S;
nhsRA 0.2.1.43 -S; nhsRCN 0.2.1.166 -S; nhsRequestorURP 0.2.1.214 -S; nhsRestricted 0.2.1.239 -S; nhsRoles 0.1.12 IM;
nhsRPSGB 0.2.1.163 -S; nhsSHAcode 0.1.23 XS; nhsSiteCodes 0.2.1.56 XM; nhsSiteNames 0.2.1.47 IM; nhsStatus 0.2.1.174 -S;
nhsSupPrescriber 0.2.1.161 -S; nhsSyntheticIndicator 0.2.1.235 -S; nhsTelUID 0.2.1.115 -S; nhsWgClosed 0.2.1.131 XS;
nhsWgRoot 0.2.1.134 XS; nhsWgStatus 0.2.1.178 -S; nhsWgType 0.2.1.138 XS; nhsWorkGroups 0.2.1.26 XM;
nhsWorkGroupsCodes 0.2.1.107 XM; nhsXCwgId 0.2.1.180 -M; nhsXPwgId 0.2.1.179 -M`

/** Exists in live data without a public OID; this one is ours, from the arc that anyone may use (ITU-T X.667). */
export const tempUidOid = '2.25.204163358021846925313917684570269414133'

/** Attributes that are stored but never leave by LDAP, neither as values nor through a filter. */
export const secretAttributes: readonly string[] = ['nhsPuSecret']

/** Name, OID suffix, superclass, MUST, MAY. `@x` stands for the MAY list called x below. */
export const nhsClasses: readonly (readonly [name: string, suffix: string, sup: string, must: string, may: string])[] =
  [
    [
      'nhsAs',
      '0.2.0.107',
      'top',
      'uniqueIdentifier nhsIDCode nhsMHSPartyKey nhsAsSvcIA nhsRequestorURP nhsDateRequested nhsApproverURP nhsDateApproved',
      'description nhsAsClient nhsAsCategoryBag nhsAsACF nhsProductKey nhsProductName nhsProductVersion nhsMhsManufacturerOrg nhsTempUid',
    ],
    [
      'nhsMhs',
      '0.2.0.108',
      'top',
      'uniqueIdentifier nhsIDCode nhsMHSPartyKey nhsMhsSvcIA nhsMHsSN nhsMHsIN nhsMHSEndPoint nhsMHSIsAuthenticated nhsMhsCPAId nhsProductKey nhsRequestorURP nhsDateRequested nhsApproverURP nhsDateApproved nhsDNSApprover nhsDateDNSApproved nhsEPInteractionType nhsContractPropertyTemplateKey nhsMhsFQDN',
      'nhsMHSPersistDuration nhsMHSRetries nhsMHSRetryInterval nhsMhsIPAddress nhsMhsNetwork nhsMhsSinCode nhsMHSServiceDescription nhsMHSSyncReplyMode nhsMHSAckRequested nhsMHSDuplicateElimination nhsMHSActor nhsProductName nhsProductVersion nhsMhsManufacturerOrg nhsTempUid',
    ],
    [
      'nhsMHSService',
      '0.2.0.70',
      'top',
      'uniqueIdentifier nhsMHSServiceName nhsMHSPartyKey nhsIDCode',
      'nhsMHSCategoryBag nhsRequestorURP nhsDateRequested nhsApproverURP nhsDateApproved nhsProductKey nhsProductName nhsProductVersion',
    ],
    ['nhsMHSAction', '0.2.0.71', 'top', 'uniqueIdentifier nhsMHSActionName nhsMHSEndPoint', ''],
    [
      'nhsMHSCP',
      '0.2.0.72',
      'top',
      'uniqueIdentifier nhsMHSActionName nhsMHSIsAuthenticated',
      'nhsMHSPersistDuration nhsMHSRetries nhsMHSRetryInterval nhsMHSSyncReplyMode nhsMHSAckRequested nhsMHSDuplicateElimination nhsMHSActor',
    ],
    [
      'nhsOrg',
      '0.2.0.61',
      'organization',
      'objectClass uniqueIdentifier o nhsIDCode nhsOrgType nhsOrgTypeCode postalAddress postalCode l',
      '@org labeledURI',
    ],
    [
      'nhsSite',
      '0.2.0.62',
      'organizationalUnit',
      'objectClass uniqueIdentifier nhsIDCode nhsOrgType ou postalAddress postalCode l nhsOrgTypeCode',
      '@org',
    ],
    [
      'nhsDept',
      '0.2.0.63',
      'organizationalUnit',
      'objectClass uniqueIdentifier nhsOrgType ou postalAddress postalCode l nhsOrgTypeCode',
      'nhsIDCode nhsCountry nhsParentOrgCode nhsOrgOpenDate nhsOrgCloseDate nhsSyntheticIndicator nhsNN4BName nhsNN4BCode nhsAltOrgNames nhsOrgSubType nhsOCSPredecessor nhsOCSSuccessor telephoneNumber facsimileTelephoneNumber mail',
    ],
    [
      'nhsGPPractice',
      '0.2.0.64',
      'organization',
      'objectClass uniqueIdentifier o nhsIDCode nhsOrgType nhsOrgTypeCode postalAddress postalCode l nhsPCTCode',
      '@org labeledURI',
    ],
    [
      'nhsPerson',
      '0.2.0.65',
      'inetOrgPerson',
      'objectClass uid cn sn nhsPersonStatus',
      'givenName nhsMiddleNames initials displayName personalTitle nhsSupPrescriber nhsPrinOcc nhsRPSGB nhsGMC nhsGDP nhsRCN nhsConsultant nhsGMP nhsGDC nhsNMC nhsOCSPRCode nhsTelUID nhsPuSecret mail',
    ],
    [
      'nhsOrgPerson',
      '0.2.0.66',
      'inetOrgPerson',
      'objectClass uniqueIdentifier uid cn sn o nhsIDCode',
      'givenName nhsMiddleNames initials displayName nhsSiteCodes nhsDeptCodes nhsSiteNames nhsRoles nhsOrgCloseDate nhsGNC nhsOrgOpenDate nhsCountry mail nhsAlertMethod nhsAlertBlock nhsAltAlertRecipient nhsOrgMail',
    ],
    [
      'nhsOrgPersonRole',
      '0.2.0.67',
      'top',
      'objectClass uniqueIdentifier nhsJobRole',
      'nhsJobRoleCode nhsIDCode nhsAreaOfWorkCodes nhsBusinessFunctionsCodes nhsWorkGroupsCodes nhsAreaOfWork nhsBusinessFunctions nhsWorkGroups nhsOrgCloseDate nhsOrgOpenDate',
    ],
    ['nhsList', '0.2.0.104', 'top', 'objectClass cn', 'description uniqueIdentifier'],
    [
      'nhsWg',
      '0.2.0.109',
      'top',
      'uniqueIdentifier cn nhsIDCode',
      'nhsWgStatus nhsWgClosed nhsWgRoot nhsPwgId nhsCwgId nhsXPwgId nhsXCwgId nhsLegalEst nhsWgType nhsOCSPredecessor @lr',
    ],
    ['nhsWgTypes', '0.2.0.110', 'top', 'cn nhsWgType', '@lr'],
    ['nhsRBAC', '0.2.0.111', 'top', 'uniqueIdentifier cn nhsStatus nhsRA nhsCreateDate', 'nhsRestricted description'],
    ['nhsRBACJR', '0.2.0.112', 'top', '@rbac', 'description'],
    ['nhsRBACAoW', '0.2.0.113', 'top', '@rbac', 'description'],
    ['nhsRBACBF', '0.2.0.114', 'top', '@rbac', 'description'],
    [
      'nhsRBACBL',
      '0.2.0.115',
      'top',
      'nhsRA nhsCreateDate uniqueIdentifier nhsJobRoleCode nhsJobRole',
      'nhsAreaOfWorkCodes nhsAreaOfWork nhsBusinessFunctionsCodes',
    ],
    ['nhsExternalChangelogEntry', '0.2.0.122', 'top', 'changenumber', 'nhsEBS'],
    ['nhsExternalChangelog', '0.2.0.124', 'top', 'cn firstchangenumber lastchangenumber', ''],
  ]

/** The one class that accompanies others. */
export const nhsAuxiliaryClasses: readonly string[] = ['nhsRBAC']

export const nhsAttributeLists: Readonly<Record<string, string>> = {
  org: 'nhsOrgSubType nhsCountry nhsParentOrgCode nhsOrgOpenDate nhsOrgCloseDate nhsSHAcode nhsSyntheticIndicator nhsNN4BName nhsNN4BCode nhsOCSPredecessor nhsOCSSuccessor nhsAltOrgNames nhsPCTCode telephoneNumber facsimileTelephoneNumber mail nhsDHSCcode nhsJoinDate nhsLeftDate',
  lr: 'nhsLrCloseExpiry nhsLrCpmlnExpiry nhsLrCreateExpiry nhsLrExprsExpiry nhsLrGPDeregExpiry nhsLrGPDeregFreeze nhsLrGrantExpiry nhsLrOrderExpiry nhsLrRefAbanFreeze nhsLrRefAccExpiry nhsLrRefAccFreeze nhsLrRefDisFreeze nhsLrRefExpFreeze nhsLrRefPostAccFreeze nhsLrRegExpiry nhsLrRegFreeze nhsLrSelfExpiry nhsLrSrefFreeze',
  rbac: 'uniqueIdentifier cn nhsStatus nhsCreateDate nhsList3Code nhsList3Name nhsList2Code nhsList2Name nhsList1Code nhsList1Name',
}
