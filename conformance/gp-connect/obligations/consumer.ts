/** §14: what a consumer owes, as the client of the house does it. */
import { ofConsumers } from '../obligation.ts'

const at = (name: string) => `packages/client/src/${name}.test.ts`

export const consumer = {
  '14-trace': ofConsumers(
    'Traces the patient first, and compares the record with who was traced.',
    at('care-record'),
    'compares the patient with the traced person, the practice too',
  ),
  '14-look-up': ofConsumers(
    'Looks up the endpoint and then the system.',
    at('client'),
    'is asked for the endpoint first and then for the system, once a session',
  ),
  '14-cache': ofConsumers(
    'Remembers for a while what it looked up.',
    at('client'),
    'remembers for a short time what it found, and for a shorter one that something was missing',
  ),
  '14-request': ofConsumers(
    'Sends the four headers, and a token with every claim, to the whole URL of the provider.',
    at('client'),
    'goes to the whole provider URL behind the proxy, with four headers, every claim and an unchanged path',
  ),
  '14-back-off': ofConsumers(
    'Repeats at most three times, more and more slowly, each time with a new trace id and a new token.',
    at('client'),
    'repeats transient errors at most three times, with growing pauses, a new trace id and a new token',
  ),
  '14-encoding': ofConsumers(
    'Encodes the stroke of an identifier.',
    at('foundations'),
    'finds a patient: identifier encoded, STU3 types, a token for this endpoint',
  ),
  '14-compare': ofConsumers(
    'Reports each of family name, given name, gender, birth date, practice and date of death that differs.',
    at('foundations'),
    'reports each field that differs or that one side lacks, and a practice that was not named',
  ),
  '14-banners': ofConsumers(
    'Shows banners and warnings unchanged.',
    at('care-record'),
    'keeps the HTML as it came beside a safe one, and hands on every banner unchanged',
  ),
  '14-sanitise': ofConsumers(
    'Strips whatever is active before HTML is shown.',
    at('sanitise'),
    'lets through nothing but what is on the list, whatever comes',
  ),
  '14-unknown': ofConsumers(
    'Accepts elements and extensions that it does not know.',
    at('client'),
    'passes over elements that FHIR does not have, in JSON and in XML',
  ),
  '14-incomplete': ofConsumers(
    'Treats an answer with warnings of an OperationOutcome as incomplete.',
    at('structured'),
    'is marked incomplete, with the reason that the provider gives',
  ),
  '14-certificate': ofConsumers(
    'Verifies the certificate of the proxy.',
    at('tls'),
    'gives nothing to a proxy whose certificate it cannot trust, even where the process is told to trust all',
  ),
  '14-formats': ofConsumers(
    'Speaks XML as well as JSON.',
    at('client'),
    'speaks XML when it is asked to, and reads a refusal in XML',
  ),
} as const
