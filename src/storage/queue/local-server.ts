/** Who listens on a local socket: to frames of runs, or to whoever asks for the lock. */
import { createServer, type Server, type Socket } from 'node:net'
import { AssemblyBudget, FrameIntake, type OnRecord } from './frame-intake.ts'
import { LocalAddress } from './local-address.ts'

export class LocalServer {
  readonly sockets = new Set<Socket>()
  readonly #server: Server

  /** @param connect is called for each who comes, and gives what to do when it has left */
  constructor(connect: (socket: Socket) => () => void) {
    this.#server = createServer((socket) => {
      this.sockets.add(socket)
      const leave = connect(socket)
      // Who dies resets its connection; `close` follows.
      socket.on('error', () => undefined)
      socket.on('close', () => {
        this.sockets.delete(socket)
        leave()
      })
    })
  }

  /** Rejects with the system's error when nobody can listen there. */
  async listen(path: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(path, resolve)
    })
  }

  /** It keeps no process alive. */
  unref(): void {
    this.#server.unref()
  }

  /** Reads no more from anybody, until `resume`. */
  pause(): void {
    for (const socket of this.sockets) socket.pause()
  }

  resume(): void {
    for (const socket of this.sockets) socket.resume()
  }

  /** Lets nobody in any more. Resolves when all have left. */
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
 * Takes run frames from all who connect, with bounded memory.
 *
 * @param onRecord may keep neither record nor frame: both are views of a buffer
 * @param onChunk called when what has arrived is handed on
 */
export function frameListener(
  onRecord: (...arrived: [...Parameters<OnRecord>, socket: Socket]) => void,
  onChunk: () => void = () => undefined,
): LocalServer {
  const budget = new AssemblyBudget()
  return new LocalServer((socket) => {
    const intake = new FrameIntake(socket, budget, (record, frame) => onRecord(record, frame, socket))
    socket.on('data', (chunk: Buffer) => {
      intake.push(chunk)
      onChunk()
    })
    return () => intake.end()
  })
}

export interface FrameReceiver extends AsyncDisposable {
  /** Where workers send their frames to. */
  readonly address: string
}

/**
 * Takes run frames in this process, in place of the writer: for runs that are not to be stored.
 *
 * @throws PypetError `PYPET_FILE_NOT_WRITABLE` when there is no place for the socket
 */
export async function openFrameReceiver(onRecord: OnRecord): Promise<FrameReceiver> {
  const place = new LocalAddress('runs')
  const listener = frameListener(onRecord)
  await listener.listen(place.path)
  return {
    address: place.path,
    async [Symbol.asyncDispose]() {
      await listener.close()
      place.remove()
    },
  }
}
