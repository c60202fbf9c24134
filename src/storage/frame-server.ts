/** Takes run frames in this process, over a local socket, and hands them on one after the other. */
import { createServer, type Server, type Socket } from 'node:net'
import type { RunIndex } from '../trajectory/path.ts'
import { decodeFramePrefix, FRAME_PREFIX_BYTES } from '../trajectory/run-frame.ts'
import { LocalAddress } from './local-address.ts'
import { type ServiceRecord, serviceRecord } from './storage-service.ts'

export class FrameServer {
  onError: (run: RunIndex, error: unknown) => void = () => undefined
  readonly address: string
  readonly #place: LocalAddress
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #pendingMax: number
  readonly #take: (record: ServiceRecord) => Promise<void>
  readonly #pending: { readonly record: ServiceRecord; readonly socket: Socket }[] = []
  #isTaking = false

  private constructor(
    place: LocalAddress,
    pendingMax: number,
    take: (record: ServiceRecord) => Promise<void>,
  ) {
    this.#place = place
    this.address = place.path
    this.#pendingMax = pendingMax
    this.#take = take
    this.#server = createServer((socket) => this.#connect(socket))
  }

  /** @param pendingMax with so many waiting, no more is read from the workers */
  static async listen(
    pendingMax: number,
    take: (record: ServiceRecord) => Promise<void>,
  ): Promise<FrameServer> {
    const server = new FrameServer(new LocalAddress('runs'), pendingMax, take)
    await new Promise<void>((resolve, reject) => {
      server.#server.once('error', reject)
      server.#server.listen(server.address, resolve)
    })
    server.#server.unref()
    return server
  }

  close(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    this.#place.remove()
  }

  #connect(socket: Socket): void {
    this.#sockets.add(socket)
    let rest: Buffer = Buffer.alloc(0)
    socket.on('data', (chunk: Buffer) => {
      rest = rest.byteLength === 0 ? chunk : Buffer.concat([rest, chunk])
      while (rest.byteLength >= FRAME_PREFIX_BYTES) {
        const { headerBytes, payloadBytes } = decodeFramePrefix(rest)
        const end = FRAME_PREFIX_BYTES + headerBytes + payloadBytes
        if (rest.byteLength < end) break
        this.#pending.push({ record: serviceRecord([rest.subarray(0, end)]), socket })
        rest = rest.subarray(end)
      }
      if (this.#pending.length >= this.#pendingMax) for (const each of this.#sockets) each.pause()
      void this.#takeAll()
    })
    socket.on('error', () => undefined)
    socket.on('close', () => this.#sockets.delete(socket))
  }

  async #takeAll(): Promise<void> {
    if (this.#isTaking) return
    this.#isTaking = true
    for (let next = this.#pending.shift(); next !== undefined; next = this.#pending.shift()) {
      const { record, socket } = next
      try {
        await this.#take(record)
        if (!socket.destroyed) socket.write(Uint8Array.of(TAKEN))
      } catch (error) {
        this.onError(record.run, error)
      }
      if (this.#pending.length < this.#pendingMax) for (const each of this.#sockets) each.resume()
    }
    this.#isTaking = false
  }
}

/** The answer to a record that was taken. */
const TAKEN = 1
