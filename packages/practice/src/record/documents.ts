/** Documents of a record: letters, reports, scans. Their content is stored beside the record, not in it. */
import { isOdsCode } from '@openspine/standards/nhs'
import { z } from 'zod'
import { codes, confidential, label, line, moment, opaqueId } from './forms.ts'

/** 100 MiB of content, as base64: the most that a migration hands over (§11). */
const longestContent = 139_810_136

export const document = z.strictObject({
  /** Unique within the practice: the id of the DocumentReference and of the Binary. */
  id: opaqueId,
  /** Of the document itself, whoever stores it; absent: made of the practice and the id. */
  masterIdentifier: z.strictObject({ system: label, value: label }).optional(),
  type: z.strictObject({ codes, text: line }),
  description: line.optional(),
  /** When it was written, where that is known. */
  created: moment.optional(),
  /** When it came into the record. */
  indexed: moment,
  /** Who wrote it: an organisation, or a practitioner of this practice by `id`; absent: this practice. */
  author: z
    .union([
      z.strictObject({ odsCode: z.string().refine(isOdsCode, 'an ODS code'), name: label }),
      z.strictObject({ practitioner: opaqueId }),
    ])
    .optional(),
  contentType: z.string().regex(/^[a-z]+\/[A-Za-z0-9.+-]{1,100}$/, 'a media type such as application/pdf'),
  /** Base64. With neither this nor `sha256` the document is a placeholder, and `absentReason` says why. */
  content: z.base64().max(longestContent).optional(),
  absentReason: line.optional(),
  /** `id` of the encounter at which it was filed. */
  encounter: opaqueId.optional(),
  /** Clinical setting, by its words. */
  practiceSetting: z.strictObject({ codes, text: line }).optional(),
  confidential,
  /** Octets of the content; counted when it is stored. For a placeholder: what is known of it. */
  size: z.int().min(0).optional(),
  /** Of the stored content; not for files. */
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
})

export type Document = z.infer<typeof document>
