import { describing, readDescription } from '@openspine/platform/testing/openapi'

export type { Content, Operation, Parameter, Response } from '@openspine/platform/testing/openapi'

/** The contract of PDS FHIR. */
export const description = readDescription(new URL('./openapi.yaml', import.meta.url))

export const { conforms, resolved, operationAt, describedAs } = describing(description)
