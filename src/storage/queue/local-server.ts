/** Listens on a local socket: for frames of runs, or for requests of the lock. */
import { createServer, type Server, type Socket } from 'node:net'
import type { RawRunRecord } from '../../run/run-frame.ts'
import { AssemblyBudget, FrameIntake, type OnRecord, type OnRows } from './frame-intake.ts'
import { LocalAddress } from './local-address.ts'

export class LocalServer {
  readonly sockets = new Set<Socket>()
  readonly #server: Server
  #isPaused = false
  /** Sockets that are paused for reasons of their own, and for how many. */
  readonly #held = new Map<Socket, number>()

  /** @param connect is called for each connection, and returns a function to call when it has closed */
  constructor(connect: (socket: Socket) => () => void) {
    this.#server = createServer((socket) => {
      this.sockets.add(socket)
      const leave = connect(socket)
      // A peer that dies resets its connection. `close` follows.
      socket.on('error', () => undefined)
      socket.on('close', () => {
        this.sockets.delete(socket)
        this.#held.delete(socket)
        leave()
      })
    })
  }

  /** Rejects with the system's error if it cannot listen there. */
  async listen(path: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(path, resolve)
    })
  }

  /** Keeps no process alive. */
  unref(): void {
    this.#server.unref()
  }

  /** Stops reading from all connections until `resume`. */
  pause(): void {
    this.#isPaused = true
    for (const socket of this.sockets) socket.pause()
  }

  resume(): void {
    this.#isPaused = false
    for (const socket of this.sockets) this.#resumeIfFree(socket)
  }

  /** Stops reading from one connection, until `release` was called as often. */
  hold(socket: Socket): void {
    this.#held.set(socket, (this.#held.get(socket) ?? 0) + 1)
    socket.pause()
  }

  release(socket: Socket): void {
    if (!this.sockets.has(socket)) return
    this.#held.set(socket, Math.max(0, (this.#held.get(socket) ?? 0) - 1))
    this.#resumeIfFree(socket)
  }

  #resumeIfFree(socket: Socket): void {
    if (!this.#isPaused && (this.#held.get(socket) ?? 0) === 0) socket.resume()
  }

  /** Accepts no more connections. Resolves when all have closed. */
  async drain(): Promise<void> {
    await new Promise((resolve) => this.#server.close(resolve))
  }

  /** Takes nothing more. Resolves when all connections are closed. */
  async close(): Promise<void> {
    const drained = this.drain()
    for (const socket of this.sockets) socket.destroy()
    await drained
  }
}

/**
 * Takes run frames from all connections, with bounded memory.
 *
 * @param onRecord may keep neither record nor frame: both are views of a buffer
 * @param options.onRows if the workers may pack runs
 * @param options.onChunk called when all that came together has been passed on
 */
export function frameListener(
  onRecord: (...arrived: [...Parameters<OnRecord>, socket: Socket]) => void,
  { onRows, onChunk }: { readonly onRows?: OnRows; readonly onChunk?: () => void } = {},
): LocalServer {
  const budget = new AssemblyBudget()
  const server: LocalServer = new LocalServer((socket) => {
    const onFrame: OnRecord = (record, frame) => onRecord(record, frame, socket)
    const connection = { pause: () => server.hold(socket), resume: () => server.release(socket) }
    const intake = new FrameIntake(connection, budget, { onRecord: onFrame, onRows, onPushed: onChunk })
    socket.on('data', (chunk: Buffer) => intake.push(chunk))
    return () => intake.end()
  })
  return server
}

export interface FrameReceiver extends AsyncDisposable {
  /** The address to which workers send their frames. */
  readonly address: string
}

/**
 * Takes run frames in this process instead of the writer, for runs that are not stored.
 *
 * @throws PypetError `PYPET_FILE_NOT_WRITABLE` if the socket cannot be created
 */
export async function openFrameReceiver(onRecord: (record: RawRunRecord) => void): Promise<FrameReceiver> {
  const place = new LocalAddress('runs')
  const onRows: OnRows = (rows) => {
    for (let row = 0; row < rows.count; row += 1) onRecord(rows.record(row))
  }
  const listener = frameListener(onRecord, { onRows })
  await listener.listen(place.path)
  return {
    address: place.path,
    async [Symbol.asyncDispose]() {
      await listener.close()
      place.remove()
    },
  }
}
