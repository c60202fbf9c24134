/** Listens on a local socket: for frames of runs, or for requests of the lock. */
import { createServer, type Server, type Socket } from 'node:net'
import {
  decodeFramePrefix,
  decodeRunFrame,
  FRAME_PREFIX_BYTES,
  type RawRunRecord,
} from '../../run/run-frame.ts'
import { AssemblyBudget, type Connection, FrameIntake, type OnRecord, type OnRows } from './frame-intake.ts'
import { LocalAddress } from './local-address.ts'

export class LocalServer {
  readonly sockets = new Set<Socket>()
  readonly #server: Server
  #isPaused = false
  /** Sockets that are paused for reasons of their own, and for how many. */
  readonly #held = new Map<Socket, number>()
  /** What goes on at `resume`. */
  readonly #goingOn: (() => void)[] = []
  #onLeft: () => void = () => undefined

  /** @param connect is called for each connection, and returns a function to call when it has closed */
  constructor(connect: (socket: Socket) => () => void) {
    this.#server = createServer((socket) => {
      this.sockets.add(socket)
      const leave = connect(socket)
      if (this.#isPaused) socket.pause()
      // A peer that dies resets its connection. `close` follows.
      socket.on('error', () => undefined)
      socket.on('close', () => {
        this.sockets.delete(socket)
        this.#held.delete(socket)
        leave()
        this.#onLeft()
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
    for (const goOn of this.#goingOn.splice(0)) this.#whenResumed(goOn)
  }

  /** Stops reading from one connection, until `release` was called as often. */
  hold(socket: Socket): void {
    this.#held.set(socket, (this.#held.get(socket) ?? 0) + 1)
    socket.pause()
  }

  /** @param goOn is called now, or at `resume` */
  release(socket: Socket, goOn: () => void): void {
    if (!this.sockets.has(socket)) return
    this.#held.set(socket, Math.max(0, (this.#held.get(socket) ?? 0) - 1))
    this.#resumeIfFree(socket)
    this.#whenResumed(goOn)
  }

  #whenResumed(goOn: () => void): void {
    if (this.#isPaused) this.#goingOn.push(goOn)
    else goOn()
  }

  #resumeIfFree(socket: Socket): void {
    if (!this.#isPaused && (this.#held.get(socket) ?? 0) === 0) socket.resume()
  }

  /** Accepts no more connections. Resolves when all have closed, and what they have brought is passed on. */
  async drain(): Promise<void> {
    await new Promise((resolve) => this.#server.close(resolve))
    // The server hears of a closed socket before its own listener does.
    while (this.sockets.size > 0)
      await new Promise<void>((resolve) => {
        this.#onLeft = resolve
      })
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
    const connection: Connection = {
      pause: () => server.hold(socket),
      resume: (goOn) => server.release(socket, goOn),
    }
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
 * @param onRecord may keep the record
 * @throws PypetError `PYPET_FILE_NOT_WRITABLE` if the socket cannot be created
 */
export async function openFrameReceiver(onRecord: (record: RawRunRecord) => void): Promise<FrameReceiver> {
  const place = new LocalAddress('runs')
  const listener = frameListener((_, frame) => {
    const own = new Uint8Array(frame)
    onRecord(decodeRunFrame(own.subarray(FRAME_PREFIX_BYTES), decodeFramePrefix(own).headerBytes))
  })
  await listener.listen(place.path)
  return {
    address: place.path,
    async [Symbol.asyncDispose]() {
      await listener.close()
      place.remove()
    },
  }
}
