/** Immunisations (§9.5), given and not given, with consent and dissent beside them. */
import type { Immunisation } from '../../record/clinical.ts'
import { type Area, flag, type IdentifiedResource } from '../area.ts'
import type { Context } from '../context.ts'
import { concept } from '../elements.ts'
import type { Identified } from '../identity.ts'
import { titleOf } from './references.ts'
import { immunisationStatuses } from './uncategorised.ts'
import {
  careConnectHl7,
  consultationsByItem,
  extension,
  firstKnown,
  heading,
  listed,
  made,
  notes,
  partyOf,
  quantityOf,
  words,
} from './writing.ts'

const unknownProduct = {
  coding: [{ system: 'http://hl7.org/fhir/v3/NullFlavor', code: 'UNK', display: 'unknown' }],
}

const role = (code: string, display: string) => ({ coding: [{ system: 'http://hl7.org/fhir/v2/0443', code, display }] })

/** Who gave it and who wrote it down; of one person alone it is known that they gave it when the record says so. */
function practitioners({ administeredBy, recordedBy }: Immunisation, context: Context): readonly object[] {
  const entered = administeredBy !== undefined && administeredBy === recordedBy ? undefined : recordedBy
  return [
    ...(administeredBy === undefined
      ? []
      : [{ role: role('AP', 'Administering Provider'), actor: context.practitioner(administeredBy) }]),
    ...(entered === undefined
      ? []
      : [
          {
            role: administeredBy === undefined ? undefined : role('EP', 'Entering Provider'),
            actor: context.practitioner(entered),
          },
        ]),
  ]
}

function immunization(context: Context) {
  const encounterOf = consultationsByItem(context)
  return ({ row, id }: Identified<Immunisation>): readonly IdentifiedResource[] => {
    const { notGiven, reason, manufacturer, protocol } = row
    const given = notGiven ? undefined : row
    const maker = manufacturer === undefined ? undefined : partyOf(manufacturer, context, id)
    // Only an organisation can be the manufacturer.
    const made_ = maker?.reference.reference?.startsWith('Organization/') === true ? maker : undefined
    const resource = made({
      ...heading(context, 'Immunization', id),
      extension: [
        ...(row.parentPresent === undefined
          ? []
          : [extension(careConnectHl7('ParentPresent'), { valueBoolean: row.parentPresent })]),
        extension(careConnectHl7('DateRecorded'), {
          valueDateTime: firstKnown(context, row.recordedDate, row.date),
        }),
        extension(careConnectHl7('VaccinationProcedure'), {
          valueCodeableConcept: concept(row.codes, row.vaccination, 'other'),
        }),
      ],
      status: 'completed',
      notGiven,
      vaccineCode: row.product.length === 0 ? unknownProduct : { coding: row.product },
      patient: context.subject,
      encounter: encounterOf(id),
      date: row.date,
      primarySource: row.primarySource,
      reportOrigin: row.primarySource || row.reportOrigin === undefined ? undefined : words(row.reportOrigin),
      location: row.location === undefined ? undefined : { reference: `Location/${row.location}` },
      manufacturer: made_?.reference,
      lotNumber: row.lot,
      expirationDate: row.expiry,
      // How it was given, which nothing that was not given has.
      site: given?.site && words(given.site),
      route: given?.route && words(given.route),
      doseQuantity: given?.dose && quantityOf(given.dose),
      practitioner: practitioners(row, context),
      note: notes(row.details, ['Part', row.part], ['Contents', row.contents]),
      explanation: reason && { [notGiven ? 'reasonNotGiven' : 'reason']: [words(reason)] },
      vaccinationProtocol:
        protocol === undefined || notGiven
          ? undefined
          : [
              {
                doseSequence: protocol.sequence,
                description: protocol.description,
                seriesDoses: protocol.doses,
                targetDisease: protocol.targetDiseases.map(words),
                doseStatus: {
                  coding: [
                    {
                      system: 'http://hl7.org/fhir/vaccination-protocol-dose-status',
                      code: 'count',
                      display: 'Counts',
                    },
                  ],
                },
              },
            ],
    })
    return [resource, ...(made_?.resources ?? [])]
  }
}

export const immunisations: Area = {
  name: 'immunisations',
  title: titleOf('immunisations'),
  parameter: 'includeImmunisations',
  since: '1.5',
  parts: [
    { name: 'includeNotGiven', type: 'boolean' },
    { name: 'includeStatus', type: 'boolean' },
  ],
  whole: { includeNotGiven: true, includeStatus: true },
  build(query, context) {
    const rows = context.identified('immunisations', context.patient.immunisations, (row) => [
      row.date,
      row.vaccination,
      row.part,
    ])
    const withNotGiven = flag(query, 'includeNotGiven', false)
    const result = listed(
      { kind: 'immunisations', type: 'Immunization' },
      query,
      context,
      rows,
      ({ notGiven }) => withNotGiven || !notGiven,
      immunization(context),
    )
    if (query.only !== undefined || !flag(query, 'includeStatus', true)) return result
    // The list is of Immunizations alone (a consumer counts them); consent and dissent stand beside it.
    const status = immunisationStatuses(context)
    return {
      resources: [...result.resources, ...status.resources],
      lists: result.lists.map((list) => ({ ...list, withheld: list.withheld === true || status.withheld })),
      shown: [...result.shown, ...status.shown],
    }
  },
}
