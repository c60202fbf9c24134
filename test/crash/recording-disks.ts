/** Disks that note everything done to them, so that the state after any part of it can be made again. */
import { type Disk, type DiskSystem, FILES } from '../../src/journal/disk.ts'

/** Something done to a disk; names are those of files in one folder. */
export type DiskOperation =
  | { readonly type: 'create'; readonly name: string }
  | { readonly type: 'write'; readonly name: string; readonly position: number; readonly bytes: Uint8Array }
  | { readonly type: 'truncate'; readonly name: string; readonly size: number }
  | { readonly type: 'sync'; readonly name: string }
  | { readonly type: 'rename'; readonly name: string; readonly to: string }
  | { readonly type: 'remove'; readonly name: string }
  | { readonly type: 'sync-folder' }

/** Real files, with a note of each operation that changes them. */
export class RecordingDisks implements DiskSystem {
  readonly operations: DiskOperation[] = []
  readonly #opened: OpenedDisk[] = []

  open(path: string, access: 'read' | 'write'): Disk {
    return this.#record(path, FILES.open(path, access))
  }

  create(path: string): Disk {
    this.operations.push({ type: 'create', name: nameOf(path) })
    return this.#record(path, FILES.create(path))
  }

  exists(path: string): boolean {
    return FILES.exists(path)
  }

  rename(from: string, to: string): void {
    for (const opened of this.#opened) {
      if (opened.name === nameOf(to)) opened.name = `${nameOf(to)} as it was`
      if (opened.name === nameOf(from)) opened.name = nameOf(to)
    }
    this.operations.push({ type: 'rename', name: nameOf(from), to: nameOf(to) })
    FILES.rename(from, to)
  }

  remove(path: string): void {
    this.operations.push({ type: 'remove', name: nameOf(path) })
    FILES.remove(path)
  }

  syncFolderOf(path: string): void {
    this.operations.push({ type: 'sync-folder' })
    FILES.syncFolderOf(path)
  }

  #record(path: string, disk: Disk): Disk {
    const { operations } = this
    // A renamed file goes on under its new name.
    const opened: OpenedDisk = { name: nameOf(path) }
    this.#opened.push(opened)
    return {
      ...(disk.descriptor !== undefined && { descriptor: disk.descriptor }),
      size: () => disk.size(),
      read: (target, position) => disk.read(target, position),
      write(source, position) {
        operations.push({ type: 'write', name: opened.name, position, bytes: source.slice() })
        disk.write(source, position)
      },
      truncate(size) {
        operations.push({ type: 'truncate', name: opened.name, size })
        disk.truncate(size)
      },
      sync() {
        operations.push({ type: 'sync', name: opened.name })
        disk.sync()
      },
      close: () => disk.close(),
    }
  }
}

interface OpenedDisk {
  name: string
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

/** Files by name, as they are after a crash. */
export type Files = ReadonlyMap<string, Uint8Array>

/**
 * The files after the operations, as a killed process leaves them: the operating system has taken every one, and
 * will bring it to the disk.
 *
 * @param before files that were there already
 */
export function afterKill(operations: readonly DiskOperation[], before: Files = new Map()): Files {
  const disks = new ForgetfulDisks(before)
  for (const operation of operations) disks.apply(operation)
  return disks.withEverything()
}

/**
 * The files after the operations and a power cut: what was not synced is there, or lost, or half there, whatever
 * the order in which it was written.
 *
 * @param random from 0 to 1, exclusive
 */
export function afterPowerCut(
  operations: readonly DiskOperation[],
  random: () => number,
  before: Files = new Map(),
): Files {
  const disks = new ForgetfulDisks(before)
  for (const operation of operations) disks.apply(operation)
  return disks.withPowerCut(random)
}

const SECTOR_BYTES = 512

interface Change {
  readonly position: number
  /** Absent where the size was set. */
  readonly bytes?: Uint8Array
}

/** The content of a file, apart from its name. */
class Content {
  durable: Uint8Array
  changes: Change[] = []

  constructor(durable: Uint8Array) {
    this.durable = durable
  }

