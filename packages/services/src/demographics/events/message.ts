import type { Random } from '@openspine/platform/clock'
import { namingSystem } from '@openspine/standards/nhs'
import type { EventCode, WaitingEvent } from '../changes/change.ts'
import { asJson, isJson, type Json, type Sensitivity } from '../person.ts'
import { birthResources } from './birth-message.ts'
import {
  addressOf,
  careConnect,
  concept,
  identifierOf,
  nameOf,
  organisation,
  profile,
  reference,
  stu3,
} from './parts.ts'

/** MESH workflow under which an event is delivered (§22). */
export const eventWorkflow: Readonly<Record<EventCode, string>> = {
  'pds-birth-notification-1': 'BIRTHNOTIFICATION_1',
  'pds-change-of-address-1': 'CHANGEOFADDRESS_1',
  'pds-change-of-gp-1': 'CHANGEOFGP_1',
  'pds-death-notification-1': 'DEATHNOTIFICATION_1',
  'pds-record-change-1': 'PDSRECORDCHANGE_1',
}

const displays: Readonly<Record<EventCode, string>> = {
  'pds-birth-notification-1': 'PDS Birth Notification',
  'pds-change-of-address-1': 'PDS Change of Address',
  'pds-change-of-gp-1': 'PDS Change of GP',
  'pds-death-notification-1': 'PDS Death Notification',
  'pds-record-change-1': 'PDS Record Change',
}

/** The demographics service itself, in whose name events are sent. */
const spine = { code: 'X26', name: 'NHS England' }

const deathDisplays: Readonly<Record<string, string>> = {
  '1': 'Informal - death notice received via an update from a local NHS Organisation such as GP or Trust',
  '2': 'Formal - death notice received from Registrar of Deaths',
  U: 'Removed',
}

/** What makes a message of an event, beside the event. */
export interface MessageParts {
  readonly random: Random
  /** Of the person now: of restricted people places are left out, whatever they were when the event was raised. */
  readonly sensitivity: Sensitivity
  /** ASID of the sender. */
  readonly asid: string
  /** Name of an organisation, by its ODS code, where it is known. */
  readonly organisationName: (odsCode: string) => string | undefined
}

/**
 * The message of an event: an STU3 Bundle as NEMS delivers it (§22; events specification G6, G10). `meta.lastUpdated` of
 * the header orders the events of one person, `meta.versionId` of the patient is the serial change number.
 */
