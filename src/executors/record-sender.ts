/** A worker's line to the writer: run frames over a local socket, with back-pressure. */
import { connect, type Socket } from 'node:net'
import { encodeRunFrame } from '../trajectory/run-frame.ts'
import type { RunRecord } from '../trajectory/run-record.ts'

export class RecordSender {
  readonly #socket: Socket
  #error: Error | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('error', (error) => {
      this.#error = error
    })
  }

  static open(address: string): Promise<RecordSender> {
    return new Promise((resolve, reject) => {
      const socket = connect(address)
      socket.once('error', reject)
      socket.once('connect', () => {
        socket.off('error', reject)
        // An open line must not keep a finished process alive.
        socket.unref()
        resolve(new RecordSender(socket))
      })
    })
  }

  /**
   * Resolves when the operating system has the whole record: from then on it reaches the writer even if
   * this worker dies, and the arrays of the record may be changed. Waits while the writer is behind.
   */
  send(record: RunRecord): Promise<void> {
    const pieces = encodeRunFrame(record)
    return new Promise((resolve, reject) => {
      if (this.#error !== undefined) {
        reject(this.#error)
        return
      }
      const last = pieces.length - 1
      // Waiting for the writer is part of the run, so the socket must keep the process alive meanwhile.
      this.#socket.ref()
      pieces.forEach((piece, index) => {
        this.#socket.write(piece, (error) => {
          if (error) reject(error)
          else if (index === last) {
            this.#socket.unref()
            resolve()
          }
        })
      })
    })
  }

  close(): void {
    this.#socket.destroy()
  }
}