  sync(): void {
    this.durable = this.with(this.changes)
    this.changes = []
  }

  with(changes: readonly Change[]): Uint8Array {
    let size = this.durable.byteLength
    let peak = size
    for (const change of changes) {
      size =
        change.bytes === undefined
          ? change.position
          : Math.max(size, change.position + change.bytes.byteLength)
      peak = Math.max(peak, size)
    }
    const bytes = new Uint8Array(peak)
    bytes.set(this.durable)
    let end = this.durable.byteLength
    for (const change of changes) {
      if (change.bytes === undefined) {
        if (change.position < end) bytes.fill(0, change.position, end)
        end = change.position
      } else {
        bytes.set(change.bytes, change.position)
        end = Math.max(end, change.position + change.bytes.byteLength)
      }
    }
    return bytes.slice(0, end)
  }

  /** What a power cut leaves of the unsynced changes: any of them, in any order, or a part of one. */
  afterPowerCut(random: () => number): Uint8Array {
    const kept: Change[] = []
    for (const change of this.changes) {
      const fate = random()
      if (fate < 0.35) continue
      if (fate < 0.55 && change.bytes !== undefined) kept.push(...torn(change.position, change.bytes, random))
      else kept.push(change)
    }
    for (let index = kept.length - 1; index > 0; index -= 1) {
      const other = Math.floor(random() * (index + 1))
      ;[kept[index], kept[other]] = [kept[other] as Change, kept[index] as Change]
    }
    return this.with(kept)
  }
}

/** Some sectors of a write: a disk writes a sector as a whole or not at all. */
function* torn(position: number, bytes: Uint8Array, random: () => number): Generator<Change> {
  for (let start = 0; start < bytes.byteLength; ) {
    const end = Math.min(bytes.byteLength, start + SECTOR_BYTES - ((position + start) % SECTOR_BYTES))
    if (random() < 0.5) yield { position: position + start, bytes: bytes.subarray(start, end) }
    start = end
  }
}

class ForgetfulDisks {
  readonly #durableNames = new Map<string, Content>()
  readonly #names: Map<string, Content>
  /** Changes of names that are not durable, in their order. */
  #nameChanges: ((names: Map<string, Content>) => void)[] = []

  constructor(before: Files) {
    for (const [name, bytes] of before) this.#durableNames.set(name, new Content(bytes))
    this.#names = new Map(this.#durableNames)
  }

  apply(operation: DiskOperation): void {
    switch (operation.type) {
      case 'create': {
        const content = new Content(new Uint8Array(0))
        this.#changeNames((names) => names.set(operation.name, content))
        break
      }
      case 'write':
        this.#contentOf(operation.name).changes.push({ position: operation.position, bytes: operation.bytes })
        break
      case 'truncate':
        this.#contentOf(operation.name).changes.push({ position: operation.size })
        break
      case 'sync':
        this.#contentOf(operation.name).sync()
        break
      case 'rename': {
        const content = this.#contentOf(operation.name)
        this.#changeNames((names) => {
          names.delete(operation.name)
          names.set(operation.to, content)
        })
        break
      }
      case 'remove':
        this.#changeNames((names) => names.delete(operation.name))
        break
      case 'sync-folder':
        for (const change of this.#nameChanges) change(this.#durableNames)
        this.#nameChanges = []
        break
    }
  }

  withEverything(): Files {
    return new Map([...this.#names].map(([name, content]) => [name, content.with(content.changes)]))
  }

  withPowerCut(random: () => number): Files {
    const names = new Map(this.#durableNames)
    // A folder's changes reach the disk in their order, as far as they do.
    const kept = Math.floor(random() * (this.#nameChanges.length + 1))
    for (const change of this.#nameChanges.slice(0, kept)) change(names)
    return new Map([...names].map(([name, content]) => [name, content.afterPowerCut(random)]))
  }

  #contentOf(name: string): Content {
    const content = this.#names.get(name)
    if (content === undefined) throw new Error(`the recording knows no file ${name}`)
    return content
  }

  #changeNames(change: (names: Map<string, Content>) => void): void {
    change(this.#names)
    this.#nameChanges.push(change)
  }
}
