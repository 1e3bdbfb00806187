import { isAsid, isCpaId, isEbxmlSignal, isInteractionId, isOdsCode, isPartyKey } from '@openspine/standards/nhs'
import type { Candidate, Fault, WriteCheck } from './check.ts'

/** Values that live data spells in any case (§6.2). */
const enumerations: Readonly<Record<string, readonly string[]>> = {
  nhsEPInteractionType: ['fhir', 'hl7', 'ebxml', 'n/a'],
  nhsMHSIsAuthenticated: ['none', 'transient', 'persistent'],
  nhsMHSSyncReplyMode: ['none', 'mshsignalsonly', 'signalsandresponse', 'never'],
  nhsMHSAckRequested: ['always', 'never'],
  nhsMHSDuplicateElimination: ['always', 'never'],
  nhsMHSActor: [
    'urn:oasis:names:tc:ebxml-msg:actor:topartymsh',
    'urn:oasis:names:tc:ebxml-msg:actor:nextmsh',
    'ignored',
  ],
}

const dates14 = ['nhsDateRequested', 'nhsDateApproved', 'nhsDateDNSApproved']
const dates8 = ['nhsOrgOpenDate', 'nhsOrgCloseDate', 'nhsJoinDate', 'nhsLeftDate']
const durations = ['nhsMHSRetryInterval', 'nhsMHSPersistDuration']
const hostName =
  /^(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/
const isClass = (candidate: Candidate, name: string) => candidate.structural?.name === name
const isSystem = (candidate: Candidate) => isClass(candidate, 'nhsAs') || isClass(candidate, 'nhsMhs')
const first = (candidate: Candidate, attribute: string) => candidate.attributes[attribute]?.[0]

/** The first value of an attribute that does not pass. */
function offending(
  { attributes }: Candidate,
  names: readonly string[],
  passes: (value: string) => boolean,
  explain: (value: string) => string,
): Fault | undefined {
  for (const attribute of names) {
    const value = attributes[attribute]?.find((each) => !passes(each))
    if (value !== undefined) return { attribute, explanation: explain(value.slice(0, 200)) }
  }
  return undefined
}

/** Whether ou=Organisations holds this organisation, open; or is not asked for any (`directory.organisations`). */
export function acceptsOrganisation(
  { config, look, schema, today }: Pick<Candidate, 'config' | 'look' | 'schema' | 'today'>,
  odsCode: string,
): boolean {
  if (config.organisations === 'never') return true
  if (config.organisations === 'when-loaded' && !look.hasChildren('ou=organisations,o=nhs')) return true
  const closing = schema.attribute('nhsOrgCloseDate')
  return look
    .having('nhsIDCode', odsCode)
    .filter(({ key }) => key.endsWith(',ou=organisations,o=nhs'))
    .some((entry) => {
      const [closed] = closing === undefined ? [] : entry.values(closing)
      return closed === undefined || closed > today
    })
}

function urlOf(text: string): URL | undefined {
  try {
    return new URL(text)
  } catch {
    return undefined
  }
}

/** Rules of what the records mean: identifiers, interactions, endpoints. */
export const recordChecks: readonly WriteCheck[] = [
  {
    code: 'DIRECTORY_ODS_CODE',
    clause: 'directory §1',
    asks: 'Are the ODS codes 1 to 9 letters and digits?',
    on: 'tolerated',
    run: (candidate) =>
      offending(
        candidate,
        ['nhsIDCode', 'nhsAsClient', 'nhsMhsManufacturerOrg'],
        isOdsCode,
        (value) => `${value} is no ODS code.`,
      ),
  },
  {
    code: 'DIRECTORY_ASID',
    clause: 'directory §1',
    asks: 'Is the ASID 12 digits?',
    on: 'tolerated',
    run: (candidate) =>
      isClass(candidate, 'nhsAs')
        ? offending(candidate, ['uniqueIdentifier'], isAsid, (value) => `${value} is no ASID of 12 digits.`)
        : undefined,
  },
  {
    code: 'DIRECTORY_PARTY_KEY',
    clause: 'directory §1',
    asks: 'Is the party key an ODS code, a hyphen and digits?',
    on: 'tolerated',
    run: (candidate) => offending(candidate, ['nhsMHSPartyKey'], isPartyKey, (value) => `${value} is no party key.`),
  },
  {
    code: 'DIRECTORY_INTERACTION',
    clause: 'directory §12',
    asks: 'Are the interactions well formed?',
    on: 'tolerated',
    run: (candidate) =>
      offending(
        candidate,
        ['nhsAsSvcIA', 'nhsMhsSvcIA'],
        (value) => isInteractionId(value) || isEbxmlSignal(value),
        (value) => `${value} is no interaction id.`,
      ),
  },
  {
    code: 'DIRECTORY_INTERACTION_PARTS',
    clause: 'directory §6.2',
    asks: 'Is nhsMhsSvcIA the service name, a colon and the interaction?',
    on: 'tolerated',
    run(candidate) {
      if (!isClass(candidate, 'nhsMhs')) return undefined
      const joined = `${first(candidate, 'nhsMHsSN')}:${first(candidate, 'nhsMHsIN')}`
      return first(candidate, 'nhsMhsSvcIA') === joined
        ? undefined
        : {
            attribute: 'nhsMhsSvcIA',
            explanation: `nhsMhsSvcIA must be nhsMHsSN:nhsMHsIN, that is ${joined.slice(0, 300)}.`,
          }
    },
  },
  {
    code: 'DIRECTORY_CPA_ID',
    clause: 'directory §1, §6.2',
    asks: 'Is nhsMhsCPAId well formed and the unique identifier of the entry?',
    on: 'tolerated',
    run(candidate) {
      if (!isClass(candidate, 'nhsMhs')) return undefined
      const id = first(candidate, 'nhsMhsCPAId')
      if (!isCpaId(id))
        return { attribute: 'nhsMhsCPAId', explanation: 'The CPA id holds characters that none may hold.' }
      return candidate.attributes['uniqueIdentifier']?.includes(id)
        ? undefined
        : { attribute: 'nhsMhsCPAId', explanation: 'nhsMhsCPAId and uniqueIdentifier must be equal.' }
    },
  },
  {
    code: 'DIRECTORY_INTERACTION_TWICE',
    clause: 'directory §6.3',
    asks: 'Is there no other message handling system entry for the same party key and interaction?',
    on: 'tolerated',
    run(candidate) {
      if (!isClass(candidate, 'nhsMhs')) return undefined
      const { look, schema, name } = candidate
      const attribute = schema.attribute('nhsMhsSvcIA')
      const interaction = first(candidate, 'nhsMhsSvcIA') ?? ''
      const other = look
        .having('nhsMHSPartyKey', first(candidate, 'nhsMHSPartyKey') ?? '')
        .find(
          (entry) => attribute !== undefined && entry.key !== name.key && entry.values(attribute).includes(interaction),
        )
      return other === undefined
        ? undefined
        : { attribute: 'nhsMhsSvcIA', explanation: `${other.dn} has the same party key and interaction.` }
    },
  },
  {
    code: 'DIRECTORY_ORGANISATION',
    clause: 'directory §6.3',
    asks: 'Does the ODS code belong to an open organisation?',
    on: 'tolerated',
    run(candidate) {
      const code = first(candidate, 'nhsIDCode') ?? ''
      return !isSystem(candidate) || acceptsOrganisation(candidate, code)
        ? undefined
        : {
            attribute: 'nhsIDCode',
            explanation: `ou=Organisations holds no open organisation ${code}. Put the organisation first, or correct nhsIDCode.`,
          }
    },
  },
  {
    code: 'DIRECTORY_ENDPOINT',
    clause: 'directory §10.2',
    asks: 'Are the endpoints https URLs without user, query or fragment?',
    on: 'tolerated',
    run: (candidate) =>
      offending(
        candidate,
        ['nhsMHSEndPoint'],
        (value) => {
          const url = urlOf(value)
          return url?.protocol === 'https:' && url.username === '' && url.password === '' && !/[?#\s]/.test(value)
        },
        (value) => `${value} is not an https URL of a service root.`,
      ),
  },
  {
    code: 'DIRECTORY_ENDPOINT_FORM',
    clause: 'directory §10.2',
    asks: 'Do the endpoints end without a slash, at the FQDN of the message handling system?',
    on: 'warned',
    run(candidate) {
      const fqdn = first(candidate, 'nhsMhsFQDN')?.toLowerCase()
      return offending(
        candidate,
        ['nhsMHSEndPoint'],
        (value) => !value.endsWith('/') && (fqdn === undefined || urlOf(value)?.hostname === fqdn),
        (value) => `${value} ends with a slash, or its host is not ${fqdn}.`,
      )
    },
  },
  {
    code: 'DIRECTORY_FQDN',
    clause: 'directory §1, §6.3',
    asks: 'Are the FQDNs host names?',
    on: 'tolerated',
    run(candidate) {
      const { registeredFqdn } = candidate
      if (registeredFqdn !== undefined && !hostName.test(registeredFqdn)) {
        return { explanation: `${registeredFqdn.slice(0, 200)} is no host name.` }
      }
      return offending(
        candidate,
        ['nhsMhsFQDN'],
        (value) => hostName.test(value),
        (value) => `${value} is no host name.`,
      )
    },
  },
  {
    code: 'DIRECTORY_ENUMERATION',
    clause: 'directory §6.2',
    asks: 'Are the coded values among those that the specification lists?',
    on: 'tolerated',
    run(candidate) {
      for (const [name, allowed] of Object.entries(enumerations)) {
        const fault = offending(
          candidate,
          [name],
          (value) => allowed.includes(value.toLowerCase()),
          (value) => `${name} cannot be ${value}.`,
        )
        if (fault !== undefined) return fault
      }
      return offending(
        candidate,
        ['nhsMHSRetries'],
        (value) => /^\d{1,4}$/.test(value),
        (value) => `${value} is no number of retries.`,
      )
    },
  },
  {
    code: 'DIRECTORY_DATE',
    clause: 'directory §1',
    asks: 'Are dates YYYYMMDDhhmmss or YYYYMMDD, and durations ISO 8601?',
    on: 'tolerated',
    run: (candidate) =>
      offending(
        candidate,
        dates14,
        (value) => isDate(value, 14),
        (value) => `${value} is no date of 14 digits.`,
      ) ??
      offending(
        candidate,
        dates8,
        (value) => isDate(value, 8),
        (value) => `${value} is no date of 8 digits.`,
      ) ??
      offending(
        candidate,
        durations,
        (value) => /^P(?=.)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?$/.test(value),
        (value) => `${value} is no ISO 8601 duration.`,
      ),
  },
]

function isDate(value: string, digits: 8 | 14): boolean {
  if (!/^\d+$/.test(value) || value.length !== digits) return false
  const [year, month, day] = [value.slice(0, 4), value.slice(4, 6), value.slice(6, 8)]
  const [hour, minute, second] = [value.slice(8, 10) || '00', value.slice(10, 12) || '00', value.slice(12, 14) || '00']
  const text = `${year}-${month}-${day}T${hour}:${minute}:${second}`
  const at = Date.parse(`${text}Z`)
  return Number.isFinite(at) && new Date(at).toISOString().startsWith(text)
}
