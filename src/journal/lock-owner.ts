/** The owner of a lock, as written in the lock file, and what follows from that. */
import { readFileSync, statfsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { fateOf, ownProcess, type ProcessFacts } from '../process-facts.ts'
import { isPlainObject } from '../values/value-forms.ts'
import { realFileOf } from './real-file.ts'

export interface LockOwner extends ProcessFacts {
  /** What shows that the owner is alive: the system's lock, or only its name in the file. */
  readonly keptBy: 'flock' | 'name'
  readonly trajectory: string
  /** When the lock was taken, ISO 8601. */
  readonly since: string
  /** Since when the owner has waited for readers of the file, in milliseconds since 1970. */
  readonly waitingSinceMs?: number
}

/** What is known about a lock that another process had. */
export interface LockEvidence {
  /** The system has given us the lock. Undefined if it has no locks. */
  readonly isOurs: boolean | undefined
  /** Other machines may write here, and the system may not know their locks. */
  readonly isShared: boolean
  /** Of the owner, as seen from here. */
  readonly fate: 'alive' | 'gone' | 'unseen'
  /** The owner ran since the current boot. */
  readonly isSameBoot: boolean
}

/** Whether the owner of a lock is gone. If unknown, the user must decide. */
export function verdictOf(
  owner: Pick<LockOwner, 'keptBy'>,
  evidence: LockEvidence,
): 'gone' | 'alive' | 'unknown' {
  const { isOurs, isShared, fate, isSameBoot } = evidence
  if (isOurs === false) return 'alive'
  // The system would have kept this lock, but has not.
  if (isOurs === true && owner.keptBy === 'flock' && (isSameBoot || !isShared)) return 'gone'
  return fate === 'unseen' ? 'unknown' : fate
}

/** This process as the owner of a lock. */
export function ownLock(trajectory: string, keptBy: LockOwner['keptBy']): LockOwner {
  return { ...ownProcess(), keptBy, trajectory, since: new Date().toISOString() }
}

/** Undefined if it is not a lock. */
export function parseOwner(text: string): LockOwner | undefined {
  try {
    const owner: unknown = JSON.parse(text)
    if (!isPlainObject(owner) || !Number.isSafeInteger(owner.pid)) return undefined
    if (TEXTS.some((name) => typeof owner[name] !== 'string')) return undefined
    return owner as unknown as LockOwner
  } catch {
    return undefined
  }
}

const TEXTS = [
  'host',
  'machineId',
  'bootId',
  'pidNamespace',
  'processStart',
  'keptBy',
  'trajectory',
  'since',
] as const satisfies readonly (keyof LockOwner)[]

/** Undefined if the file does not exist or cannot be read. */
export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/** Magic numbers of file systems that several machines may share, from linux/magic.h and the vendors' sources. */
const SHARED_FILE_SYSTEMS: ReadonlySet<number> = new Set([
  0x6969, // NFS
  0xff534d42, // CIFS
  0xfe534d42, // SMB 2
  0x517b, // SMB
  0x01021997, // 9P
  0x00c36400, // Ceph
  0x0bd00bd0, // Lustre
  0x47504653, // GPFS
  0x19830326, // BeeGFS
  0x5346414f, // AFS
  0x7461636f, // OCFS2
  0x01161970, // GFS2
  0x65735546, // FUSE: sshfs, GlusterFS and others
  0x786f4256, // VirtualBox shared folders
])

/** Whether other machines may write to the folder of this path. */
export function isShared(path: string): boolean {
  try {
    return SHARED_FILE_SYSTEMS.has(statfsSync(path).type >>> 0)
  } catch {
    return true
  }
}

/** No writer waits this long. An older entry was left by a killed process. */
const WAITING_MS_MAX = 600_000
const LOOK_MS = 20

/**
 * Resolves when the writer of a file is not waiting for readers. If readers call this before each read, they cannot
 * keep a writer out forever, however many they are.
 *
 * @param limitMs the longest wait
 */
export async function letWriterGoFirst(file: string, limitMs: number): Promise<void> {
  const path = `${realFileOf(file)}.lock`
  const endMs = performance.now() + limitMs
  while (isWriterWaiting(path) && performance.now() < endMs) await delay(LOOK_MS)
}

function isWriterWaiting(path: string): boolean {
  const owner = parseOwner(readText(path) ?? '')
  if (owner?.waitingSinceMs === undefined) return false
  return Date.now() - owner.waitingSinceMs < WAITING_MS_MAX && fateOf(owner) !== 'gone'
}