export function eventMessage(event: WaitingEvent, parts: MessageParts): Json {
  const { code, facts, nhsNumber, version, at } = event
  const id = () => parts.random.uuid()
  const moment = new Date(at).toISOString().replace(/\.\d+Z$/, '+00:00')
  const ids = { header: id(), patient: id(), communication: id(), sender: id(), service: id() }
  const located = parts.sensitivity === 'U'
  const subject = asJson(facts['subject'])
  const organisations: (readonly [string, Json])[] = [[ids.sender, organisation(spine.code, spine.name)]]
  const practice = (odsCode: unknown): string | undefined => {
    if (typeof odsCode !== 'string' || !located) return undefined
    const key = id()
    organisations.push([key, organisation(odsCode, parts.organisationName(odsCode))])
    return key
  }
  const further: (readonly [string, Json])[] = []
  const patient: Record<string, unknown> = {
    resourceType: 'Patient',
    id: ids.patient,
    meta: { versionId: String(version), lastUpdated: moment, ...profile('Patient') },
    identifier: [identifierOf(nhsNumber)],
    ...(isJson(subject['name']) && { name: [nameOf(subject['name'])] }),
    ...(typeof subject['gender'] === 'string' && { gender: subject['gender'] }),
    ...(typeof subject['birthDate'] === 'string' && { birthDate: subject['birthDate'] }),
  }
  if (code === 'pds-change-of-address-1' && located) {
    const addresses = [addressOf(facts['new'], 'home'), addressOf(facts['old'], 'old')].filter(
      (address) => address !== undefined,
    )
    if (addresses.length > 0) patient['address'] = addresses
  }
  if (code === 'pds-change-of-gp-1') {
    const current = practice(facts['current'])
    const previous = practice(facts['previous'])
    if (current !== undefined) patient['generalPractitioner'] = [reference(current)]
    if (previous !== undefined)
      further.push([
        id(),
        {
          resourceType: 'EpisodeOfCare',
          meta: profile('EpisodeOfCare'),
          status: 'finished',
          type: [concept(stu3('CodeSystem/EMS-PDS-PatientCareProvisionType-1'), '1', 'Primary care')],
          patient: reference(ids.patient),
          managingOrganization: reference(previous),
        },
      ])
  }
  if (code === 'pds-death-notification-1') {
    const status = String(facts['status'])
    patient['extension'] = [
      {
        url: careConnect('StructureDefinition/Extension-CareConnect-DeathNotificationStatus-1'),
        extension: [
          {
            url: 'deathNotificationStatus',
            valueCodeableConcept: concept(
              careConnect('CodeSystem/CareConnect-DeathNotificationStatus-1'),
              status,
              deathDisplays[status] ?? '',
            ),
          },
          { url: 'systemEffectiveDate', valueDateTime: facts['effective'] ?? moment },
        ],
      },
    ]
    if (status !== 'U' && typeof facts['died'] === 'string') patient['deceasedDateTime'] = facts['died']
  }
  // A birth is news of the mother: she is whom it is delivered for.
  const birth =
    code === 'pds-birth-notification-1'
      ? birthResources(facts, { id, baby: ids.patient, located, ...parts })
      : undefined
  if (birth) {
    Object.assign(patient, birth.baby)
    further.push(...birth.resources)
  }
  const mother = birth && asJson(facts['mother'])
  const focus = code === 'pds-record-change-1' ? ids.patient : ids.communication
  const entries: (readonly [string, Json])[] = [
    [
      ids.header,
      header({
        ...event,
        moment,
        ids,
        focus,
        subject: mother ?? subject,
        nhsNumber: mother === undefined ? nhsNumber : String(mother['nhsNumber']),
        asid: parts.asid,
      }),
    ],
    ...(code === 'pds-record-change-1'
      ? []
      : [
          [
            ids.communication,
            {
              resourceType: 'Communication',
              status: 'completed',
              subject: reference(birth?.mother ?? ids.patient),
              sender: reference(ids.sender),
            },
          ] as const,
        ]),
    [ids.patient, patient],
    ...organisations,
    [
      ids.service,
      {
        resourceType: 'HealthcareService',
        identifier: [{ system: stu3('CodeSystem/EMS-HealthcareServiceType-1'), value: 'PDS' }],
        providedBy: reference(ids.sender),
        type: [concept(stu3('CodeSystem/EMS-HealthcareServiceType-1'), 'PDS', 'Personal Demographics Service')],
      },
    ],
    ...further,
  ]
  return {
    resourceType: 'Bundle',
    type: 'message',
    entry: entries.map(([key, resource]) => ({ fullUrl: `urn:uuid:${key}`, resource: { ...resource, id: key } })),
  }
}

function header(about: {
  readonly code: EventCode
  readonly nhsNumber: string
  readonly moment: string
  readonly ids: { readonly header: string; readonly sender: string }
  readonly focus: string
  readonly subject: Json
  readonly asid: string
}): Json {
  const { code, moment, ids, subject } = about
  const demographics = [
    { url: 'nhsNumber', valueIdentifier: { system: namingSystem.fhirNhsUk.nhsNumber, value: about.nhsNumber } },
    ...(isJson(subject['name']) ? [{ url: 'name', valueHumanName: nameOf(subject['name']) }] : []),
    ...(typeof subject['birthDate'] === 'string'
      ? [{ url: 'birthDateTime', valueDateTime: subject['birthDate'] }]
      : []),
  ]
  return {
    resourceType: 'MessageHeader',
    meta: {
      versionId: '1',
      lastUpdated: moment,
      profile: [stu3('StructureDefinition/Event-MessageHeader-1')],
    },
    extension: [
      { url: stu3('StructureDefinition/Extension-RoutingDemographics-1'), extension: demographics },
      {
        url: stu3('StructureDefinition/Extension-MessageEventType-1'),
        valueCodeableConcept: concept(stu3('CodeSystem/MessageEventType-1'), 'new', 'New event message'),
      },
    ],
    event: { system: stu3('CodeSystem/EventType-1'), code, display: displays[code] },
    timestamp: moment,
    source: {
      name: 'OpenSpine demographics',
      contact: { system: 'email', value: 'operator@openspine.invalid' },
      endpoint: `urn:nhs:addressing:asid:${about.asid}`,
    },
    responsible: reference(ids.sender),
    focus: [reference(about.focus)],
  }
}
