/** A worker's connection to the writer: run frames over a local socket, with back-pressure. */
import { connect, type Socket } from 'node:net'
import { PypetError } from '../errors.ts'
import { encodeRunFrame } from '../run/run-frame.ts'
import type { RunRecord } from '../run/run-record.ts'

export class RecordSender {
  readonly #address: string
  /** Connected at the first record: before that, the writer may still be starting. */
  #socket: Socket | undefined
  #error: Error | undefined

  constructor(address: string) {
    this.#address = address
  }

  /**
   * Resolves when the operating system has the whole record. From then on, it reaches the writer even if this worker
   * dies, and the arrays of the record may change. Waits while the writer is behind.
   *
   * @throws PypetError `PYPET_WRITER_DIED` if the writer is gone
   */
  async send(record: RunRecord): Promise<void> {
    await this.sendFrame(encodeRunFrame(record))
  }

  /** As `send`, for a frame made by `encodeRunFrame`. */
  sendFrame(pieces: readonly Uint8Array[]): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#error !== undefined) {
        reject(notReached(this.#error))
        return
      }
      const last = pieces.length - 1
      this.#socket ??= this.#connect()
      const socket = this.#socket
      // Waiting for the writer is part of the run, so the socket keeps the process alive meanwhile.
      socket.ref()
      pieces.forEach((piece, index) => {
        socket.write(piece, (error) => {
          if (error) reject(notReached(error))
          else if (index === last) {
            // An idle connection must not keep a finished process alive.
            socket.unref()
            resolve()
          }
        })
      })
    })
  }

  close(): void {
    this.#socket?.destroy()
  }

  #connect(): Socket {
    const socket = connect(this.#address)
    socket.on('error', (error) => {
      this.#error = error
    })
    return socket
  }
}

function notReached(cause: Error): PypetError {
  const message = `cannot reach the writer process: ${cause.message}`
  return new PypetError('PYPET_WRITER_DIED', message, {
    hint: 'Check whether someone killed it, or memory ran out (dmesg).',
    cause,
  })
}
