/** Entries of the directory that its FHIR interface has to tell apart, beside the samples. */
import {
  accreditedSystem,
  messageHandlingSystem,
  put,
  structured,
  visitors,
} from '@openspine/services/directory/testing'

export const reliableId = 'urn:nhs:names:services:psis:REPC_IN150016UK05'
export const gp2gp = 'urn:nhs:names:services:gp2gp:RCMR_IN030000UK06'
export const expressId = 'urn:nhs:names:services:pat:PRSC_IN080000UK03'
export const trailing = 'urn:nhs:names:services:psis:ODD_IN000001UK01'

const mhs = (cpaId: string, partyKeyOf: string, id: string, endpoint: string, more = {}, odsCode = 'YES') =>
  put(
    messageHandlingSystem({
      cpaId,
      odsCode,
      partyKey: partyKeyOf,
      service: id.slice(0, id.lastIndexOf(':')),
      interaction: id.slice(id.lastIndexOf(':') + 1),
      endpoint,
      more,
    }),
  )

const reliability = {
  nhsMHSSyncReplyMode: ['MSHSignalsOnly'],
  nhsMHSRetryInterval: ['PT1M'],
  nhsMHSRetries: ['2'],
  nhsMHSPersistDuration: ['PT5M'],
  nhsMHSDuplicateElimination: ['always'],
  nhsMHSAckRequested: ['always'],
  nhsMHSActor: ['urn:oasis:names:tc:ebxml-msg:actor:toPartyMSH'],
}

export const entries = [
  mhs('S20001A000999', 'YES-0000806', reliableId, 'https://msg.example.nhs.uk/reliable', reliability),
  mhs('S20001A000998', 'YES-0000806', trailing, 'https://msg.example.nhs.uk/a', {
    nhsMHSEndPoint: ['https://msg.example.nhs.uk/a', 'https://msg.example.nhs.uk/b'],
    nhsMHSRetries: [''],
  }),
  mhs('S20001A000997', 'A99968-850000', gp2gp, 'https://gp.example.thirdparty.nhs.uk/own', reliability, 'A99968'),
  mhs('S20001A000996', 'X26-850002', expressId, 'https://trust.example.nhs.uk/own', {}, 'X26'),
  mhs(
    'S20001A000995',
    'YES-0000806',
    'urn:nhs:names:services:tms:ReliableIntermediary',
    'https://msg.example.nhs.uk/intermediary',
  ),
  put(
    accreditedSystem({
      asid: '200000100303',
      odsCode: 'X26',
      partyKey: 'X26-850003',
      interactions: [structured, visitors],
      manufacturer: 'Q1Q11',
      more: { nhsAsClient: ['X26', 'A99968'] },
    }),
  ),
  put(
    accreditedSystem({
      asid: '200000100404',
      odsCode: 'A99968',
      partyKey: 'A99968-850044',
      interactions: Array.from({ length: 400 }, (_, i) => `urn:nhs:names:services:many:THING_IN${i}`),
    }),
  ),
]
