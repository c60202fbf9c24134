/** A worker's line to the writer: run frames over a local socket, with back-pressure. */
import { connect, type Socket } from 'node:net'
import { PypetError } from '../errors.ts'
import { encodeRunFrame } from '../run/run-frame.ts'
import type { RunRecord } from '../run/run-record.ts'

export class RecordSender {
  readonly #address: string
  /** Connected with the first record: until then the writer may still be starting. */
  #socket: Socket | undefined
  #error: Error | undefined

  constructor(address: string) {
    this.#address = address
  }

  /**
   * Resolves when the operating system has the whole record: from then on it reaches the writer even if
   * this worker dies, and the arrays of the record may be changed. Waits while the writer is behind.
   *
   * @throws PypetError `PYPET_WRITER_DIED` when nobody is there to take it
   */
  async send(record: RunRecord): Promise<void> {
    await this.sendFrame(encodeRunFrame(record))
  }

  /** As `send`, of a record that `encodeRunFrame` has made into a frame. */
  sendFrame(pieces: readonly Uint8Array[]): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#error !== undefined) {
        reject(notReached(this.#error))
        return
      }
      const last = pieces.length - 1
      this.#socket ??= this.#connect()
      const socket = this.#socket
      // Waiting for the writer is part of the run, so the socket must keep the process alive meanwhile.
      socket.ref()
      pieces.forEach((piece, index) => {
        socket.write(piece, (error) => {
          if (error) reject(notReached(error))
          else if (index === last) {
            // An open line must not keep a finished process alive.
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
  const message = `the writer process cannot be reached: ${cause.message}`
  return new PypetError('PYPET_WRITER_DIED', message, {
    hint: 'Was it ended from outside, or is there no memory left for it?',
    cause,
  })
}
