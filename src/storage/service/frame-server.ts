/** Takes run frames in this process, over a local socket, and passes them on one after the other. */
import type { Socket } from 'node:net'
import type { RunIndex } from '../../values/path.ts'
import { LocalAddress } from '../queue/local-address.ts'
import { frameListener, type LocalServer } from '../queue/local-server.ts'
import { type ServiceRecord, serviceRecord } from './storage-service.ts'

export interface FrameServerOptions {
  /** With more than this waiting, nothing more is read from the workers. */
  readonly pendingMax: number
  /** Workers wait for a byte that confirms each record. */
  readonly answers: boolean
  /** @param returned the job's return value as structured-clone bytes, if the worker sends it */
  readonly take: (record: ServiceRecord, returned: Uint8Array | undefined) => Promise<void>
  /** Taking a run failed. */
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
        // Copies: the buffer will be reused for other runs, and `slice` of a Buffer copies nothing.
        const kept = returned === undefined ? undefined : new Uint8Array(returned)
        this.#pending.push({ run, frame: new Uint8Array(view), returned: kept, socket })
      },
      {
        onChunk: () => {
          if (this.#isFull) this.#listener.pause()
          // A large record may be incomplete. Then `takeAll` ends at once.
          this.#taking ??= this.#takeAll().finally(() => {
            this.#taking = undefined
          })
        },
      },
    )
  }

  /** @throws PypetError `PYPET_FILE_NOT_WRITABLE` if the socket cannot be created */
  static async listen(options: FrameServerOptions): Promise<FrameServer> {
    const server = new FrameServer(options)
    await server.#listener.listen(server.address)
    server.#listener.unref()
    return server
  }

  get address(): string {
    return this.#place.path
  }

  /** Takes nothing more, and waits for records in progress. */
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

/** The answer to a record. */
const TAKEN = 1
