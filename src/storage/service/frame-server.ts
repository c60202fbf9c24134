/** Takes run frames in this process, over a local socket, and hands them on one after the other. */
import type { Socket } from 'node:net'
import type { RunIndex } from '../../values/path.ts'
import { LocalAddress } from '../queue/local-address.ts'
import { frameListener, type LocalServer } from '../queue/local-server.ts'
import { type ServiceRecord, serviceRecord } from './storage-service.ts'

export interface FrameServerOptions {
  /** With so many waiting, no more is read from the workers. */
  readonly pendingMax: number
  /** Workers wait for a byte that says their record was taken. */
  readonly answers: boolean
  /** @param returned what the job returned, as structured-clone bytes, where the worker sends that */
  readonly take: (record: ServiceRecord, returned: Uint8Array | undefined) => Promise<void>
  /** Taking a run threw. */
  readonly onError: (run: RunIndex, error: unknown) => void
}

interface Pending {
  readonly run: RunIndex
  readonly frame: Uint8Array
  readonly returned: Uint8Array | undefined
  readonly socket: Socket
}

export class FrameServer {
  readonly #place = new LocalAddress('runs')
  readonly #listener: LocalServer
  readonly #options: FrameServerOptions
  readonly #pending: Pending[] = []
  #taking: Promise<void> | undefined

  private constructor(options: FrameServerOptions) {
    this.#options = options
    this.#listener = frameListener(
      ({ run, returned }, view, socket) => {
        // Copies: what comes is in a buffer that will be used for other runs, and `slice` of a Buffer copies nothing.
        const kept = returned === undefined ? undefined : new Uint8Array(returned)
        this.#pending.push({ run, frame: new Uint8Array(view), returned: kept, socket })
      },
      () => {
        if (this.#isFull) this.#listener.pause()
        // Of a large record nothing may be there yet: then it ends before it has begun.
        this.#taking ??= this.#takeAll().finally(() => {
          this.#taking = undefined
        })
      },
    )
  }

  /** @throws PypetError `PYPET_FILE_NOT_WRITABLE` when there is no place for the socket */
  static async listen(options: FrameServerOptions): Promise<FrameServer> {
    const server = new FrameServer(options)
    await server.#listener.listen(server.address)
    server.#listener.unref()
    return server
  }

  get address(): string {
    return this.#place.path
  }

  /** Takes nothing more, and waits for what is being taken. */
  async close(): Promise<void> {
    this.#pending.length = 0
    await this.#listener.close()
    this.#place.remove()
    await this.#taking
  }

  get #isFull(): boolean {
    return this.#pending.length >= this.#options.pendingMax
  }

  async #takeAll(): Promise<void> {
    const { take, onError, answers } = this.#options
    for (let next = this.#pending.shift(); next !== undefined; next = this.#pending.shift()) {
      const { run, frame, returned, socket } = next
      try {
        await take(serviceRecord([frame]), returned)
        if (answers && !socket.destroyed) socket.write(Uint8Array.of(TAKEN))
      } catch (error) {
        onError(run, error)
      }
      if (!this.#isFull) this.#listener.resume()
    }
  }
}

/** The answer to a record that was taken. */
const TAKEN = 1
