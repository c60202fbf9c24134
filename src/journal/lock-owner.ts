/** Whose a lock is, as the file of the lock says it, and what follows from that. */
import { readFileSync, statfsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { fateOf, ownProcess, type ProcessFacts } from '../process-facts.ts'
import { isPlainObject } from '../values/value-forms.ts'
import { realFileOf } from './real-file.ts'

export interface LockOwner extends ProcessFacts {
  /** What tells that the owner lives: the system's lock, or its name in the file only. */
  readonly keptBy: 'flock' | 'name'
  readonly trajectory: string
  /** When the lock was taken, ISO 8601. */
  readonly since: string
  /** Since when the owner waits for readers of the file, in milliseconds since 1970. */
  readonly waitingSinceMs?: number
}

/** What is known when somebody wants a lock that another one had. */
export interface LockEvidence {
  /** The system has given the lock to us; undefined where it has none. */
  readonly isOurs: boolean | undefined
  /** Other machines may write here, and the system may not know of their locks. */
  readonly isShared: boolean
  /** Of the owner, seen from here. */
  readonly fate: 'alive' | 'gone' | 'unseen'
  /** The owner ran on the kernel that runs now. */
  readonly isSameBoot: boolean
}

/** Whether the owner of a lock is gone. What cannot be known needs somebody who knows. */
export function verdictOf(
  owner: Pick<LockOwner, 'keptBy'>,
  evidence: LockEvidence,
): 'gone' | 'alive' | 'unknown' {
  const { isOurs, isShared, fate, isSameBoot } = evidence
  if (isOurs === false) return 'alive'
  // A lock that the system would have kept, and has not.
  if (isOurs === true && owner.keptBy === 'flock' && (isSameBoot || !isShared)) return 'gone'
  return fate === 'unseen' ? 'unknown' : fate
}

/** This process as the owner of a lock. */
export function ownLock(trajectory: string, keptBy: LockOwner['keptBy']): LockOwner {
  return { ...ownProcess(), keptBy, trajectory, since: new Date().toISOString() }
}

/** Undefined for what is none. */
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

/** Undefined where there is no such file, or none that can be read. */
export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/** Magic numbers of file systems that several machines may have at once, from linux/magic.h and the makers' sources. */
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

/** Whether other machines may write in the folder of this path. */
export function isShared(path: string): boolean {
  try {
    return SHARED_FILE_SYSTEMS.has(statfsSync(path).type >>> 0)
  } catch {
    return true
  }
}

/** Longer than any writer waits: what says so for longer was left by one that was killed. */
const WAITING_MS_MAX = 600_000
const LOOK_MS = 20

/**
 * Resolves when the writer of a file does not wait for its readers: who asks it before each reading keeps no writer out
 * for ever, however many readers there are.
 *
 * @param limitMs it is not waited for longer
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
