/** What this system calls itself on the wire. */
export const product = {
  name: 'OpenSpine Practice',
  manufacturer: 'OpenSpine',
  version: '0.1.0',
  released: '2026-11-20',
} as const
