import { SpineError } from '@openspine/standards/error'
import type { Product } from './clients.ts'
import type { ApplicationChange, ApplicationFacts, Owner } from './contract.ts'
import { keysOfSet } from './key-set.ts'
import { perSecond, type Quota } from './rates.ts'

const wrong = (fact: string, explanation: string) => new SpineError('GATEWAY_FACT', { fact }, { explanation })

const longestSettings = 8192

/** The facts after a change; throws SpineError `GATEWAY_FACT` or `GATEWAY_KEY_SET`. */
export function changedFacts(facts: ApplicationFacts, change: ApplicationChange): ApplicationFacts {
  const merged: Record<string, unknown> = { ...facts }
  for (const [name, value] of Object.entries(change)) {
    if (value === null) delete merged[name]
    else if (value !== undefined) merged[name] = value
  }
  return merged
}

/** Whether what is changed may be so; throws as above. */
export function checkChange(change: ApplicationChange, owners: readonly Owner[]): void {
  const { displayName, callbackUrl, publicKeys, asid, origins, owner, settings, rates } = change
  if (typeof displayName === 'string' && !/^[^\p{C}<>]{1,100}$/u.test(displayName))
    throw wrong('displayName', 'A display name has 1 to 100 characters, without control characters and angle brackets.')
  if (typeof callbackUrl === 'string') checkUrl('callbackUrl', callbackUrl, ['https:', 'http:'])
  if (publicKeys) {
    if ('url' in publicKeys) checkUrl('publicKeys', publicKeys.url, ['https:', 'http:'])
    else keysOfSet(publicKeys.keySet)
  }
  if (typeof asid === 'string' && !/^\d{12}$/.test(asid)) throw wrong('asid', 'An ASID has 12 digits.')
  if (origins) {
    const fine = (origin: string) =>
      /^https?:\/\/[^/?#\s@]{1,250}$/.test(origin) && URL.parse(origin)?.origin === origin
    if (
      !Array.isArray(origins) ||
      origins.length > 20 ||
      !origins.every((each) => typeof each === 'string' && fine(each))
    )
      throw wrong('origins', 'Origins are at most 20 of scheme and host alone, such as https://ward.example.')
  }
  if (typeof owner === 'string' && !owners.some(({ name }) => name === owner))
    throw wrong('owner', `There is no owner ${owner.slice(0, 100)}: openspine app owner adds one.`)
  if (settings) {
    if (typeof settings !== 'object' || Array.isArray(settings) || JSON.stringify(settings).length > longestSettings)
      throw wrong(
        'settings',
        `The settings of an application are a JSON object of at most ${longestSettings} characters.`,
      )
  }
  const { quota, spikeArrest, ...counts } = rates ?? {}
  if (spikeArrest !== undefined && !perSecond(spikeArrest))
    throw wrong('rates', 'A spike arrest is a whole number from 1 and ps or pm: 10ps, 600pm.')
  if (quota !== undefined) checkQuota(quota)
  for (const [name, value] of Object.entries(counts))
    if (!Number.isInteger(value) || value < 0 || value > 10_000_000)
      throw wrong('rates', `${name} is a whole number from 0 (no limit) to 10000000.`)
}

function checkQuota({ limit, interval, timeunit }: Quota): void {
  const whole = [limit, interval].every((each) => Number.isInteger(each) && each > 0 && each <= 10_000_000)
  if (!whole || !['minute', 'hour', 'day', 'week', 'month'].includes(timeunit))
    throw wrong('rates', 'A quota is a limit, an interval, and minute, hour, day, week or month: 5000/1/hour.')
}

function checkUrl(fact: string, text: string, protocols: readonly string[]): void {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (
    url === undefined ||
    !protocols.includes(url.protocol) ||
    text.length > 2000 ||
    url.hash !== '' ||
    /\s/.test(text)
  )
    throw wrong(fact, `${text.slice(0, 200)} is no absolute address (https://…) without a fragment.`)
  if (url.username !== '' || url.password !== '')
    throw wrong(fact, 'The address must not have a user name or password in it.')
}

/** Throws SpineError `GATEWAY_OWNER`. */
export function checkOwner({ name, kind, status }: Owner): void {
  const refuse = (explanation: string) => new SpineError('GATEWAY_OWNER', { name }, { explanation })
  if (!/^[^\p{C}<>]{1,100}$/u.test(name) || name.trim() !== name)
    throw refuse('The name of an owner has 1 to 100 characters, without control characters and angle brackets.')
  if (kind !== 'company' && kind !== 'developer') throw refuse('An owner is a company or a developer.')
  if (status !== 'active' && status !== 'inactive') throw refuse('An owner is active or inactive.')
}

/** Throws SpineError `GATEWAY_PRODUCT`. */
export function checkProduct({ name, apis, scopes, approval }: Product, known: readonly string[]): void {
  const refuse = (explanation: string) => new SpineError('GATEWAY_PRODUCT', { name }, { explanation })
  if (!/^[a-z0-9][a-z0-9.-]{0,99}$/.test(name))
    throw refuse('The name of a product has 1 to 100 small letters, digits, hyphens and dots: {api}-{environment}.')
  if (apis.length === 0) throw refuse('A product opens at least one API.')
  for (const api of apis)
    if (!known.includes(api)) throw refuse(`There is no API ${api}. There are: ${known.join(', ')}.`)
  for (const scope of scopes)
    if (!/^urn:nhsd:apim:(app:level[03]|user-nhs-(cis2|id):aal[123]|user-nhs-login:P[059]):[a-z0-9-]+$/.test(scope))
      throw refuse(
        `${scope.slice(0, 200)} is no scope: urn:nhsd:apim:app:level3:{api}, user-nhs-cis2:aal3, user-nhs-login:P9.`,
      )
  if (approval !== 'auto' && approval !== 'manual') throw refuse('A product is approved auto or manual.')
}
