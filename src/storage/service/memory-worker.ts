/** ENTRY of the worker half of the in-memory storage: sends each run to main and waits until it has arrived. */
import { connect, type Socket } from 'node:net'
import type { ServiceRecord, StorageWorker } from './storage-service.ts'

export function openWorker({ address }: { readonly address: string }): Promise<StorageWorker> {
  return new Promise((resolve, reject) => {
    const socket = connect(address)
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.off('error', reject)
      socket.unref()
      resolve(new MemoryWorker(socket))
    })
  })
}

class MemoryWorker implements StorageWorker {
  readonly #socket: Socket
  #waiting: { readonly resolve: () => void; readonly reject: (error: Error) => void } | undefined

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', () => this.#end())
    socket.on('error', (error) => this.#end(error))
    socket.on('close', () => this.#end(new Error('the main process is gone')))
  }

  storeRun({ frame }: ServiceRecord): Promise<void> {
    this.#socket.ref()
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
      this.#socket.write(frame)
    })
  }

  close(): void {
    this.#socket.destroy()
  }

  #end(error?: Error): void {
    this.#socket.unref()
    if (error === undefined) this.#waiting?.resolve()
    else this.#waiting?.reject(error)
    this.#waiting = undefined
  }
}
