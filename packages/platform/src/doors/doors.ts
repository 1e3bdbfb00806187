/** Doors: HTTPS servers with mutual TLS, bounds and graceful ends, and the parts for doors of another kind (LDAP, the relay). */
export { type Door, type DoorOptions, openDoor } from './door.ts'
export { type DoorLimits, defaultLimits } from './limits.ts'
export { type OperationalOptions, operational } from './operational.ts'
export { type Peer, type PeerCertificate, peerNow, peerOf, stillValid } from './peer.ts'
export { pki } from './pki.ts'
export { answerPlainHttp } from './plain-http.ts'
export { bareResponse, hsts, type Problem, problem, problemOf, problemType, sendProblem } from './problem.ts'
export { followTrust, type Mutual, type ServerTlsOptions, serverTls } from './tls.ts'
